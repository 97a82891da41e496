"""A difference between two rows of an ablation, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.reporting.factors import words


@dataclass(frozen=True)
class ContrastCell:
    """How much higher the second row's number is than the first's, on the questions that both scored.

    Attributes:
        protocol, metric: what both are numbers of.
        decimals: to print.
        interval: at 95 %, paired and clustered; None where nothing honest can be said.
        p: of `test`, two-sided; `corrected_p`: by Holm's method for all differences of the table.
        n: questions.
        differs: whether the corrected p is small enough.
        remarks: options of the task that differ.
    """

    protocol: str
    metric: str
    difference: float
    decimals: int
    interval: tuple[float, float] | None
    p: float
    corrected_p: float
    test: str
    n: int
    differs: bool
    remarks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The difference as it is printed, with its sign."""
        return f"{self.difference:+.{self.decimals}f}"

    @property
    def p_text(self) -> str:
        """The corrected p as it is printed."""
        return "<0.001" if self.corrected_p < 0.001 else f"{self.corrected_p:.3f}"

    @property
    def interval_text(self) -> str:
        """The interval's ends as they are printed; "" without one."""
        return "" if self.interval is None else " to ".join(f"{end:+.{self.decimals}f}" for end in self.interval)


@dataclass(frozen=True)
class Contrast:
    """Two rows that are compared.

    Attributes:
        rows: their names.
        levels: factor that differs -> the first row's level and the second's.
        held: the other factors -> the level that both have.
        also: what else differs -> what the first has and what the second has.
        cells: one a column; None where nothing can be compared.
    """

    rows: tuple[str, str]
    levels: Mapping[str, tuple[str, str]]
    held: Mapping[str, str]
    also: Mapping[str, tuple[str, str]]
    cells: tuple[ContrastCell | None, ...]

    @property
    def between(self) -> str:
        """From what to what, as ``CLIP → SigLIP``."""
        return " → ".join(", ".join(level) for level in zip(*self.levels.values(), strict=True))

    @property
    def held_text(self) -> str:
        """What both have; "" where all factors differ."""
        return ", ".join(f"{words(factor)} {level}" for factor, level in self.held.items())

    @property
    def also_text(self) -> str:
        """What else differs, as ``resolution 336 → 384``; "" for nothing."""
        return ", ".join(f"{words(name)} {' → '.join(texts)}" for name, texts in self.also.items())


def contrast_words(contrasts: Sequence[Contrast]) -> tuple[list[str], list[list[str]]]:
    """Headings and texts of the columns of words of a table of differences, a list a line.

    Names of rows are there only where several have the same levels.
    """
    columns = {
        "Difference": [each.between for each in contrasts],
        "Rows": [" → ".join(each.rows) for each in contrasts],
        "Held": [each.held_text for each in contrasts],
        "Differs, too": [each.also_text for each in contrasts],
    }
    told = [(each.between, each.held_text) for each in contrasts]
    if len(set(told)) == len(told):
        del columns["Rows"]
    kept = {heading: texts for heading, texts in columns.items() if any(texts)}
    return list(kept), [list(line) for line in zip(*kept.values(), strict=True)]
