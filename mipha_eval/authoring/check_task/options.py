"""The options of a task have types that a command line can give."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Union, get_args, get_origin

from mipha_eval.authoring.check_task.point import Said, quoted
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.options import convert, option_fields, type_name
from mipha_eval.core.plugins.blame import foreign_parts, place_of, told

PLAIN = (str, int, float, bool, Path)
KINDS = "str, int, float, bool, Path or a Literal of texts"


def options_are_typed(under: TaskUnderCheck) -> Iterator[Said]:
    """Each option has a type that a text can be read as, and a default of that type; what has none is no option."""
    owner = type(under.task)
    place = place_of(owner, "")
    try:
        kinds = option_fields(owner)
    except Exception as error:  # whatever a plugin's annotations lead to
        yield "fault", f"the types of the options cannot be read: {told(error)} ({place})"
        return
    wrong = next(filter(None, (_wrong_option(owner, name, kind) for name, kind in kinds.items())), "") or _untyped(owner)
    if wrong:
        yield "fault", f"{wrong} ({place})"
        return
    for name, kind in kinds.items():
        for value in get_args(kind) if get_origin(kind) is Literal else ():
            under.recipe.build(**{f"{owner.name.replace('-', '_')}.{name}": value})
    listed = ", ".join(f"{name}: {type_name(kind)}" for name, kind in kinds.items())
    yield "ok", f"options are typed, and every value of theirs builds: {listed}" if kinds else "there are no options"


def _wrong_option(owner: type, name: str, kind: object) -> str:
    """What is wrong with an option; "" if nothing is."""
    if not _readable(kind):
        return f"option {name} has the type {type_name(kind)}, which no text can be read as; take {KINDS}"
    entry = next(each for each in dataclasses.fields(owner) if each.name == name)
    if entry.default is dataclasses.MISSING:
        made = entry.default_factory is not dataclasses.MISSING
        return f"option {name} needs a default{' that is a plain value' if made else ''}, so that the task can be built"
    try:
        again = convert(str(entry.default), kind)
    except ValueError as error:
        return f"option {name} has the default {quoted(entry.default)}: {error}"
    if again != entry.default or not _fits(entry.default, kind):
        return f"option {name} has the default {quoted(repr(entry.default))}, which is no {type_name(kind)}"
    return ""


def _readable(kind: object) -> bool:
    if get_origin(kind) is Literal:
        return all(type(value) is str for value in get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        parts = [part for part in get_args(kind) if part is not type(None)]
        return len(parts) == 1 and _readable(parts[0])
    return kind in PLAIN


def _fits(value: object, kind: object) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return any(_fits(value, part) for part in get_args(kind))
    return type(value) is kind or (isinstance(value, Path) and kind is Path) or (type(value) is int and kind is float)


def _untyped(owner: type) -> str:
    """What looks as an option and is none; "" if nothing does."""
    known = {name for part in owner.__mro__ for name in getattr(part, "__annotations__", {})}
    fields = {entry.name for entry in dataclasses.fields(owner)}
    for part in foreign_parts(owner):
        for name, value in vars(part).items():
            if name not in known and not name.startswith("_") and name.islower() and isinstance(value, PLAIN):
                how = f"write {name}: {type(value).__name__} = ..., or ClassVar"
                return f"{name} = {value!r:.60} has no type, so that it is no option: {how}"
        for name, kind in vars(part).get("__annotations__", {}).items():
            if name not in fields and "ClassVar" not in str(kind):
                return f"{name} is no option, since class {part.__name__} is no @dataclass(frozen=True)"
    return ""
