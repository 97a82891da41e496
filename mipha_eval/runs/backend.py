"""Where the model of a run answers."""

from __future__ import annotations

import logging
from pathlib import Path

from mipha_eval.cluster.settings import ModelOrder
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.model import Model
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
    from mipha_eval.cluster.ray_cluster import RayCluster
    from mipha_eval.cluster.workers import Workers

    on_cpu = getattr(model.adapter, "device", None) == "cpu"
    cluster = RayCluster(model_order(model, settings), settings.workers, on_cpu=on_cpu)
    return Workers(model.adapter, cluster, settings.workers, settings.batch_size)


def model_order(model: Model, settings: RunSettings) -> ModelOrder:
    """What workers build the model from. Raises UserError for one that is an object, which has no name for them."""
    if not model.named:
        raise UserError("workers build a model by its name, and this one is an object; name it, or ask it in this process")
    files = tuple(str(Path(file).resolve()) for file in settings.plugins)
    return ModelOrder(model.name, model.options, model.published is not None, files, settings.batch_size)
