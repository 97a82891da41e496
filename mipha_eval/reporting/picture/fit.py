"""How large a picture is in a terminal, in whose cells two pixels stand above each other."""

from __future__ import annotations

MOST_ROWS = 24  # lines of a terminal that a picture takes
CELL = (8, 16)  # pixels of a cell, where the terminal has pixels; taken for usual, not asked for


def fitted(size: tuple[int, int], most: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels, at least 1: as they are, or made smaller in proportion until they fit.

    Args:
        size: of the picture.
        most: width and height that there is room for.
    """
    scale = min(1.0, most[0] / size[0], most[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
