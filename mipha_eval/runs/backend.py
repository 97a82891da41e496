"""Where the model of a run answers."""

from __future__ import annotations

import logging

from mipha_eval.core.streaming_adapter import StreamingAdapter
from mipha_eval.engine.backend import Backend, InProcess
from mipha_eval.runs.settings import RunSettings

logger = logging.getLogger(__name__)


def backend_of(settings: RunSettings) -> Backend:
    """This process, or workers where a run asks for some.

    A model behind a server stays here, which has many requests under way as it is, and so does a floor, which computes
    nothing.

    Raises:
        UserError: workers are asked for, and cannot build the model, or what they need is not installed.
    """
    model = settings.model
    if settings.workers is None:
        return InProcess(model.adapter, settings.batch_size)
    if model.adapter.floor or isinstance(model.adapter, StreamingAdapter):
        logger.warning("model %s is asked from this process alone; workers would make it no faster", model.name)
        return InProcess(model.adapter, settings.batch_size)
    from mipha_eval.cluster.of_model import workers_of

    return workers_of(model, settings.workers, settings.plugins, settings.batch_size)
