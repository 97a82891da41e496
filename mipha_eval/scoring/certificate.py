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
from types import ModuleType
from typing import Protocol

from msgspec import Struct

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_json
from mipha_eval.core.options import unknown
from mipha_eval.core.plugins.import_closure import closure_digest, import_closure
from mipha_eval.core.plugins.registry import PACKAGE, own_module, plugin_folder
from mipha_eval.core.record import Count, Finite, Text, checked, record_json
from mipha_eval.core.task import Task

ORACLES = "mipha_eval_oracles"

#: what reads answer files, and what scores answers, of every task
SCORING = ("mipha_eval.scoring.answer_files", "mipha_eval.scoring.result")


class OracleVerdict(Protocol):
    """What an oracle makes of an answer file.

    Attributes:
        values: of the answers, 0 to 1.
        metrics: by the names that the task has for them.
    """

    values: Sequence[float]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Oracle:
    """A second implementation of a scorer.

    Attributes:
        score: data folder and answer file -> values of the answers, and metrics.
        source: the official code or text that it follows.
        protocols: those of the task that its rule is for.
    """

    file: Path
    score: Callable[[Path, Path], OracleVerdict]
    source: str
    protocols: Sequence[str]


@dataclass(frozen=True)
class RuleOracle:
    """A second implementation of a stock scorer.

    Attributes:
        value: (answer, label, options) -> the answer's worth, 0 to 1. Of a question with options the label is the letter.
    """

    file: Path
    value: Callable[[str, list[str], list[str]], float]
    source: str


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def scorer_files(task: Task) -> dict[str, Path]:
    """All that decides a task's numbers, by module: its file, what reads answers and scores them, and what these import."""
    places = {name: file for name in SCORING if (file := own_module(name)) is not None}
    _, owner = task.scored_by()
    file = Path(inspect.getfile(owner))
    package = owner.__module__.rpartition(".")[0] if own_module(owner.__module__) is not None else f"{PACKAGE.name}.tasks"
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


def rule_oracle_file(scorer: str) -> Path:
    """Where the oracle of a stock scorer is, if there is one."""
    return oracle_folder() / f"stock_{scorer}.py"


def load_rule_oracle(scorer: str) -> RuleOracle:
    """Raises UserError if the stock scorer has no oracle."""
    file = rule_oracle_file(scorer)
    if not file.is_file():
        raise UserError(f"stock scorer {scorer} has no oracle: {file} is not there")
    module = _module(file)
    return RuleOracle(file, module.value, module.SOURCE)


def _load(file: Path) -> Oracle:
    module = _module(file)
    return Oracle(file, module.score, module.SOURCE, module.PROTOCOLS)


def _module(file: Path) -> ModuleType:
    if ORACLES not in sys.modules:
        place = file.parent / "__init__.py"
        spec = importlib.util.spec_from_file_location(ORACLES, place, submodule_search_locations=[str(file.parent)])
        if spec is None or spec.loader is None:
            raise UserError(f"{file.parent} has no oracles")
        package = importlib.util.module_from_spec(spec)
        sys.modules[ORACLES] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{ORACLES}.{file.stem}")


class OracleAgreement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one oracle and the scorer compare.

    Attributes:
        oracle: its file.
        follows: the official code or text.
        largest_difference: of an answer's worth, or a metric.
        first_disagreement: in words, where there is one.
    """

    oracle: str
    follows: str
    disagreements: Count
    largest_difference: Finite
    first_disagreement: str = ""


class Certificate(Struct, frozen=True, kw_only=True):
    """``certificates/TASK.json``.

    Attributes:
        protocols: those that the oracles are for; none for a stock scorer, which is for all tasks that it scores.
        answers: how many were generated from `seed`.
        data, scorer, oracle_code: digests of the questions, of our code and of the oracles'.
        oracle_commit: the commit that last changed the oracles.
        not_installed: packages whose oracles could not be asked.
        sha256: of all the rest.
    """

    task: Text
    version: int
    protocols: tuple[str, ...]
    headline: str
    answers: Count
    seed: int
    data: str
    scorer: str
    oracle_code: str
    oracle_commit: str
    not_installed: tuple[str, ...]
    oracles: tuple[OracleAgreement, ...]
    sha256: str = ""

    @property
    def disagreements(self) -> int:
        """Of all oracles."""
        return sum(oracle.disagreements for oracle in self.oracles)


def sealed(certificate: Certificate) -> str:
    """The hash of a certificate's content, which is its name."""
    content = {key: value for key, value in record_json(certificate).items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.lru_cache(maxsize=64)
def _bundled(name: str) -> Certificate | None:
    path = plugin_folder("certificates") / f"{name}.json"
    if not path.is_file():
        return None
    certificate = checked(Certificate, read_json(path), str(path))
    return certificate if certificate.sha256 == sealed(certificate) else None


def read_certificate(task: Task, headline: str) -> Certificate | None:
    """The bundled certificate of a task, if it is about what was scored; ``mipha-eval certify`` makes it.

    None unless scorer, oracles and task version are as they were, the protocol is one that the oracles are for, and the
    headline is the one that was compared (an MM-Vet score from recorded grades is not one by rule).
    """
    name, owner = task.scored_by()
    found = _bundled(name)
    if found is None or (found.protocols and task.protocol not in found.protocols):
        return None
    if (found.headline, found.version) != (headline, owner.version):
        return None
    try:
        code = scorer_digest(task), oracles_digest()  # read only if all else is as it was
    except (OSError, TypeError):  # a class that somebody typed, which no file holds
        return None
    return found if (found.scorer, found.oracle_code) == code else None


def certificate_note(task: Task, headline: str) -> str:
    """What stands under a table: a certificate's hash and how many answers it is about; "" without one."""
    found = read_certificate(task, headline)
    if found is None:
        return ""
    told = f", {found.disagreements:,} disagreements" if found.disagreements else ""
    return f"{found.sha256[:12]} ({found.answers:,} answers{told})"
