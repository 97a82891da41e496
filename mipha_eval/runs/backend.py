"""Where the model of a run answers."""

from __future__ import annotations

from mipha_eval.engine.backend import Backend, InProcess
from mipha_eval.runs.settings import RunSettings


def backend_of(settings: RunSettings) -> Backend:
    """This process, or workers where a run asks for some."""
    return InProcess(settings.model.adapter, settings.batch_size)
