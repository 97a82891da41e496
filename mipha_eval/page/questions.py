"""The questions of a task with what each run made of them: an index to filter by, and rows to show."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mipha_eval.core.plugins.checks.questions import choices_of
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.page.outcomes import NOT_ASKED, Outcomes
from mipha_eval.page.thumbnails import Pictures

PIECE = 200  # questions that a page shows, and reads, at a time
SIBLINGS = 12  # questions scored together that a row names
MEANT = ("text", "value")  # what an answer may have that is empty or 0 and still says something


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

    def index(self) -> dict[str, Any]:
        """What the page filters by without reading rows.

        Returns:
            kinds: distinct lists of categories; kind: of each question its place in them; states: of each run a letter a
            question; values: of each run the values that the letter does not tell, by place.
        """
        kinds: dict[tuple[str, ...], int] = {}
        kind = [kinds.setdefault((sample.category, *sample.tags), len(kinds)) for sample, _ in self.asked.values()]
        states: list[str | None] = []
        values: list[dict[int, float | None] | None] = []
        for run in self.runs:
            column = [run.standing(key) for key in self.asked] if run else []
            states.append("".join(state for state, _ in column) if run else None)
            partly = {place: value for place, (state, value) in enumerate(column) if state in "Pp"}
            values.append(partly if run else None)
        return {
            "label": self.label,
            "ids": [sample.id for sample, _ in self.asked.values()],
            "count": len(self.asked),
            "piece": PIECE,
            "kinds": [list(dict.fromkeys(name for name in names if name)) for names in kinds],
            "kind": kind,
            "states": states,
            "values": values,
        }

    def number_pictures(self) -> None:
        """Numbers the task's pictures in the order of its questions, before any row is made."""
        for sample, origin in self.asked.values():
            for image in sample.images:
                self.pictures.number(image, origin.origin)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One a question, see `_row`."""
        for place, (key, (sample, origin)) in enumerate(self.asked.items()):
            answers = [_answer(run, key) if run else None for run in self.runs]
            others = [other for other in self._groups.get(sample.group, ()) if other != place]
            task = origin.task
            yield {
                "id": sample.id,
                "question": sample.prompt,
                "references": sample.label_texts,
                "lettered": task is not None and task.lettered,
                "categories": list(dict.fromkeys(name for name in (sample.category, *sample.tags) if name)),
                "together": others[:SIBLINGS],
                "images": [[self.pictures.number(image, origin.origin), image.name] for image in sample.images],
                "answers": answers,
            }


def _answer(run: Outcomes, question: Hashable) -> dict[str, Any] | None:
    """What one run made of a question; what is empty is left out."""
    if run.standing(question)[0] == NOT_ASKED:
        return None
    sample = run.samples[question]
    response, score = run.responses.get(sample.id), run.scores.get(sample.id)
    found = {
        "text": None if response is None or response.error else response.text,
        "error": response.error if response else "",
        "cut": response is not None and response.finish == "length",
        "chances": _chances(run, sample, response),
        "verdicts": [vars(said) for said in run.verdicts.get(sample.id, ())],
        "alone": _made_again(run.alone.get(sample.id)),
        **(_reading(score, response) if score else {}),
    }
    return {name: value for name, value in found.items() if value or (name in MEANT and value is not None)}


def _reading(score: Score, response: Response | None) -> dict[str, Any]:
    return {
        "value": score.value,
        "reading": score.reading,
        "rule": score.rule,
        "opinion": None if score.judged is None else [score.judged],
        "unparsed": not score.parsed,
        "span": None if score.span is None or response is None else browser_span(response.text, score.span),
        "details": dict(score.details),
    }


def browser_span(text: str, span: tuple[int, int]) -> list[int]:
    """A span in characters as JavaScript counts them, where those beyond the basic plane are two."""
    return [len(text[:place].encode("utf-16-le", "surrogatepass")) // 2 for place in span]


def _chances(run: Outcomes, sample: Sample, response: Response | None) -> list[tuple[str, float]]:
    """How probable the model held each possible answer, where the task can say which these are."""
    if response is None or run.task is None or not response.probabilities:
        return []
    names = list(choices_of(run.task, sample))
    return list(zip(names, response.probabilities, strict=True)) if len(names) == len(response.probabilities) else []


def _made_again(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The same answer made without sharing; its text only where it is another."""
    if record is None:
        return None
    if record.get("error"):
        return {"error": str(record["error"])}
    return {"same": True} if record["identical"] else {"text": record.get("reference", "")}


def search_text(row: Mapping[str, Any]) -> str:
    """What a search looks through, folded as the page folds what is typed."""
    texts = [row["id"], row["question"], *row["references"]]
    for answer in row["answers"]:
        if answer:
            texts += [answer.get("text") or "", str(answer.get("reading", "")), answer.get("error", "")]
    return "\n".join(texts).lower()
