"""An environment with other suites' own packages, built once from a lock and kept between test runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from platformdirs import user_cache_path

#: all that the readers import, exactly; installed without what these packages require, which is ten times as much
LOCK = Path(__file__).with_name("suites.lock")
READERS = Path(__file__).with_name("suite_readers.py")
#: a checkout of VLMEvalKit, which is no package of PyPI's
VLMEVALKIT = "MIPHA_EVAL_VLMEVALKIT"


def suite_python() -> Path:
    """Its Python. Skips the test where packages cannot be had."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    kept = Path(os.environ.get("MIPHA_EVAL_TEST_ENVIRONMENTS") or user_cache_path("mipha-eval-tests"))
    folder = kept / f"suites-{digest}"
    python, whole = folder / "bin" / "python", folder / "whole"
    kept.mkdir(parents=True, exist_ok=True)
    with FileLock(kept / f"suites-{digest}.lock"):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            try:
                run(sys.executable, "-m", "venv", str(folder))
                run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(LOCK))
            except subprocess.CalledProcessError as error:
                pytest.skip(f"the suites' packages cannot be installed: {error.stderr[-300:]}")
            whole.touch()
    return python


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def read_by_suite(python: Path, suite: str, files: Sequence[Path], **environment: str) -> Any:
    """What a suite's own code finds in files."""
    done = subprocess.run(
        [str(python), str(READERS), suite, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
