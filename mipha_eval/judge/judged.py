"""From stored verdicts to scores: what a judge made of a task's answers, and how often it did not."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mipha_eval.answers.letters import LETTERS
from mipha_eval.blame import blaming
from mipha_eval.border.refusal import refusal, shown
from mipha_eval.border.scores import checked_scores
from mipha_eval.judge.dialogue import UnansweredError, replay
from mipha_eval.judge.prompts import is_correct
from mipha_eval.judge.verdicts import Verdicts
from mipha_eval.metrics import group_scores
from mipha_eval.task import JUDGE_FAILED, NOT_JUDGED, Task, question_core
from mipha_eval.types import Answer, Dialogue, Response, Sample, Score


@dataclass(frozen=True)
class Use:
    """What a judge is used for.

    Attributes:
        runs: grades of each answer, of which the mean counts.
        correctness: whether tasks without a judge's prompt of their own are judged, too, by yes or no.
    """

    runs: int = 1
    correctness: bool = False

    def applies(self, task: Task) -> bool:
        return task.judged or self.correctness

    def dialogue(self, task: Task, answers: Sequence[Answer]) -> Dialogue[Sequence[Score]]:
        """What the judge is asked about a group of answers, and the scores that this comes to."""
        return _checked(task, answers, task.grade(answers, self.runs)) if task.judged else _second_opinions(task, answers)


def _checked(task: Task, answers: Sequence[Answer], dialogue: Dialogue[Sequence[Score]]) -> Dialogue[Sequence[Score]]:
    """A task's own dialogue, of which nobody knows what it hands over."""
    with blaming():
        if not isinstance(dialogue, Generator):
            raise refusal(
                type(task), "grade", f"grade of {task.label} must be a generator that yields queries, not {shown(dialogue)}"
            )
        graded = yield from dialogue
        return checked_scores(task, "grade", [answer.score for answer in answers], graded)


def _second_opinions(task: Task, answers: Sequence[Answer]) -> Dialogue[Sequence[Score]]:
    scores = []
    for answer in answers:
        question = answer.sample.bare or question_core(answer.sample.question)
        opinion = yield from is_correct(question, _accepted(task, answer.sample), answer.text)
        scores.append(dataclasses.replace(answer.score, judged=None if opinion is None else float(opinion)))
    return scores


def _accepted(task: Task, sample: Sample) -> Sequence[str]:
    """The answers that count as right: of a question with options its letter, and what that stands for."""
    if not task.lettered:
        return sample.references
    letter, *options = sample.references
    return letter, *(option for name, option in zip(LETTERS, options, strict=False) if name == letter)


def answer_groups(
    samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
) -> Iterator[list[Answer]]:
    """What is judged together: the answered ones of each group of scores."""
    for group in group_scores(scores):
        answered = [score for score in group if score.sample in responses]
        if answered:
            yield [Answer(samples[score.sample], responses[score.sample].text, score) for score in answered]


@dataclass
class Counts:
    """Answers by what became of them.

    Attributes:
        pending: not judged yet.
        failed: the judge was asked, and gave no reply.
        unreadable: its replies could not be read.
        reasons: of failures.
    """

    pending: int = 0
    failed: int = 0
    unreadable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Judged:
    """One judge's verdicts on one task's answers, ready for scoring.

    Attributes:
        calibration: how well this judge agrees with a trusted one, if that is known.
    """

    verdicts: Verdicts
    use: Use
    calibration: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.verdicts.judge

    def regrade(
        self, task: Task, samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
    ) -> tuple[list[Score], dict[str, Any]]:
        """The scores that the verdicts come to, in the same order, and what a result says of the judge."""
        counts = Counts()
        graded: dict[str, Score] = {}
        for answers in answer_groups(samples, responses, scores):
            for score in self._grade(task, answers, counts):
                graded[score.sample] = score
        return [graded.get(score.sample, score) for score in scores], self._summary(task, counts)

    def _grade(self, task: Task, answers: Sequence[Answer], counts: Counts) -> Sequence[Score]:
        sample = answers[0].sample.id
        try:
            scores = replay(self.use.dialogue(task, answers), lambda query: self.verdicts.find(query, sample))
        except UnansweredError as error:
            if error.reason:
                counts.failed += len(answers)
                counts.reasons[error.reason] += len(answers)
            else:
                counts.pending += len(answers)
            kept = [answer.score for answer in answers]
            rule = JUDGE_FAILED if error.reason else NOT_JUDGED
            return [dataclasses.replace(score, rule=rule, value=0.0) for score in kept] if task.judged else kept
        if task.judged:
            counts.unreadable += sum(score.rule.startswith("judge-") and not score.parsed for score in scores)
        else:
            counts.unreadable += sum(score.judged is None for score in scores)
        return scores

    def _summary(self, task: Task, counts: Counts) -> dict[str, Any]:
        return {
            "name": self.name,
            "own_prompt": task.judged,
            "runs": self.use.runs,
            "pending": counts.pending,
            "failed": counts.failed,
            "unreadable": counts.unreadable,
            "failures": dict(counts.reasons.most_common(20)),
            **self.verdicts.totals(),
            "notes": dict(self.verdicts.notes),
            "calibration": self.calibration,
        }
