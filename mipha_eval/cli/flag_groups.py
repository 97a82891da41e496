"""Groups of flags that several verbs take: a flag is a field of a frozen dataclass, and stands nowhere else."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, TypeVar, cast, get_args, get_type_hints

import typer
from typer._click.globals import get_current_context
from typer.core import TyperOption
from typer.models import OptionInfo

#: what stands before the name of a flag in the environment; between them stands the verb, if the flag is of that alone
PREFIX = "MIPHA_EVAL"
#: ends the heading of flags that help tells by their names alone
RARELY = ", rarely"

#: says in a context that help is to tell all
WHOLE = "mipha_eval.help_all"


def _show_all(context: typer.Context, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        context.meta[WHOLE] = True
        print(context.get_help())
        raise typer.Exit


HelpAll = Annotated[
    bool,
    typer.Option(
        "--help-all",
        callback=_show_all,
        is_eager=True,
        expose_value=False,
        help="Show all flags, and all of each, and exit.",
    ),
]

Verb = TypeVar("Verb", bound=Callable[..., object])


@dataclass(frozen=True)
class FlagGroup:
    """Flags under one heading, each a field of a subclass. A verb takes them as a parameter, see `takes_flags`.

    A group may extend others; its own flags come first.

    Attributes:
        heading: in help.
        rare: names of fields that help tells by their names alone.
    """

    heading: ClassVar[str]
    rare: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def parameters(
        cls, without: Collection[str], required: Collection[str], defaults: Mapping[str, object]
    ) -> list[inspect.Parameter]:
        """The flags as parameters of a function."""
        kinds = get_type_hints(cls, include_extras=True)
        return [
            inspect.Parameter(
                entry.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if entry.name in required else defaults.get(entry.name, entry.default),
                annotation=cls._placed(entry.name, kinds[entry.name]),
            )
            for entry in sorted(fields(cls), key=lambda entry: entry.name not in inspect.get_annotations(cls))
            if entry.name not in without
        ]

    @classmethod
    def _placed(cls, name: str, kind: object) -> object:
        """A flag's annotation, with its heading and its variable of the environment."""
        plain, written = get_args(kind)
        option = shared(copy.copy(written))
        option.rich_help_panel = cls.heading + (RARELY if name in cls.rare else "")
        return Annotated[plain, option]


def shared(option: OptionInfo) -> OptionInfo:
    """An option that means the same in all verbs that have it: no verb's name is in its variable of the environment."""
    written = [option.default, *(option.param_decls or ())]  # in Annotated, typer takes the first name for the default
    (flag,) = (text for text in written if isinstance(text, str) and text.startswith("--"))
    own = f"{PREFIX}_{flag.removeprefix('--').replace('-', '_').upper()}"
    option.envvar = list(dict.fromkeys([own, *_listed(option.envvar)]))
    return option


def variables(option: TyperOption, prefix: str | None) -> list[str]:
    """The names of an option in the environment.

    Args:
        prefix: what stands before the names of a verb's own flags, as its context has it.
    """
    if option.envvar or not (option.allow_from_autoenv and prefix):
        return _listed(option.envvar)
    return [f"{prefix}_{option.name.upper()}"]


def is_typed(name: str) -> bool:
    """Whether the value of a verb's parameter does not come from the environment; to be asked while the verb runs."""
    context = get_current_context(silent=True)
    source = context.get_parameter_source(name) if context else None
    return source is None or source.name != "ENVIRONMENT"


def _listed(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def takes_flags(*without: str, required: Collection[str] = (), **defaults: object) -> Callable[[Verb], Verb]:
    """Gives a verb the flags of each group that is the type of one of its parameters, in that one's place.

    Args:
        without: flags that it has no use for.
        required: flags that must be given.
        defaults: other defaults than most verbs have.
    """

    def decorate(verb: Verb) -> Verb:
        groups: dict[str, tuple[type[FlagGroup], list[inspect.Parameter]]] = {}
        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(verb, eval_str=True).parameters.values():
            if isinstance(own.annotation, type) and issubclass(own.annotation, FlagGroup):
                groups[own.name] = (own.annotation, own.annotation.parameters(without, required, defaults))
                parameters += groups[own.name][1]
            else:
                parameters.append(own.replace(kind=inspect.Parameter.KEYWORD_ONLY))

        further = inspect.Parameter("help_all", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=HelpAll)
        parameters.append(further)

        @functools.wraps(verb)
        def call(**options: object) -> object:
            read = {
                name: group(**{each.name: options.pop(each.name) for each in members})
                for name, (group, members) in groups.items()
            }
            options.pop(further.name, None)
            return verb(**options, **read)

        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return cast("Verb", call)

    return decorate
