"""Many requests to a server under way at a time, in an event loop of a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import lru_cache
from queue import SimpleQueue

from msgspec import structs

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.types import Image, Request, Response
from mipha_eval.models.served.answer import CONTENT_FILTER, answer, failure
from mipha_eval.models.served.chat_form import ChatForm
from mipha_eval.models.served.client import ChatClient, FailedError, Server
from mipha_eval.models.served.pictures import SentPicture, sent_picture
from mipha_eval.models.served.spending import Spending
from mipha_eval.models.served.stopped import StoppedError

logger = logging.getLogger(__name__)

#: a server that replies to nobody is given up after failures about so many pictures in a row, or as many as are under way
PATIENCE = 8

#: statuses of HTTP that say that a server fails, and not that it refuses a request
FAILING = 500

#: seconds that connections have for being closed
PARTING = 10.0

#: what no server refuses that has the model that it is asked for
GREETING = "Hello"

Put = Callable[[tuple[int, Response]], None]


class Asking:
    """Asks for responses, `concurrency` at a time, in the order that is given, so that a server that keeps what it read of a
    picture is asked about it again at once.

    The first request goes alone: what is wrong with the server shows there. When nothing further will be answered (a wrong
    key, a spent budget, nothing but failures), `stopped` says why, and what is left is not asked.
    """

    def __init__(self, server: Server, form: ChatForm, spending: Spending, concurrency: int, most_bytes: int | None) -> None:
        self.server, self.spending, self.stopped = server, spending, ""
        self._form, self._concurrency = form, concurrency
        self._answered = self._looked = self._told = False
        self._failed: set[object] = set()
        self._said: set[str] = set()
        # requests about a picture are neighbours, so that a few pictures suffice
        self._picture = lru_cache(2 * concurrency)(lambda image: sent_picture(image, most_bytes))
        self._loop = asyncio.new_event_loop()
        self._room = asyncio.Semaphore(concurrency)
        self._client = ChatClient(server)
        self._thread = threading.Thread(target=self._run, name="served", daemon=True)
        self._thread.start()

    def stream(self, requests: Sequence[Request], stop: Callable[[], bool]) -> Iterator[tuple[int, Response]]:
        """As `StreamingAdapter.stream` has it."""
        answers: SimpleQueue[tuple[int, Response] | None] = SimpleQueue()
        left = threading.Event()
        work = self._ask_all(requests, lambda: stop() or left.is_set(), answers.put)
        done: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)
        done.add_done_callback(lambda _: answers.put(None))
        try:
            while (found := answers.get()) is not None:
                yield found
        finally:
            left.set()
        done.result()  # raises what went wrong there
        if self.stopped and not self._answered:
            raise UserError(f"model {self.server.model}: {self.stopped}")
        if self.stopped and not self._told:
            self._told = True
            logger.warning("model %s: %s", self.server.model, self.stopped)

    def close(self) -> None:
        """Gives up what is under way, and gives connections back."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PARTING)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._end())
        finally:
            self._loop.close()

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._client.close()
        await self._loop.shutdown_default_executor()

    async def _ask_all(self, requests: Sequence[Request], stop: Callable[[], bool], put: Put) -> None:
        places = iter(range(len(requests)))

        async def work(most: int) -> None:
            for _ in range(most):
                place = None if self.stopped or stop() else next(places, None)
                if place is None:
                    return
                async with self._room:
                    response = await self._response(requests[place])
                if response is not None:
                    put((place, response))

        if not self._answered:
            await self._look_for_server()
            await work(1)
        await asyncio.gather(*(work(len(requests)) for _ in range(min(self._concurrency, len(requests)))))

    async def _look_for_server(self) -> None:
        try:
            await self._client.listed()
        except FailedError as error:
            self._stop(f"no server answers at {self._client.base_url}: {error}")
        except StoppedError as error:
            self._stop(str(error))

    async def _response(self, request: Request) -> Response | None:
        """An answer or a counted failure; None for what was not asked."""
        if self.stopped:
            return None
        try:
            pictures = await asyncio.to_thread(self._pictures, request.images)
            return await self._ask(request, pictures)
        except RequestError as error:
            return Response.failure(str(error))
        except StoppedError as error:
            self._stop(str(error))
        return None

    def _pictures(self, images: Sequence[Image]) -> list[SentPicture]:
        return [self._picture(image) for image in images]

    async def _ask(self, request: Request, pictures: Sequence[SentPicture]) -> Response:
        estimate, limit = self._form.estimate(request), request.decoding.max_new_tokens
        reserved, took = await self.spending.reserve(estimate, limit, lambda: self.stopped), (0, 0)
        try:
            messages, parameters = self._form.messages(request, pictures), self._form.parameters(request)
            reply = await self._client.ask(messages, limit, parameters)
            response = answer(request, reply, self.server.model, estimate)
            if response.served is not None:
                took = response.served.prompt_tokens, response.served.completion_tokens
        except FailedError as error:
            response = failure(error)
            await self._note_failure(request, error, filtered=response.error == CONTENT_FILTER)
        else:
            self._answered = True
            self._failed.clear()
            self._say_what_is_ignored(response)
        finally:
            self.spending.settle(reserved, *took)
        return self._with_costs(response, sum(each.resized for each in pictures))

    def _with_costs(self, response: Response, resized: int) -> Response:
        """The response with its price, where that is known, and the number of pictures that were made smaller."""
        served, price = response.served, self.spending.price
        if served is None:
            return response
        usd = round(price.of(served.prompt_tokens, served.completion_tokens), 9) if price else None
        return replace(response, served=structs.replace(served, usd=usd, resized=resized))

    def _say_what_is_ignored(self, response: Response) -> None:
        """Once each."""
        served = response.served
        for name in (*served.ignored, *served.left_out) if served else ():
            if name not in self._said:
                self._said.add(name)
                what = "gives no" if served and name in served.ignored else "refuses"
                logger.warning("model %s: the server %s %s", self.server.model, what, name)

    async def _note_failure(self, request: Request, error: FailedError, *, filtered: bool) -> None:
        """Stops where a server replies to nobody; one that refuses some requests is another matter."""
        refused = error.status is not None and error.status < FAILING
        if filtered or (refused and self._answered):
            return
        if refused and not self._looked:
            self._looked = True
            await self._look_for_model(error)
        self._failed.add(request.images or request.text)
        if len(self._failed) >= max(PATIENCE, self._concurrency):
            self._stop(f"requests about {len(self._failed)} pictures in a row failed, the last: {error}")

    async def _look_for_model(self, error: FailedError) -> None:
        """Stops if it is not the request that the server refuses: it has no such model, or refuses a greeting, too."""
        names = await self._client.listed()
        if names and self.server.model not in names:
            shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            return self._stop(f"{error}; there is no such model, the server has {shown}")
        try:
            await self._client.ask([{"role": "user", "content": GREETING}], 1, {})
        except FailedError as again:
            if again.status == error.status:
                self._stop(str(again))
        return None

    def _stop(self, reason: str) -> None:
        self.stopped = self.stopped or reason
