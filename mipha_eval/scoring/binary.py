"""Numbers for yes/no benchmarks with categories, such as F1 and the yes ratio; "yes" is the positive answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from mipha_eval.core.metrics import Metric, Number, Share, Totals


def confusion_cell(answer: str, truth: str) -> str:
    """tp, fp, fn or tn."""
    return ("t" if answer == truth else "f") + ("p" if answer == "yes" else "n")


def binary_metrics(categories: Sequence[str]) -> list[Metric]:
    """Metrics over counts named ``<category>/<cell>``, in percent: means over the categories, then each category's own.

    The mean is over the categories that were asked, each counting the same, however many questions it has.
    """
    means = [
        Metric(
            name,
            partial(_mean, formula, tuple(categories)),
            shares=tuple(_share(name, category) for category in categories),
        )
        for name, formula in NUMBERS.items()
    ]
    return means + [
        Metric(f"{category}/{name}", partial(formula, category), needs=(f"{category}/",), shares=(_share(name, category),))
        for category in categories
        for name, formula in NUMBERS.items()
    ]


def _share(name: str, category: str) -> Share:
    """What part of which answers a number is."""
    return Share.of(*SHARES[name], tuple(ALL), prefix=f"{category}/")


def _cells(category: str, totals: Totals) -> tuple[Number, Number, Number, Number]:
    # a category may not be asked about, and a model may never say no
    tp, fp, fn, tn = (totals.get(f"{category}/{cell}") for cell in ("tp", "fp", "fn", "tn"))
    return tp, fp, fn, tn


def _f1(category: str, totals: Totals) -> Number:
    precision, recall = _precision(category, totals) / 100, _recall(category, totals) / 100
    return 100 * totals.ratio(2 * precision * recall, precision + recall)


def _accuracy(category: str, totals: Totals) -> Number:
    tp, fp, fn, tn = _cells(category, totals)
    return 100 * totals.ratio(tp + tn, tp + fp + fn + tn)


def _precision(category: str, totals: Totals) -> Number:
    tp, fp, _, _ = _cells(category, totals)
    return 100 * totals.ratio(tp, tp + fp)


def _recall(category: str, totals: Totals) -> Number:
    tp, _, fn, _ = _cells(category, totals)
    return 100 * totals.ratio(tp, tp + fn)


def _yes_ratio(category: str, totals: Totals) -> Number:
    tp, fp, fn, tn = _cells(category, totals)
    return 100 * totals.ratio(tp + fp, tp + fp + fn + tn)


def _mean(formula: Callable[[str, Totals], Number], categories: Sequence[str], totals: Totals) -> Number:
    asked = {category: sum(_cells(category, totals)) > 0 for category in categories}
    return totals.ratio(
        sum(formula(category, totals) * asked[category] for category in categories), 1.0 * sum(asked.values())
    )


NUMBERS: Mapping[str, Callable[[str, Totals], Number]] = {
    "f1": _f1,
    "accuracy": _accuracy,
    "precision": _precision,
    "recall": _recall,
    "yes_ratio": _yes_ratio,
}
ALL = {"tp": 1.0, "fp": 1.0, "fn": 1.0, "tn": 1.0}
SHARES: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]] = {
    "f1": ({"tp": 2.0}, {"tp": 2.0, "fp": 1.0, "fn": 1.0}),
    "accuracy": ({"tp": 1.0, "tn": 1.0}, ALL),
    "precision": ({"tp": 1.0}, {"tp": 1.0, "fp": 1.0}),
    "recall": ({"tp": 1.0}, {"tp": 1.0, "fn": 1.0}),
    "yes_ratio": ({"tp": 1.0, "fp": 1.0}, ALL),
}
