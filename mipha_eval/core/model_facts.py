"""What a model says of itself once it is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.checks.models import model_facts


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a loaded model, wherever it is.

    Attributes:
        weights: what decides its answers, see `ModelAdapter.describe`.
        about: what tables say beside its name, see `ModelAdapter.about`.
        usual: options of its `ways` that say what the model does without them, too.
    """

    weights: JsonObject = field(default_factory=dict)
    about: JsonObject = field(default_factory=dict)
    usual: frozenset[str] = frozenset()

    @classmethod
    def of(cls, adapter: ModelAdapter) -> ModelFacts:
        """To be asked of an adapter that is loaded."""
        usual = frozenset(way for way in adapter.ways if adapter.as_usual(way))
        return cls(model_facts(adapter, "describe"), model_facts(adapter, "about"), usual)

    @property
    def left_out(self) -> JsonObject:
        """A checkpoint's generation settings that are not in force."""
        found = self.weights.get("left_out")
        return found if isinstance(found, dict) else {}
