"""Whose fault an error is: what goes wrong in a plugin's code is told with its file and line, whatever it raises.

A plugin is anybody's code. It may raise anything, ``SystemExit`` and ``KeyboardInterrupt`` among it, which would otherwise
end the program as if all were well.
"""

from __future__ import annotations

import ast
import dataclasses
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

#: modules that come in distributions of other names
DISTRIBUTIONS = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


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
    return f"{type(error).__name__}: {cut}{_mending(error)}" if cut else type(error).__name__


def _mending(error: BaseException) -> str:
    """What an author can do about an error that does not say so itself."""
    if isinstance(error, dataclasses.FrozenInstanceError):
        return "; a task or model is a frozen dataclass: use a local variable, a field, or a functools.cached_property"
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if not name:
        return ""
    head = name.partition(".")[0]
    if head == OWN or head in _packages():
        return ""
    return f"; install what provides it, mostly pip install {DISTRIBUTIONS.get(head, head.replace('_', '-'))}"


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


def place_of(owner: type, attribute: str) -> str:
    """File and line of a class's method or attribute, as its author wrote it; of the class where there is none."""
    parts = foreign_parts(owner) or [owner]
    for part in parts:
        code = getattr(_function(vars(part).get(attribute)), "__code__", None)
        if code is not None and _is_file(code.co_filename):
            return f"{code.co_filename}:{code.co_firstlineno}, in {attribute}"
    for part in parts:
        line = _line_of(part, attribute)
        if line:
            return f"{_file_of(part)}:{line}, class {part.__name__}"
    line = _line_of(parts[0])
    return f"{_file_of(parts[0])}{f':{line}' if line else ''}, class {parts[0].__name__}"


def _line_of(owner: type, attribute: str = "") -> int:
    """The line of a class, or of what it sets in its own body, found by reading its file; 0 if it is not there."""
    try:
        tree = ast.parse(Path(_file_of(owner)).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return 0
    found = next((node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == owner.__name__), None)
    if found is None or not attribute:
        return found.lineno if found else 0
    for node in found.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == attribute for target in targets):
            return node.lineno
    return 0


def _function(value: object) -> Callable[..., object] | None:
    while (inner := getattr(value, "__wrapped__", None) or getattr(value, "fget", None)) is not None:
        value = inner
    value = getattr(value, "__func__", value)
    return value if callable(value) else None


def _file_of(owner: type) -> str:
    import sys

    return str(getattr(sys.modules.get(owner.__module__), "__file__", None) or owner.__module__)


def _is_file(name: str) -> bool:
    """Whether code was read from a file; what a dataclass makes for itself is called ``<string>``."""
    return not name.startswith("<")


def _innermost(error: BaseException) -> tuple[FrameType, int] | None:
    """The frame and line of a plugin's code where an error was raised; of its files, if any of these was."""
    calls = [
        call for call in traceback.walk_tb(error.__traceback__) if _of_plugin(str(call[0].f_globals.get("__name__", "")))
    ]
    written = [call for call in calls if _is_file(call[0].f_code.co_filename)]
    if not calls and isinstance(error.__cause__, StopIteration):  # raised in a generator, whose own frame is only there
        return _innermost(error.__cause__)
    return next(reversed(written or calls), None)


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
