"""MME's calculation.py as its rule reads, for one subtask: lines taken two by two."""

from __future__ import annotations


def mme_points(answers: list[str], labels: list[str]) -> float:
    """100 x accuracy + 100 x share of pairs with both right."""
    right = []
    for answer, label in zip(answers, labels, strict=True):
        text = answer.lower()
        if text not in ("yes", "no"):
            beginning = text[0:4]
            text = "yes" if "yes" in beginning else "no" if "no" in beginning else "other"
        right.append(text == label.lower())
    pairs = [right[place : place + 2] for place in range(0, len(right), 2)]
    return 100 * sum(right) / len(right) + 100 * sum(all(pair) for pair in pairs) / len(pairs)
