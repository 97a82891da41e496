"""What is wrong with a command line, in one line: which flag, what fits, and what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

import typer
from typer._click.core import Context
from typer._click.exceptions import BadOptionUsage, MissingParameter, NoSuchOption, UsageError
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.exceptions import TyperException

from mipha_eval.cli.origin import origin
from mipha_eval.core.options import did_you_mean

#: what the library that reads values says, and the same in plain words
WORDS = (
    (re.compile(r"Input should be a valid integer"), "a whole number"),
    (re.compile(r"Input should be a valid number"), "a number"),
    (re.compile(r"Input should be a valid boolean"), "true or false"),
    (re.compile(r"Input should be greater than or equal to (?P<bound>[\d.-]*\d)"), "{bound} or more"),
    (re.compile(r"Input should be less than or equal to (?P<bound>[\d.-]*\d)"), "{bound} or less"),
)
CHOICE = re.compile(r"(?:Value error, )?'(?P<given>.*)' is not one of (?P<known>'.*')\.?", re.DOTALL)
TOO_MANY = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((?P<given>.*)\)\.?", re.DOTALL)
NO_VERB = re.compile(r"No such command '(?P<given>.*)'\.", re.DOTALL)


def usage_line(error: TyperException, verb: str = "") -> str:
    """A mistake in a command line, and where help on it stands.

    Args:
        verb: the one that was typed, for mistakes that do not know it.
    """
    context = error.ctx if isinstance(error, UsageError) else None
    if context is not None:
        verb = context.command_path.removeprefix(context.find_root().info_name or "").strip()
    told = _told(error, context)
    return f"{told}{'' if told.endswith('?') else ';'} see {' '.join(filter(None, ['mipha-eval', verb]))} --help"


def _told(error: TyperException, context: Context | None) -> str:
    if isinstance(error, NoSuchOption) and context is not None:
        known = [flag for each in context.command.get_params(context) for flag in each.opts if flag.startswith("--")]
        return _with_nearest(f"there is no flag {error.option_name}", error.option_name, known, most=1)
    if isinstance(error, typer.BadParameter) and isinstance(error.param, TyperOption | TyperArgument):
        if isinstance(error, MissingParameter):
            return f"{_name(error.param)} is missing: {error.param.help or 'it has no default'}".rstrip(".")
        return f"{_origin(error.param, context)}: {fitting(error.message)}"
    return _said(error, context)


def _said(error: TyperException, context: Context | None) -> str:
    """A mistake that is about no flag with a value."""
    if isinstance(error, BadOptionUsage):
        return f"{error.option_name} needs a value"
    more = TOO_MANY.fullmatch(error.message)
    if more:
        return f"nothing takes {more['given']}; what belongs to a flag stands behind it"
    verb = NO_VERB.match(error.message)
    if verb and context is not None and isinstance(context.command, TyperGroup):
        known = context.command.list_commands(context)
        return _with_nearest(f"there is no verb {verb['given']}", verb["given"], known, most=1)
    return " ".join(error.format_message().split()).rstrip(".")


def _name(param: TyperOption | TyperArgument) -> str:
    """A flag in its longest form, or an argument's name as help has it."""
    if isinstance(param, TyperOption):
        return max(param.opts, key=len)
    return param.metavar or param.name.upper().replace("_", "-")


def _origin(param: TyperOption | TyperArgument, context: Context | None) -> str:
    """A flag, with what stands in its place."""
    place = origin(param, context) if context else ""
    return f"{_name(param)} ({place})" if place else _name(param)


def fitting(message: str) -> str:
    """What is wrong with a value, and what fits."""
    choice = CHOICE.fullmatch(message)
    if choice:
        known = re.findall("'([^']*)'", choice["known"])
        return _with_nearest(f"there is no {choice['given']!r}", choice["given"], known, every=True)
    for pattern, words in WORDS:
        found = pattern.match(message)
        if found:
            return f"expected {words.format(**found.groupdict())}"
    return " ".join(message.removeprefix("Value error, ").split()).rstrip(".")


def _with_nearest(told: str, name: str, known: Iterable[str], *, most: int = 3, every: bool = False) -> str:
    """With what is near to a name, else, or if asked for, all that there is."""
    names = list(known)
    meant = did_you_mean(name, names, most)
    there = f"there are {', '.join(names)}" if every or (not meant and not name.startswith("-")) else ""
    return "; ".join(filter(None, [told, f"{meant} {there}".strip()]))
