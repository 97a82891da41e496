"""A model as it was asked for, by name or as an object; built when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.runs.callable_model import CallableModel
from mipha_eval.runs.model_by_name import model_by_name, usual_data
from mipha_eval.runs.typed_digest import model_digest
from mipha_eval.runs.unloaded import Unloaded, may_stay_unloaded, was_loaded

#: what a model may be: a name, an adapter, a model with options chosen, or a function of pictures and prompt
AnyModel = str | ModelAdapter | Model | Callable[[list[Any], str], str]


@dataclass(frozen=True)
class AskedModel:
    """A model as it was asked for.

    Attributes:
        options: as texts.
        workers: who answers in place of this process; None for nobody.
        as_published: whether a preset is asked as its paper asked it.
    """

    model: AnyModel
    options: Mapping[str, str]
    registry: Registry
    workers: WorkerSettings | None = None
    as_published: bool = False

    def chosen(self, output: Path, plugins: Sequence[str | Path]) -> tuple[Model, str]:
        """The model, and a digest of how it was typed, see `RunSettings.typed`.

        One that was typed the same before, and loaded, is built when it is needed. Raises UserError.
        """
        name = self.model if isinstance(self.model, str) else ""
        plain = name and not self.as_published and self.workers is None and may_stay_unloaded(self.options)
        typed = model_digest(name, self.options, plugins) if plain else ""
        if "built" in vars(self) or not was_loaded(output, typed):
            return self.built, typed
        return Model(name, Unloaded(lambda: self.built), usual_data(name, self.registry), self.options), typed

    @cached_property
    def built(self) -> Model:
        """With its files on this machine; workers may have them where this process has none. Raises UserError."""
        found = self._named(self.model) if isinstance(self.model, str) else self._object(self.model)
        if self.workers is None:
            found.adapter.check_there()
        return found

    def _named(self, name: str) -> Model:
        return model_by_name(name, self.options, self.registry, as_published=self.as_published)

    def _object(self, model: ModelAdapter | Model | Callable[[list[Any], str], str]) -> Model:
        if self.as_published and not (isinstance(model, Model) and model.published):
            raise UserError("only a preset, by its name, can be asked as published", flag="--as-published")
        return as_model(model).asked_with(self.options)


def as_model(model: ModelAdapter | Model | Callable[[list[Any], str], str]) -> Model:
    """A model that is an object already. Raises UserError for what is none."""
    if isinstance(model, Model):
        return model
    if isinstance(model, ModelAdapter):
        return Model(model.name, model)
    if not callable(model):
        raise UserError(f"a model is a name, a ModelAdapter or a function, not {type(model).__name__}")
    return Model(getattr(model, "__name__", type(model).__name__).strip("<>"), CallableModel(model))
