"""Results of several runs on the questions that all of them scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.metrics import ClusterCounts, Metric, Totals
from mipha_eval.core.task import UNGRADED
from mipha_eval.core.types import Score
from mipha_eval.judge.stored_task import StoredTask
from mipha_eval.store.run_folder import RunFolder

if TYPE_CHECKING:
    from mipha_eval.stats.panel import Panel


@dataclass(frozen=True)
class Matched:
    """Runs of one task, question by question.

    Attributes:
        tasks: the first is the baseline.
        scores: of each run, of the same questions in the same order.
        left_out: how many questions each run scored and another did not; a judge that has yet to grade one of a group
            leaves out the group.
        changed: how many more have the same id in all runs, but another text, answer or image; they are left out, too.
    """

    tasks: Sequence[StoredTask]
    scores: Sequence[Sequence[Score]]
    left_out: Sequence[int]
    changed: int

    @classmethod
    def of(cls, tasks: Sequence[StoredTask]) -> Matched:
        """Raises UserError if the runs share no question."""
        waiting = {_group(score) for stored in tasks for score in stored.scores if score.rule in UNGRADED}
        found = [{score.sample: score for score in stored.scores if _group(score) not in waiting} for stored in tasks]
        shared = [name for name in found[0] if all(name in scores for scores in found)]
        changed = _changed(tasks, shared)
        common = [name for name in shared if name not in changed]
        if not common:
            raise UserError(
                f"{' and '.join(str(stored.run) for stored in tasks)} share no scored question of {tasks[0].label}"
            )
        scores = [[own[name] for name in common] for own in found]
        return cls(tasks, scores, [len(own) - len(shared) for own in found], len(changed))

    @property
    def questions(self) -> int:
        return len(self.scores[0])

    @cached_property
    def counts(self) -> list[ClusterCounts]:
        """Of each run; clusters and groups are the baseline's."""
        groups: dict[tuple[str, str], list[int]] = {}
        for place, score in enumerate(self.scores[0]):
            groups.setdefault(_group(score), []).append(place)
        found = []
        for stored, scores in zip(self.tasks, self.scores, strict=True):
            counts = ClusterCounts()
            for places in groups.values():
                counts.add(self.scores[0][places[0]].cluster, stored.tally([scores[place] for place in places]))
            found.append(counts)
        return found

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that all runs have on these questions, by name; those of which nothing is known but the number are not
        compared.
        """
        found = [stored.metrics_for(Totals(own.totals)) for stored, own in zip(self.tasks, self.counts, strict=True)]
        return {
            name: metric for name, metric in found[0].items() if not metric.unmoved and all(name in own for own in found)
        }

    def panel(self, metric: str) -> Panel:
        """What one metric reads. Raises UserError if the runs do not all have it."""
        from mipha_eval.stats.panel import Panel

        if metric not in self.metrics:
            raise UserError(
                f"{self.tasks[0].label} has no {metric} in all of these runs; they share {', '.join(self.metrics)}"
            )
        return Panel.of(self.counts, self.metrics[metric])


def _group(score: Score) -> tuple[str, str]:
    """What scores that are tallied together have in common; no group is called as a sample is."""
    return ("group", score.group) if score.group else ("sample", score.sample)


def _changed(tasks: Sequence[StoredTask], shared: Sequence[str]) -> set[str]:
    """Ids under which the runs asked different questions; only looked for where digests of the questions differ."""
    if len({stored.record.data_sha256 for stored in tasks}) == 1:
        return set()
    asked = [_questions(stored) for stored in tasks]
    return {name for name in shared if any(own.get(name) != asked[0].get(name) for own in asked)}


def _questions(stored: StoredTask) -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """By id what makes a question the same: its text, its answers and its images' names."""
    samples = RunFolder(stored.run).task(stored.label).samples()
    return {
        sample.id: (sample.prompt, sample.label_texts, tuple(image.name for image in sample.images)) for sample in samples
    }
