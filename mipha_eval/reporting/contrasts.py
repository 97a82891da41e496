"""Differences between the levels of an ablation's factors, tested on the questions that both rows scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.reporting.ablation import Ablation
from mipha_eval.reporting.contrast import Contrast, ContrastCell
from mipha_eval.reporting.pairs import Pairs, RowLevels
from mipha_eval.reporting.significance import PairedTests
from mipha_eval.reporting.table import Cell, Column, Group, Row

if TYPE_CHECKING:
    from mipha_eval.comparison.difference import Difference

#: a line of the differences and a column of the table
Place = tuple[int, int]


@dataclass(frozen=True)
class Tested:
    """A difference before it is corrected for the others, and options of the task that differ."""

    difference: Difference
    options: tuple[str, ...]


@dataclass(frozen=True)
class Contrasts:
    """The differences of an ablation.

    Attributes:
        found: those that could be tested in any column, factor by factor.
        notes: what is to be said of them under the table.
    """

    found: tuple[Contrast, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, groups: Sequence[Group], columns: Sequence[Column], ablation: Ablation, paired: PairedTests) -> Contrasts:
        rows = [row for group in groups for row in group.rows]
        levels: list[RowLevels] = [() if row.quoted else ablation.level(row) for row in rows]
        numbers = [number for number, group in enumerate(groups) for _ in group.rows]
        pairs = Pairs.of(levels, numbers, lambda pair: not ablation.differing(rows[pair[0]], rows[pair[1]]))
        both = [(rows[first], rows[second]) for first, second in pairs.places]
        tested, untested = _tested(both, columns, paired)
        cells = _corrected(tested, columns)
        made = [
            _contrast(own, ablation, [cells.get((line, place)) for place in range(len(columns))])
            for line, own in enumerate(both)
        ]
        found = tuple(contrast for contrast in made if any(cell is not None for cell in contrast.cells))
        return cls(found, tuple(_notes(len(tested), pairs.limits, untested)))


def _contrast(rows: tuple[Row, Row], ablation: Ablation, cells: Sequence[ContrastCell | None]) -> Contrast:
    levels = {
        factor: (str(one), str(two)) for factor, one, two in zip(ablation.factors, *map(ablation.level, rows), strict=True)
    }
    return Contrast(
        rows=(rows[0].name, rows[1].name),
        levels={factor: texts for factor, texts in levels.items() if texts[0] != texts[1]},
        held={factor: texts[0] for factor, texts in levels.items() if texts[0] == texts[1]},
        also=ablation.differing(*rows),
        cells=tuple(cells),
    )


def _tested(
    pairs: Sequence[tuple[Row, Row]], columns: Sequence[Column], paired: PairedTests
) -> tuple[dict[Place, Tested], list[str]]:
    """The differences by place, and why others could not be tested."""
    from mipha_eval.comparison.defaults import ALPHA, RESAMPLES
    from mipha_eval.comparison.difference import enough_draws

    wanted = {
        (line, place): cells
        for line, rows in enumerate(pairs)
        for place in range(len(columns))
        if (cells := _scored([row.cells[place] for row in rows]))
    }
    draws = enough_draws(RESAMPLES, len(wanted), ALPHA)
    found, untested = {}, []
    for (line, place), cells in wanted.items():
        try:
            found[line, place] = _test(cells, paired, draws)
        except UserError as error:
            untested.append(f"{columns[place].heading}, {error}")
    return found, list(dict.fromkeys(untested))


def _scored(cells: Sequence[Cell | None]) -> tuple[Cell, ...]:
    """Two cells with a number each; () if they are not."""
    found = tuple(cell for cell in cells if cell is not None and cell.value is not None)
    return found if len(found) == len(cells) else ()


def _test(cells: Sequence[Cell], paired: PairedTests, draws: int) -> Tested:
    """Raises UserError for what must not or cannot be compared."""
    from mipha_eval.comparison.comparability import other_options, why_not
    from mipha_eval.comparison.defaults import ALPHA
    from mipha_eval.comparison.difference import difference
    from mipha_eval.comparison.matched import Matched

    first, second = (paired.stored(cell) for cell in cells)
    names = [cell.metric for cell in cells]
    reason = why_not(first, second) or (f"{' and '.join(names)} are not the same metric" if len(set(names)) > 1 else "")
    if reason:
        raise UserError(reason)
    matched = Matched.of([first, second])
    return Tested(difference(matched, names[0], draws, ALPHA), tuple(other_options(first, second)))


def _corrected(tested: Mapping[Place, Tested], columns: Sequence[Column]) -> dict[Place, ContrastCell]:
    """With p-values corrected for all differences of the table."""
    from mipha_eval.comparison.defaults import ALPHA
    from mipha_eval.stats.holm import holm

    corrected = holm([each.difference.p for each in tested.values()])
    return {
        place: ContrastCell(
            protocol=each.difference.task,
            metric=each.difference.metric,
            difference=each.difference.value,
            decimals=columns[place[1]].decimals,
            interval=each.difference.interval,
            p=each.difference.p,
            corrected_p=p,
            test=each.difference.test,
            n=each.difference.questions,
            differs=p <= ALPHA,
            remarks=each.options,
        )
        for (place, each), p in zip(tested.items(), corrected, strict=True)
    }


def _notes(tests: int, limits: Iterable[str], untested: Iterable[str]) -> list[str]:
    from mipha_eval.comparison.defaults import ALPHA

    notes = [f"No difference tested: {reason}." for reason in untested]
    if not tests:
        return notes
    text = (
        "Differences: how much higher the second is on the questions that both scored; in brackets p of the paired test, "
        f"corrected by Holm's method for all {tests:,}; bold: at most {ALPHA:g}."
    )
    return [" ".join([text, *limits]), *notes]
