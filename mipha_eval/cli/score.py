"""``mipha-eval score``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mipha_eval.cli import flags


def score_answers(
    target: Annotated[str, typer.Argument(help="A task, as name or name@protocol, or the folder of a run.")],
    answers: Annotated[Optional[Path], typer.Option("--answers", help="An answer file that any suite made.")] = None,
    data: flags.Data = None,
    annotations: flags.Annotations = None,
    grades: Annotated[Optional[Path], typer.Option("--grades", help="Recorded grades of a judged task.")] = None,
    subset: Annotated[bool, typer.Option("--subset", help="Leave out answers to questions that are not asked.")] = False,
    options: flags.Options = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Score an answer file, or a stored run again; needs no model."""
    from mipha_eval.plugins import Registry
    from mipha_eval.rescore import ScoreConfig, score_file, score_run

    registry = Registry(plugin or ())
    if answers is None:
        results = score_run(Path(target), registry)
    else:
        source = data or ("hub" if annotations is None else str(annotations.parent))
        given = [*(options or ()), *([f"{target.partition('@')[0]}.grades={grades}"] if grades else [])]
        config = ScoreConfig(target, answers, source, annotations, given, subset)
        results = [score_file(config, registry)]
    summaries = [result.summary for result in results]
    if json:
        flags.print_json(summaries[0] if len(summaries) == 1 else summaries)
    else:
        for summary in summaries:
            print_numbers(summary)
    if not all(result.complete for result in results):
        raise typer.Exit(3)


def print_numbers(summary: Mapping[str, Any]) -> None:
    """Every metric with its interval, a line each."""
    from rich.table import Table
    from rich.text import Text

    from mipha_eval.report.summary import certificate_line, marks, score_text

    typer.echo(" ".join([summary["task"], *marks(summary)]))
    table = Table("metric", "value", "95% CI")
    for name, value in summary["metrics"].items():
        low, high = summary["intervals"].get(name, (None, None))
        table.add_row(Text(name), score_text(summary, name, value), "–" if low is None else f"{low:.2f} to {high:.2f}")
    flags.console().print(table)
    if summary["envelope"]:
        low, high = summary["envelope"]
        robust = "" if summary["robust"] is None else f"; {summary['robust']:.2f} under a more forgiving reading"
        print(f"{summary['headline']}: {low:.2f} to {high:.2f} with all unparsed wrong to all right{robust}")
    counts = [name for name in ("n", "missing", "unparsed", "failed", "unlabelled", "left_out") if name in summary]
    print(", ".join(f"{name} {summary[name]:,}" for name in counts))
    print(certificate_line([summary]) or "no current certificate, see mipha-eval certify")
