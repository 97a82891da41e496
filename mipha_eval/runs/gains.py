"""How far a stored run is above its controls, or a control's run below the model's own."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

from mipha_eval.comparison.gain import Gain, gain, is_control_of
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.judge.stored_task import StoredTask, read_stored_tasks
from mipha_eval.runs.stored_run import Run
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


def visual_gains(run: Run | str | Path, *, plugins: Sequence[str | Path] = ()) -> list[Gain]:
    """The model's headline less its control's, of every task that both runs have scored.

    Args:
        run: a run under a control; the model's own is looked for beside it, and what it lacks is told as a warning.
        plugins: Python files with the tasks that it needs beside the bundled ones.

    Raises:
        UserError: `run` is no run folder, or not under a control.
    """
    path = run.path if isinstance(run, Run) else Path(run)
    manifest = RunFolder.open(path).manifest()
    if manifest.asked_under is None:
        raise UserError(f"{path} is not under a control; give the run that was made with one")
    registry = Registry([Path(each) for each in plugins])
    own = _own_tasks(path, manifest, registry)
    found = []
    for control in read_stored_tasks(path, registry):
        if control.label not in own:
            logger.warning(
                "%s: no gain over %s without the model's own answers in %s; the same command without the control makes them",
                *(control.label, manifest.asked_under, path.parent),
            )
            continue
        try:
            found.append(gain(own[control.label], control))
        except UserError as error:
            logger.warning("%s: no gain over %s: %s", control.label, manifest.asked_under, error)
    return found


def _own_tasks(path: Path, manifest: Manifest, registry: Registry) -> dict[str, StoredTask]:
    """Results of the same model without a control, by task, from the runs beside; the newest of each."""
    found: dict[str, StoredTask] = {}
    beside = sorted(path.resolve().parent.glob("*/manifest.json"), key=lambda file: file.parent.name.split("__")[-2:])
    for file in beside:
        with contextlib.suppress(UserError):  # a damaged run, or one without a result, is none to compare with
            folder = RunFolder.open(file.parent)
            if is_control_of(manifest, folder.manifest()):
                found |= {stored.label: stored for stored in read_stored_tasks(folder.path, registry)}
    return found
