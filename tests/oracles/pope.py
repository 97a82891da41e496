"""POPE's evaluate.py as its rule reads, for one category: answers and labels by position."""

from __future__ import annotations


def pope_numbers(answers: list[str], labels: list[str]) -> dict[str, float]:
    """F1, accuracy, precision, recall and yes ratio, 0 to 1; 0 where the official script divides by zero."""
    predicted = []
    for answer in answers:
        sentence = answer[: answer.index(".")] if "." in answer else answer
        words = "".join(letter for letter in sentence if letter != ",").split(" ")
        predicted.append(0 if {"No", "not", "no"} & set(words) else 1)
    expected = [0 if label == "no" else 1 for label in labels]
    pairs = list(zip(predicted, expected, strict=True))
    hits, false_alarms = pairs.count((1, 1)), pairs.count((1, 0))
    misses, rejections = pairs.count((0, 1)), pairs.count((0, 0))
    precision = hits / (hits + false_alarms) if hits + false_alarms else 0.0
    recall = hits / (hits + misses) if hits + misses else 0.0
    return {
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        "accuracy": (hits + rejections) / len(pairs),
        "precision": precision,
        "recall": recall,
        "yes_ratio": sum(predicted) / len(predicted),
    }
