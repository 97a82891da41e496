"""A worker as an actor of Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mipha_eval.cluster.messages import Broken, Done, Picture, WorkerFacts
    from mipha_eval.cluster.settings import ModelOrder

#: calls that an actor takes at a time: they wait until its model's thread has done them
AT_ONCE = 8


def actor_class() -> Any:
    """The class, which Ray sends to nodes by value: so that one without this package, or with another version of it, can
    still say so.
    """
    import ray

    context: Any = ray.get_runtime_context

    class Worker:
        """Imports what it needs when it is asked for it."""

        def version(self) -> str:
            from mipha_eval import __version__

            return __version__

        def stay(self) -> None:
            """Never comes back: what it ends with is the end of the process, whether it has anything to do or not."""
            import threading

            threading.Event().wait()

        def load(self, order: ModelOrder, level: int, gpus: float) -> WorkerFacts | Broken:
            from mipha_eval.cluster.worker import Worker as Model
            from mipha_eval.core.own_process import set_up_process

            set_up_process()
            self.model = Model(order, level)
            return self.model.load(context().get_node_id(), gpus)

        def do(self, job: bytes, locations: Sequence[str], *pictures: Picture) -> Done | Broken:
            from mipha_eval.cluster.packing import unpacked

            return self.model.do(unpacked(job), dict(zip(locations, pictures, strict=True)))

    remote: Any = ray.remote
    return remote(max_restarts=0, max_task_retries=0, max_concurrency=AT_ONCE)(Worker)
