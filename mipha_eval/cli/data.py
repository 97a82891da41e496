"""``mipha-eval data``: the benchmarks' files, before a run."""

from __future__ import annotations

import dataclasses
import logging
from typing import Annotated, Any, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import task_names
from mipha_eval.cli.exit_code import ExitCode

logger = logging.getLogger(__name__)

data_verbs = typer.Typer(rich_markup_mode=None)


@data_verbs.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Where the benchmarks' files are, and whether they are what was released."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@data_verbs.command("verify")
def verify_data(
    tasks: Annotated[
        Optional[list[str]],
        typer.Argument(autocompletion=task_names, help="Tasks as name or name@protocol; none: all there are."),
    ] = None,
    data: flags.Data = None,
    annotations: flags.Annotations = None,
    image_dir: flags.ImageDirs = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Compare questions and labels with the official release; exit code 3 if they differ or no release is recorded."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_tasks
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.data.verify import Verification, verify, verify_all
    from mipha_eval.reporting.terminal import print_lines

    source, registry = parse_source(data or "hub", flags.image_dirs(image_dir), annotations), Registry(plugin or ())
    found: list[Verification] = []
    missing: dict[str, str] = {}
    for verification in verify(build_tasks(tasks, {}, source, registry)) if tasks else verify_all(source, registry):
        if verification.missing:
            missing[verification.task] = verification.missing
            continue
        found.append(verification)
        if not json:
            findings = [f"  {finding.kind:<7}  {finding.text}" for finding in verification.findings]
            print_lines(flags.console(), [verification.headline, *findings])
    if json:
        rows: list[Any] = [one.summary for one in found]
        flags.print_json({"data": str(source), "tasks": rows, "missing": missing})
    elif missing:
        logger.warning("not there, see mipha-eval data where: %s", ", ".join(missing))
    if any(verification.verdict != "ok" for verification in found):
        raise typer.Exit(ExitCode.INCOMPLETE)


@data_verbs.command("where")
def locate_data(
    data: flags.Data = None,
    image_dir: flags.ImageDirs = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Show each task's question files, how many of its first 20 images are there, and where to get what is missing."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.data.where import find_places
    from mipha_eval.reporting.terminal import kept, print_lines

    source = parse_source(data or "hub", flags.image_dirs(image_dir))
    registry = Registry(plugin or ())
    places = find_places(source, registry)
    if json:
        rows: list[dict[str, Any]] = [dataclasses.asdict(place) for place in places]
        flags.print_json({"data": str(source), "tasks": rows})
        registry.check_files()
        return
    lines = [f"data: {source}" + (f" in {source.folder}" if source.kind == "demo" else "")]
    lines.append(f"{'task@protocol':<20} {'found':<5} {'questions':>9} {'images':<9} where")
    for place in places:
        count = "–" if place.questions is None else f"{place.questions:,}"
        images = "–" if not (place.images and place.images.total) else kept(f"{place.images.there} of {place.images.total}")
        lines.append(f"{place.task:<20} {'yes' if place.found else 'no':<5} {count:>9} {images:<9} {place.where}")
    print_lines(flags.console(), lines)
    registry.check_files()
