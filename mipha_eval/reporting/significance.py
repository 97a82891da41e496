"""Which measured cells of a column cannot be told from the best one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.reporting.table import Cell, Column

if TYPE_CHECKING:
    from mipha_eval.judge.stored_task import StoredTask


@dataclass
class PairedTests:
    """Paired tests on stored answers, and what they could not be made for.

    Attributes:
        level: of the tests, once one was made.
        untested: headings of columns -> why nothing was tested there.
    """

    registry: Registry
    level: float | None = None
    untested: dict[str, str] = field(default_factory=dict)
    _stored: dict[Path, dict[str, StoredTask]] = field(default_factory=dict)

    def tied(self, cells: Sequence[Cell], column: Column) -> frozenset[int] | None:
        """Places of the best and of those that do not differ from it significantly; None where no test can be made."""
        from mipha_eval.comparison.comparability import why_not
        from mipha_eval.comparison.defaults import ALPHA
        from mipha_eval.comparison.difference import tie_group

        try:
            tasks = [self.stored(cell) for cell in cells]
            reason = next((why for task in tasks[1:] if (why := why_not(tasks[0], task))), None)
            if reason or column.better == "lower":
                raise UserError(reason or "a metric of which less is better")
            found = tie_group(tasks, cells[0].metric)
        except UserError as error:
            self.untested[column.heading] = str(error)
            return None
        self.level = ALPHA
        return found

    def stored(self, cell: Cell) -> StoredTask:
        """A measured cell's task with its scores. Raises UserError for a result without answers."""
        from mipha_eval.judge.stored_task import read_stored_tasks

        run = cell.origin.run
        if run is None:
            raise UserError(f"{cell.origin.file} is a result without its answers")
        if run not in self._stored:
            self._stored[run] = {stored.summary.quantity: stored for stored in read_stored_tasks(run, self.registry)}
        return self._stored[run][cell.protocol]
