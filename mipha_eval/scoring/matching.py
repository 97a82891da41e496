"""Which question an answer of a file is to, and whether anything proves it: never its place in the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from mipha_eval.core.answer_line import OfficialAnswer, asked_texts, check_round, other_answer
from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import question_core
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.checks.questions import checked_core
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.core.wording import difference, words
from mipha_eval.data.images import stem
from mipha_eval.scoring.anew import check_category

#: what bytes that are not UTF-8 become
ESCAPES = re.compile("[\udc80-\udcff]")
#: no way of writing a question is so many times shorter than another one
SHORT = 4
WHOLE = re.compile(r"\s*(-?\d+)(?:\.0+)?\s*")


class Read(NamedTuple):
    """An answer, and what it is known to be to: `echo` if it says what the question says, with nothing else known."""

    response: Response
    verified: bool
    echo: bool = False


class Answers:
    """Collects answers and matches each to its sample or samples.

    Attributes:
        responses: by sample id.
        foreign: what answers to no question are to, and why none of these with the same id is meant.
    """

    def __init__(self, place: str, task: Task, samples: Sequence[Sample]) -> None:
        self._place, self._task, self._all = place, task, samples
        self._samples: dict[Hashable, list[Sample]] = {}
        for sample in samples[:1]:  # it is asked many times below
            checked_core(task, sample.prompt)
        for sample in samples:
            self._samples.setdefault(text_key(task.answer_key(sample)), []).append(sample)
        self._times: Counter[Hashable] = Counter()
        self._verified: set[str] = set()
        self._echoes = self._silent = 0
        self.responses: dict[str, Response] = {}
        self.foreign: list[str] = []

    @property
    def unverified(self) -> int:
        """How many answers nothing but an id that other sets have, too, says what they are to."""
        if self._task.own_ids and is_telling([str(sample.question_id) for sample in self._all]):
            return 0
        return sum(not response.error and name not in self._verified for name, response in self.responses.items())

    def add_lines(self, records: Iterable[JsonObject]) -> None:
        """Takes the lines of LLaVA's JSONL.

        Raises:
            UserError: a line has no answer, a second one to its question, or says that it is to another question.
        """
        for number, record in enumerate(records, start=1):
            place = f"{self._place}: answer {number}"
            check_round(place, record)
            try:
                key = text_key(self._task.record_key(record))
                shown = str(record.get("question_id", key))
            except KeyError as error:
                raise UserError(f"{place} has no {error}; {self._told_forms}") from error
            key, why = self._find(place, key, record)
            asked = asked_texts(record)
            samples = self._meant(self._samples.get(key, ()), next(iter(asked.values()), ""))
            found = [self._read(place, sample, record, asked) for sample in samples]
            if not found:
                self.foreign.append(f"{shown}{why}")
                _response(place, record)
                continue
            self._echoes += found[0].echo
            self._silent += not asked
            self._add(place, key, shown, found[0].response, verified=all(each.verified for each in found))
        if self.unverified == len(self.responses):
            check_category(self._place, self._task, self._all, self.responses)
        if 2 * self._echoes > self._silent:
            raise UserError(
                f"{self._place}: {self._echoes:,} of {self._silent:,} texts hold their questions, and no line says what was "
                "asked; is this a question file? If it is not, add the questions as prompt"
            )

    def add_official(self, answers: Iterable[OfficialAnswer]) -> None:
        """Takes the answers of an official result file. Raises UserError as `add_lines` does."""
        for number, answer in enumerate(answers, start=1):
            place, key = f"{self._place}: answer {number}", text_key(answer.key)
            shown = str(answer.key[0] if isinstance(answer.key, tuple) else answer.key)
            samples = self._samples.get(key, ())
            if not samples:
                self.foreign.append(shown)
                continue
            about = answer.verified
            if answer.asked:
                about = all(
                    check_question(place, self._task, sample, answer.asked) for sample in self._meant(samples, answer.asked)
                )
            self._add(place, key, shown, Response(answer.text, verbatim=True), verified=about)

    def _add(self, place: str, key: Hashable, shown: str, response: Response, *, verified: bool) -> None:
        samples = self._samples[key]
        self._times[key] += 1
        if self._times[key] > len(samples):  # an id that the benchmark has twice may be answered twice
            raise UserError(
                f"{place} is a second answer to question_id {shown}; remove one, if ids do not begin anew within"
            )
        for sample in samples:
            self.responses[sample.id] = response
            (self._verified.add if verified else self._verified.discard)(sample.id)

    def _meant(self, samples: Sequence[Sample], asked: str) -> Sequence[Sample]:
        """Of samples with one key, which SEED-Bench has, those that were asked; all of them if it is none."""
        if len(samples) < 2 or not asked:
            return samples
        return [sample for sample in samples if self._task.is_about(sample, asked) is not False] or samples

    def _find(self, place: str, key: Hashable, record: JsonObject) -> tuple[Hashable, str]:
        """The key of the sample that a line is to; where ids are not unique, of the one that its words ask.

        Returns:
            The key, and what tells the question from those with the line's id if it is none of them.
        """
        if key in self._samples or not isinstance(key, tuple):
            return key, ""
        asked = asked_texts(record)
        if not asked and other_answer(record) is None:
            raise UserError(f"{place} has no 'prompt'; {self._told_forms}")
        text = next(iter(asked.values()), str(record.get("text")))
        candidates = self._by_id.get(key[0], [])
        about = [sample for sample in candidates if self._task.is_about(sample, text)]
        if about:  # a question may be a part of another one
            return text_key(self._task.answer_key(max(about, key=lambda sample: len(words(sample.prompt))))), ""
        if not candidates:
            return key, ""
        there, here = difference(question_core(text), self._task.core(candidates[0].prompt))
        return key, f", which is to {there!r} and not to {here!r}"

    @cached_property
    def _by_id(self) -> Mapping[Hashable, Sequence[Sample]]:
        found: dict[Hashable, list[Sample]] = {}
        for sample in self._all:
            found.setdefault(text_key(sample.question_id), []).append(sample)
        return found

    def _read(self, place: str, sample: Sample, record: JsonObject, asked: Mapping[str, str]) -> Read:
        """A line as an answer to a sample. Raises UserError if it says that it is to another question, or no answer."""
        task, own = self._task, self._task.core(sample.prompt)
        verified = False
        for name, told in asked.items():
            if name == "prompt":
                self._check_prompt(place, told)
            verified |= check_question(place, task, sample, told)
            differs = name == "prompt" and told != sample.prompt and task.core(told) != own
            if differs and self._others.is_one(told, sample):
                raise UserError(contradiction(place, task, sample, told))
        if "image" in record or "category" in record:
            self._others.check_names(place, sample, record)
            verified |= self._others.is_named(sample, record)
        text, other = record.get("text"), other_answer(record)
        if record.get("error") or not isinstance(text, str) or (asked and other is None):
            return Read(_response(place, record), verified)
        if _is_short(text, own) or not task.is_about(sample, text):
            if not asked and self._others.is_question(text, ends=other is not None):
                raise UserError(contradiction(place, task, sample, text))
            return Read(Response(text), verified)
        same = words(text) in (words(sample.prompt), words(own))
        if other is not None and (same or not asked):
            self._check_prompt(place, text)
            return Read(Response(other), verified=True)
        if same and not asked:
            raise UserError(f"{place} is no answer: its text is the question; is {self._place} the question file?")
        return Read(Response(text), verified, echo=not asked)

    @property
    def _told_forms(self) -> str:
        return (
            f"{self._task.name} reads LLaVA's answer lines, with question_id, prompt and text, and the files that other "
            "suites and servers have, unchanged: docs/answers.md shows each"
        )

    def _check_prompt(self, place: str, prompt: str) -> None:
        try:
            self._task.check_prompt(prompt)
        except UserError as error:
            raise UserError(f"{place}: {error}") from error

    @cached_property
    def _others(self) -> Others:
        return Others(self._task, self._all)


class Others:
    """What a task's other questions are called: a line that names one of these is to that one."""

    def __init__(self, task: Task, samples: Sequence[Sample]) -> None:
        self._task = task
        self._cores = {checked_core(task, sample.prompt) for sample in samples} - {""}
        self._images = Counter(name for sample in samples for name in image_stems(sample))
        self._categories = {sample.category for sample in samples} - {""}

    def is_one(self, prompt: str, sample: Sample) -> bool:
        """Whether a prompt is exactly another question than a sample's, of which that may be a part."""
        core = self._task.core(prompt)
        return core in self._cores and words(core) != words(self._task.core(sample.prompt))

    def is_question(self, text: str, *, ends: bool) -> bool:
        """Whether a text is one of the questions, or has a format line; with `ends`, also if it ends like a question."""
        plain = text.strip().removeprefix("<image>").strip()
        return self._task.core(text) in self._cores or question_core(text) != plain or (ends and plain.endswith(("?", "？")))

    def check_names(self, place: str, sample: Sample, record: JsonObject) -> None:
        """Raises UserError if a line names the image or the category of another question."""
        image, category = record.get("image"), record.get("category")
        if isinstance(image, str) and stem(image) in self._images and stem(image) not in image_stems(sample):
            of = ", ".join(own.name for own in sample.images) or "no image"
            raise UserError(f"{place} is about {image}, but question_id {sample.question_id} is about {of}")
        if isinstance(category, str) and category in self._categories and category != sample.category:
            raise UserError(
                f"{place} is of category {category}, but question_id {sample.question_id} is of {sample.category}; "
                "do ids begin anew in every category?"
            )

    def is_named(self, sample: Sample, record: JsonObject) -> bool:
        """Whether a line names an image that only this sample is about."""
        image = record.get("image")
        return isinstance(image, str) and stem(image) in image_stems(sample) and self._images[stem(image)] == 1


def _is_short(text: str, core: str) -> bool:
    """Whether a text is too short to hold a question of one line, which saves looking."""
    return len(text) * SHORT < len(core) and "\n" not in core


def check_question(place: str, task: Task, sample: Sample, asked: str) -> bool:
    """Whether a text asks a sample's question; False if nobody knows what that is. Raises UserError if it asks another."""
    about = task.is_about(sample, asked)
    if about is False:
        raise UserError(contradiction(place, task, sample, asked))
    return bool(about)


def contradiction(place: str, task: Task, sample: Sample, asked: str) -> str:
    """What an answer is to and what its question is, where the two begin to differ."""
    there, here = difference(question_core(asked), task.core(sample.prompt))
    why = "the file is not UTF-8, save it so" if ESCAPES.search(asked) else other_protocols(task)
    return f"{place} is to {there!r}, but question_id {sample.question_id} of {task.label} is {here!r}; {why}"


def other_protocols(task: Task) -> str:
    known = "; ".join(f"{task.name}@{name}: {line}" for name, line in task.protocols.items())
    return f"are they answers to another release? ({known})"


def text_key(key: Hashable) -> Hashable:
    """Ids compare as text: some suites write 17, others "17" or 17.0."""
    if isinstance(key, tuple):
        return tuple(map(text_key, key))
    text = str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)
    whole = WHOLE.fullmatch(text)
    return whole[1] if whole else text


def is_telling(ids: Collection[str]) -> bool:
    """Whether ids are no plain count: half of the numbers from the smallest to the largest, at least, are none."""
    numbers = {int(text) for text in ids if text.isdecimal() and len(text) < 300}
    return not numbers or 2 * len(numbers) <= max(numbers) - min(numbers) + 1


def image_stems(sample: Sample) -> set[str]:
    return {stem(image.name) for image in sample.images}


def _response(place: str, record: JsonObject) -> Response:
    if record.get("error"):
        return Response.failure(str(record["error"]))
    text = record.get("text", record.get("prediction"))
    if not isinstance(text, str):
        raise UserError(f"{place} has no text; LLaVA's answer lines have question_id, prompt and text")
    return Response(text)
