"""``mipha-eval list``."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags


class What(str, Enum):
    """What there is to list."""

    tasks = "tasks"
    models = "models"
    protocols = "protocols"
    judges = "judges"


def list_plugins(
    what: Annotated[Optional[What], typer.Argument(help="Nothing lists tasks and models.")] = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """List tasks, models, protocols, or judges with their prices and how well they agree with trusted ones."""
    from mipha_eval.plugins import Registry

    registry = Registry(plugin or ())
    listing: dict[str, dict[str, str]] = {}
    if what in (None, What.tasks):
        listing["tasks"] = {name: found.summary for name, found in registry.names("tasks").items()}
    if what in (None, What.models):
        listing["models"] = {name: found.summary for name, found in registry.names("model_adapters").items()}
    if what is What.protocols:
        listing["protocols"] = {
            f"{name}@{protocol}": line
            for name in registry.names("tasks")
            for protocol, line in registry.load("tasks", name)[0].protocols.items()
        }
    if what is What.judges:
        from mipha_eval.report.judges import judge_listing

        listing["judges"] = judge_listing()
    if json:
        flags.print_json(listing)
        return
    for heading, entries in listing.items():
        width = max(map(len, entries), default=0)
        print(f"{heading}:")
        for name, line in entries.items():
            print(f"  {name:<{width}}  {line}")
