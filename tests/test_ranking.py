"""Places against their definition, spelled out for every cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mipha_eval.reporting.ranking import ranked
from mipha_eval.reporting.table import Cell, Column, Group, Origin, Row

COLUMN = Column("GQA", "gqa@testdev", "accuracy")

cells = st.none() | st.builds(
    lambda value, quoted, ranked, judge: Cell(
        value, 1, "gqa@testdev", "accuracy", Origin(Path("x"), "y"), quoted=quoted, ranked=ranked, judge=judge
    ),
    st.integers(0, 30).map(lambda tenths: tenths / 20),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "", "other"]),
)


def nearly_best(measured: Sequence[Cell], column: Column) -> frozenset[int]:
    """A stand-in for tests: a difference of up to 0.2 is none."""
    best = max(cell.value or 0 for cell in measured)
    return frozenset(place for place, cell in enumerate(measured) if best - (cell.value or 0) <= 0.2)


@given(st.lists(st.lists(cells, min_size=1, max_size=6), min_size=1, max_size=3))
def test_places(groups: list[list[Cell | None]]) -> None:
    made = [Group(str(number), tuple(Row("r", {}, None, (cell,)) for cell in group)) for number, group in enumerate(groups)]
    found = ranked(made, [COLUMN], nearly_best)
    after = [[row.cells[0] for row in group.rows] for group in found]
    before = [cell for group in groups for cell in group if cell is not None]
    can = [cell for cell in before if cell.ranked]
    judges = [cell.judge for cell in can if not cell.quoted] or [cell.judge for cell in can]
    shown = [cell for group in after for cell in group if cell is not None]
    assert len({cell.judge for cell in shown if cell.ranked}) <= 1
    if judges:
        kept = next((cell.judge for cell in shown if cell.ranked), None)
        assert kept is None or judges.count(kept) == max(map(judges.count, judges))
    for group in after:
        own = [cell for cell in group if cell is not None and cell.ranked]
        others = [cell for cell in group if cell is not None and not cell.ranked]
        assert not any(cell.place for cell in others)
        if len(own) < 2:
            assert not any(cell.place for cell in own)
            continue
        top = max(cell.value or 0 for cell in own)
        like_top = [cell for cell in own if cell.text == f"{top:.1f}"]
        measured = [cell for cell in own if not cell.quoted]
        tested = len(measured) > 1 and any(not cell.quoted for cell in like_top)
        best_measured = max((cell.value or 0 for cell in measured), default=0)
        for cell in own:
            near = tested and not cell.quoted and best_measured - (cell.value or 0) <= 0.2
            assert (cell.place == "best") == (cell in like_top or near)
        rest = [cell for cell in own if cell.place != "best"]
        if rest:
            next_best = f"{max(cell.value or 0 for cell in rest):.1f}"
            assert all((cell.place == "second") == (cell.text == next_best) for cell in rest)
        for cell in own:
            assert cell.tied == (sum(other.place == cell.place for other in own) > 1 and bool(cell.place))
