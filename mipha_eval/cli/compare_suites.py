"""``mipha-eval compare-suites``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import suites, task_names


def compare_suites_of_file(
    answers: Annotated[Path, typer.Argument(exists=True, metavar="FILE", help="An answer file that any suite made.")],
    task: Annotated[
        str, typer.Option("--task", "-t", autocompletion=task_names, help="The benchmark, as name or name@protocol.")
    ],
    suites: Annotated[
        str,
        typer.Option(
            "--suites",
            autocompletion=suites,
            help="Names with commas between them: official, lmms-eval, vlmevalkit, evalscope.",
        ),
    ] = "official,lmms-eval,vlmevalkit,evalscope",
    data: flags.Data = None,
    annotations: flags.Annotations = None,
    subset: flags.Subset = False,
    options: flags.Options = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Show what number each suite would print for the same answers, and which answers they read differently.

    No suite is installed or run: the rules are this package's own, and certified against the suites' code. No judge is
    asked and nothing is drawn: where a suite would, the number is a range, from all such answers wrong to all right.
    """
    from mipha_eval.comparison.suites import compare_suites
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task, of_task
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.reporting.comparison.suites import print_suites, suites_json
    from mipha_eval.scoring.suite_rules.suites import find_suites

    chosen = find_suites(suites)
    source = parse_source(data or (str(annotations.parent) if annotations else "hub"), {}, annotations)
    built = build_task(task, of_task(task, flags.option_texts(options)), source, Registry(plugin or ()))
    comparison = compare_suites(built, answers, chosen, subset=subset)
    if json:
        flags.print_json(suites_json(comparison))
    else:
        print_suites(comparison, flags.console())
