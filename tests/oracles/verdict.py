"""What every oracle returns, and the two small sums that all of them need."""

from typing import NamedTuple


class Verdict(NamedTuple):
    """The worth (0 to 1) of each line of the answer file, in its order, and the unrounded metrics."""

    values: list[float]
    metrics: dict[str, float]


def mean(numbers: list[float]) -> float:
    """The plain average; an empty list is an error of the caller."""
    return sum(numbers) / len(numbers)


def percentage(numbers: list[float]) -> float:
    """The average of numbers between 0 and 1, as a percentage."""
    return 100.0 * mean(numbers)
