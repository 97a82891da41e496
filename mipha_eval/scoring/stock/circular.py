"""Questions with options, asked once for each rotation of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.json_value import Json
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import Metric, Tally, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Answer, Dialogue, Response, Sample, Score
from mipha_eval.data.rows import number_of
from mipha_eval.scoring.circular import circular_tally, match_unread
from mipha_eval.scoring.stock.choice import ChoiceTask, worth_of
from mipha_eval.scoring.stock.options import right_letter, shown_letters
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.stock_task import CATEGORY


@dataclass(frozen=True)
class CircularTask(ChoiceTask, JudgedTask):
    """MMBench's circular evaluation: a question is right only if it is answered right under every rotation of its options.

    A question ``ID`` with n options becomes the samples ``ID``, ``ID#1`` to ``ID#n-1``, one group. Read as `ChoiceTask`
    reads; where rules cannot, a judge is asked which option is meant, and without one the answer is wrong. `vanilla` is
    the accuracy of the options in their own order, by the rules alone. An empty option stays where it is.

    Source: open-compass/VLMEvalKit at 028a6e7, ``vlmeval/dataset/utils/multiple_choice.py``.
    """

    scorer: ClassVar[str] = "circular"
    without_judge: ClassVar[Sequence[str]] = ("vanilla",)
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"), share("vanilla", "vanilla"))

    def asked(self, question: Question, name: str) -> Iterable[Sample]:
        if question.group:
            raise ValueError(f"it is in group {question.group!r}, but circular scores each question as a group of its own")
        letters = shown_letters(question.choices)
        right = right_letter(question) if question.answers else ""
        for turn in range(max(len(letters), 1)):
            place = letters[(letters.index(right) - turn) % len(letters)] if right else ""
            turned = dataclasses.replace(question, choices=rotated(question.choices, turn), group=name)
            yield self.sample(turned, f"{name}#{turn}" if turn else name, (place,) if place else ())

    def score(self, sample: Sample, response: Response) -> Score:
        return dataclasses.replace(super().score(sample, response), details=_turns(sample))

    def grade(self, answers: Sequence[Answer], runs: int) -> Dialogue[Sequence[Score]]:
        if any(not answer.text.strip() for answer in answers):  # a blank one is wrong, so the question is
            return [answer.score for answer in answers]
        return (yield from match_unread(answers, self._matched))

    def _matched(self, sample: Sample, reading: Reading) -> Score:
        return self.scored(sample, reading, worth_of(sample, reading), **_turns(sample))

    def tally(self, scores: Sequence[Score]) -> Tally:
        if len(scores) < number_of(scores[0].details, "turns"):  # one was not answered: nobody knows whether all are right
            return {}
        counts = circular_tally(scores)
        category = scores[0].category
        own = {f"{CATEGORY}{category}/{name}": counts[name] for name in ("right", "asked") if counts and category}
        return {**counts, **own}


def _turns(sample: Sample) -> dict[str, Json]:
    """Whether a sample is the question unturned, and how many there are of it."""
    return {"base": sample.id == sample.group, "turns": len(shown_letters(sample.choices))}


def rotated(choices: Sequence[str], turn: int) -> tuple[str, ...]:
    """The options, those that are not empty moved so many places to the front; the first ones come to the end."""
    letters = shown_letters(choices)
    moved = {letter: choices[LETTERS.index(letters[(place + turn) % len(letters)])] for place, letter in enumerate(letters)}
    return tuple(moved.get(letter, option) for letter, option in zip(LETTERS, choices, strict=False))
