"""A model that was chosen, and how it is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.asking import ASKING, Asking, Askings, read_askings
from mipha_eval.core.errors import UserError
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.options import option_fields, unknown
from mipha_eval.core.plugins.presets import Preset


@dataclass(frozen=True)
class Model:
    """A model that was chosen.

    Attributes:
        name: what results and tables call it.
        data: the data source that its preset is made for; "" for none.
        options: those that were given, as texts.
        askings: how questions are put to it, where not as benchmarks put them.
        usual: options of the adapter as its preset has them, where that is not their default.
        published: its preset, where it is asked as its paper or card asked it.
        named: whether it was built by its name and options, so that others can build the same.
        facts: what it says of itself since it is loaded, here or elsewhere.
    """

    name: str
    adapter: ModelAdapter
    data: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    askings: Askings = field(default_factory=Askings)
    usual: Mapping[str, object] = field(default_factory=dict)
    published: Preset | None = None
    named: bool = False
    facts: ModelFacts = field(default_factory=ModelFacts)

    def asking(self, task: str) -> Asking:
        """How a benchmark is asked, by its name without a protocol."""
        return self.askings.of_task(option_name(task))

    def changed(self, task: str) -> dict[str, str]:
        """What is otherwise than the benchmark and the model's own configuration have it, as options are called.

        To be asked of a model whose facts are known.
        """
        usual = {entry.name: entry.default for entry in dataclasses.fields(self.adapter)} | dict(self.usual)
        own = {name: getattr(self.adapter, name) for name in self.adapter.ways if name in usual}
        changed = {name: value for name, value in own.items() if value != usual.get(name)}
        found = {name: value for name, value in changed.items() if name not in self.facts.usual}
        return {name: str(value) for name, value in {**found, **self.asking(task).given}.items()}

    def as_published(self, task: str) -> bool:
        """Whether a benchmark is asked as the model's paper or card asked it, and that is not the suite's own way."""
        return self.published is not None and self.published.knows(option_name(task)) and bool(self.changed(task))

    def differs(self, task: str) -> tuple[str, ...]:
        """What of its paper's way of asking a benchmark no option brings about; empty where it is not asked in that way."""
        return self.published.differs(option_name(task)) if self.published and self.as_published(task) else ()

    def asked_with(self, options: Mapping[str, str]) -> Model:
        """The same, asked as options say that any model may have. Raises UserError for another option, or one in vain."""
        if not options:
            return self
        plain = {key.rpartition(".")[2]: key for key in options}
        foreign = [key for name, key in plain.items() if name not in ASKING]
        if foreign:
            raise UserError(f"options {', '.join(foreign)} are for a model by name; an object has its own")
        check_heeded(self.name, self.adapter, plain)
        if self.published is not None:
            raise UserError(f"{', '.join(options)} would not be as published; leave out one of the two")
        askings = self.askings.updated(read_askings(options, self.name))
        return dataclasses.replace(self, askings=askings, options={**self.options, **options})

    def check_about(self, tasks: Iterable[str]) -> None:
        """Raises UserError for an option on how a benchmark is asked that is none of `tasks`, by their names."""
        there = set(map(option_name, tasks))
        for key in self.options:
            if "." in key and key.partition(".")[0] not in there:
                raise UserError(unknown("task in option", key, there, "asked are"))


def check_heeded(name: str, adapter: ModelAdapter | type[ModelAdapter], asked: Iterable[str]) -> None:
    """Raises UserError for an option of `Asking` that would change nothing of a model's answers."""
    ignored = next((key for key in asked if key not in adapter.heeds), None)
    if ignored is not None:
        raise UserError(f"option {ignored} does not apply to model {name}, whose answers it would not change")


def option_name(task: str) -> str:
    """A task's name as options have it."""
    return task.partition("@")[0].replace("-", "_")


def published_options(
    preset: Preset | None, name: str, owner: type[ModelAdapter], given: Iterable[str]
) -> tuple[dict[str, str], Askings]:
    """How a preset's paper asked it: options of the adapter, and all else.

    Args:
        given: options that the user gave beside.

    Raises:
        UserError: it is no preset, or the user wants something of it otherwise.
    """
    if preset is None:
        raise UserError(f"model {name} is no preset, so that nobody says how its paper asked it", flag="--as-published")
    against = [key for key in given if key in owner.ways or key.rpartition(".")[2] in ASKING]
    if against:
        raise UserError(f"{', '.join(against)} would not be as published; leave out one of the two", flag="--as-published")
    known = option_fields(owner)
    own = {key: text for key, text in preset.asked_options.items() if key in known}
    asked = {key: text for key, text in preset.asked_options.items() if key not in own}
    wrong = next((key for key in asked if key.rpartition(".")[2] not in ASKING), None)
    if wrong is not None:
        raise UserError(f"preset {name}: {unknown('way of asking', wrong, {*ASKING, *known})}")
    check_heeded(name, owner, (key.rpartition(".")[2] for key in asked))
    return own, read_askings(asked, name)
