"""Answers that a candidate lost beside its baseline: what a comparison of the questions that both scored cannot see."""

from __future__ import annotations

from dataclasses import dataclass

from mipha_eval.core.task import UNGRADED
from mipha_eval.core.types import Score
from mipha_eval.judge.stored_task import StoredTask
from mipha_eval.scoring.result import unread
from mipha_eval.store.run_folder import RunFolder


@dataclass(frozen=True)
class Loss:
    """Questions that the baseline scored, by what became of them in the candidate.

    Attributes:
        failed: the request failed.
        missing: asked, but without an answer.
        ungraded: answered, but a judge has not graded it.
        unread: answered, but nobody could say what; so many more than in the baseline.
        unasked: the candidate was asked something else.
    """

    failed: int = 0
    missing: int = 0
    ungraded: int = 0
    unread: int = 0
    unasked: int = 0

    @property
    def lost(self) -> int:
        """Answers that the candidate should have given."""
        return self.failed + self.missing + self.ungraded + self.unread

    @property
    def text(self) -> str:
        words = {"failed": self.failed, "missing": self.missing, "not judged": self.ungraded, "unread": self.unread}
        return ", ".join(f"{count:,} {word}" for word, count in words.items() if count)

    @classmethod
    def of(cls, base: StoredTask, candidate: StoredTask) -> Loss:
        """Raises UserError if stored scores cannot be read."""
        expected, found = (_graded(stored) for stored in (base, candidate))
        lacking = expected.keys() - found.keys()
        both = expected.keys() & found.keys()
        more = sum(unread(found[name]) for name in both) - sum(unread(expected[name]) for name in both)
        if not lacking:
            return cls(unread=max(0, more))
        place = RunFolder(candidate.run).task(candidate.label)
        asked = {sample.id for sample in place.samples()}
        responses = place.responses()
        failed = sum(name in asked and name in responses and bool(responses[name].response.error) for name in lacking)
        ungraded = len(lacking & {score.sample for score in candidate.scores if score.rule in UNGRADED})
        unasked = len(lacking - asked)
        missing = len(lacking) - failed - ungraded - unasked
        return cls(failed, missing, ungraded, max(0, more), unasked)


def _graded(stored: StoredTask) -> dict[str, Score]:
    """The scores of answers by sample; a question that the official scorer counts as wrong without an answer has none."""
    scores = {score.sample: score for score in stored.scores if score.rule not in UNGRADED}
    if not stored.summary.missing:
        return scores
    answered = RunFolder(stored.run).task(stored.label).responses()
    return {name: score for name, score in scores.items() if name in answered}
