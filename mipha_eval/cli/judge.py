"""``mipha-eval judge``: can a judge be used, and how far can it be trusted?"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import task_names
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.cli.judge_flags import NO_JUDGE, JudgeFlags

logger = logging.getLogger(__name__)

judge_verbs = typer.Typer(rich_markup_mode=None)


@judge_verbs.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Whether a judge understands what it is asked, and how far it can be trusted."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@judge_verbs.command("serve-check")
@takes_flags("judge_runs", "judge_budget", "judge_price", "judge_correctness", "grades", required={"judge"})
def check_server(
    asked: JudgeFlags = NO_JUDGE,
    json: flags.Json = False,
) -> None:
    """Ask a judge a few questions whose answers are known; exit code 3 if it does not understand them."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.judge.grading import build_judge
    from mipha_eval.judge.serve_check import serve_check
    from mipha_eval.reporting.terminal import print_lines
    from mipha_eval.reporting.visible import visible

    choice = asked.choice()
    assert choice is not None  # noqa: S101 - the flag is required
    found = serve_check(build_judge(choice, Registry()))
    if json:
        flags.print_json({"judge": choice.name, "understood": found.understood, **dataclasses.asdict(found)})
    else:
        verdicts = ["yes" if check.right else "no" if check.readable else "unreadable" for check in found.checks]
        lines = [
            f"{check.name:<28} {verdict:<11} {visible(repr(check.reply), 80)}"
            for check, verdict in zip(found.checks, verdicts, strict=True)
        ]
        lines.append(f"{'same reply to the same twice':<28} {'yes' if found.steady else 'no'}")
        lines.append(f"{'keeps to the longest reply':<28} {'yes' if found.counts_tokens else 'no'}")
        told = "understands what it is asked" if found.understood else "cannot be relied on"
        lines.append(f"{choice.name} ({found.served or 'unnamed'}) {told}; {found.seconds:.2f} s a query")
        print_lines(flags.console(), lines)
    if not found.understood:
        raise typer.Exit(ExitCode.INCOMPLETE)


@judge_verbs.command("calibrate")
@takes_flags("judge_correctness", "grades", required={"judge"}, judge_runs=2)
def calibrate_judge(
    grades: Annotated[
        Path, typer.Option("--grades", exists=True, help="Trusted grades of the answers, a file of MM-Vet's script.")
    ],
    answers: Annotated[
        Optional[Path],
        typer.Option("--answers", exists=True, help="The answers that these grades are of; none: MODEL.json beside them."),
    ] = None,
    task: Annotated[str, typer.Option("--task", autocompletion=task_names, help="The task that they answer.")] = "mmvet",
    data: flags.Data = None,
    asked: JudgeFlags = NO_JUDGE,
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Have a judge grade answers that a trusted one has graded; what is found travels with its later scores."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.core.record import record_json
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.judge.calibrate import calibrate
    from mipha_eval.reporting.summary import calibration_text
    from mipha_eval.reporting.terminal import print_lines

    registry = Registry(plugin or ())
    grading = asked.grading(registry)
    assert grading is not None  # noqa: S101 - the flag is required
    built = build_task(task, {}, parse_source(data or "hub", {}), registry)
    calibration = calibrate(built, grades, answers, grading)
    found = calibration.found
    if json:
        flags.print_json(record_json(found))
    else:
        told = {key.replace("_", " "): value for key, value in record_json(found).items() if key != "judge"}
        numbers = {key: f"{value:.4f}" if isinstance(value, float) else f"{value}" for key, value in told.items()}
        lines = [f"{key:<28} {number}" for key, number in numbers.items()]
        print_lines(flags.console(), [*lines, f"{grading.judge.name} {calibration_text(found)}; kept in {calibration.path}"])
    if found.not_graded:
        logger.warning("%d of %d answers were not graded", found.not_graded, found.n + found.not_graded)
        raise typer.Exit(ExitCode.INCOMPLETE)
