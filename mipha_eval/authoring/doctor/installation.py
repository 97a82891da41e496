"""What runs: Python, the machine, and which mipha-eval."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mipha_eval import __version__
from mipha_eval.authoring.finding import Finding

NAME = "mipha-eval"
PACKAGE = Path(__file__).parents[2]
OLDEST = (3, 11)

#: settings in the environment that name folders
FOLDERS = ("MIPHA_EVAL_DATA", "MIPHA_EVAL_OUT", "MIPHA_EVAL_CACHE", "MIPHA_EVAL_CALIBRATIONS")
WORDS = ("demo", "hub")  # what MIPHA_EVAL_DATA may be beside a folder


def checkout() -> Path | None:
    """The folder of the checkout that the package lies in; None for an installed one."""
    folder = PACKAGE.parent
    return folder if (folder / "pyproject.toml").is_file() and (folder / "tasks").is_dir() else None


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    line = f"{platform.python_implementation()} {version} at {sys.executable}"
    if sys.version_info < OLDEST:
        return Finding("python", "fault", f"{line}; mipha-eval needs {'.'.join(map(str, OLDEST))} or later")
    return Finding("python", "ok", line)


def machine() -> Finding:
    return Finding("platform", "ok", f"{platform.platform()}, {platform.machine()}")


def ourselves() -> Finding:
    """The version and where it is."""
    folder = checkout()
    line = f"{__version__}, {f'the checkout {folder}' if folder else f'installed in {PACKAGE}'}"
    try:
        found = distribution(NAME)
    except PackageNotFoundError:
        return Finding(NAME, "note", f"{line}; not installed, so that packages with plugins may not find it")
    if found.version != __version__:
        return Finding(NAME, "note", f"{line}; what is installed under that name is {found.version}")
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    editable = bool(origin.get("dir_info", {}).get("editable"))
    other = str(origin.get("url", "")).removeprefix("file://")
    if editable and folder and Path(other).resolve() != folder.resolve():
        return Finding(NAME, "note", f"{line}; the editable install is of {other}")
    return Finding(NAME, "ok", f"{line}{', an editable install' if editable else ''}")


def settings() -> Finding:
    """Folders that the environment names."""
    given = {name: text for name in FOLDERS if (text := os.environ.get(name))}
    if not given:
        return Finding("settings", "ok", f"none of {', '.join(FOLDERS)} is set")
    line = ", ".join(f"{name}={text}" for name, text in given.items())
    data = given.get("MIPHA_EVAL_DATA", "demo")
    if data.partition(":")[0] not in WORDS and not Path(data).is_dir():
        return Finding("settings", "note", f"{line}; MIPHA_EVAL_DATA is no folder")
    return Finding("settings", "ok", line)
