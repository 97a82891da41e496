"""A comparison table as values: every cell knows its number, what it is a number of, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mipha_eval.core.task_label import TaskLabel
from mipha_eval.data.suite_files.lmms_results import SUITE
from mipha_eval.reporting.contrast import Contrast
from mipha_eval.reporting.factors import fact_of
from mipha_eval.reporting.gpu_hours import GpuHours
from mipha_eval.scoring.result_record import AS_PUBLISHED

Place = Literal["", "best", "second"]
NOTHING = "–"
#: the title of the group of floors
FLOORS = "Floors"


@dataclass(frozen=True)
class Column:
    """What a column shows.

    Attributes:
        task: ``task@protocol``, the one that is ranked.
        metric: its name without the judge.
        also: protocols whose numbers may stand here where the first has none; marked and not ranked.
        most: the highest value possible, for plots.
        parts: patterns of names of metrics that it falls into, for plots, such as ``*/f1``.
    """

    heading: str
    task: str
    metric: str
    decimals: int = 1
    better: Literal["higher", "lower"] = "higher"
    also: tuple[str, ...] = ()
    most: float = 100.0
    parts: tuple[str, ...] = ()

    @property
    def demo(self) -> bool:
        """Whether it shows drawn scenes, which may then be ranked among themselves."""
        return self.task.partition("@")[2].startswith("demo")

    @property
    def labels(self) -> tuple[str, ...]:
        """The protocols whose numbers may stand here, the right one first, the demo's drawn scenes last.

        In a column of another suite's protocol nothing else may.
        """
        own = TaskLabel.of(self.task.removesuffix(AS_PUBLISHED))
        if own.protocol.startswith(SUITE):
            return (self.task, *self.also)
        drawn = [replace(own, protocol=protocol) for protocol in ("demo", f"demo-{own.protocol}")]
        way = AS_PUBLISHED if self.task.endswith(AS_PUBLISHED) else ""
        return (self.task, *self.also, *(f"{label}{way}" for label in drawn))


@dataclass(frozen=True)
class Field:
    """A column of words: what is known about a model."""

    key: str
    heading: str


@dataclass(frozen=True)
class Origin:
    """Where a number stands.

    Attributes:
        file: a result file or a file of published scores.
        place: in that file, ``metrics/f1`` or ``line 7``.
        source: where a published score was found.
        run: the folder of the run that it was measured in; None if there is no run.
    """

    file: Path
    place: str
    source: str = ""
    run: Path | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Another published number, and who has it."""

    value: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """A number and all that a reader must know about it.

    Attributes:
        value: unrounded; None where there is a result without a score.
        decimals: to print; fewer than the column's where fewer were published.
        protocol: ``task@protocol``.
        metric: as the file names it, with its judge, such as ``score[gpt-4]``.
        judge: who graded, ``rule`` for a rule in a judge's place; "" where nobody had to.
        tool: what else made it, in words, such as ``tokenized by ptb``; "" for nothing.
        version: of the task; None for published scores.
        quoted: published by others, not measured.
        grey: another quantity than the column's.
        ranked: may be the best; not so where anything is in doubt.
        remarks: what stands in the footnotes.
        elsewhere: other published numbers for the same.
        place: among the ranked cells of its group and column.
        tied: whether others share its place.
        seconds: that an answer took, on average; None where nobody knows.
    """

    value: float | None
    decimals: int
    protocol: str
    metric: str
    origin: Origin
    interval: tuple[float, float] | None = None
    n: int | None = None
    unparsed: int = 0
    failed: int = 0
    missing: int = 0
    judge: str = ""
    tool: str = ""
    version: int | None = None
    quoted: bool = False
    grey: bool = False
    ranked: bool = True
    remarks: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    place: Place = ""
    tied: bool = False
    seconds: float | None = None

    @property
    def text(self) -> str:
        """The number as it is printed."""
        return NOTHING if self.value is None else f"{self.value:.{self.decimals}f}"

    @property
    def interval_text(self) -> str:
        """The interval's ends as they are printed; "" without one."""
        return "" if self.interval is None else "–".join(f"{end:.{self.decimals}f}" for end in self.interval)


@dataclass(frozen=True)
class Reproduction:
    """A measured number beside what was published of the same model under the same protocol.

    Attributes:
        published: as it was printed.
        rounded: the measured number to as many digits.
        source: of the published number.
    """

    column: str
    published: str
    rounded: str
    source: str

    @property
    def equal(self) -> bool:
        return self.published == self.rounded


@dataclass(frozen=True)
class Row:
    """A model, or a variant of one.

    Attributes:
        fields: by key.
        parameters: in billions; None if not known.
        cells: one a column; None where nothing is known.
        published_as: the name under which numbers of this measured model were published; "" if none.
        reproductions: how its numbers compare with those.
        own: those of the fields that are of this model alone, such as a digest, and were not chosen.
        remarks: what stands in footnotes on all of it.
        floor: whether it is no model but there to be compared with.
        gpu_hours: of the runs that it was measured in; None where no GPU was used, or nobody knows.
    """

    name: str
    fields: Mapping[str, str]
    parameters: float | None
    cells: tuple[Cell | None, ...]
    quoted: bool = False
    published_as: str = ""
    reproductions: tuple[Reproduction, ...] = ()
    own: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()
    floor: bool = False
    gpu_hours: GpuHours | None = None

    @property
    def chosen(self) -> dict[str, str]:
        """What is known of it and was chosen."""
        return {name: text for name, text in self.fields.items() if name not in self.own}

    def field_text(self, field: Field) -> str:
        """What stands in a column of words."""
        if field.key in self.fields:
            return self.fields[field.key]
        fact = fact_of(self.fields, field.key)
        return fact.text if fact.known else NOTHING


@dataclass(frozen=True)
class Group:
    """Rows that are ranked together."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A comparison table.

    Attributes:
        name: of its definition.
        notes: what stands under it beside the footnotes of cells.
        intervals: whether they are printed beside the numbers.
        factors: what an ablation groups rows by: columns of words before the rows' names.
        contrasts: differences between levels of these.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    intervals: bool = False
    factors: tuple[Field, ...] = ()
    contrasts: tuple[Contrast, ...] = ()

    def levels(self) -> Iterator[tuple[str, ...]]:
        """What stands in each row's columns of factors, row by row; "" for what the row above has, too."""
        before: list[str] = []
        for row in self.rows():
            texts = [fact_of(row.fields, factor.key).text for factor in self.factors]
            alike = next((place for place, text in enumerate(texts) if before[place : place + 1] != [text]), len(texts))
            before = texts
            yield ("",) * alike + tuple(texts[alike:])

    @property
    def floors(self) -> list[Row]:
        """The rows that stand below the others, being no models."""
        return [row for group in self.groups if group.title == FLOORS for row in group.rows if row.floor]

    @property
    def model_groups(self) -> list[Group]:
        """The groups of other rows than these."""
        floors = self.floors
        return [group for group in self.groups if any(row not in floors for row in group.rows)]

    def rows(self) -> Iterator[Row]:
        for group in self.groups:
            yield from group.rows
