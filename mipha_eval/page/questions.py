"""The questions of a task with what each run made of them: an index to filter by, and rows to show."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
from msgspec import Struct

from mipha_eval.core.plugins.checks.questions import choices_of
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.page.outcomes import NOT_ASKED, Outcomes
from mipha_eval.page.question_row import AnswerFacts, MadeAgain, QuestionRow
from mipha_eval.page.thumbnails import Pictures
from mipha_eval.reporting.serving import answer_serving
from mipha_eval.store.equivalence import Check

PIECE = 200  # questions that a page shows, and reads, at a time
SIBLINGS = 12  # questions scored together that a row names


class QuestionIndex(Struct, frozen=True):
    """What a page filters a task's questions by without reading rows.

    Attributes:
        kinds: distinct lists of categories; kind: of each question its place in them.
        states: of each run a letter a question.
        values: of each run the values that the letter does not tell, by place.
    """

    label: str
    ids: tuple[str, ...]
    count: int
    piece: int
    kinds: tuple[tuple[str, ...], ...]
    kind: tuple[int, ...]
    states: tuple[str | None, ...]
    values: tuple[Mapping[int, float | None] | None, ...]


@dataclass(frozen=True)
class Questions:
    """A task's distinct questions, in the order in which the runs asked them.

    Attributes:
        runs: a run's outcomes, None where it has not begun the task.
        pictures: numbers the pictures of the whole page.
    """

    label: str
    runs: Sequence[Outcomes | None]
    pictures: Pictures

    @cached_property
    def asked(self) -> Mapping[Hashable, tuple[Sample, Outcomes]]:
        """Each question, and the first run that asked it."""
        found: dict[Hashable, tuple[Sample, Outcomes]] = {}
        for run in filter(None, self.runs):
            for key, sample in run.samples.items():
                found.setdefault(key, (sample, run))
        return found

    @cached_property
    def _groups(self) -> Mapping[str, list[int]]:
        """Places of questions that are scored together."""
        groups: dict[str, list[int]] = {}
        for place, (sample, _) in enumerate(self.asked.values()):
            if sample.group:
                groups.setdefault(sample.group, []).append(place)
        return groups

    def index(self) -> QuestionIndex:
        """What the page filters by."""
        kinds: dict[tuple[str, ...], int] = {}
        kind = [kinds.setdefault((sample.category, *sample.tags), len(kinds)) for sample, _ in self.asked.values()]
        states: list[str | None] = []
        values: list[dict[int, float | None] | None] = []
        for run in self.runs:
            column = [run.standing(key) for key in self.asked] if run else []
            states.append("".join(state for state, _ in column) if run else None)
            partly = {place: value for place, (state, value) in enumerate(column) if state in "Pp"}
            values.append(partly if run else None)
        return QuestionIndex(
            label=self.label,
            ids=tuple(sample.id for sample, _ in self.asked.values()),
            count=len(self.asked),
            piece=PIECE,
            kinds=tuple(_named(names) for names in kinds),
            kind=tuple(kind),
            states=tuple(states),
            values=tuple(values),
        )

    def number_pictures(self) -> None:
        """Numbers the task's pictures in the order of its questions, before any row is made."""
        for sample, origin in self.asked.values():
            for image in sample.images:
                self.pictures.number(image, origin.origin)

    def rows(self) -> Iterator[QuestionRow]:
        """One a question."""
        for place, (key, (sample, origin)) in enumerate(self.asked.items()):
            others = [other for other in self._groups.get(sample.group, ()) if other != place]
            yield QuestionRow(
                id=sample.id,
                prompt=sample.prompt,
                target=sample.target,
                choices=sample.choices,
                categories=_named((sample.category, *sample.tags)),
                together=tuple(others[:SIBLINGS]),
                images=tuple([(self.pictures.number(image, origin.origin), image.name) for image in sample.images]),
                answers=tuple([_answer(run, key) if run else None for run in self.runs]),
            )


def _named(names: Sequence[str]) -> tuple[str, ...]:
    """Distinct ones, without the empty one."""
    return tuple(dict.fromkeys(name for name in names if name))


def _answer(run: Outcomes, question: Hashable) -> AnswerFacts | None:
    """What one run made of a question."""
    if run.standing(question)[0] == NOT_ASKED:
        return None
    sample = run.samples[question]
    response, score = run.responses.get(sample.id), run.scores.get(sample.id)
    found = AnswerFacts(
        text=None if response is None or response.error else response.text,
        error=response.error if response else "",
        served=answer_serving(response.served) if response and response.served else "",
        cut=response is not None and response.finish == "length",
        probabilities=_probabilities(run, sample, response),
        verdicts=tuple(run.verdicts.get(sample.id, ())),
        reference=_made_again(run.checks.get(sample.id)),
    )
    return _with_reading(found, score, response) if score else found


def _with_reading(found: AnswerFacts, score: Score, response: Response | None) -> AnswerFacts:
    return msgspec.structs.replace(
        found,
        value=score.value,
        reading=score.reading,
        rule=score.rule,
        opinion=None if score.judged is None else (score.judged,),
        unparsed=not score.parsed,
        span=None if score.span is None or response is None else browser_span(response.text, score.span),
        details=score.details,
    )


def browser_span(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """A span in characters as JavaScript counts them, where those beyond the basic plane are two."""
    start, end = (len(text[:place].encode("utf-16-le", "surrogatepass")) // 2 for place in span)
    return start, end


def _probabilities(run: Outcomes, sample: Sample, response: Response | None) -> tuple[tuple[str, float], ...]:
    """How probable the model held each possible answer, where the task can say which these are."""
    if response is None or run.task is None or not response.probabilities:
        return ()
    names = list(choices_of(run.task, sample))
    return tuple(zip(names, response.probabilities, strict=True)) if len(names) == len(response.probabilities) else ()


def _made_again(check: Check | None) -> MadeAgain | None:
    if check is None:
        return None
    if check.error:
        return MadeAgain(error=check.error)
    return MadeAgain(same=True) if check.identical else MadeAgain(text=check.reference)
