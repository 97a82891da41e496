"""``mipha-eval doctor``."""

from __future__ import annotations

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.exit_code import ExitCode


def examine_machine(json: flags.Json = False) -> None:
    """Tell what this machine has and lacks: versions, devices, memory, disks, caches, extras, the hub, keys, plugins."""
    from mipha_eval.cli.check_model import print_finding
    from mipha_eval.doctor.examine import examine

    found = []
    for finding in examine():
        found.append(finding)
        if not json:
            print_finding(finding)
    faults = sum(finding.level == "fault" for finding in found)
    if json:
        points = [{"name": each.name, "level": each.level, "line": each.line} for each in found]
        flags.print_json({"faults": faults, "findings": [*points]})
    if faults:
        raise typer.Exit(ExitCode.USAGE)
