"""``mipha-eval list``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import models_or_published, published_benchmarks

if TYPE_CHECKING:
    from mipha_eval.core.plugins.registry import Registry


class What(StrEnum):
    """What there is to list."""

    tasks = "tasks"
    models = "models"
    protocols = "protocols"
    judges = "judges"
    tables = "tables"
    published = "published"


def list_plugins(
    what: Annotated[Optional[What], typer.Argument(help="Nothing lists tasks and models.")] = None,
    benchmark: Annotated[
        Optional[str],
        typer.Option("--benchmark", autocompletion=published_benchmarks, help="Of published scores: one benchmark or task."),
    ] = None,
    model: Annotated[
        Optional[str],
        typer.Option("--model", "-m", autocompletion=models_or_published, help="Of published scores or presets: one model."),
    ] = None,
    presets: Annotated[
        bool,
        typer.Option("--presets", help="Of models: presets with how their papers asked them, and what these published."),
    ] = False,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """List tasks, models, protocols, judges with prices and agreement, tables, or published scores with sources."""
    from mipha_eval.core.plugins.registry import Registry

    if what is What.published:
        _list_published(benchmark, model, json=json)
        return
    registry = Registry(plugin or ())
    if presets:
        _list_presets(registry, what, model, json=json)
        return
    listing: dict[str, dict[str, str]] = {}
    if what in (None, What.tasks):
        listing["tasks"] = {name: found.summary for name, found in registry.names("tasks").items()}
    if what in (None, What.models):
        listing["models"] = {name: found.summary for name, found in registry.names("model_adapters").items()}
    if what is What.tables:
        from mipha_eval.reporting.definition import read_definition, table_names

        listing["tables"] = {name: read_definition(name).title for name in table_names()}
    if what is What.protocols:
        listing["protocols"] = {
            f"{name}@{protocol}": line
            for name in registry.names("tasks")
            for protocol, line in registry.load("tasks", name)[0].protocols.items()
        }
    if what is What.judges:
        from mipha_eval.reporting.judges import judge_listing

        listing["judges"] = judge_listing()
    _print_listing(listing, json=json)
    registry.check_files()


def _print_listing(listing: Mapping[str, Mapping[str, str]], *, json: bool) -> None:
    from mipha_eval.reporting.terminal import print_lines

    if json:
        flags.print_json(listing)
        return
    for heading, entries in listing.items():
        width = max(map(len, entries), default=0)
        print_lines(flags.console(), [f"{heading}:", *(f"  {name:<{width}}  {line}" for name, line in entries.items())])


def _list_presets(registry: Registry, what: What | None, model: str | None, *, json: bool) -> None:
    from mipha_eval.core.errors import UserError
    from mipha_eval.reporting.preset_list import preset_lines, preset_objects
    from mipha_eval.reporting.published import read_published
    from mipha_eval.reporting.terminal import print_lines

    if what not in (None, What.models):
        raise UserError(f"presets are of models, not of {what.value}", flag="--presets")
    names = [model] if model else registry.names("model_adapters")
    found = [preset for name in names if (preset := registry.preset(name))]
    if not found:
        raise UserError(f"model {model} is no preset", flag="--presets")
    quotes = read_published()
    if json:
        flags.print_json(preset_objects(found, quotes))
    else:
        print_lines(flags.console(), list(preset_lines(found, quotes)))


def _list_published(benchmark: str | None, model: str | None, *, json: bool) -> None:
    from mipha_eval.reporting.published import read_published
    from mipha_eval.reporting.published_list import chosen_quotes, print_quotes, quote_objects

    quotes = chosen_quotes(read_published(), benchmark, model)
    if json:
        flags.print_json(quote_objects(quotes))
    else:
        print_quotes(flags.console(), quotes)
