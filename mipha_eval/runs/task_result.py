"""What became of one task: its numbers at once, its answers when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.reporting.marks import mark_texts
from mipha_eval.reporting.summary import score_text
from mipha_eval.runs.frames import metrics_frame, samples_frame
from mipha_eval.scoring.result import is_complete
from mipha_eval.scoring.result_record import ResultRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answers:
    """The samples of a task, the responses to them by sample id, and their scores."""

    samples: Sequence[Sample]
    responses: Mapping[str, Response]
    scores: Sequence[Score]


@dataclass(frozen=True, repr=False)
class Result:
    """The result of one task.

    Attributes:
        summary: what ``result.json`` and ``score --json`` say; docs/protocols.md has the keys.
        read: gives the answers; called once, when they are first asked for.
    """

    summary: ResultRecord
    read: Callable[[], Answers]

    @property
    def task(self) -> str:
        """``task@protocol``."""
        return self.summary.task

    @property
    def complete(self) -> bool:
        """Whether every question has an answer and a score, so that the numbers are the benchmark's."""
        return is_complete(self.summary)

    @cached_property
    def answers(self) -> Answers:
        """Every sample with its response and score. Raises UserError if what a run stored of them is damaged."""
        return self.read()

    def __getitem__(self, metric: str) -> float:
        """The value of a metric. Raises KeyError with the names that there are."""
        found = self.summary.metrics
        if metric not in found:
            raise KeyError(f"{self.task} has no metric {metric}; there are {', '.join(found)}")
        return found[metric]

    def metrics(self) -> pd.DataFrame:
        """A row a metric: task, metric, value, low, high, n, headline, marks."""
        return metrics_frame([self.summary])

    def samples(self) -> pd.DataFrame:
        """A row a sample: task, id, question, answer, reading, right, score, image."""
        return samples_frame(self.task, self.answers.samples, self.answers.responses, self.answers.scores)

    def __repr__(self) -> str:
        """The headline with what weakens it, as tables print it."""
        value = score_text(self.summary, self.summary.headline, self.summary.metrics.get(self.summary.headline))
        return " ".join(["<Result of", f"{self.task}:", self.summary.headline, value, *mark_texts(self.summary)]) + ">"

    def _repr_html_(self) -> str:
        return str(self.metrics().to_html(index=False, escape=True))
