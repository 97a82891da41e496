"""A new benchmark: one file, five questions about drawn pictures, and a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.authoring.new.draft import Draft, rendered, words_of
from mipha_eval.authoring.new.example import example_pictures, example_rows
from mipha_eval.authoring.new.names import Names, checked_names
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.scoring.stock.scorers import SCORERS, USUAL, scorer_class
from mipha_eval.scoring.stock.stock_task import QuestionKind

DEFAULT_KIND = "short"
JUDGE = "gpt-4o-2024-08-06"  # one of many that a server has


@dataclass(frozen=True)
class Rule:
    """The stock scorer that a new task builds on.

    Attributes:
        scorer: its name.
        module, base: where its class is, and what that is called.
        kind: of the example's questions.
    """

    scorer: str
    module: str
    base: str
    kind: QuestionKind


def rule_of(kind: str) -> Rule:
    """The rule for a kind of questions, or of a scorer's name. Raises UserError for one that does not exist."""
    if kind not in known_kinds():
        raise UserError(unknown("kind", kind, known_kinds()), flag="--kind")
    scorer = {str(each): usual for each, usual in USUAL.items()}.get(kind, kind)
    owner = scorer_class(scorer)
    return Rule(scorer, owner.__module__, owner.__name__, owner.kinds[0])


def known_kinds() -> list[str]:
    """Kinds of questions and names of stock scorers."""
    return sorted({*(kind for kind, scorer in USUAL.items() if scorer in SCORERS), *SCORERS})


def task_draft(name: str, kind: str = DEFAULT_KIND) -> Draft:
    """The files of a new task.

    Args:
        kind: of questions, or the name of a stock scorer.

    Raises:
        UserError: the name cannot be used, or there is no such kind.
    """
    names, rule = checked_names(name, "task"), rule_of(kind)
    owner = task_class(names)
    file, test = f"{names.module}.py", f"test_{names.module}.py"
    plugin = ("--plugin", Path(file))
    run = ("mipha-eval", "run", "--tasks", name, *plugin, "--model", "mipha-tiny")
    return Draft(
        {
            file: task_code(names, owner, rule, names.module),
            test: task_test(names.module, owner, rule),
            **example_files(rule, names.module),
        },
        {
            "look": ("mipha-eval", "show", "task", name, *plugin),
            "check": ("mipha-eval", "check", "task", name, *plugin),
            "test": ("python", "-m", "pytest", Path(test)),
            "run": run,
            **({"judge": (*run, "--judge", JUDGE)} if rule.kind == "open" else {}),
        },
    )


def task_class(names: Names) -> str:
    return names.class_name("Benchmark", words_of("task.py.j2") | words_of("test_task.py.j2") | _bases())


def task_code(names: Names, owner: str, rule: Rule, folder: str) -> str:
    """The task's own file.

    Args:
        folder: beside it, with the questions.
    """
    return rendered("task.py.j2", names=names, owner=owner, rule=rule, folder=folder)


def task_test(module: str, owner: str, rule: Rule) -> str:
    """A test of the task that `module` has."""
    return rendered("test_task.py.j2", module=module, owner=owner, rule=rule)


def example_files(rule: Rule, folder: str) -> dict[str, str | bytes]:
    """Questions and pictures."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in example_rows(rule.scorer, rule.kind))
    pictures = {f"{folder}/{name}": picture for name, picture in example_pictures().items()}
    return {f"{folder}/questions.jsonl": lines, **pictures}


def _bases() -> set[str]:
    return {place.partition(":")[2] for place in SCORERS.values()}
