"""A judge in this process: any model that answers text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from mipha_eval.core.json_value import Json
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.types import Decoding, Query, Request, Verdict
from mipha_eval.engine.backend import Backend
from mipha_eval.judge.judge import Judge
from mipha_eval.models.served.spending import estimated_tokens

#: queries under way at a time: prompts that begin alike are read together
AT_ONCE = 256


class AdapterJudge(Judge):
    """Queries that wait are answered together, in batches, by one thread. Decoding is greedy: a query that is asked again,
    hotter or not, has the same reply, which is made once.
    """

    def __init__(self, name: str, backend: Backend, workers: int = 1) -> None:
        """`workers` is how many the backend has."""
        self.name, self.at_once = name, AT_ONCE * workers
        self._backend = backend
        self._waiting: list[Request] = []
        self._replies: dict[Request, asyncio.Future[Verdict]] = {}
        self._thread = ThreadPoolExecutor(1, "judge-model")
        self._busy: asyncio.Task[None] | None = None

    @cached_property
    def _facts(self) -> ModelFacts:
        """Of the model, which is loaded when they are asked for."""
        return self._backend.load()

    def describe(self) -> Mapping[str, Json]:
        return {"model": self.name, **self._facts.weights, "decoding": "greedy"}

    def load(self) -> None:
        _ = self._facts

    async def ask(self, query: Query, sample: str) -> Verdict:
        request = Request(query.prompt, decoding=Decoding(query.max_tokens))
        if request not in self._replies:
            self._replies[request] = asyncio.get_running_loop().create_future()
            self._waiting.append(request)
            if self._busy is None or self._busy.done():
                self._busy = asyncio.create_task(self._answer_waiting())
        return await self._replies[request]

    def give_back(self) -> None:
        self._backend.close()

    async def close(self) -> None:
        self._thread.shutdown()
        self._backend.close()

    async def _answer_waiting(self) -> None:
        await asyncio.sleep(0)  # whoever is about to ask joins the batch
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                verdicts = await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, batch)
            except Exception as error:  # whoever asked gets it
                for request in batch:
                    self._replies[request].set_exception(error)
                continue
            for request, verdict in zip(batch, verdicts, strict=True):
                self._replies[request].set_result(verdict)

    def _answer(self, requests: Sequence[Request]) -> list[Verdict]:
        verdicts: dict[int, Verdict] = {}
        started = time.perf_counter()
        for answered in self._backend.run(requests):
            seconds = round((time.perf_counter() - started) / len(answered), 3)
            for place, response in answered:
                tokens = estimated_tokens(requests[place].text)
                ended = "" if response.error else response.finish
                made = Verdict(response.text, self.name, tokens, response.tokens, seconds, "", response.error, ended)
                verdicts[place] = made
            started = time.perf_counter()
        return [verdicts[place] for place in range(len(requests))]
