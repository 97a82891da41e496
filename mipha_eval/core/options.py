"""Options of tasks and adapters: the fields of a dataclass, set from ``key=value`` texts."""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Union, get_args, get_origin, get_type_hints

from mipha_eval.core.errors import UserError

#: names that a line of an error holds, and how many stand for more
READABLE, SOME = 30, 5


def parse_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Splits ``key=value`` texts; ``-`` and ``_`` in keys are alike."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"option {pair!r} is not of the form key=value")
        options[key.strip().replace("-", "_")] = value
    return options


def as_texts(options: Mapping[str, object]) -> dict[str, str]:
    """Options that a program gives as values, as a user would type them; ``-`` and ``_`` in keys are alike."""
    return {key.replace("-", "_"): str(value) for key, value in options.items()}


def option_fields(owner: type) -> dict[str, object]:
    """Names and types of the options of a task or adapter class."""
    hints = get_type_hints(owner)
    return {field.name: hints[field.name] for field in dataclasses.fields(owner) if field.name not in ("protocol", "data")}


def required_options(owner: type) -> set[str]:
    """Names of the options that have no default."""
    missing = dataclasses.MISSING
    fields = (entry for entry in dataclasses.fields(owner) if entry.default is missing and entry.default_factory is missing)
    return {entry.name for entry in fields if entry.init} & option_fields(owner).keys()


def typed_options(owner: type, options: Mapping[str, str], name: str) -> dict[str, object]:
    """Converts texts to the types of the fields of `owner`.

    Raises:
        UserError: an unknown option (the message lists the fields) or a value that does not fit.
    """
    known = option_fields(owner)
    values = {}
    for key, text in options.items():
        if key not in known:
            untyped = f"; {key} has no type, write {key}: TYPE = ... in its class" if _is_untyped(owner, key) else ""
            raise UserError(unknown("option", key, known, f"{name} has") + untyped)
        try:
            values[key] = convert(text, known[key])
        except ValueError as error:
            raise UserError(f"option {key}={text!r} of {name}: {error}") from error
    return values


def _is_untyped(owner: type, key: str) -> bool:
    """Whether a class has a plain value under a name, which is no option for want of a type."""
    value = getattr(owner, key, None)
    annotated = any(key in vars(part).get("__annotations__", {}) for part in owner.__mro__)
    return not annotated and isinstance(value, bool | int | float | str | Path)


def convert(text: str, kind: object) -> object:
    """Reads a text as bool, int, float, str, Path, a Literal or an optional of these. Raises ValueError."""
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise ValueError(f"expected one of {', '.join(map(str, get_args(kind)))}")
        return text
    if get_origin(kind) in (Union, types.UnionType):
        if text.lower() == "none" and not any("none" in get_args(part) for part in get_args(kind)):
            return None
        return convert(text, next(part for part in get_args(kind) if part is not type(None)))
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError("expected true or false")
        return text.lower() in ("true", "1", "yes")
    if kind is int or kind is float:
        try:
            return int(text) if kind is int else float(text)
        except ValueError:
            raise ValueError(f"expected {'a whole number' if kind is int else 'a number'}") from None
    return Path(text) if kind is Path else text


def type_name(kind: object) -> str:
    """A type as shown to people."""
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if get_origin(kind) in (Union, types.UnionType):
        return "|".join(type_name(part) for part in get_args(kind) if part is not type(None))
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


def unknown(what: str, name: str, known: Iterable[str], lead: str = "there are") -> str:
    """An error text for a name that does not exist: the nearest names, then all, or some where that are too many to read."""
    names = sorted(known)
    meant = did_you_mean(name, names)
    hint = f"{meant} " if meant else ""
    many = f"{len(names)}, such as {', '.join(names[:SOME])}" if len(names) > READABLE else ", ".join(names)
    return f"unknown {what} {name!r}; {hint}{lead} {many or 'none'}"


def did_you_mean(name: str, known: Iterable[str], most: int = 3) -> str:
    """The names that are nearest to one that does not exist, as a question; empty where none is near.

    A name is near, too, if the other is a part of it between dashes, as ``length`` is of ``max_length``.
    """
    near = nearest(name, known, most)
    return f"did you mean {' or '.join(near)}?" if near else ""


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The names that are nearest to one that does not exist, the nearest first."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=most, cutoff=0.5)
    parts: dict[str, list[str]] = {}
    for each in names:
        for part in re.split("[-_.@]", each):
            parts.setdefault(part, []).append(each)
    alike = [each for part in difflib.get_close_matches(name, parts, n=most, cutoff=0.75) for each in parts[part]]
    return list(dict.fromkeys([*near, *alike]))[:most]
