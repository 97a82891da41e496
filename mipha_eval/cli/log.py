"""What the command line shows of the library's messages: on standard error, and in a file if one is asked for."""

from __future__ import annotations

import copy
import functools
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Optional, TypeVar, cast, get_args

import typer

from mipha_eval.cli.flag_groups import shared
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.blame import FILE_MODULE
from mipha_eval.engine.progress.console import error_console, rows_are_shown
from mipha_eval.store.run_log import RUN_EVENTS, file_of_messages

#: of whichever verb, the environment says it once, for the program
UNNAMED = {"allow_from_autoenv": False, "show_envvar": False}
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Also tell what is loaded, planned and how long it takes.", **UNNAMED)
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only warnings and errors; no progress.", **UNNAMED)]
LogFile = Annotated[
    Optional[Path],
    typer.Option("--log-file", metavar="FILE", help="Append all messages to a file, with time and level.", **UNNAMED),
]
#: the handler of that file
LOG_FILE = "--log-file"
FLAGS = {"verbose": (Verbose, False), "quiet": (Quiet, False), "log_file": (LogFile, None)}

#: what says how far a task is; it is no message, and -q has none of it
PROGRESS = "mipha_eval.engine.progress"

#: of messages by their level, on a terminal
STYLES = {logging.DEBUG: "dim", logging.WARNING: "yellow", logging.ERROR: "red"}

Verb = TypeVar("Verb", bound=Callable[..., object])


class TerminalLines(logging.Handler):
    """A line a message on what standard error is at the time, in colour where that is a terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record).rstrip()
            if rows_are_shown() or sys.stderr.isatty():
                _print_on_terminal(text, STYLES.get(record.levelno, ""))
            else:
                sys.stderr.write(f"{text}\n")
        except Exception:  # as every handler of logging does: a message that cannot be shown ends no run
            self.handleError(record)

    def shows(self, record: logging.LogRecord) -> bool:
        """Our own messages and those of plugin files; with -v what other libraries say, and what a run notes of itself."""
        ours = record.name.startswith(("mipha_eval.", FILE_MODULE)) and record.name != RUN_EVENTS
        return ours or self.level <= logging.DEBUG


def _print_on_terminal(text: str, style: str) -> None:
    from rich.text import Text

    error_console().print(Text(text, style), soft_wrap=True)


@contextmanager
def shown_messages() -> Iterator[None]:
    """While entered, messages are shown: from information on, unless `choose` says otherwise. All is as before after it."""
    root, ours, progress = (logging.getLogger(name) for name in (None, "mipha_eval", PROGRESS))
    levels, handlers = {logger: logger.level for logger in (ours, progress)}, list(root.handlers)
    lines = TerminalLines(logging.INFO)
    lines.addFilter(lines.shows)
    root.addHandler(lines)
    ours.setLevel(logging.DEBUG)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        for logger, level in levels.items():
            logger.setLevel(level)
        for handler in [each for each in root.handlers if each not in handlers]:
            root.removeHandler(handler)
            handler.close()


def choose(verbose: bool, quiet: bool, log_file: Path | None) -> None:
    """What -v, -q and --log-file say. Raises UserError for a contradiction, or a file that cannot be written."""
    if verbose and quiet:
        raise UserError("-v and -q contradict each other; give one of them")
    root = logging.getLogger()
    for lines in (handler for handler in root.handlers if isinstance(handler, TerminalLines)):
        if verbose or quiet:
            lines.setLevel(logging.DEBUG if verbose else logging.WARNING)
            logging.getLogger(PROGRESS).setLevel(logging.WARNING if quiet else logging.NOTSET)
    if log_file is not None:
        for earlier in [each for each in root.handlers if each.name == LOG_FILE]:  # named before the verb, or by a variable
            root.removeHandler(earlier)
            earlier.close()
        handler = file_of_messages(log_file)
        handler.set_name(LOG_FILE)
        root.addHandler(handler)


def with_log_flags(verb: Verb, *, named: bool = False) -> Verb:
    """A verb that also has -v, -q and --log-file, which are in force before it begins.

    Args:
        named: whether they have variables of the environment.
    """

    @functools.wraps(verb)
    def call(*arguments: object, verbose: bool, quiet: bool, log_file: Path | None, **options: object) -> object:
        choose(verbose, quiet, log_file)
        return verb(*arguments, **options)

    signature = inspect.signature(verb, eval_str=True)
    further = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_named(annotation) if named else annotation
        )
        for name, (annotation, default) in FLAGS.items()
    ]
    call.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *further])  # type: ignore[attr-defined]
    return cast("Verb", call)


def behind_log_flags(arguments: Sequence[str]) -> Sequence[str]:
    """What is left of a command line behind the flags of messages that it begins with."""
    while arguments and arguments[0].partition("=")[0] in ("-v", "--verbose", "-q", "--quiet", "--log-file"):
        arguments = arguments[2 if arguments[0] == "--log-file" else 1 :]
    return arguments


def _named(annotation: object) -> object:
    kind, option = get_args(annotation)
    return Annotated[kind, shared(copy.copy(option))]


def add_log_flags(verbs: typer.Typer, *, named: bool = True) -> None:
    """Gives every verb of a tree, and the tree itself, the flags of messages.

    Args:
        named: whether those of the tree itself have variables of the environment.
    """
    for command in verbs.registered_commands:
        if command.callback is not None:
            command.callback = with_log_flags(command.callback)
    if verbs.registered_callback is not None and verbs.registered_callback.callback is not None:
        verbs.registered_callback.callback = with_log_flags(verbs.registered_callback.callback, named=named)
    for group in verbs.registered_groups:
        if group.typer_instance is not None:
            add_log_flags(group.typer_instance, named=False)
