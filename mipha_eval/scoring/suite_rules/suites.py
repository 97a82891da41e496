"""The suites that are known, and their rules for a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType, ModuleType

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.task import Task
from mipha_eval.scoring.suite_rules import evalscope, lmms_eval, vlmevalkit
from mipha_eval.scoring.suite_rules.number import SuiteRule

#: the benchmark's own rule, which is the task's
OFFICIAL = "official"


@dataclass(frozen=True)
class Suite:
    """A suite as it was on some day.

    Attributes:
        version: a release, or a commit where there is none of that day.
        source: where the code is that the rules follow.
        as_of: the day of the code.
        module: of the rules.
    """

    name: str
    version: str
    source: str
    as_of: str
    rules: Sequence[SuiteRule]
    module: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def _suite(module: ModuleType) -> Suite:
    return Suite(module.NAME, module.VERSION, module.SOURCE, module.AS_OF, module.RULES, module.__name__)


SUITES = MappingProxyType({suite.name: suite for suite in map(_suite, (lmms_eval, vlmevalkit, evalscope))})


def find_suites(names: str) -> list[str]:
    """Names of suites, as they are typed with commas between them, in that order.

    Raises:
        UserError: there is no such suite, or none is named.
    """
    known = (OFFICIAL, *SUITES)
    named = list(dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip()))
    wrong = next((name for name in named if name not in known), None)
    if wrong is not None or not named:
        raise UserError(unknown("suite", wrong or "", known), flag="--suites")
    return named


def rules_for(task: Task, suite: Suite) -> list[SuiteRule]:
    """The numbers that a suite prints for a benchmark; none where it does not have it."""
    return [rule for rule in suite.rules if rule.task == task.name and task.protocol in (rule.protocols or task.protocols)]
