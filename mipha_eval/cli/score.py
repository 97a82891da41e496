"""``mipha-eval score``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mipha_eval.cli import flags, judge_flags


def score_answers(
    target: Annotated[str, typer.Argument(help="A task, as name or name@protocol, or the folder of a run.")],
    answers: Annotated[Optional[Path], typer.Option("--answers", help="An answer file that any suite made.")] = None,
    data: flags.Data = None,
    annotations: flags.Annotations = None,
    grades: judge_flags.Grades = None,
    judge: judge_flags.Judge = None,
    judge_base_url: judge_flags.BaseUrl = None,
    judge_runs: judge_flags.Runs = 1,
    judge_concurrency: judge_flags.Concurrency = 16,
    judge_timeout: judge_flags.Timeout = 60.0,
    judge_tries: judge_flags.Tries = 6,
    judge_budget: judge_flags.Budget = None,
    judge_price: judge_flags.Price = None,
    judge_correctness: judge_flags.Correctness = False,
    verdicts: Annotated[
        Optional[Path], typer.Option("--verdicts", help="Where a judge's verdicts are kept; none: beside the answers.")
    ] = None,
    subset: Annotated[bool, typer.Option("--subset", help="Leave out answers to questions that are not asked.")] = False,
    options: flags.Options = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Score an answer file, or a stored run again; needs no model, but may ask a judge."""
    from mipha_eval.judging import begin_grading
    from mipha_eval.plugins import Registry
    from mipha_eval.report.summary import failure_lines
    from mipha_eval.rescore import ScoreConfig, score_file, score_run

    registry = Registry(plugin or ())
    asked = judge_flags.choice(
        judge,
        judge_base_url,
        judge_flags.Limits(judge_runs, judge_concurrency, judge_timeout, judge_tries),
        judge_budget,
        judge_price,
        judge_correctness,
    )
    grading = begin_grading(asked, grades, registry)
    if answers is None:
        results = score_run(Path(target), registry, grading)
    else:
        source = data or ("hub" if annotations is None else str(annotations.parent))
        config = ScoreConfig(target, answers, source, annotations, options or (), subset, verdicts)
        results = [score_file(config, registry, grading)]
    summaries = [result.summary for result in results]
    if json:
        flags.print_json(summaries[0] if len(summaries) == 1 else summaries)
    else:
        for summary in summaries:
            print_numbers(summary)
    if not all(result.complete for result in results):
        for summary in summaries:
            for line in failure_lines(summary):
                typer.echo(line, err=True)
        raise typer.Exit(3)


def print_numbers(summary: Mapping[str, Any]) -> None:
    """Every metric with its interval, a line each."""
    from rich.table import Table
    from rich.text import Text

    from mipha_eval.printable import printable
    from mipha_eval.report.summary import certificate_line, judge_line, marks, score_text

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
    counts = [
        name for name in ("n", "missing", "unparsed", "failed", "unlabelled", "left_out", "unverified") if name in summary
    ]
    print(", ".join(f"{name} {summary[name]:,}" for name in counts))
    odd = [f"odd labels, {count:,}: {printable(reason)}" for reason, count in summary.get("odd_labels", {}).items()]
    for line in filter(None, [*odd, judge_line(summary)]):
        print(line)
    print(certificate_line([summary]) or "no current certificate, see mipha-eval certify")
