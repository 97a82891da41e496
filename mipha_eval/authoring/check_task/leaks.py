"""The label stands neither in the prompt nor in the name of a picture.

A word of the label may well stand in a question ("Is the cup red or blue?"). What gives an answer away is a text
that holds its own question's label and no other one, in most questions, or one that announces it ("Answer: red"). Both are
compared with the same texts and labels dealt out at random.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mipha_eval.authoring.check_task.answers import option_of
from mipha_eval.authoring.check_task.association import Association, LabelIndex, associate
from mipha_eval.authoring.check_task.point import Said, of, place_in_code, quoted
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.alphabet import lettered
from mipha_eval.core.plugins.checks.questions import checked_request
from mipha_eval.core.types import Sample

#: what announces an answer, and the words behind it
ANNOUNCED = re.compile(
    r"\b(?:answer|label|solution|ground[ _]truth|gt|correct(?: option| choice)?)\b[\"'\])*]*\s*(?:is\b|[:=])"
    r"\s*[\"'(\[*]*([^\n]{1,60})",
    re.IGNORECASE,
)
MOST = 0.5  # of the questions, whose text holds their label alone
ANNOUNCING = 0.1  # of the questions, beyond chance
NAMED = 0.1
FEW = 2


def label_is_not_in_the_prompt(under: TaskUnderCheck) -> Iterator[Said]:
    """Prompts, without their options, neither announce the label nor hold it alone."""
    asked = [sample for sample in under.tried if _label(sample)]
    if not asked:
        yield "ok", "no label is a word or two that could stand in a prompt"
        return
    prompts = {each.id: checked_request(under.task, under.task.request(each)).text for each in asked}
    announced = _announced(asked, prompts)
    texts, labels = [_without_options(under, each, prompts[each.id]) for each in asked], [_label(each) for each in asked]
    index = LabelIndex(labels)
    held = [index.held(text) for text in texts]
    alone = associate([each if len(each) == 1 else frozenset() for each in held], labels)
    anyhow = associate(held, labels)
    place = place_in_code(under, "samples")
    if announced.beyond_chance and announced.found - announced.expected >= max(FEW, ANNOUNCING * announced.questions):
        first = next(told for each in asked if (told := _announces(each, prompts[each.id])))
        yield "fault", f"prompts announce the answer, {_told(announced)}, such as {quoted(first)} ({place})"
    elif alone.beyond_chance and alone.found > MOST * alone.questions:
        shown = next(text for text, each, label in zip(texts, held, labels, strict=True) if each == {label})
        yield "fault", f"prompts hold their own label and no other, {_told(alone)}: {quoted(shown)} ({place})"
    elif anyhow.beyond_chance and anyhow.found - anyhow.expected >= max(FEW, 0.05 * anyhow.questions):
        yield "note", f"prompts hold words of their own label, {_told(anyhow)}, mostly beside others; is that meant?"
    else:
        yield "ok", "the label does not stand in the prompt more often than chance has it"


def label_is_not_in_the_file_name(under: TaskUnderCheck) -> Iterator[Said]:
    """Pictures are not called by the answer."""
    asked = [sample for sample in under.tried if _label(sample) and sample.images]
    labels = [_label(each) for each in asked]
    index = LabelIndex(labels)
    names = [" ".join(image.name for image in each.images) for each in asked]
    held = [index.held(name) for name in names]
    found = associate(held, labels) if asked else Association(0, 0, 0.0, 1.0)
    if found.beyond_chance and found.found - found.expected >= max(FEW, NAMED * found.questions):
        first = next(n for n, each in enumerate(held) if labels[n] in each)
        place = place_in_code(under, "samples")
        yield "fault", f"pictures are called by the answer, {_told(found)}, such as {quoted(names[first])} ({place})"
    elif found.beyond_chance and found.found - found.expected >= FEW:
        yield "note", f"names of pictures hold the label, {_told(found)}"
    else:
        yield "ok", "the label does not stand in the names of pictures"


def _label(sample: Sample) -> str:
    """The label as a text: of a question with options the right option; "" for one that is no word or a few."""
    return LabelIndex.name(option_of(sample, sample.target[0])) if len({*sample.target}) < 4 else ""


def _without_options(under: TaskUnderCheck, sample: Sample, text: str) -> str:
    """The question without options, and without what the task says is no part of it, such as format lines."""
    for letter, option in lettered(sample.choices):
        text = text.replace(f"{letter}. {option}", "") if option else text
    return under.task.core(text)


def _announces(sample: Sample, prompt: str) -> str:
    """What a prompt announces as the answer, if it is the label."""
    index = LabelIndex([_label(sample), sample.target[0]])
    return next((text for text in ANNOUNCED.findall(prompt) if index.held(text)), "")


def _announced(samples: Sequence[Sample], prompts: Mapping[str, str]) -> Association:
    """Announcements of labels: by letter, or by text."""
    by_letter = [LabelIndex.name(sample.target[0]) for sample in samples]
    by_text = [_label(sample) for sample in samples]
    found = []
    for labels in (by_letter, by_text):
        index = LabelIndex(labels)
        said = [" \n ".join(ANNOUNCED.findall(prompts[sample.id])) for sample in samples]
        found.append(associate([index.held(text) for text in said], labels))
    return min(found, key=lambda each: (each.chance, -each.found))


def _told(found: Association) -> str:
    return f"{of(found.found, found.questions)} where chance has {found.expected:.1f}"
