"""Formulas of headlines, computed from what answers are worth, without the task's own counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from mipha_eval.authoring.check_task.answers import Outcome
from mipha_eval.core.types import Sample

#: a question with what its answer is worth
Worth = tuple[Sample, float]


def known_formulas(found: Outcome, samples: Sequence[Sample]) -> dict[str, float]:
    """Name -> value in percent of every formula that is known."""
    by_id = {sample.id: sample for sample in samples}
    pairs = [(by_id[score.sample], score.value) for score in found.scores]
    categories, groups = _split(pairs, "category"), _split(pairs, "group")
    own = [pair for pair in pairs if found.metric.plain in (pair[0].category, *pair[0].tags)]
    formulas = {
        "the mean of all answers": _mean(pairs),
        "the mean of its own category's answers": _mean(own),
        "the mean of the categories' means": fmean(map(_mean, categories.values())),
        "the share of groups that are right throughout": _all_of(groups),
        "F1 of yes": f1(pairs),
        "the mean of the categories' F1 of yes": fmean(map(f1, categories.values())),
    }
    return {name: 100 * value for name, value in formulas.items()}


def f1(pairs: Sequence[Worth]) -> float:
    """Of the answer yes, where every label is yes or no and each answer is taken for one of them; else 0."""
    yes = [value for sample, value in pairs if sample.target[0].strip().lower() == "yes"]
    no = [value for sample, value in pairs if sample.target[0].strip().lower() == "no"]
    hits, misses, alarms = sum(yes), len(yes) - sum(yes), len(no) - sum(no)
    whole = 2 * hits + misses + alarms
    return 2 * hits / whole if whole and len(yes) + len(no) == len(pairs) else 0.0


def _mean(pairs: Sequence[Worth]) -> float:
    return fmean(value for _, value in pairs) if pairs else -1.0


def _all_of(groups: Mapping[str, Sequence[Worth]]) -> float:
    return fmean(min(value for _, value in pairs) for pairs in groups.values())


def _split(pairs: Sequence[Worth], by: str) -> dict[str, list[Worth]]:
    """By category or group; a question without one is by itself."""
    found: dict[str, list[Worth]] = {}
    for sample, value in pairs:
        found.setdefault(getattr(sample, by) or f"\0{sample.id}", []).append((sample, value))
    return found
