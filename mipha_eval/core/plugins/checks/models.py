"""What a model says of itself and of requests: facts for the manifest, what a batch may cost, which are the same."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Literal

from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.checks.refusal import is_json, refusal, shown

if TYPE_CHECKING:
    from mipha_eval.core.adapter import Cost, ModelAdapter
    from mipha_eval.core.types import Request


def model_facts(adapter: ModelAdapter, method: Literal["describe", "about"]) -> JsonObject:
    """What decides the answers, or what tables say beside the model's name."""
    facts: object = adapter.describe() if method == "describe" else adapter.about()
    if not isinstance(facts, Mapping) or not all(type(name) is str for name in facts):
        raise refusal(
            type(adapter), method, f"{method} of model {adapter.name} must give a dict of names, not {shown(facts)}"
        )
    odd = next((name for name, value in facts.items() if not is_json(value)), None)
    if odd is not None:
        what = f"{method} of model {adapter.name} has under {odd} what cannot be stored, {shown(facts[odd])}"
        raise refusal(type(adapter), method, f"{what}; give a text, a number, or lists and dicts of these")
    return dict(facts)


def checked_cost(adapter: ModelAdapter, cost: object) -> Cost:
    """What a request costs, in tokens."""
    from mipha_eval.core.adapter import Cost

    if type(cost) is Cost and all(type(tokens) is int and tokens >= 0 for tokens in (cost.shared, cost.own)):
        return cost
    what = f"cost of model {adapter.name} must give a Cost of two whole numbers, not {shown(cost)}"
    raise refusal(type(adapter), "cost", what)


def checked_expectation(adapter: ModelAdapter, expectation: object) -> dict[str, float]:
    """The expectation of metrics, by name."""
    if isinstance(expectation, Mapping) and all(
        type(name) is str and isinstance(value, int | float) and math.isfinite(value) for name, value in expectation.items()
    ):
        return {name: float(value) for name, value in expectation.items()}
    what = f"expectation of model {adapter.name} must give a dict of names and numbers, not {shown(expectation)}"
    raise refusal(type(adapter), "expectation", what)


def checked_budget(adapter: ModelAdapter) -> int:
    """Tokens that a batch may cost."""
    budget: object = adapter.budget()
    if type(budget) is not int or budget < 0:
        raise refusal(type(adapter), "budget", f"budget of model {adapter.name} must be a whole number, not {shown(budget)}")
    return budget


def identity_of(adapter: ModelAdapter, request: Request) -> Hashable:
    """What equal requests have in common."""
    same: Hashable = adapter.identity(request)
    try:
        hash(same)
    except TypeError as error:
        what = f"identity of model {adapter.name} must give what can be the key of a dict, not {shown(same)}"
        raise refusal(type(adapter), "identity", what) from error
    return same
