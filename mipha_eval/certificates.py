"""Certificates: proof that a scorer and an independent oracle agreed on thousands of answers, as long as neither changed."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mipha_eval.errors import UserError
from mipha_eval.options import unknown
from mipha_eval.plugins import PACKAGE, plugin_folder
from mipha_eval.task import Task

#: what every score goes through, beside the task's own file
SCORER = ("answers/*.py", "captions/*.py", "answer_files.py", "binary.py", "metrics.py", "scoring.py", "task.py")
ORACLES = "mipha_eval_oracles"

Oracle = Callable[[Path, Path], Any]  # data folder and answer file -> values of the answers, metrics


def scorer_digest(task: Task) -> str:
    """Identifies the code that turns a task's answers into its numbers."""
    digest = hashlib.sha256()
    files = [file for pattern in SCORER for file in sorted(PACKAGE.glob(pattern))]
    for file in [*files, Path(inspect.getfile(type(task)))]:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def oracle_folder() -> Path:
    """The bundled oracles: inside an installed package, with the tests in a checkout."""
    installed = PACKAGE / "oracles"
    return installed if installed.is_dir() else PACKAGE.parent / "tests" / "oracles"


def oracle_files(task: str) -> list[Path]:
    """The task's oracle, then further ones: ``TASK.py`` and ``TASK__PACKAGE.py``. Raises UserError if there is none."""
    folder, name = oracle_folder(), task.replace("-", "_")
    found = [file for file in (folder / f"{name}.py", *sorted(folder.glob(f"{name}__*.py"))) if file.is_file()]
    if not found:
        known = {file.stem for file in folder.glob("*.py") if "def score(data" in file.read_text(encoding="utf-8")}
        raise UserError(unknown("oracle", name, known))
    return found


def load_oracle(file: Path) -> tuple[Oracle, str]:
    """The ``score`` function of an oracle's file, and the official source that it follows."""
    if ORACLES not in sys.modules:
        spec = importlib.util.spec_from_file_location(ORACLES, file.parent / "__init__.py", submodule_search_locations=[])
        if spec is None or spec.loader is None:
            raise UserError(f"{file.parent} has no oracles")
        package = importlib.util.module_from_spec(spec)
        package.__path__ = [str(file.parent)]
        sys.modules[ORACLES] = package
        spec.loader.exec_module(package)
    module = importlib.import_module(f"{ORACLES}.{file.stem}")
    return module.score, module.SOURCE


def is_installed(file: Path) -> bool:
    """Whether the package that an oracle asks, if it asks one, is installed."""
    try:
        load_oracle(file)
    except ModuleNotFoundError:
        return False
    return True


def read_certificate(task: Task) -> Mapping[str, Any] | None:
    """The bundled certificate of a task if it is about the code as it is now; else None. ``mipha-eval certify`` makes it."""
    path = plugin_folder("certificates") / f"{task.name}.json"
    if not path.is_file():
        return None
    certificate: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    current = certificate["scorer"] == scorer_digest(task) and certificate["version"] == task.version
    return certificate if current else None


def certificate_note(task: Task) -> str:
    """What stands under a table: a certificate's hash and how many answers it is about; "" without a current one."""
    certificate = read_certificate(task)
    if certificate is None:
        return ""
    disagreements = sum(oracle["disagreements"] for oracle in certificate["oracles"])
    told = f", {disagreements:,} disagreements" if disagreements else ""
    return f"{certificate['sha256'][:12]} ({certificate['answers']:,} answers{told})"
