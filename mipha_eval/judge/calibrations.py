"""How well judges agree with trusted ones, as it was measured: a file a judge, looked up when the judge is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_json
from mipha_eval.core.files import read_object
from mipha_eval.core.json_value import Json
from mipha_eval.core.record import checked, record_json
from mipha_eval.scoring.judging.calibration import Calibration
from mipha_eval.store.plain_name import plain_name

#: what must be the same for a calibration to be about a judge
SAME = ("model", "base_url", "weights", "prompts")


class CalibratedJudge(Struct, frozen=True):
    """What a stored calibration says of the judge beside its agreement."""

    notes: Mapping[str, Json] = {}


def calibrations_folder() -> Path:
    """Where calibrations are kept; the environment variable MIPHA_EVAL_CALIBRATIONS moves it."""
    return Path(os.environ.get("MIPHA_EVAL_CALIBRATIONS") or "results/calibrations")


def calibration_file(name: str) -> Path:
    return calibrations_folder() / f"{plain_name(name)}.json"


def find_calibration(name: str, notes: Mapping[str, Json]) -> Calibration | None:
    """The calibration of a judge, if it was made with the same model, server and prompts."""
    path = calibration_file(name)
    if not path.is_file():
        return None
    found, of = _read(path)
    return found if found.judge == name and all(of.notes.get(key) == notes.get(key) for key in SAME) else None


def stored_calibrations() -> dict[str, Calibration]:
    """All calibrations there are, by the judge's name."""
    rows = [_read(path)[0] for path in sorted(calibrations_folder().glob("*.json"))]
    return {row.judge: row for row in rows}


def _read(path: Path) -> tuple[Calibration, CalibratedJudge]:
    hint = "remove it, or calibrate again"
    found = read_object(path, hint)
    return checked(Calibration, found, str(path), hint), checked(CalibratedJudge, found, str(path), hint)


def store_calibration(notes: Mapping[str, Json], found: Calibration) -> Path:
    """Keeps a calibration for later scores of the same judge; returns its file."""
    path = calibration_file(found.judge)
    write_json(path, {"judge": found.judge, "notes": dict(notes), **record_json(found)})
    return path
