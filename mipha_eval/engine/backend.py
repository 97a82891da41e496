"""Where a model answers."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from types import TracebackType

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import PluginError
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.types import Request, Response
from mipha_eval.engine.distinct import IndexedResponses
from mipha_eval.engine.engine import Engine
from mipha_eval.store.worker_record import WorkerRecord

logger = logging.getLogger(__name__)


class Backend(ABC):
    """A model that is loaded somewhere; entered when it is, left when what it took is to be given back.

    Attributes:
        digests: of pictures that were read elsewhere than in this process, by location.
        first_worker: the number within the run of the first worker of this command, where there are workers.
        tell: is told the workers so far, whenever there is another one and now and then.
    """

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        self.first_worker = 0
        self.tell: Callable[[Sequence[WorkerRecord]], object] = lambda _: None

    @abstractmethod
    def load(self) -> ModelFacts:
        """Reads weights, so that mistakes show before anything is asked. Raises UserError."""

    @abstractmethod
    def run(
        self,
        requests: Sequence[Request],
        stop: Callable[[], bool] = lambda: False,
        known: Mapping[Hashable, Response] | None = None,
    ) -> Iterator[IndexedResponses]:
        """Yields (place of request, response) as answers come; all requests of one identity get its response.

        Args:
            stop: asked now and then; once it is true, what is under way comes to its end and nothing else is asked.
            known: responses from before, by request identity; these are not asked for.
        """

    @abstractmethod
    def reference(self, requests: Sequence[Request]) -> list[Response]:
        """The same requests by a path that shares nothing, see `ModelAdapter.reference`."""

    def lines(self) -> list[str]:
        """How far each worker is, a line each; none where there are none."""
        return []

    def note(self) -> None:  # noqa: B027 - where there are no workers there is nothing to tell
        """Tells of the workers, and what they have done until now."""

    def release(self) -> None:  # noqa: B027 - as for `close`
        """Everything is answered: gives back what others could use while answers are scored."""

    def close(self) -> None:  # noqa: B027 - nothing to give back is a fine default
        """Gives back what was taken."""

    def __enter__(self) -> Backend:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class InProcess(Backend):
    """A model in this process."""

    def __init__(self, adapter: ModelAdapter, batch_size: int | None = None) -> None:
        super().__init__()
        self._adapter, self._batch_size = adapter, batch_size

    def load(self) -> ModelFacts:
        self._adapter.load()
        return ModelFacts.of(self._adapter)

    def run(
        self,
        requests: Sequence[Request],
        stop: Callable[[], bool] = lambda: False,
        known: Mapping[Hashable, Response] | None = None,
    ) -> Iterator[IndexedResponses]:
        return Engine(self._adapter, self._batch_size, stop=stop, known=known or {}).run(requests)

    def reference(self, requests: Sequence[Request]) -> list[Response]:
        return self._adapter.reference(requests)

    def close(self) -> None:
        """A plugin's model that cannot be closed is told of, and takes no result with it."""
        try:
            with blaming():
                self._adapter.close()
        except PluginError as error:
            logger.warning("model %s is not closed: %s", self._adapter.name, error)
