"""What a shell is told when a word is to be completed; where it is told nothing, it completes files.

Nothing is imported for it that `list` does not import, but where something else is asked for.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import typer

from mipha_eval.runs.defaults import OUTPUT

#: where runs are looked for
OUTPUT_VARIABLES = ("MIPHA_EVAL_OUTPUT", "MIPHA_EVAL_OUT")

Words = Callable[[], Iterable[str]]
Completer = Callable[[str], list[str]]


def completing(words: Words) -> Completer:
    """A completer for a flag: of words those that begin as typed; none where they cannot be found."""

    @functools.wraps(words, assigned=("__name__", "__doc__"))
    def complete(incomplete: str) -> list[str]:
        return _beginning(words, incomplete)

    del complete.__wrapped__  # typer reads the parameters of what is wrapped
    return complete


def _beginning(words: Words, incomplete: str) -> list[str]:
    """Of words those that begin as typed behind the last comma."""
    before, comma, last = incomplete.rpartition(",")
    try:
        return sorted(f"{before}{comma}{word}" for word in words() if word.startswith(last))
    except Exception:  # a shell shows nothing rather than a traceback among what is typed
        return []


def task_names(incomplete: str) -> list[str]:
    """Tasks, and behind @ the protocols of one."""
    name, mark, _ = incomplete.rpartition(",")[2].partition("@")
    return _beginning(functools.partial(_protocols, name) if mark else _tasks, incomplete)


def _tasks() -> Iterable[str]:
    from mipha_eval.core.plugins.registry import Registry

    return [*Registry(()).names("tasks"), "all"]


def _protocols(name: str) -> Iterable[str]:
    from mipha_eval.core.plugins.registry import Registry

    return [f"{name}@{protocol}" for protocol in Registry(()).load("tasks", name)[0].protocols]


@completing
def model_names() -> Iterable[str]:
    """Models and presets."""
    from mipha_eval.core.plugins.registry import Registry

    return Registry(()).names("model_adapters")


@completing
def tables() -> Iterable[str]:
    """Tables."""
    from mipha_eval.reporting.definition import table_names

    return table_names()


@completing
def judges() -> Iterable[str]:
    """Judges of which something is known; any other name works, too."""
    from mipha_eval.reporting.judges import judge_listing

    return judge_listing()


@completing
def kinds() -> Iterable[str]:
    """What questions of a table can ask for."""
    from mipha_eval.scoring.stock.scorers import USUAL

    return USUAL


@completing
def scorers() -> Iterable[str]:
    """Stock scorers."""
    from mipha_eval.scoring.stock.scorers import SCORERS

    return SCORERS


@completing
def kinds_and_scorers() -> Iterable[str]:
    """What questions of a new benchmark can ask for, and the stock scorers."""
    from mipha_eval.scoring.stock.scorers import SCORERS, USUAL

    return {*USUAL, *SCORERS}


@completing
def suites() -> Iterable[str]:
    """Suites whose numbers can be compared."""
    from mipha_eval.scoring.suite_rules.suites import OFFICIAL, SUITES

    return [OFFICIAL, *SUITES]


@completing
def published_models() -> Iterable[str]:
    """Models with published scores."""
    from mipha_eval.reporting.published import read_published

    return {quote.model for quote in read_published()}


@completing
def models_or_published() -> Iterable[str]:
    """Models, presets, and models with published scores."""
    return [*model_names(""), *published_models("")]


@completing
def published_benchmarks() -> Iterable[str]:
    """Benchmarks of published scores."""
    from mipha_eval.reporting.published import read_published

    return {quote.benchmark for quote in read_published()}


@completing
def checkpoint_forms() -> Iterable[str]:
    """How a checkpoint can be written."""
    from mipha_eval.models.conversion.convert import FORMS

    return FORMS


@completing
def templates() -> Iterable[str]:
    """Conversation templates."""
    from mipha_eval.models.llava_style.templates import TEMPLATES

    return TEMPLATES


def one_of(*words: str) -> Completer:
    """A completer for a flag that takes these words, and others that nobody can list."""
    return completing(lambda: words)


def run_folders(incomplete: str) -> list[str]:
    """Folders of runs: those below what is typed, and those where `run` puts them. A shell itself finds other paths."""
    try:
        typed = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
        places = dict.fromkeys([typed, *(Path(value) for name in OUTPUT_VARIABLES if (value := os.environ.get(name)))])
        places |= dict.fromkeys([Path(OUTPUT)])
        inner = [each for place in places if place.is_dir() for each in place.iterdir()]
        names = {str(each) for each in inner if _is_run(each)}  # one with a line break is two to a shell
        return sorted(name for name in names if name.startswith(incomplete) and name.isprintable())
    except OSError:
        return []


def _is_run(folder: Path) -> bool:
    return (folder / "manifest.json").is_file()


def tasks_or_runs(incomplete: str) -> list[str]:
    """Tasks, and folders of runs."""
    return [*task_names(incomplete), *run_folders(incomplete)]


def tasks_of_run(ctx: typer.Context, incomplete: str) -> list[str]:
    """Tasks of the run that stands before."""
    folder = Path(ctx.params["run"] or next(iter(ctx.args), "."))  # behind a flag that lacks its value, nothing is read
    return _beginning(lambda: [each.parent.name for each in folder.glob("*/task.json")], incomplete)


def names_of_kind(ctx: typer.Context, incomplete: str) -> list[str]:
    """Tasks or models, as the word before says."""
    return model_names(incomplete) if str(ctx.params.get("what")) == "model" else task_names(incomplete)
