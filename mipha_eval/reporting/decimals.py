"""How many decimals a number has in tables, by its unit."""

from __future__ import annotations

USUAL = 2
#: numbers of other suites stand as those give them, shares as parts of 1 among them
AS_GIVEN = 4


def decimals(unit: str) -> int:
    """Of percentages and points two; of numbers as another suite gives them four, as those suites print."""
    return USUAL if unit in ("%", "points", "") else AS_GIVEN
