"""All points in their order. What takes long is begun first, and nothing that goes wrong ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from mipha_eval.authoring.doctor import devices, installation, outside, places, plugins, requirements
from mipha_eval.authoring.finding import Finding
from mipha_eval.core.plugins.blame import told

Begun = TypeVar("Begun")
Points = Callable[[], Finding | Iterable[Finding]]


def examine() -> Iterator[Finding]:
    """A finding a point, as they are found; a fault is what makes mipha-eval unusable. Never raises an Exception."""
    hub, begun, installed = _tried(outside.Hub), _tried(devices.start_devices), _tried(plugins.InstalledPlugins)
    points: dict[str, Points] = {
        "python": installation.python,
        "platform": installation.machine,
        installation.NAME: installation.ourselves,
        "settings": installation.settings,
        "dependencies": requirements.dependencies,
        "lock": requirements.lock,
        "extras": requirements.extras,
        "java": requirements.java,
        "cpu threads": devices.threads,
        "memory": devices.memory,
        "places": places.places,
        "keys": outside.keys,
        "hub": lambda: hub().finding(),
        "devices": lambda: devices.devices(begun()),
        "plugins": lambda: installed().findings(),
    }
    for name, point in points.items():
        for finding in _found(name, point):
            line = " ".join(outside.without_secrets(finding.line).split())
            yield Finding(finding.name, finding.level, line)


def _found(name: str, point: Points) -> Iterator[Finding]:
    try:
        found = point()
        yield from (found,) if isinstance(found, Finding) else found
    except Exception as error:  # a machine may be odd in any way
        yield Finding(name, "note", f"cannot be told: {told(error)}")


def _tried(begin: Callable[[], Begun]) -> Callable[[], Begun]:
    """What was begun, or its error, raised when it is asked for."""
    try:
        begun = begin()
    except Exception as error:
        failure = error

        def fail() -> Begun:
            raise failure

        return fail
    return lambda: begun
