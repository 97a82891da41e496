"""McNemar's exact test: of the questions that only one of two runs got right, how many does each have?

McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", Psychometrika (1947).
"""

from __future__ import annotations

import numpy as np

from mipha_eval.stats.panel import Panel
from mipha_eval.stats.permutation import Significance


def applies(pair: Panel) -> bool:
    """Whether the metric is a share of right among asked, every cluster one question and every score 0 or 1."""
    if len(pair.names) != 2 or not pair.names[0].endswith("asked") or not pair.names[1].endswith("right"):
        return False
    asked, right = pair.counts[..., 0], pair.counts[..., 1]
    return bool(np.isin(right, (0, 1)).all() and np.isin(asked, (0, 1)).all() and (asked[0] == asked[1]).all())


def mcnemar(pair: Panel) -> Significance:
    """Exact, two-sided."""
    from scipy.stats import binomtest

    right = pair.counts[..., 1]
    gained, lost = int((right[1] > right[0]).sum()), int((right[1] < right[0]).sum())
    p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    return Significance(p, "exact McNemar")
