"""``mipha-eval score``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from mipha_eval.cli import flags, judge_flags
from mipha_eval.cli.exit_code import ExitCode

logger = logging.getLogger(__name__)

#: counts of a result that are told beneath its numbers
COUNTS = ("n", "missing", "unparsed", "failed", "unlabelled", "left_out", "unverified")


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
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.judge.grading import begin_grading
    from mipha_eval.report.summary import failure_lines
    from mipha_eval.runs.rescore import ScoreConfig, score_file, score_run

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
                logger.warning("%s", line)
        raise typer.Exit(ExitCode.INCOMPLETE)


def print_numbers(summary: Mapping[str, Any]) -> None:
    """Every metric with its interval, a line each."""
    from mipha_eval.report.marks import mark_texts
    from mipha_eval.report.summary import (
        certificate_line,
        interval_cell,
        judge_line,
        lenient_text,
        score_text,
        wrapped_lines,
    )
    from mipha_eval.report.terminal import kept, print_lines, print_table

    console = flags.console()
    print_lines(console, [" ".join([summary["task"], *map(kept, mark_texts(summary))])])
    rows = [
        [name, score_text(summary, name, value), interval_cell(summary, name)] for name, value in summary["metrics"].items()
    ]
    print_table(console, ("metric", "value", "95% CI"), rows)
    lines = []
    if summary["envelope"]:
        low, high = summary["envelope"]
        lenient = "; ".join(["", *filter(None, [lenient_text(summary)])])
        lines.append(f"{summary['headline']}: {low:.2f} to {high:.2f} with all unparsed wrong to all right{lenient}")
    counts = [name for name in COUNTS if name in summary]
    lines.append(", ".join(kept(f"{name} {summary[name]:,}") for name in counts))
    lines += [f"odd labels, {count:,}: {reason}" for reason, count in summary.get("odd_labels", {}).items()]
    lines += [*wrapped_lines(summary), judge_line(summary)]
    lines.append(certificate_line([summary]) or "no current certificate, see mipha-eval certify")
    print_lines(console, [line for line in lines if line])
