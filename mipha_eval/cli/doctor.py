"""``mipha-eval doctor``."""

from __future__ import annotations

import platform

from mipha_eval.cli import flags
from mipha_eval.cli.findings import tell_findings


def examine_machine(json: flags.Json = False) -> None:
    """Tell what this machine has and lacks: versions, devices, memory, disks, caches, extras, the hub, keys, plugins."""
    from mipha_eval.authoring.doctor.examine import examine

    tell_findings(examine(), {"machine": platform.node()}, json=json)
