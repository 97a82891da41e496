"""Reads a lock: which version of each package it has for a machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCK = Path(__file__).parents[1] / "requirements.lock"


def read_lock(path: Path = LOCK, machine: Mapping[str, str] | None = None) -> dict[str, Version]:
    """Versions by a package's canonical name; a package that the machine does not need is left out.

    Args:
        machine: values of markers, such as ``sys_platform``, that differ from this machine's.

    Raises:
        ValueError: a package has two versions there, or a line names no single version.
    """
    found: dict[str, Version] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        asked = Requirement(line)
        if asked.marker is not None and not asked.marker.evaluate(dict(machine or {})):
            continue
        (pin,) = asked.specifier
        if pin.operator != "==" or canonicalize_name(asked.name) in found:
            raise ValueError(f"{path}: {line}: no pin, or a second one")
        found[canonicalize_name(asked.name)] = Version(pin.version)
    return found
