"""The exact expectation of metrics of answers that are drawn."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.metrics import Metric, Tally, Totals, add_tallies, group_scores
from mipha_eval.core.task import UNGRADED, Task
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.scoring.measuring import Measuring

#: answers that are scored, all questions together, and outcomes of questions that are scored as one
MOST_ANSWERS, MOST_OUTCOMES = 1_000_000, 4_096
DRAWS, SEED = 16, 0
CLOSE = 1e-9

#: answer -> its probability
Chances = Mapping[str, float]


@dataclass(frozen=True)
class Outcomes:
    """What can become of questions that are scored as one: counts, each with its probability."""

    tallies: Sequence[Tally]
    chances: Sequence[float]

    @property
    def expected(self) -> Tally:
        return add_tallies(
            {name: chance * count for name, count in tally.items()}
            for tally, chance in zip(self.tallies, self.chances, strict=True)
        )


def expectation(task: Task, samples: Sequence[Sample], chances: Sequence[Chances]) -> dict[str, float]:
    """Metric -> its exact expectation where every question's answer is drawn by itself; those that have one.

    A metric that is a sum of counts, with denominators that no answer changes, has the value that the counts' expectations
    give it: accuracy, MME's points with both of a picture's questions right, circular accuracy. F1 is none of these. Which
    metrics are is found out by trying: of drawn answers, the metric of the mean of counts is the mean of the metrics.

    Args:
        chances: of the answers to each question; an empty one where there is no answer.
    """
    if sum(map(len, chances)) > MOST_ANSWERS or type(task).finish is not Task.finish:
        return {}
    measuring = Measuring(task)
    by_id = {sample.id: each for sample, each in zip(samples, chances, strict=True) if each and sample.target}
    groups = _grouped([sample for sample in samples if sample.id in by_id])
    found = [_outcomes(measuring, group, [by_id[sample.id] for sample in group]) for group in groups]
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found):
        return {}
    totals = Totals(add_tallies(each.expected for each in known))
    drawn = _drawn(known)
    metrics = [metric for metric in measuring.metrics(totals) if metric.defined(totals)]
    return {metric.name: float(metric.formula(totals)) for metric in metrics if _is_sum(metric, drawn)}


def _grouped(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Samples that are scored as one, as `group_scores` has it."""
    by_id = {sample.id: sample for sample in samples}
    blank = [Score(sample.id, 0.0, "", "", group=sample.group) for sample in samples]
    return [[by_id[score.sample] for score in group] for group in group_scores(blank)]


def _outcomes(measuring: Measuring, samples: Sequence[Sample], chances: Sequence[Chances]) -> Outcomes | None:
    """None where there are too many, or a judge has to grade."""
    if math.prod(map(len, chances)) > MOST_OUTCOMES:
        return None
    scored = [
        [(measuring.task.score(sample, Response(text)), chance) for text, chance in own.items()]
        for sample, own in zip(samples, chances, strict=True)
    ]
    if any(score.rule in UNGRADED for own in scored for score, _ in own):
        return None
    combined = list(itertools.product(*scored))
    tallies = [measuring.tally([score for score, _ in each]) for each in combined]
    return Outcomes(tallies, [math.prod(chance for _, chance in each) for each in combined])


def _drawn(outcomes: Sequence[Outcomes]) -> list[dict[str, float]]:
    """Totals of some drawn answers to all questions; every outcome is as likely, so that rare ones are seen."""
    chance = random.Random(SEED)
    return [add_tallies(chance.choice(each.tallies) for each in outcomes) for _ in range(DRAWS)]


def _is_sum(metric: Metric, drawn: Sequence[Mapping[str, float]]) -> bool:
    """Whether the metric of the mean of counts is the mean of the metrics, of each two of the drawn ones that follow."""
    for first, second in itertools.pairwise(drawn):
        names = {**first, **second}
        middle = {name: (first.get(name, 0.0) + second.get(name, 0.0)) / 2 for name in names}
        ends = [float(metric.formula(Totals(each))) for each in (first, second)]
        if not math.isclose(float(metric.formula(Totals(middle))), sum(ends) / 2, rel_tol=CLOSE, abs_tol=CLOSE):
            return False
    return True
