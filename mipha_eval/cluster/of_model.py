"""Workers for a model that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mipha_eval.cluster.ray_cluster import RayCluster
from mipha_eval.cluster.settings import ModelOrder, WorkerSettings
from mipha_eval.cluster.workers import Workers
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.model import Model

#: options that spread a model over several GPUs
SPREADING = ("device_map", "tp")


def workers_of(
    model: Model, settings: WorkerSettings, plugins: Sequence[str | Path] = (), batch_size: int | None = None
) -> Workers:
    """Workers that answer in a model's place, not begun yet.

    Args:
        plugins: Python files with the model.
        batch_size: requests a batch; None leaves it to the model's token budget.

    Raises:
        UserError: Ray is not installed, the model is an object, which has no name to build it by, or it cannot use as many
            GPUs as each worker is to hold.
    """
    if not model.named:
        raise UserError("workers build a model by its name, and this one is an object; name it, or ask it in this process")
    check_spread(model, settings.gpus or 0)
    files = tuple(str(Path(file).resolve()) for file in plugins)
    order = ModelOrder(model.name, model.options, model.published is not None, files, batch_size, str(Path.cwd()))
    on_cpu = getattr(model.adapter, "device", None) == "cpu"
    return Workers(model.adapter, RayCluster(order, settings, on_cpu=on_cpu), settings, batch_size)


def check_spread(model: Model, gpus: float) -> None:
    """Raises UserError where each worker is to hold several GPUs, and the model would compute on one of them."""
    if gpus <= 1:
        return
    there = [name for name in SPREADING if hasattr(model.adapter, name)]
    if not there:
        raise UserError(
            f"model {model.name} computes on one GPU, and each worker is to hold {gpus:g}", flag="--gpus-per-worker 1"
        )
    if not any(name in model.options for name in there):
        raise UserError(
            f"each worker is to hold {gpus:g} GPUs, and the model is on one; spread it", flag="-a device_map=auto"
        )
