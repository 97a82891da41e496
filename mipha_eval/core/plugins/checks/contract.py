"""A plugin's class against the contract that it subclasses: what it must define, how its methods are called.

What is wrong here would else show when a hook is first called, after hours of a model's work, as an error in our own code.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import CodeType
from typing import ClassVar, get_origin, get_type_hints

from mipha_eval.core.plugins.blame import foreign_parts, place_of, plugin_name, told
from mipha_eval.core.plugins.checks.refusal import refusal, shown

logger = logging.getLogger(__name__)

#: how alike a method's name must be to that of a hook, 0 to 1, to be taken for a slip
ALIKE = 0.8

#: hooks that may be generators; any other has to return something
YIELDING = frozenset({"samples", "questions", "official_answers", "upload_rows", "grade", "stream", "asked"})

#: methods that only some contracts have
ELSEWHERE = {"grade": "JudgedTask", "upload_rows": "UploadTask", "stream": "StreamingAdapter"}

#: what stands for a type in a message
UNSAID = inspect.Parameter.empty


@cache
def check_contract(owner: type, word: str) -> None:
    """Raises PluginError for a class whose options or methods cannot be used as tasks and models are."""
    _check_fields(owner)
    _check_beginning(owner, word)
    options = {entry.name for entry in dataclasses.fields(owner)} if dataclasses.is_dataclass(owner) else set()
    for name, hook in _hooks(owner).items():
        if name in options:  # which is told of options, see `check_options`
            continue
        part = next((part for part in foreign_parts(owner) if name in vars(part)), None)
        if part is not None:
            wrong = _wrong_kind(vars(part)[name], hook) or _wrong_call(owner, name, hook)
            if wrong:
                raise refusal(owner, name, f"{name} of {word} {owner.__name__} {wrong}")
    for slip, meant in _slips(owner):
        place = place_of(owner, slip)
        logger.warning("plugin %s: nothing calls %s; %s (%s)", plugin_name(owner.__module__), slip, meant, place)


def lacking(owner: type, word: str) -> str:
    """What an abstract class must still define, in an author's words."""
    names = sorted(getattr(owner, "__abstractmethods__", ()))
    near = [f"{slip} for {name}" for name in names for slip in difflib.get_close_matches(name, _own(owner), 1, ALIKE)]
    hint = f"; is {' and '.join(near)} a slip?" if near else ""
    return f"class {owner.__name__} lacks {' and '.join(names)}, which every {word} of its kind defines{hint}"


def _check_fields(owner: type) -> None:
    """Options are fields of a dataclass, with types that can be read."""
    if not dataclasses.is_dataclass(owner):
        return
    try:
        hints = get_type_hints(owner)
    except Exception as error:  # an annotation is anybody's code
        what = f"a type in class {owner.__name__} cannot be read: {told(error)}"
        raise refusal(owner, "", f"{what}; import it at the top of the file") from error
    for part in foreign_parts(owner):
        if "__dataclass_fields__" in vars(part):
            continue
        known = {entry.name for entry in dataclasses.fields(owner)}
        own = [name for name in inspect.get_annotations(part) if get_origin(hints[name]) is not ClassVar]
        option = next((name for name in own if hints[name] is not ClassVar and name not in known), None)
        if option is not None:
            what = (
                f"class {part.__name__} has an option {option} and is no dataclass; write @dataclass(frozen=True) above it"
            )
            raise refusal(part, option, what)


def _check_beginning(owner: type, word: str) -> None:
    """A task or model is made of its fields."""
    fields = (
        {entry.name: None for entry in dataclasses.fields(owner) if entry.init} if dataclasses.is_dataclass(owner) else {}
    )
    try:
        inspect.signature(owner).bind(**fields)
    except TypeError as error:
        what = f"__init__ of {word} {owner.__name__} must take {', '.join(fields) or 'no argument'}"
        raise refusal(owner, "__init__", f"{what}; leave it out, __post_init__ is called when these are there") from error


def _hooks(owner: type) -> Mapping[str, object]:
    """Names -> what the contract defines under them, of the classes of this package that a plugin's is derived from."""
    found: dict[str, object] = {}
    foreign = foreign_parts(owner)
    for part in owner.__mro__:
        if part not in foreign and part.__module__.partition(".")[0] not in ("builtins", "abc", "typing"):
            for name, value in vars(part).items():
                if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    found.setdefault(name, value)
    return found


def _wrong_kind(own: object, hook: object) -> str:
    """How what a class has in a hook's place is no such thing; "" if it may be."""
    if isinstance(hook, property):
        return "must be a property; write @property above it" if inspect.isfunction(own) else ""
    plain = own.__func__ if isinstance(own, staticmethod | classmethod) else own
    if isinstance(own, property):
        return "must be a method; take @property away"
    if not callable(plain):
        return f"must be a method, not {shown(own)}"
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        return "must be a plain method; take async away"
    return ""


def _wrong_call(owner: type, name: str, hook: object) -> str:
    """How a hook cannot be called as it is; "" if it can."""
    own = inspect.getattr_static(owner, name)
    if not inspect.isfunction(hook):
        return ""
    wanted = list(inspect.signature(hook).parameters.values())[1:]
    plain = own.__func__ if isinstance(own, staticmethod | classmethod) else own
    if inspect.isgeneratorfunction(plain) and name not in YIELDING and not inspect.isgeneratorfunction(hook):
        return "must return what it has, not yield it"
    try:
        signature = inspect.signature(plain)
    except (TypeError, ValueError):  # a callable that does not say how it is called
        return ""
    given = [None] * sum(each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for each in wanted)
    named = {each.name: None for each in wanted if each.kind is inspect.Parameter.KEYWORD_ONLY}
    bound = inspect.isfunction(own) or isinstance(own, classmethod)
    try:
        signature.bind(*([None] if bound else []), *given, **named)
    except TypeError as error:
        names = ", ".join(["self", *(str(each.replace(annotation=UNSAID)) for each in wanted)])
        return f"is called as {name}({names}), and takes {signature.replace(return_annotation=UNSAID)}: {error}"
    return ""


def _own(owner: type) -> list[str]:
    """Names of methods that a plugin's author wrote."""
    return [
        name
        for part in foreign_parts(owner)
        for name, value in vars(part).items()
        if not name.startswith("_") and inspect.isfunction(value)
    ]


def _slips(owner: type) -> Iterator[tuple[str, str]]:
    """Methods that nothing of the class uses and that are called as a hook or almost so, with what may be meant."""
    hooks, own = _hooks(owner), _own(owner)
    missed = [name for name in hooks if name not in own]
    for name in own:
        near = difflib.get_close_matches(name, missed, 1, ALIKE) if name not in hooks else []
        if (near or name in ELSEWHERE) and name not in {*hooks, *_used(owner)}:
            yield name, f"that is for a {ELSEWHERE[name]}" if name in ELSEWHERE else f"did you mean {near[0]}?"


def _used(owner: type) -> Iterator[str]:
    """Names that the code of a plugin's class looks up."""
    todo: list[CodeType] = [
        code
        for part in foreign_parts(owner)
        for value in vars(part).values()
        if (code := getattr(getattr(value, "fget", value), "__code__", None)) is not None
    ]
    while todo:
        code = todo.pop()
        yield from code.co_names
        todo += _codes(code.co_consts)


def _codes(constants: Iterable[object]) -> list[CodeType]:
    return [constant for constant in constants if isinstance(constant, CodeType)]
