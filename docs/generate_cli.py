"""Writes docs/cli.md from the command line's own help; a test checks that it is up to date."""

from __future__ import annotations

import os
from pathlib import Path

TARGET = Path(__file__).with_name("cli.md")
VERBS = (
    "run",
    "predict",
    "score",
    "compare",
    "view",
    "leaderboard",
    "submit",
    "certify",
    "list",
    "show",
    "data verify",
    "data where",
)


def render() -> str:
    """The whole page."""
    os.environ.update(COLUMNS="100", TERMINAL_WIDTH="100", NO_COLOR="1")
    from typer.testing import CliRunner

    from mipha_eval.cli.app import app
    from mipha_eval.cli.exit_code import MEANINGS

    parts = ["# Command line", "Written by `make docs` from `--help`; not edited by hand."]
    for verb in ("", *VERBS):
        output = CliRunner().invoke(app, [*verb.split(), "--help"], prog_name="mipha-eval").output
        help_text = "\n".join(line.rstrip() for line in output.strip().splitlines())
        parts.append(f"## mipha-eval {verb}".rstrip() + f"\n\n```\n{help_text}\n```")
    codes = "\n".join(f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items())
    parts.append(f"## Exit codes\n\n| code | means |\n|---|---|\n{codes}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
