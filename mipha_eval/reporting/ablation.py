"""Rows grouped by the factors of an ablation, and what else differs between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from mipha_eval.reporting.factors import OTHER_NAMES, Levels, differing, fact_of, heading_of, implied_by, words
from mipha_eval.reporting.table import Field, Group, Row
from mipha_eval.reporting.visible import visible

#: what checkpoints tell of themselves; where a run does not know it, nobody can say that it was held
TOLD_BY_CHECKPOINTS = (
    *("language_model", "tower_name", "resolution", "image_tokens", "projector", "select_layer", "aspect"),
    *("tower_tuning", "projector_tuning", "language_model_tuning", "lora_rank"),
)


@dataclass(frozen=True)
class Ablation:
    """How rows are grouped.

    Attributes:
        levels: of each factor, in the order in which they were asked for.
    """

    levels: tuple[Levels, ...]

    @classmethod
    def of(cls, factors: Iterable[str], rows: Sequence[Row]) -> Ablation:
        """Levels stand in the order of measured rows, then of published ones."""
        facts = [row.fields for row in sorted(rows, key=lambda row: row.quoted)]
        return cls(tuple(Levels.of(factor, facts) for factor in factors))

    @property
    def factors(self) -> tuple[str, ...]:
        return tuple(each.factor for each in self.levels)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns of the factors."""
        return tuple(Field(factor, heading_of(factor)) for factor in self.factors)

    def kept_fields(self, fields: Sequence[Field]) -> tuple[Field, ...]:
        """Those of a table's own columns of words that say something else than the factors."""
        said = {*self.factors, *(OTHER_NAMES.get(factor) for factor in self.factors)}
        return tuple(field for field in fields if field.key not in said)

    def level(self, row: Row) -> tuple[str | None, ...]:
        """A row's level of each factor; None where it is not known."""
        return tuple(each.level(row.fields) for each in self.levels)

    def groups(self, rows: Sequence[Row]) -> list[Group]:
        """Rows by level, those together that differ in the last factor alone.

        Where no two rows do, in the last two, and so on: where nothing differs there is no best.
        """
        ordered = sorted(rows, key=self._places)
        groups = [tuple(ordered)]
        for held in range(len(self.levels) - 1, 0, -1):
            found = _alike(ordered, [tuple(self._places(row)[:held]) for row in ordered])
            if any(self._places(own[0]) != self._places(own[-1]) for own in found):
                groups = found
                break
        return [Group("", own) for own in groups]

    def held(self, groups: Sequence[Group]) -> tuple[str, ...]:
        """The factors that are the same within every group."""
        return tuple(
            each.factor
            for each in self.levels
            if all(len({each.place(row.fields) for row in group.rows}) == 1 for group in groups)
        )

    def _places(self, row: Row) -> list[int]:
        return [each.place(row.fields) for each in self.levels]

    def marked(self, groups: Sequence[Group]) -> list[Group]:
        """The same with a remark at every row of which more is different from the first one than the factors."""
        rows = [row for group in groups for row in group.rows]
        first = next((row for row in rows if not row.quoted), None)
        if first is None:
            return list(groups)
        return [replace(group, rows=tuple(self._marked(row, first) for row in group.rows)) for group in groups]

    def differing(self, first: Row, second: Row) -> dict[str, tuple[str, str]]:
        """What beside the factors differs between two rows: name -> what the first has and what the second has."""
        return differing(first.chosen, second.chosen, self.factors)

    def _marked(self, row: Row, first: Row) -> Row:
        found = self.differing(row, first)
        if not found:
            return row
        told = [f"{words(name)} ({visible(own)}, not {visible(other)})" for name, (own, other) in found.items()]
        return replace(row, remarks=(*row.remarks, f"differs from {visible(first.name)} also in {_listed(told)}"))

    def notes(self, groups: Sequence[Group]) -> list[str]:
        """How the rows are grouped, and what is not known of all of them."""
        held, every = self.held(groups), [row for group in groups for row in group.rows]
        rows = [row for row in every if not row.quoted and None not in self.level(row)]
        among = f"; ranked are those alike in {_listed(map(words, held))}" if held and len(groups) > 1 else ""
        notes = [f"Grouped by {_listed(map(words, self.factors))}{among}."]
        told = {key for factor in self.factors for key in (factor, *implied_by(factor))}
        known = {name: {fact_of(row.fields, name).known for row in rows} for name in TOLD_BY_CHECKPOINTS if name not in told}
        doubtful = [words(name) for name, values in known.items() if len(values) > 1]
        return [*notes, *([f"Not known of every row, so it may differ, too: {', '.join(doubtful)}."] if doubtful else [])]


def _alike(rows: Sequence[Row], keys: Sequence[tuple[int, ...]]) -> list[tuple[Row, ...]]:
    """Rows that follow each other with the same key."""
    groups = groupby(zip(keys, rows, strict=True), key=itemgetter(0))
    return [tuple(row for _, row in own) for _, own in groups]


def _listed(texts: Iterable[str]) -> str:
    """Words with commas and an "and"."""
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last
