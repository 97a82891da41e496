"""Which runs cannot be told from the best."""

from __future__ import annotations

from itertools import combinations

from mipha_eval.stats.holm import holm
from mipha_eval.stats.paired_test import paired_test
from mipha_eval.stats.panel import Panel


def tied_with_best(panel: Panel, draws: int, alpha: float) -> frozenset[int]:
    """Places of the run with the highest value and of those that do not differ from it significantly.

    Every pair is tested, with Holm's correction over all of them, since which run is the best is known only from the same
    answers.
    """
    values = panel.values().tolist()
    best = values.index(max(values))
    pairs = list(combinations(range(len(values)), 2))
    corrected = dict(zip(pairs, holm([paired_test(panel.pair(*pair), draws).p for pair in pairs]), strict=True))
    differ = {place for pair, p in corrected.items() if best in pair and p <= alpha for place in pair}
    return frozenset(range(len(values))) - differ | {best}
