"""lmms-eval in an environment of its own, built from its lock once and kept for all tests of all runs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from platformdirs import user_cache_path

from bench import lmms

ROOT = Path(__file__).parents[1]
#: a Python that has what the lock says already, so that nothing is built
GIVEN = "MIPHA_EVAL_LMMS_PYTHON"


def lmms_python() -> Path:
    """The environment's Python, with this checkout in it; skips the test where its packages cannot be had."""
    given = os.environ.get(GIVEN)
    if given:
        lmms.put_ours(Path(given))
        return Path(given)
    digest = hashlib.sha256(lmms.LOCK.read_bytes() + lmms.WANTED.read_bytes()).hexdigest()[:12]
    kept = Path(os.environ.get("MIPHA_EVAL_TEST_ENVIRONMENTS") or user_cache_path("mipha-eval-tests"))
    folder = kept / f"lmms-eval-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        try:
            python = lmms.environment(folder, compiled=False)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"lmms-eval's environment cannot be built here: {error}")
        lmms.put_ours(python)
    return python


def called(python: Path, folder: Path, *arguments: object, **more: str) -> str:
    """What a module of the environment prints, offline and with caches below `folder`; fails the test if it fails."""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hf"),
        "MIPHA_EVAL_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        **more,
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is imported is compiled once
    for name in ("OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY"):
        if name not in more:
            environment.pop(name, None)
    done = subprocess.run(
        [str(python), "-m", *map(str, arguments)], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr[-4000:]
    return done.stdout


def lmms_results(output: Path) -> Mapping[str, Mapping[str, Any]]:
    """The numbers of lmms-eval's own run, by task and by metric with its filter."""
    file = next(file for file in output.rglob("*_results.json") if file.parent.name != "submissions")
    found: Mapping[str, Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["results"]
    return found
