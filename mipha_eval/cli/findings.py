"""What checks find, as lines or JSON, and as an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.core.json_value import Json

if TYPE_CHECKING:
    from mipha_eval.authoring.finding import Finding

#: of levels on a terminal
WORDS = {"ok": "ok", "note": "note", "fault": "FAULT"}


def tell_findings(findings: Iterable[Finding], about: Mapping[str, Json], *, json: bool) -> None:
    """Prints findings as they come, and exits where one is a fault.

    Args:
        about: what was looked at, for JSON; its first value begins the last line.

    Raises:
        typer.Exit: one is a fault.
    """
    found = []
    for finding in findings:
        found.append(finding)
        if not json:
            _print(f"{WORDS[finding.level]:<5}  {finding.name:<18}  {finding.line}")
    levels = Counter(finding.level for finding in found)
    counts = {"faults": levels["fault"], "notes": levels["note"]}
    if json:
        points = [{"name": each.name, "level": each.level, "line": each.line} for each in found]
        flags.print_json({**about, **counts, "findings": [*points]})
    else:
        told = ", ".join(f"{count} {name.removesuffix('s' if count == 1 else '')}" for name, count in counts.items())
        _print(f"{next(map(str, about.values()))}: {told}, {levels['ok']} in order")
    if levels["fault"]:
        raise typer.Exit(ExitCode.USAGE)


def _print(line: str) -> None:
    from mipha_eval.reporting.terminal import print_lines

    print_lines(flags.console(), [line])
