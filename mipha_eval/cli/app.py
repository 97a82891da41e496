"""The entry point: verbs, habits of flags, and errors as exit codes."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TypeVar, cast

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from mipha_eval.cli.certify import certify_tasks
from mipha_eval.cli.check import check_verbs
from mipha_eval.cli.clean_output import clean_output
from mipha_eval.cli.compare import compare_stored_runs
from mipha_eval.cli.compare_suites import compare_suites_of_file
from mipha_eval.cli.convert import convert_checkpoint
from mipha_eval.cli.data import data_verbs
from mipha_eval.cli.doctor import examine_machine
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.export import export_answers
from mipha_eval.cli.flag_groups import PREFIX
from mipha_eval.cli.grouped_help import GroupedCommand
from mipha_eval.cli.inspect import inspect_model
from mipha_eval.cli.judge import judge_verbs
from mipha_eval.cli.leaderboard import write_site
from mipha_eval.cli.list import list_plugins
from mipha_eval.cli.log import add_log_flags, behind_log_flags, shown_messages
from mipha_eval.cli.new import new_verbs
from mipha_eval.cli.origin import placed
from mipha_eval.cli.plan import plan_tasks
from mipha_eval.cli.predict import predict_answers
from mipha_eval.cli.report import report_table
from mipha_eval.cli.run import run_tasks
from mipha_eval.cli.score import score_answers
from mipha_eval.cli.show import show_plugin
from mipha_eval.cli.standard_streams import lost_output
from mipha_eval.cli.submit import submit_answers
from mipha_eval.cli.view import view_runs
from mipha_eval.cli.whole_words import NAME, answer_shell
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import why
from mipha_eval.core.own_process import set_up_process
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.stopping import end_children
from mipha_eval.engine.interrupt import STOPPED, ignore_interrupts, named_interrupts

logger = logging.getLogger(__name__)

#: flags of the program itself, beside its version
COMPLETION = ("--install-completion", "--show-completion")
INTERRUPTED = 130  # what typer makes of a KeyboardInterrupt

app = typer.Typer(
    name=NAME,
    help="Evaluate multimodal models: exact scores, shared work, honest tables. Flags without a verb mean run.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": PREFIX},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Verb = TypeVar("Verb", bound=Callable[..., object])


def blamed(verb: Verb) -> Verb:
    """A verb in which whatever a plugin's code raises is that plugin's error, also what would end the program as if done.

    What that code prints does not get into JSON, nor into a table of some format.
    """

    @functools.wraps(verb)
    def call(*arguments: object, **options: object) -> object:
        for_programs = options.get("json") or options.get("format")
        with blaming(), clean_output() if for_programs else nullcontext():
            try:
                return verb(*arguments, **options)
            except UserError as error:
                raise placed(error)  # noqa: B904 - the same error

    return cast("Verb", call)


app.command("run", cls=GroupedCommand)(blamed(run_tasks))
app.command("predict", cls=GroupedCommand)(blamed(predict_answers))
app.command("score", cls=GroupedCommand)(blamed(score_answers))
app.command("report", cls=GroupedCommand)(blamed(report_table))
app.command("compare", cls=GroupedCommand)(blamed(compare_stored_runs))
app.command("compare-suites", cls=GroupedCommand)(blamed(compare_suites_of_file))
app.command("submit", cls=GroupedCommand)(blamed(submit_answers))
app.command("plan", cls=GroupedCommand)(blamed(plan_tasks))
app.command("certify", cls=GroupedCommand)(blamed(certify_tasks))
app.command("convert", cls=GroupedCommand)(blamed(convert_checkpoint))
app.command("export", cls=GroupedCommand)(blamed(export_answers))
app.command("view", cls=GroupedCommand)(blamed(view_runs))
app.command("leaderboard", cls=GroupedCommand)(blamed(write_site))
app.command("list", cls=GroupedCommand)(blamed(list_plugins))
app.command("show", cls=GroupedCommand)(blamed(show_plugin))
app.command("inspect", cls=GroupedCommand)(blamed(inspect_model))
app.command("doctor", cls=GroupedCommand)(blamed(examine_machine))
for name, group in {"new": new_verbs, "check": check_verbs, "data": data_verbs, "judge": judge_verbs}.items():
    for command in group.registered_commands:
        command.callback = blamed(command.callback) if command.callback else None
        command.cls = GroupedCommand
    app.add_typer(group, name=name)


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version.", allow_from_autoenv=False)) -> None:
    """Evaluate multimodal models: exact scores, shared work, honest tables. Flags without a verb mean run."""
    if show:
        from mipha_eval import __version__

        print(f"mipha-eval {__version__}")
        raise typer.Exit


add_log_flags(app)


def main() -> None:
    """Runs a command line; a mistake of the user's is one line and exit code 2."""
    set_up_process()
    answer_shell(app)
    with shown_messages():
        code = _told_of_output(_exit_code())
        ignore_interrupts()
        end_children()
        sys.exit(code)


@functools.cache
def _command() -> Callable[..., object]:
    """The verbs with their flags, put together once in a process: it takes longer than most verbs that are refused."""
    return get_command(app)


def _exit_code() -> int:
    try:
        with named_interrupts(), blaming():
            code = _command()(prepare_arguments(sys.argv[1:]), prog_name=NAME, standalone_mode=False)
    except UserError as error:
        logger.error("error: %s%s", error, f" ({error.flag})" if error.flag else "")
        return ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        ignore_interrupts()
        logger.warning(STOPPED)
        return ExitCode.INCOMPLETE
    except TyperException as error:  # a flag that does not exist, a value that does not fit
        from mipha_eval.cli.usage import usage_line

        logger.error("error: %s", usage_line(error, _verb(sys.argv[1:])))
        return ExitCode.USAGE
    except SystemExit as stop:  # typer takes any broken pipe for the reader of our output, which never raises one
        raise stop.__context__ if isinstance(stop.__context__, BrokenPipeError) else stop from None
    if code == INTERRUPTED:
        ignore_interrupts()
        logger.warning(STOPPED)
        return ExitCode.INCOMPLETE
    return code if isinstance(code, int) else ExitCode.OK


def _told_of_output(code: int) -> int:
    """The exit code, where standard output may not have been written; a reader that goes, as of `| head -1`, may do so."""
    lost = lost_output()
    if lost is None or isinstance(lost, BrokenPipeError):
        return code
    logger.error("error: cannot write standard output: %s; what was stored is kept", why(lost))
    return ExitCode.USAGE


def _verb(arguments: Sequence[str]) -> str:
    """The words of a command line that name its verb."""
    found: list[str] = []
    inner: object = typer.main.get_command(app)
    for word in behind_log_flags(prepare_arguments(arguments)):
        inner = getattr(inner, "commands", {}).get(word)
        if inner is None:
            break
        found.append(word)
    return " ".join(found)


def prepare_arguments(arguments: Sequence[str]) -> list[str]:
    """``--batch_size`` is ``--batch-size``; flags without a verb mean ``run``."""
    plain = [_with_dashes(argument) for argument in arguments] or ["--help"]
    first = next(iter(behind_log_flags(plain)), "-")
    if first.startswith("-") and first not in ("-h", "--help", "--version", *COMPLETION):
        return ["run", *plain]
    return plain


def _with_dashes(argument: str) -> str:
    if not argument.startswith("--"):
        return argument
    flag, equals, value = argument.partition("=")
    return flag.replace("_", "-") + equals + value
