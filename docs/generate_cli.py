"""Writes docs/cli.md from the command line's own help; a test checks that it is up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("cli.md")


def verbs(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb of a command tree as its words, in the tree's order: a command, then what is below it."""
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from verbs(inner, (*words, name))


def command_of(tree: Any, words: tuple[str, ...]) -> Any:
    """The command behind words."""
    for word in words:
        tree = tree.commands[word]
    return tree


def variables_of(command: Any, words: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The long flags of a command, with the names of their environment variables."""
    from typer.core import TyperOption

    from mipha_eval.cli.flag_groups import PREFIX, variables

    prefix = "_".join((PREFIX, *words)).upper().replace("-", "_")
    options = [each for each in command.params if isinstance(each, TyperOption)]
    return {max(each.opts, key=len): tuple(variables(each, prefix)) for each in options if each.expose_value}


def variable_rows(tree: Any) -> Iterator[str]:
    """A row for each name in the environment: which flag it is of, and of which verbs."""
    found: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for words in verbs(tree):
        for flag, names in variables_of(command_of(tree, words), words).items():
            if names:
                found.setdefault((names, flag), []).append(" ".join(words) or "all")
    for (names, flag), owners in sorted(found.items()):
        yield f"| {' or '.join(names)} | `{flag}` | {', '.join(owners)} |"


def render() -> str:
    """The whole page."""
    os.environ.update(COLUMNS="100", TERMINAL_WIDTH="100", NO_COLOR="1")
    from typer.main import get_command
    from typer.testing import CliRunner

    from mipha_eval.cli.app import app
    from mipha_eval.cli.exit_code import MEANINGS

    parts = ["# Command line", "Written by `make docs` from `--help`; not edited by hand."]
    tree = get_command(app)
    for words in verbs(tree):
        whole = "--help-all" if any(each.name == "help_all" for each in command_of(tree, words).params) else "--help"
        output = CliRunner().invoke(app, [*words, whole], prog_name="mipha-eval").output
        help_text = "\n".join(line.rstrip() for line in output.strip().splitlines())
        parts.append(f"## {' '.join(('mipha-eval', *words))}\n\n```\n{help_text}\n```")
    codes = "\n".join(f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items())
    parts.append(f"## Exit codes\n\n| code | means |\n|---|---|\n{codes}")
    rows = "\n".join(variable_rows(tree))
    parts.append(f"### Environment variables\n\n| variable | flag | verbs |\n|---|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
