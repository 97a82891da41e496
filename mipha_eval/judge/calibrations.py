"""How well judges agree with trusted ones, as it was measured: a file a judge, looked up when the judge is used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mipha_eval.core.atomic import write_json
from mipha_eval.core.files import read_object
from mipha_eval.store.records import Calibration, checked
from mipha_eval.store.run_folder import plain_name

#: what must be the same for a calibration to be about a judge
SAME = ("model", "base_url", "weights", "prompts")


def calibrations_folder() -> Path:
    """Where calibrations are kept; the environment variable MIPHA_EVAL_CALIBRATIONS moves it."""
    return Path(os.environ.get("MIPHA_EVAL_CALIBRATIONS") or "results/calibrations")


def calibration_file(name: str) -> Path:
    return calibrations_folder() / f"{plain_name(name)}.json"


def find_calibration(name: str, notes: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The calibration of a judge, if it was made with the same model, server and prompts."""
    path = calibration_file(name)
    if not path.is_file():
        return None
    found = _read(path)
    same = found.get("judge") == name and all(found.get("notes", {}).get(key) == notes.get(key) for key in SAME)
    return {key: value for key, value in found.items() if key != "notes"} if same else None


def stored_calibrations() -> dict[str, Mapping[str, Any]]:
    """All calibrations there are, by the judge's name."""
    files = sorted(calibrations_folder().glob("*.json"))
    rows = [_read(path) for path in files]
    return {row["judge"]: row for row in rows}


def _read(path: Path) -> dict[str, Any]:
    hint = "remove it, or calibrate again"
    found = read_object(path, hint)
    checked(Calibration, found, str(path), hint)
    return found


def store_calibration(name: str, notes: Mapping[str, Any], found: Mapping[str, Any]) -> Path:
    """Keeps a calibration for later scores of the same judge; returns its file."""
    path = calibration_file(name)
    write_json(path, {"judge": name, "notes": dict(notes), **found})
    return path
