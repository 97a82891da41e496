"""A judge behind an OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Mapping

from mipha_eval.core.json_value import Json
from mipha_eval.core.types import Query, Verdict
from mipha_eval.judge.judge import Judge
from mipha_eval.judge.settings import JudgeChoice, api_key
from mipha_eval.models.served.client import ChatClient, FailedError, Reply, Server
from mipha_eval.models.served.spending import estimated_tokens


class OpenAIJudge(Judge):
    """Sends each query as one message of a user, see `ChatClient`."""

    def __init__(self, choice: JudgeChoice) -> None:
        self.name = choice.name
        server = Server("judge", choice.model, choice.base_url, api_key(choice), choice.timeout, choice.tries)
        self._model, self._client = choice.model, ChatClient(server)

    def describe(self) -> Mapping[str, Json]:
        return {"model": self._model, "base_url": self._client.base_url}

    async def close(self) -> None:
        await self._client.close()

    async def ask(self, query: Query, sample: str) -> Verdict:
        message = {"role": "user", "content": query.prompt}
        try:
            reply = await self._client.ask([message], query.max_tokens, {"temperature": query.temperature})
        except FailedError as error:
            return Verdict.failure(str(error))
        return _verdict(reply, query)


def _verdict(reply: Reply, query: Query) -> Verdict:
    found = reply.completion
    prompt, completion = found.prompt_tokens, found.completion_tokens
    return Verdict(
        text=found.text,
        model=found.model,
        prompt_tokens=estimated_tokens(query.prompt) if prompt is None else prompt,
        completion_tokens=estimated_tokens(found.text) if completion is None else completion,
        seconds=reply.seconds,
        left_out=", ".join(reply.left_out),
        finish=found.finish,
        error=found.lack.told(found.finish) if found.lack else "",
    )
