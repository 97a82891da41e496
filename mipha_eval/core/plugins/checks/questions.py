"""Questions as a task reads them, and what it has a model asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.plugins.checks.refusal import are, is_cell, refusal, shown
from mipha_eval.core.printable import printable
from mipha_eval.core.types import Decoding, Image, Request, Sample

if TYPE_CHECKING:
    from mipha_eval.core.task import Task

#: what counts of a judge's second opinions begin with, which no category is called
OPINIONS = "[judge]"

IMAGES_FROM = "self.data.images(TASK, FOLDER).image(NAME) gives an image"

TEXTS = ("id", "prompt", "category", "group", "question")
TUPLES = {"target": (str, "texts"), "choices": (str, "texts"), "images": (Image, "images"), "tags": (str, "texts")}
IDS = (str, int, float)


def wrong_sample(sample: object) -> str:
    """What is wrong with a question; "" if nothing is."""
    if (
        type(sample) is Sample
        and are(str, (sample.id, sample.prompt, sample.category, sample.group, sample.question))
        and are(str, sample.target)
        and are(Image, sample.images)
        and _are_named(sample.images)
        and are(str, sample.tags)
        and are(str, sample.choices)
        and type(sample.question_id) in IDS
        and sample.id
    ):
        return ""
    return (
        _wrong_field(sample)
        if type(sample) is Sample
        else f"samples must give Sample objects{_subclass(sample)}, not {shown(sample)}"
    )


def _are_named(images: tuple[Image, ...]) -> bool:
    for image in images:  # noqa: SIM110 - of every question, and half as dear as a generator
        if type(image.name) is not str or type(image.location) is not str:
            return False
    return True


def _subclass(sample: object) -> str:
    return ", and none of a class derived from it" if isinstance(sample, Sample) else ""


def _wrong_field(sample: Sample) -> str:
    called = f"question {printable(str(sample.id))[:80]}"
    which = f"{called} has"
    for name in TEXTS:
        if type(getattr(sample, name)) is not str:
            return f"{which} as {name} no text but {shown(getattr(sample, name))}"
    for name, (kind, things) in TUPLES.items():
        value = getattr(sample, name)
        if not are(kind, value):
            return f"{name} of {called} must be a tuple of {things}, not {shown(value)}: {tuple_of(kind, name, value)}"
    for image in sample.images:
        if not (type(image.name) is str and type(image.location) is str):
            return f"{which} an image whose name is no text but {shown(image.name)}"
    if not sample.id:
        return "a question has an empty id"
    return f"{which} as question_id neither a text nor a number but {shown(sample.question_id)}"


def tuple_of(kind: type, name: str, value: object) -> str:
    """How an author writes in code what ought to be a tuple of texts or of images."""
    if value is None:
        return "write () where there is nothing"
    if type(value) is kind:
        return f"write ({f'{value!r:.40}' if kind is str else 'image'},), with a comma"
    if not isinstance(value, list | tuple | set | frozenset):
        return IMAGES_FROM if kind is Image else f"write (str({name}),), with a comma"
    if not all(type(each) is kind for each in value):
        return IMAGES_FROM if kind is Image else f"write tuple(map(str, {name}))"
    return f"write tuple({name})"


def wrong_category(samples: Iterable[Sample]) -> str:
    """What is wrong with the categories and parts of questions that are right otherwise; "" if nothing is."""
    names = {sample.category for sample in samples}
    names.update(*{sample.tags for sample in samples})
    for name in sorted(names - {""}):
        if not is_cell(name) or name.startswith(OPINIONS):
            return f"a category or part is called {name!r:.80}, which cannot stand in a table"
    return ""


def official_of(task: Task, answers: object) -> list[OfficialAnswer]:
    """What the task read from a result file of the benchmark's own form: plain pairs of key and text will do."""
    found = list(answers) if isinstance(answers, Iterable) else [answers]
    pairs = [each for each in found if isinstance(each, tuple) and len(each) > 1 and type(each[1]) is str]
    if isinstance(answers, Iterable) and len(pairs) == len(found):
        return [OfficialAnswer(*each) for each in pairs]
    wrong = next((each for each in found if each not in pairs), answers)
    what = f"official_answers of {task.label} must give pairs of an answer key and a text, not {shown(wrong)}"
    raise refusal(type(task), "official_answers", what)


def choices_of(task: Task, sample: Sample) -> dict[str, bool]:
    """The possible answers to a question and whether each is right, as the task says."""
    found: object = task.possible_answers(sample)
    if isinstance(found, Mapping) and all(type(text) is str and text and type(found[text]) is bool for text in found):
        return dict(found)
    raise refusal(
        type(task),
        "possible_answers",
        f"possible_answers of {task.label} must give a dict of texts and truths, not {shown(found)}",
    )


def checked_core(task: Task, prompt: str) -> str:
    """What is left of a prompt without what is no part of its question, as the task says."""
    found: object = task.core(prompt)
    if type(found) is str:
        return found
    raise refusal(type(task), "core", f"core of {task.label} must give a text, not {shown(found)}")


def checked_oddity(task: Task, sample: Sample) -> str:
    """What is odd about a label, as the task says."""
    found: object = task.odd_label(sample)
    if type(found) is str:
        return found
    raise refusal(type(task), "odd_label", f"odd_label of {task.label} must give a text, empty for none, not {shown(found)}")


def checked_prompt(task: Task, prompt: str) -> str:
    """What is left of a prompt without its question, as the task says."""
    found: object = task.without_question(prompt)
    if type(found) is str:
        return found
    what = f"without_question of {task.label} must give a text, not {shown(found)}"
    raise refusal(type(task), "without_question", what)


def checked_request(task: Task, request: object) -> Request:
    """What a model is asked, as the task made it from a question."""
    if (
        type(request) is Request
        and type(request.text) is str
        and type(request.decoding) is Decoding
        and type(request.decoding.max_new_tokens) is int
        and are(Image, request.images)
        and are(str, request.options)
    ):
        return request
    wanted = "a Request of a text, a tuple of images, a decoding and a tuple of options"
    raise refusal(type(task), "request", f"request of {task.label} must give {wanted}, not {shown(request)}")
