"""Help of a verb: its flags under headings, those that few need by their names; all of it with ``--help-all``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from typer._click import Context, HelpFormatter
from typer.core import TyperCommand, TyperOption

from mipha_eval.cli.flag_groups import RARELY, WHOLE

OWN, GENERAL = "Of this verb", "General"
#: flags that every verb has
GENERAL_FLAGS = ("config", "verbose", "quiet", "log_file", "help", "help_all")
#: where the explanation of a flag begins
COLUMN = 26
#: where an explanation that is too long for its line may end
CLAUSE = re.compile(r"[,.;:] ")


class GroupedCommand(TyperCommand):
    """A verb; its help has headings where any of its flags belongs to a group, and its own flags have variables."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        for each in _options(self.params):
            each.show_envvar = False
            each.allow_from_autoenv = not (each.envvar or each.is_eager or each.name in GENERAL_FLAGS)

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Writes what a verb takes; rare flags as names, unless all was asked for."""
        params = self.get_params(ctx)
        if not any(each.name == "help_all" for each in params):
            super().format_options(ctx, formatter)
            return
        whole = bool(ctx.meta.get(WHOLE))
        told = [found for each in params if not isinstance(each, TyperOption) and (found := each.get_help_record(ctx))]
        if told:
            formatter.write_paragraph()
            formatter.write_dl(told)
        formatter.write_paragraph()
        for heading, options in _by_heading(_options(params)).items():
            formatter.write(f"{heading}:\n")
            rare = [] if whole else [each for each in options if _is_rare(each)]
            for each in options:
                if each not in rare:
                    formatter.write(_entry(each, ctx, formatter.width, whole=whole))
            formatter.write(_names(rare, formatter.width, alone=len(rare) == len(options)))


def _options(params: Iterable[object]) -> list[TyperOption]:
    return [each for each in params if isinstance(each, TyperOption) and not each.hidden]


def _heading(option: TyperOption) -> str:
    if option.name in GENERAL_FLAGS:
        return GENERAL
    return (option.rich_help_panel or OWN).removesuffix(RARELY)


def _is_rare(option: TyperOption) -> bool:
    return option.name in GENERAL_FLAGS or (option.rich_help_panel or "").endswith(RARELY)


def _by_heading(options: Iterable[TyperOption]) -> dict[str, list[TyperOption]]:
    """Options by their headings, in the order of both; what every verb has comes last."""
    found: dict[str, list[TyperOption]] = {}
    for each in options:
        found.setdefault(_heading(each), []).append(each)
    general = found.pop(GENERAL, [])
    return {**found, GENERAL: general}


def _entry(option: TyperOption, ctx: Context, width: int, *, whole: bool) -> str:
    """A flag and what it says, in one line or, as a whole, in as many as it takes."""
    record = option.get_help_record(ctx) or ("", "")
    name = record[0] if whole else ", ".join(sorted(option.opts, key=len))
    if whole:
        lines = textwrap.wrap(" ".join(record[1].split()), width - COLUMN)
        room = f"  {name:<{COLUMN - 4}}  "
        first, rest = (room, lines) if len(room) <= COLUMN else (f"{room.rstrip()}\n{'':<{COLUMN}}", lines)
        return first + f"\n{'':<{COLUMN}}".join(rest) + "\n"
    if option.metavar:
        name += f" {option.metavar}"
    told = " ".join(record[1].split())
    return f"  {name:<{COLUMN - 4}}  {_shortened(told, width - max(COLUMN, len(name) + 4))}\n"


def _shortened(text: str, room: int) -> str:
    """As many clauses of a text as a line holds."""
    if len(text) <= room:
        return text
    ends = [found.start() for found in CLAUSE.finditer(text) if found.start() <= room]
    return text[: max(ends)] if ends else textwrap.shorten(text, room, placeholder=" ...")


def _names(options: Sequence[TyperOption], width: int, *, alone: bool) -> str:
    """The names of flags, as text that is wrapped at whole names."""
    if not options:
        return ""
    names = ", ".join("/".join(sorted(each.opts, key=len)) for each in options)
    first = "  " if alone else "  also "
    lines = textwrap.wrap(
        names, width, initial_indent=first, subsequent_indent="       ", break_on_hyphens=False, break_long_words=False
    )
    return "\n".join(lines) + "\n"
