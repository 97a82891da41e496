"""The test that fits a pair of runs."""

from __future__ import annotations

from mipha_eval.stats import mcnemar
from mipha_eval.stats.panel import Panel
from mipha_eval.stats.permutation import Significance, sign_flip


def paired_test(pair: Panel, draws: int) -> Significance:
    """McNemar's exact test where every cluster is one question that is right or wrong, else the clustered sign flip."""
    return mcnemar.mcnemar(pair) if mcnemar.applies(pair) else sign_flip(pair, draws)
