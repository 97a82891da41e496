"""``mipha-eval score``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import tasks_or_runs
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.cli.judge_flags import NO_JUDGE, JudgeFlags
from mipha_eval.cli.run_flags import DataFlags, TableFlags
from mipha_eval.cli.ungraded import ungraded_lines
from mipha_eval.core.stage import stage
from mipha_eval.engine.progress.screen import shown_progress

if TYPE_CHECKING:
    from mipha_eval.scoring.result_record import ResultRecord

logger = logging.getLogger(__name__)

#: counts of a result that are told beneath its numbers
COUNTS = ("n", "missing", "unparsed", "failed", "unlabelled", "left_out", "unverified")

NO_CERTIFICATE = (
    "no current certificate: the rule behind this number has not been compared, as it is in this version, with a second, "
    "independent program; the number may be right all the same, but before it is published somebody should compare them "
    "(`mipha-eval certify` does it for bundled tasks)"
)


@takes_flags("image_dir")
def score_answers(
    target: Annotated[
        str, typer.Argument(autocompletion=tasks_or_runs, help="A task, as name or name@protocol, or the folder of a run.")
    ],
    answers: Annotated[
        Optional[Path], typer.Option("--answers", exists=True, help="An answer file that any suite made.")
    ] = None,
    what: TableFlags = TableFlags(),
    where: DataFlags = DataFlags(),
    asked: JudgeFlags = NO_JUDGE,
    verdicts: Annotated[
        Optional[Path], typer.Option("--verdicts", help="Where a judge's verdicts are kept; none: beside the answers.")
    ] = None,
    subset: flags.Subset = False,
    convert: Annotated[
        bool,
        typer.Option("--convert", help="Write an upload's answers as the benchmark's script writes a model's (GQA, VQAv2)."),
    ] = False,
    options: flags.Options = None,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Score an answer file, or a stored run again; needs no model, but may ask a judge."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task, of_task
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.reporting.summary import failure_lines
    from mipha_eval.runs.evaluate import score, score_again
    from mipha_eval.scoring.result_record import result_json

    registry = Registry(plugin or ())
    grading = asked.grading(registry)
    with shown_progress(quiet=json), stage(f"scoring {target}"):
        if answers is None:
            results = score_again(target, judge=grading, plugins=plugin or ())
        else:
            # the folder of annotations is the data where none is named
            source = parse_source(
                where.data or (str(where.annotations.parent) if where.annotations else "hub"), {}, where.annotations
            )
            (named,) = what.completed([target])
            built = build_task(named, of_task(named, flags.option_texts(options)), source, registry)
            results = [score(built, answers, judge=grading, verdicts=verdicts, subset=subset, convert=convert)]
    summaries = [result.summary for result in results]
    if json:
        printed = [result_json(summary) for summary in summaries]
        flags.print_json(printed[0] if len(printed) == 1 else printed)
    else:
        for summary in summaries:
            print_numbers(summary)
    if not all(result.complete for result in results):
        for summary in summaries:
            for line in failure_lines(summary):
                logger.warning("%s", line)
            for line in ungraded_lines(summary):
                logger.info("%s", line)
        raise typer.Exit(ExitCode.INCOMPLETE)


def print_numbers(summary: ResultRecord) -> None:
    """Every metric with its interval, a line each."""
    from mipha_eval.reporting.marks import mark_texts
    from mipha_eval.reporting.summary import (
        certificate_line,
        expectation_line,
        interval_cell,
        judge_line,
        readings_line,
        score_text,
        wrapped_lines,
    )
    from mipha_eval.reporting.terminal import kept, print_lines, print_table

    console = flags.console()
    print_lines(console, [" ".join([summary.task, *map(kept, mark_texts(summary))])])
    rows = [
        [name, score_text(summary, name, value), interval_cell(summary, name)] for name, value in summary.metrics.items()
    ]
    if rows:
        print_table(console, ("metric", "value", "95% CI"), rows)
    lines = [readings_line(summary)]
    counts = {name: getattr(summary, name) for name in COUNTS}
    lines.append(", ".join(kept(f"{name} {count:,}") for name, count in counts.items() if count is not None))
    lines += [f"odd labels, {count:,}: {reason}" for reason, count in summary.odd_labels.items()]
    lines += [*wrapped_lines(summary), expectation_line(summary), judge_line(summary)]
    lines.append(certificate_line([summary]) or (NO_CERTIFICATE if rows else ""))
    print_lines(console, [line for line in lines if line])
