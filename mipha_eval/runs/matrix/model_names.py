"""What the models of a matrix are called, before anything is known of their weights: as their runs will be called."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.selection import deciding_options
from mipha_eval.core.record import checked
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.run_names import run_names


def model_names(chosen: Sequence[tuple[str, Model]]) -> list[str]:
    """A name for each, in their order; see `run_names`.

    Args:
        chosen: what each is to be called, "" for what it is called anyway, and the model. A name that several have stands in
            the place of their model's.
    """
    count = Counter(called for called, _ in chosen)
    alone = {place: called for place, (called, _) in enumerate(chosen) if called and count[called] == 1}
    others = [place for place in range(len(chosen)) if place not in alone]
    named = run_names([(Path(), _manifest(*chosen[place])) for place in others], begun=False)
    found = alone | dict(zip(others, named, strict=True))
    return [found[place] for place in range(len(chosen))]


def _manifest(called: str, model: Model) -> Manifest:
    """As much of a run's as its name is made of."""
    known = {
        "model": called or model.name,
        "data": model.data or "hub",
        "options": dict(model.options) if called else deciding_options(model.adapter),
        "config": {"model": {"options": [f"{key}={text}" for key, text in model.options.items()]}},
        "asking": model.askings.given or None,
        "as_published": bool(model.published) and not called,
    }
    return checked(Manifest, json.loads(json.dumps(known, default=str)), f"the settings of model {model.name}")
