"""What difference a comparison could have found."""

from __future__ import annotations

from statistics import NormalDist

POWER = 0.8


def detectable_difference(standard_error: float, alpha: float = 0.05, power: float = POWER) -> float:
    """The true difference that a two-sided test at `alpha` finds with probability `power`, in the unit of the error."""
    normal = NormalDist()
    return (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * standard_error
