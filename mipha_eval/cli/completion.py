"""What a shell is told when a word is to be completed. Nothing is imported for it that `list` does not import."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

#: where runs are looked for
OUTPUT_VARIABLES = ("MIPHA_EVAL_OUTPUT", "MIPHA_EVAL_OUT")

Words = Callable[[], Iterable[str]]


def completing(words: Words) -> Callable[[str], list[str]]:
    """A completer for a flag: of words those that begin as typed; none where they cannot be found."""

    @functools.wraps(words, assigned=("__name__", "__doc__"))
    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        try:
            return sorted(f"{before}{comma}{word}" for word in words() if word.startswith(last))
        except Exception:  # a shell shows nothing rather than a traceback among what is typed
            return []

    del complete.__wrapped__  # typer reads the parameters of what is wrapped
    return complete


@completing
def task_names() -> Iterable[str]:
    """Tasks."""
    from mipha_eval.core.plugins.registry import Registry

    return [*Registry(()).names("tasks"), "all"]


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


def run_folders(incomplete: str) -> list[str]:
    """Folders of runs: those below what is typed, and those where `run` puts them."""
    try:
        typed = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
        places = dict.fromkeys([typed, *(Path(value) for name in OUTPUT_VARIABLES if (value := os.environ.get(name)))])
        places |= dict.fromkeys([Path("results/runs")])
        inner = [each for place in places if place.is_dir() for each in place.iterdir() if each.is_dir()]
        return sorted({_shown(each) for each in inner if str(each).startswith(incomplete)})
    except OSError:
        return []


def _shown(folder: Path) -> str:
    """A run's folder, or another one with the slash behind which more can be typed."""
    return str(folder) if (folder / "manifest.json").is_file() else f"{folder}/"
