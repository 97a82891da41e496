"""Floors under a table: runs of what is no model, on the questions that the table's runs were asked."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.reporting.factors import fact_of
from mipha_eval.reporting.table import FLOORS, Group, Row
from mipha_eval.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


def floor_runs(runs: Sequence[Path]) -> list[Path]:
    """The floors' runs that lie beside runs and are none of them: of each floor the newest on the same questions."""
    given = {run.resolve() for run in runs}
    asked = {question for run in runs if run.is_dir() for question in _questions(RunFolder(run))}
    places = dict.fromkeys(run.resolve().parent for run in runs if run.is_dir())
    found: dict[str, Path] = {}
    for folder in _newest_last(places):
        if folder.path.resolve() in given:
            continue
        with contextlib.suppress(UserError):  # a damaged run is no floor
            labels = _labels_of_floor(folder)
            if labels and not asked.isdisjoint(question for question in _questions(folder) if question[0] in labels):
                manifest = folder.manifest()
                found[json.dumps([manifest.model, manifest.options], sort_keys=True)] = folder.path
    if not found and not any(_labels_of_floor(RunFolder(run)) for run in runs if run.is_dir()):
        logger.warning(
            "no floor was run on these questions beside these runs; the models majority, random, constant and ocr are floors"
        )
    return [found[name] for name in sorted(found)]


def _newest_last(places: Iterable[Path]) -> list[RunFolder]:
    files = [file for place in places for file in place.glob("*/manifest.json")]
    return [RunFolder(file.parent) for file in sorted(files, key=lambda file: file.parent.name.split("__")[-2:])]


def _labels_of_floor(folder: RunFolder) -> set[str]:
    """The tasks that a run has a floor's result of."""
    return {result.task for result in folder.results() if result.floor}


def _questions(folder: RunFolder) -> list[tuple[str, str]]:
    """Of each task with a result its label and what identifies the questions that were asked."""
    labels = dict.fromkeys(result.task for result in folder.results())
    return [(label, str(folder.task(label).read_task().data_sha256)) for label in labels]


def models_and_floors(rows: Sequence[Row], factors: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """The rows of an ablation, and floors to stand below it: those of which no factor tells anything."""
    below = [row for row in rows if row.floor and not any(fact_of(row.fields, factor).known for factor in factors)]
    models = [row for row in rows if row not in below]
    return (models, below) if models else (below, [])


def apart(groups: Sequence[Group]) -> list[Group]:
    """The groups without floors, and these in a last one, where there are others."""
    floors = tuple(row for group in groups for row in group.rows if row.floor)
    others = [Group(group.title, rows) for group in groups if (rows := tuple(row for row in group.rows if not row.floor))]
    return [*others, Group(FLOORS, floors)] if floors and others else list(groups)
