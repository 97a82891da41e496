"""Which run it is: the one that was begun with the same model and data, or a new one with its manifest."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal

from mipha_eval import __version__
from mipha_eval.core.controls import Control
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.package_versions import package_versions
from mipha_eval.core.plugins.code_digest import code_digest
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.selection import deciding_options
from mipha_eval.core.record import checked
from mipha_eval.judge.grading import Grading
from mipha_eval.judge.recorded import RecordedGrades
from mipha_eval.runs.settings import RunSettings
from mipha_eval.runs.unloaded import Unloaded
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.migrations import FORMAT
from mipha_eval.store.run_folder import RunFolder


def open_run(settings: RunSettings) -> RunFolder:
    """The run that was begun with the same model, which is loaded, and data, else a new one; of a model that need not be
    loaded, the one that was found.
    """
    model, source = settings.model, settings.source
    if isinstance(model.adapter, Unloaded):
        return model.adapter.folder
    same = {
        **decided(model, settings.task_options, source, settings.control),
        "weights": model.facts.weights,
    }
    identity = hashlib.sha256(json.dumps(same, sort_keys=True, default=str).encode()).hexdigest()[:16]
    found = None if settings.fresh else RunFolder.find(settings.output, identity)
    if found is not None:
        return found
    manifest = {
        "schema": FORMAT,
        "identity": identity,
        "mipha_eval": __version__,
        "argv": sys.argv[1:],
        "config": asked(settings),
        **same,
        "about": model.facts.about,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "packages": package_versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    plain = json.loads(json.dumps(manifest, default=str))
    return RunFolder.create(settings.output, checked(Manifest, plain, "the manifest of this run"))


def decided(model: Model, task_options: Mapping[str, str], source: DataSource, control: Control | None) -> dict[str, object]:
    """What decides a run's answers, as far as it is known before the weights are read."""
    return {
        "model": model.name,
        "options": deciding_options(model.adapter),
        "task_options": dict(task_options),
        "data": str(source),
        "annotations": source.annotations,
        "image_dirs": dict(source.image_dirs),
        "blind": control == "blind",
        **({"control": control} if control not in (None, "blind") else {}),
        **({"code": code} if (code := code_digest(type(model.adapter))) else {}),
        **({"asking": asking} if (asking := model.askings.given) else {}),
        **({"as_published": True} if model.published else {}),
    }


def asked(settings: RunSettings) -> dict[str, object]:
    """What was asked for, as the manifest tells it."""
    options = {**settings.model.options, **settings.task_options}
    return {
        "model": {"name": settings.model.name, "options": [f"{key}={text}" for key, text in options.items()]},
        "tasks": [task.label for task in settings.tasks],
        "data": str(settings.source),
        "output": settings.output,
        "limit": settings.limit,
        "batch_size": settings.batch_size,
        "control": settings.control,
        "check": settings.check,
        "probabilities": settings.probabilities,
        "judge": settings.grading and settings.grading.judge.name,
        "judging": settings.grading and _judging(settings.grading),
        "plugins": [str(each) for each in settings.plugins],
    }


def _judging(grading: Grading) -> dict[str, object]:
    """How a judge, or recorded grades, were asked for, by the names of the flags that say so."""
    choice = grading.choice
    if choice is None:
        return {"grades": str(grading.judge.path)} if isinstance(grading.judge, RecordedGrades) else {}
    budget = [f"{_plain(amount)}{unit}" for unit, amount in asdict(choice.budget).items() if amount is not None]
    return {
        "judge": choice.model,
        "judge_base_url": choice.base_url,
        "judge_runs": choice.runs,
        "judge_concurrency": choice.concurrency,
        "judge_timeout": choice.timeout,
        "judge_tries": choice.tries,
        "judge_budget": ",".join(budget) or None,
        "judge_price": f"{choice.price.prompt!r},{choice.price.reply!r}" if choice.price else None,
        "judge_correctness": choice.correctness,
    }


def _plain(amount: float) -> str:
    """All digits of a number, without an exponent."""
    return format(Decimal(repr(amount)), "f")
