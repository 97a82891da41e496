"""``mipha-eval show``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from mipha_eval.cli import flags


class What(StrEnum):
    """What can be shown."""

    task = "task"
    model = "model"


def show_plugin(
    what: Annotated[What, typer.Argument(help="task or model.")],
    name: Annotated[str, typer.Argument(help="Its name, for a task perhaps with @protocol.")],
    count: Annotated[int, typer.Option("-n", min=0, help="Questions to show.")] = 2,
    columns: flags.Columns = None,
    kind: flags.Kind = None,
    scorer: flags.Scorer = None,
    data: flags.Data = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Show a task's protocols, metrics and questions, or a model's options."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.reporting.terminal import print_lines

    registry = Registry(plugin or ())
    (named,) = flags.with_table([name], columns, kind, scorer)
    shown = _task(registry, named, data, count) if what is What.task else _model(registry, name)
    if json:
        flags.print_json(shown)
        return
    lines = [line for key, value in shown.items() for entry in _entry_lines(key, value) for line in entry.split("\n")]
    print_lines(flags.console(), lines)


def _entry_lines(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield f"{key}:"
        yield from (f"  {name}: {line}" for name, line in value.items())
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, entry in enumerate(value, start=1):
            yield f"{key} {number}:"
            yield from (
                f"  {name}: {line!r}" if isinstance(line, str) else f"  {name}: {line}" for name, line in entry.items()
            )
    else:
        yield f"{key}: {', '.join(value) if isinstance(value, list) else value}"


def _task(registry: Any, name: str, data: str | None, count: int) -> dict[str, Any]:
    from mipha_eval.core.metrics import Totals
    from mipha_eval.core.options import option_fields, type_name
    from mipha_eval.core.plugins.checks.scores import checked_metrics
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.data.questions import first_questions

    task = build_task(name, {}, parse_source(data or "demo", {}), registry)
    measures = checked_metrics(task, task.metrics_for(Totals({})))
    questions = [
        {
            "id": sample.id,
            "images": [image.name for image in sample.images],
            "prompt": sample.prompt,
            "target": list(sample.target),
            "choices": list(sample.choices),
            "category": sample.category,
        }
        for sample in first_questions(task, count)
    ]
    return {
        "task": task.label,
        "about": inspect.getdoc(inspect.getmodule(type(task))),
        "protocols": dict(task.protocols),
        "headline": measures[0].name,
        "metrics": [metric.name for metric in measures],
        "max_new_tokens": task.max_new_tokens,
        "options": {key: type_name(kind) for key, kind in option_fields(type(task)).items()},
        "questions": questions,
    }


def _model(registry: Any, name: str) -> dict[str, Any]:
    from mipha_eval.core.asking import Asking
    from mipha_eval.core.options import option_fields, type_name

    owner, options = registry.load("model_adapters", name)
    kinds, preset = option_fields(Asking), registry.preset(name)
    return {
        "model": name,
        "about": inspect.getdoc(inspect.getmodule(owner)),
        "help": inspect.getdoc(owner),
        "options": {key: type_name(kind) for key, kind in option_fields(owner).items()},
        "ways of asking": {key: type_name(kind) for key, kind in kinds.items() if key in owner.heeds},
        "preset": dict(options),
        **({"as published": preset.asked_options} if preset and preset.asked else {}),
    }
