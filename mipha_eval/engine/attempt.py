"""A batch that fails is tried again in parts, so that a request that nobody can answer takes no other with it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Hashable, Sequence
from pathlib import Path

from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.errors import ContractError, DeviceMemoryError, PluginError, UserError
from mipha_eval.core.plugins.checks.models import checked_cost
from mipha_eval.core.plugins.checks.responses import checked_responses
from mipha_eval.core.types import Request, Response
from mipha_eval.engine.plan import Limits, halves, price

logger = logging.getLogger(__name__)

#: a model that has answered nothing is given up when requests about so many pictures, or so many without one, each asked
#: alone, failed in the same place
HOPELESS = 8


class Attempts:
    """Asks an adapter; what fails with a batch is asked again in halves, between images where there are several.

    A request that fails alone is a failed response with its reason. What stops a run instead: a UserError; whatever is no
    Exception, such as Ctrl-C; and, while nothing has been answered, what is the model's fault and no request's: it fails in
    one place again and again, or returns no response for any request. Then its own error is raised.
    """

    def __init__(self, adapter: ModelAdapter, limits: Limits) -> None:
        self._adapter, self._limits = adapter, limits
        self._answered = False
        self._failures: dict[str, set[Hashable]] = {}
        self._said: set[str] = set()
        self._broken: PluginError | None = None

    def trust(self) -> None:
        """Notes that the model has answered something, elsewhere: what fails from now on is a request's fault."""
        self._answered = True

    def prefetch(self, batch: Sequence[Request]) -> None:
        """Tells the adapter what will be asked; a hint that fails is none."""
        try:
            self._adapter.prefetch(batch)
        except UserError:
            raise
        except Exception as error:  # an adapter is anybody's code
            self._say(f"could not prepare for {len(batch)} questions", error)

    def cost(self, request: Request) -> Cost:
        """What the adapter says; a request that it has no estimate for fills a batch of its own."""
        try:
            return checked_cost(self._adapter, self._adapter.cost(request))
        except PluginError as error:
            self._say("has no estimate for a question", error)
            return Cost(0, self._limits.budget)
        except UserError:
            raise
        except Exception as error:  # an adapter is anybody's code
            self._say("has no estimate for a question", error)
            return Cost(0, self._limits.budget)

    def answer(self, batch: Sequence[Request]) -> list[Response]:
        """A response to each request. Raises what shows that the model is broken, as said above."""
        responses = self._answer(batch)
        if self._broken is not None and not self._answered:
            raise self._broken
        return responses

    def _answer(self, batch: Sequence[Request]) -> list[Response]:
        """In smaller batches where this one fails."""
        try:
            responses = self._respond(batch)
        except (DeviceMemoryError, MemoryError) as error:
            # the text alone: the traceback keeps alive what filled the device, and the next attempt needs the room
            failure = Response.failure(f"out of memory: {error}".removesuffix(": "))
            if len(batch) > 1:
                self._make_smaller(batch)
        except UserError:
            raise
        except Exception as error:  # an adapter is anybody's code
            failure = self._failure(batch, error)
        else:
            self._answered = True
            return responses
        return [failure] if len(batch) == 1 else [response for half in halves(batch) for response in self._answer(half)]

    def _respond(self, batch: Sequence[Request]) -> list[Response]:
        try:
            return checked_responses(self._adapter, batch, self._adapter.respond(batch))
        except PluginError as error:
            raise ContractError(str(error)) from error

    def _make_smaller(self, batch: Sequence[Request]) -> None:
        tokens = price(batch, self.cost)
        if not self._limits.lowered:
            logger.warning("the device's memory does not hold %s tokens; batches are made smaller", f"{tokens:,}")
        self._limits.lower(tokens // 2)

    def _failure(self, batch: Sequence[Request], error: Exception) -> Response:
        """The reason as a response. Raises `error` if the model can do nothing at all."""
        place = _place(error)
        of_contract = isinstance(error, ContractError)
        if of_contract:
            self._broken = self._broken or PluginError(str(error))
        if len(batch) > 1:
            self._say(f"failed on a batch of {len(batch)} questions, which are asked again in parts", error)
        else:
            failed = self._failures.setdefault(place, set())
            failed.add(batch[0].images or batch[0].text)
            if len(failed) >= HOPELESS and not self._answered:
                if self._broken is not None:
                    raise self._broken from error
                self._say("failed here on each of its first questions, asked one at a time", error, again=True)
                raise error
        return Response.failure(f"the model failed: {_told(error)}")

    def _say(self, what: str, error: Exception, *, again: bool = False) -> None:
        """Once a place, however often it fails there, unless it is to be said `again`."""
        place = _place(error)
        if again or place not in self._said:
            self._said.add(place)
            logger.warning("model %s %s: %s", self._adapter.name, what, _told(error))


def _told(error: Exception) -> str:
    """An error in a line with its place, which one about the contract names itself."""
    return str(error) if isinstance(error, ContractError | PluginError) else f"{_line(error)} ({_place(error)})"


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}".removesuffix(": ")


def _place(error: Exception) -> str:
    """File and line of the innermost call that is not in an installed package, else of the innermost."""
    calls = traceback.extract_tb(error.__traceback__)
    own = [call for call in calls if "site-packages" not in call.filename] or calls
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"
