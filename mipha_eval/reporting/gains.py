"""Beside a control's score stands what the model has more without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.reporting.significance import PairedTests
from mipha_eval.reporting.table import Cell, Row
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.run_folder import RunFolder


def with_gains(rows: Sequence[Row], tests: PairedTests) -> list[Row]:
    """The rows, those of controls with a remark in each cell of which the table has the model's own, too."""
    runs = {cell.origin.run for row in rows for cell in row.cells if cell is not None and cell.origin.run is not None}
    manifests = {run: RunFolder(run).manifest() for run in runs}
    if not any(manifest.asked_under for manifest in manifests.values()):
        return list(rows)
    return [
        replace(
            row,
            cells=tuple(
                _with_gain(cell, [other.cells[place] for other in rows], manifests, tests)
                for place, cell in enumerate(row.cells)
            ),
        )
        for row in rows
    ]


def _with_gain(
    cell: Cell | None, column: Sequence[Cell | None], manifests: dict[Path, Manifest], tests: PairedTests
) -> Cell | None:
    from mipha_eval.comparison.gain import gain, is_control_of

    if cell is None or cell.value is None or cell.origin.run is None or not manifests[cell.origin.run].asked_under:
        return cell
    own = manifests[cell.origin.run]
    for other in column:
        if other is None or other.origin.run is None or other.value is None or other.protocol != cell.protocol:
            continue
        if is_control_of(own, manifests[other.origin.run]):
            try:
                found = gain(tests.stored(other), tests.stored(cell), cell.metric)
            except UserError as error:
                return replace(cell, remarks=(*cell.remarks, f"no gain: {error}"))
            return replace(cell, remarks=(*cell.remarks, found.text(cell.decimals)))
    return cell
