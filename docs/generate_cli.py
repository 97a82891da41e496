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


def flags_of(command: Any) -> dict[str, tuple[str, ...]]:
    """The long flags of a command, with the names of their environment variables."""
    found = {max(each.opts, key=len): each.envvar or () for each in command.params}
    return {flag: (names,) if isinstance(names, str) else tuple(names) for flag, names in found.items()}


def render() -> str:
    """The whole page."""
    os.environ.update(COLUMNS="100", TERMINAL_WIDTH="100", NO_COLOR="1")
    from typer.main import get_command
    from typer.testing import CliRunner

    from mipha_eval.cli.app import app
    from mipha_eval.cli.exit_code import MEANINGS

    parts = ["# Command line", "Written by `make docs` from `--help`; not edited by hand."]
    tree = get_command(app)
    variables: dict[str, tuple[str, ...]] = {}
    for words in verbs(tree):
        variables |= {
            flag: names
            for flag, names in flags_of(command_of(tree, words)).items()
            if len(names) > len(variables.get(flag, ()))
        }
        whole = "--help-all" if "--help-all" in flags_of(command_of(tree, words)) else "--help"
        output = CliRunner().invoke(app, [*words, whole], prog_name="mipha-eval").output
        help_text = "\n".join(line.rstrip() for line in output.strip().splitlines())
        parts.append(f"## {' '.join(('mipha-eval', *words))}\n\n```\n{help_text}\n```")
    codes = "\n".join(f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items())
    parts.append(f"## Exit codes\n\n| code | means |\n|---|---|\n{codes}")
    rows = "\n".join(f"| `{flag}` | {' or '.join(names)} |" for flag, names in sorted(variables.items()) if names)
    parts.append(f"### Environment variables\n\n| flag | variable |\n|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
