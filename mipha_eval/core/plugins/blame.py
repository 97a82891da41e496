"""Whose fault an error is: what goes wrong in a plugin's code is told with its file and line, whatever it raises.

A plugin is anybody's code. It may raise anything, ``SystemExit`` and ``KeyboardInterrupt`` among it, which would otherwise
end the program as if all were well.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType

from mipha_eval.core.errors import PluginError, UserError, UserInterruptError

#: the groups of entry points, and what modules of single plugin files are called: this and their path
GROUPS = ("mipha_eval.tasks", "mipha_eval.model_adapters")
FILE_MODULE = "mipha_eval_plugin_"
OWN = "mipha_eval"

LONGEST = 300  # characters of an error's text


@contextmanager
def blaming(hint: str = "") -> Iterator[None]:
    """Turns whatever a plugin's code raises into a PluginError, but for a UserError; other errors and Ctrl-C pass.

    Args:
        hint: what else may be the reason.
    """
    try:
        yield
    except UserError:
        raise
    except BaseException as error:
        blamed = plugin_error(error, hint)
        if blamed is None:
            raise
        raise blamed from error


def plugin_error(error: BaseException, hint: str = "") -> PluginError | None:
    """An error as that of the plugin whose code raised it; None if it was raised elsewhere, or by the user."""
    found = _innermost(error)
    if found is None or _is_users(error):
        return None
    frame, line = found
    name = plugin_name(str(frame.f_globals["__name__"]))
    place = f"{frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
    return PluginError(f"plugin {name} failed: {told(error)} ({place}){'; ' + hint if hint else ''}")


def place_in(error: BaseException) -> str:
    """File and line of a plugin where an error was raised; "" where no code of a plugin was."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    found = _innermost(error)
    return f"{found[0].f_code.co_filename}:{found[1]}" if found else ""


def told(error: BaseException) -> str:
    """An error in a line."""
    if isinstance(error, SystemExit):
        return f"it ends the program with SystemExit({error.code!r:.40}), which is not for a plugin to do"
    try:
        text = " ".join(str(error).split())
    except Exception:  # anybody's __str__
        text = ""
    cut = f"{text[:LONGEST]}..." if len(text) > LONGEST else text
    return f"{type(error).__name__}: {cut}" if cut else type(error).__name__


def is_foreign(owner: type) -> bool:
    """Whether any part of a task or adapter class is not this package's."""
    return bool(foreign_parts(owner))


def foreign_parts(owner: type) -> list[type]:
    """The class and its bases, those of this package and of Python left out."""
    ours = (OWN, "builtins", "abc", "typing")
    return [part for part in owner.__mro__ if part.__module__.partition(".")[0] not in ours]


def plugin_name(module: str) -> str:
    """A plugin as people know it: the name of its file or package."""
    return Path(module).stem if module.startswith(FILE_MODULE) else module.partition(".")[0]


def place_of(owner: type, method: str) -> str:
    """File and line of a class's method, or of the class where it has none of its own."""
    code = getattr(_function(getattr(owner, method, None)), "__code__", None)
    if code is not None and not code.co_filename.startswith(str(Path(__file__).parents[2])):
        return f"{code.co_filename}:{code.co_firstlineno}, in {method}"
    return f"{_file_of(owner)}, class {owner.__name__}"


def _function(value: object) -> Callable[..., object] | None:
    while (inner := getattr(value, "__wrapped__", None) or getattr(value, "fget", None)) is not None:
        value = inner
    return value if callable(value) else None


def _file_of(owner: type) -> str:
    import sys

    return str(getattr(sys.modules.get(owner.__module__), "__file__", None) or owner.__module__)


def _innermost(error: BaseException) -> tuple[FrameType, int] | None:
    """The frame and line of a plugin's code where an error was raised."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if _of_plugin(str(frame.f_globals.get("__name__", ""))):
            found = frame, line
    return found


def _of_plugin(module: str) -> bool:
    if module.startswith(FILE_MODULE):
        return True
    head = module.partition(".")[0]
    return head != OWN and head in _packages()


@cache
def _packages() -> frozenset[str]:
    """Packages that provide plugins."""
    points = [point for group in GROUPS for point in entry_points(group=group)]
    return frozenset(point.value.partition(":")[0].partition(".")[0] for point in points)


def _is_users(error: BaseException) -> bool:
    """Whether it is Ctrl-C; where no handler of ours tells, any KeyboardInterrupt may be."""
    told_apart = signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    return isinstance(error, UserInterruptError) or (isinstance(error, KeyboardInterrupt) and not told_apart)
