"""What plots draw: for each row a point in each column or part of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mipha_eval.reporting.measured import Measured, StoredResult
from mipha_eval.reporting.table import Column, Row, Table

#: more rows than this cannot be told apart in a plot
MOST_ROWS = 8


@dataclass(frozen=True)
class Point:
    """A number in a plot.

    Attributes:
        axis: a column's heading, or a part of what it shows.
        share: of the highest value possible.
        remarks: what the table's footnotes say of it; a point with any has a star.
        file, at: where it stands.
    """

    row: str
    axis: str
    value: float
    share: float
    interval: tuple[float, float] | None
    remarks: tuple[str, ...]
    file: str
    at: str


@dataclass(frozen=True)
class Series:
    """The points of one plot.

    Attributes:
        rows: in the order of the legend.
        floors: names of further rows that are no models; lines lie where they stand.
        axes: in the order in which they are drawn.
        left_out: rows of the table that are one too many.
    """

    rows: tuple[str, ...]
    axes: tuple[str, ...]
    points: tuple[Point, ...]
    left_out: tuple[str, ...] = ()
    floors: tuple[str, ...] = ()

    def find(self, row: str, axis: str) -> Point | None:
        return next((point for point in self.points if (point.row, point.axis) == (row, axis)), None)

    def only(self, axes: Iterable[str]) -> Series:
        """The same with some of the axes."""
        kept = tuple(axes)
        return replace(self, axes=kept, points=tuple(point for point in self.points if point.axis in kept))

    @property
    def drawn_floors(self) -> list[tuple[str, list[Point]]]:
        """Each with its points."""
        return [(name, [point for point in self.points if point.row == name]) for name in self.floors]


def table_series(table: Table) -> Series:
    """A table's numbers under its columns' own protocols; measured rows first, then published ones and floors while there
    is room.
    """
    rows = sorted(table.rows(), key=lambda row: (row.floor, row.quoted))
    named = [(row, f"{row.name}†" if row.quoted else row.name) for row in rows]
    own = [(row, name) for row, name in named if any(points_of(row, name, table.columns))]
    drawn = own[:MOST_ROWS]
    points = tuple(point for row, name in drawn for point in points_of(row, name, table.columns))
    found = {point.axis for point in points}
    axes = tuple(column.heading for column in table.columns if column.heading in found)
    left_out = tuple(name for _, name in own[MOST_ROWS:])
    return _without_floors(Series(tuple(name for _, name in drawn), axes, points, left_out), table)


def _without_floors(series: Series, table: Table) -> Series:
    """The same with the table's floors apart."""
    names = {row.name for row in table.floors}
    models, floors = (tuple(row for row in series.rows if (row in names) is floor) for floor in (False, True))
    return replace(series, rows=models, floors=floors)


def points_of(row: Row, name: str, columns: Sequence[Column]) -> list[Point]:
    """A row's numbers that are what their columns say."""
    return [
        Point(
            row=name,
            axis=column.heading,
            value=cell.value,
            share=cell.value / column.most,
            interval=cell.interval,
            remarks=cell.remarks,
            file=str(cell.origin.file),
            at=cell.origin.place,
        )
        for cell, column in zip(row.cells, columns, strict=True)
        if cell is not None and cell.value is not None and not cell.grey
    ]


def part_series(table: Table, measured: Sequence[Measured], column: Column) -> Series:
    """The parts of a column's metric that the stored results have; rows and parts without any are left out."""
    points: list[Point] = []
    place = table.columns.index(column)
    remarks = {row.name: cell.remarks for row in table.rows() if not row.quoted and (cell := row.cells[place]) is not None}
    for row in measured[:MOST_ROWS]:
        result = row.results.get(column.task)
        if result is not None:
            points += _parts(row.name, result, column, remarks.get(row.name, ()))
    rows, axes = (tuple(dict.fromkeys(getattr(point, name) for point in points)) for name in ("row", "axis"))
    return _without_floors(Series(rows, axes, tuple(points), tuple(row.name for row in measured[MOST_ROWS:])), table)


def _parts(row: str, result: StoredResult, column: Column, remarks: tuple[str, ...]) -> list[Point]:
    metrics, intervals = result.content.metrics, result.content.intervals
    plain = {name: result.content.plain(name) for name in metrics}
    names = [name for pattern in column.parts for name in metrics if fnmatchcase(plain[name], pattern)]
    highest = 200 if column.most > 100 else 100  # points of one MME subtask
    return [
        Point(
            row=row,
            axis=name,
            value=metrics[name],
            share=metrics[name] / highest,
            interval=intervals.get(name),
            remarks=remarks,
            file=str(result.file),
            at=f"{result.place}metrics/{name}",
        )
        for name in dict.fromkeys(names)
    ]
