"""Certificates: a scorer and independent oracles agreed on thousands of answers, and none of them has changed since."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.options import unknown
from mipha_eval.core.plugins.import_closure import closure_digest, import_closure
from mipha_eval.core.plugins.registry import PACKAGE, own_module, plugin_folder
from mipha_eval.core.task import Task
from mipha_eval.data.rows import objects_of, text_of, texts_of, whole_of

ORACLES = "mipha_eval_oracles"

#: what reads answer files, and what scores answers, of every task
SCORING = ("mipha_eval.scoring.answer_files", "mipha_eval.scoring.result")


class Verdict(Protocol):
    """What an oracle comes to: the worth of each answer, 0 to 1, and the metrics."""

    @property
    def values(self) -> Sequence[float]:
        """In the order of the answer file."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """By name, not rounded."""


@dataclass(frozen=True)
class Oracle:
    """A second implementation of a scorer.

    Attributes:
        score: data folder and answer file -> values of the answers, and metrics.
        source: the official code or text that it follows.
        protocols: those of the task that its rule is for.
    """

    file: Path
    score: Callable[[Path, Path], Verdict]
    source: str
    protocols: Sequence[str]


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def scorer_files(task: Task) -> dict[str, Path]:
    """All that decides a task's numbers, by module: its file, what reads answers and scores them, and what these import."""
    places = {name: file for name in SCORING if (file := own_module(name)) is not None}
    file = Path(inspect.getfile(type(task)))
    package = f"{PACKAGE.name}.tasks"
    own = {f"{package}.{file.stem}": file, package: file.with_name("__init__.py")}
    found = import_closure({**places, **{name: path for name, path in own.items() if path.is_file()}}, own_module)
    # a wheel has tables and results beside the package's first modules, a checkout has them elsewhere
    return {name: path for name, path in found.items() if not name.startswith(f"{PACKAGE.name}/")}


def scorer_digest(task: Task) -> str:
    """Identifies the code that turns a task's answers into its numbers."""
    return closure_digest(scorer_files(task))


def oracles_digest() -> str:
    """Identifies the code of all oracles."""
    return _digest(sorted(oracle_folder().glob("*.py")))


def oracle_folder() -> Path:
    """The bundled oracles: inside an installed package, with the tests in a checkout."""
    installed = PACKAGE / "oracles"
    return installed if installed.is_dir() else PACKAGE.parent / "tests" / "oracles"


def load_oracles(task: str) -> tuple[list[Oracle], list[str]]:
    """The task's oracle ``TASK.py``, then those of packages, ``TASK__PACKAGE.py``; and the packages that are not installed.

    Raises:
        UserError: the task has no oracle.
    """
    folder, name = oracle_folder(), task.replace("-", "_")
    if not (folder / f"{name}.py").is_file():
        known = sorted(file.stem.partition("__")[0] for file in folder.glob("*.py"))
        raise UserError(
            unknown("oracle", name, {stem for stem in known if (plugin_folder("tasks") / f"{stem}.py").is_file()})
        )
    oracles, missing = [_load(folder / f"{name}.py")], []
    for file in sorted(folder.glob(f"{name}__*.py")):
        try:
            oracles.append(_load(file))
        except ModuleNotFoundError:
            missing.append(file.stem.partition("__")[2])
    return oracles, missing


def _load(file: Path) -> Oracle:
    if ORACLES not in sys.modules:
        place = file.parent / "__init__.py"
        spec = importlib.util.spec_from_file_location(ORACLES, place, submodule_search_locations=[str(file.parent)])
        if spec is None or spec.loader is None:
            raise UserError(f"{file.parent} has no oracles")
        package = importlib.util.module_from_spec(spec)
        sys.modules[ORACLES] = package
        spec.loader.exec_module(package)
    module = importlib.import_module(f"{ORACLES}.{file.stem}")
    return Oracle(file, module.score, module.SOURCE, module.PROTOCOLS)


def sealed(certificate: Mapping[str, object]) -> str:
    """The hash of a certificate's content, which is its name."""
    content = {key: value for key, value in certificate.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.lru_cache(maxsize=64)
def _bundled(name: str) -> JsonObject | None:
    path = plugin_folder("certificates") / f"{name}.json"
    if not path.is_file():
        return None
    certificate = read_object(path)
    return certificate if certificate.get("sha256") == sealed(certificate) else None


def read_certificate(task: Task, headline: str) -> JsonObject | None:
    """The bundled certificate of a task, if it is about what was scored; ``mipha-eval certify`` makes it.

    None unless scorer, oracles and task version are as they were, the protocol is one that the oracles are for, and the
    headline is the one that was compared (an MM-Vet score from recorded grades is not one by rule).
    """
    certificate = _bundled(task.name)
    if certificate is None or task.protocol not in texts_of({"protocols": [], **certificate}, "protocols"):
        return None
    now = {"headline": headline, "version": task.version}
    if any(certificate.get(key) != value for key, value in now.items()):
        return None
    code = {"scorer": scorer_digest(task), "oracle_code": oracles_digest()}  # read only if all else is as it was
    return certificate if all(certificate.get(key) == value for key, value in code.items()) else None


def certificate_note(task: Task, headline: str) -> str:
    """What stands under a table: a certificate's hash and how many answers it is about; "" without one."""
    certificate = read_certificate(task, headline)
    if certificate is None:
        return ""
    disagreements = sum(whole_of(oracle, "disagreements") for oracle in objects_of(certificate, "oracles"))
    told = f", {disagreements:,} disagreements" if disagreements else ""
    return f"{text_of(certificate, 'sha256')[:12]} ({whole_of(certificate, 'answers'):,} answers{told})"
