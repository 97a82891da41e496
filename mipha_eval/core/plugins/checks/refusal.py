"""How something that was handed over is refused."""

from __future__ import annotations

import json
import re

from mipha_eval.core.errors import PluginError
from mipha_eval.core.plugins.blame import is_foreign, place_in, place_of, plugin_name

#: what must not stand in a cell or a name: control characters, ends of lines, halves of surrogate pairs
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST_NAME = 200
LONGEST_VALUE = 80  # characters of a value in a message

ROUNDING = 1e-6  # by which a number may be out of its range


def refusal(owner: type, method: str, what: str, error: Exception | None = None) -> Exception:
    """What is raised: a PluginError with the place of a plugin's method; for this package's own classes a RuntimeError.

    Args:
        error: what the plugin's code raised, if it did, which tells the place better.
    """
    if is_foreign(owner):
        place = (error and place_in(error)) or place_of(owner, method)
        return PluginError(f"plugin {plugin_name(owner.__module__)}: {what} ({place})")
    return RuntimeError(f"{owner.__name__}.{method}: {what}")


def shown(value: object) -> str:
    """A value in a message, with its type."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # anybody's __repr__
        text = "a value"
    return f"{text[:LONGEST_VALUE]}{'...' if len(text) > LONGEST_VALUE else ''} ({type(value).__name__})"


def is_cell(text: object) -> bool:
    """Whether a text may stand in a cell of a table, as a category or a metric's name."""
    return type(text) is str and 0 < len(text) <= LONGEST_NAME and not UNPRINTABLE.search(text) and bool(text.strip())


def are(kind: type, values: object) -> bool:
    """Whether it is a tuple of values of just this type."""
    if type(values) is not tuple:
        return False
    for value in values:  # noqa: SIM110 - asked of every question several times, and half as dear as a generator
        if type(value) is not kind:
            return False
    return True


def is_json(value: object) -> bool:
    """Whether a value can be stored and read again."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
