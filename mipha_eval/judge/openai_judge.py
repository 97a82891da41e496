"""A judge behind an OpenAI-compatible server, asked with the official client."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mipha_eval.core.json_value import Json
from mipha_eval.core.printable import printable
from mipha_eval.core.types import Query, Verdict
from mipha_eval.judge.completion import NoCompletionError, own_words, read_completion
from mipha_eval.judge.judge import Judge, JudgeStoppedError
from mipha_eval.judge.settings import JudgeChoice, api_key
from mipha_eval.scoring.judging.dialogue import quoted

if TYPE_CHECKING:
    import openai

#: what a server wants a placeholder for where it wants no key
NO_KEY = "none"

#: replies that are no chat completion are asked for again so often
MALFORMED_TRIES = 2

#: codes of a 429 that no waiting mends
NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached")

#: shorter ones are no secrets but what local servers are given (``none``, ``1``), and may well stand in a reply
KEY_LENGTH = 8

#: longest piece of a server's message that is kept
MESSAGE_LENGTH = 300


class OpenAIJudge(Judge):
    """Sends each query as one message of a user.

    The client itself waits and tries again where a server is busy or fails (408, 409, 429 with ``Retry-After``, 5xx, lost
    connections, timeouts), at most `JudgeChoice.tries` times, each time for a whole reply in `JudgeChoice.timeout` seconds.
    The key is read from the environment, sent to the server and nowhere else: it is taken out of whatever text comes back.
    """

    def __init__(self, choice: JudgeChoice) -> None:
        import openai

        from mipha_eval.judge.transport import BoundedTransport

        self.name = choice.name
        self._choice = choice
        self._key = api_key(choice)
        # a model that refuses a parameter gets another, or none, from then on
        self._names: dict[str, str | None] = {"max_tokens": "max_tokens", "temperature": "temperature"}
        self._client = openai.AsyncOpenAI(
            api_key=self._key or NO_KEY,
            base_url=choice.base_url,
            timeout=choice.timeout,
            max_retries=choice.tries - 1,
            http_client=openai.DefaultAsyncHttpxClient(transport=BoundedTransport(choice.timeout), follow_redirects=False),
        )

    def describe(self) -> Mapping[str, Json]:
        return {"model": self._choice.model, "base_url": str(self._client.base_url)}

    async def close(self) -> None:
        await self._client.close()

    async def ask(self, query: Query, sample: str) -> Verdict:
        import openai

        verdict = Verdict.failure("not sent")
        for _ in range(MALFORMED_TRIES):
            names = dict(self._names)
            try:
                return await self._send(query, names)
            except openai.APIStatusError as error:
                return await self.ask(query, sample) if self._adapted(error, names) else self._refused(error)
            except NoCompletionError as error:
                verdict = self._failure(f"the reply is {error}")
            except (openai.OpenAIError, UnicodeEncodeError) as error:
                return self._failure(self._why_none(error))
        return verdict

    async def _send(self, query: Query, names: Mapping[str, str | None]) -> Verdict:
        """Raises what the client does, and NoCompletionError."""
        import httpx2

        values = {"max_tokens": query.max_tokens, "temperature": query.temperature}
        given = {name: values[ours] for ours, name in names.items() if name}
        message = {"role": "user", "content": query.prompt}
        body = {"model": self._choice.model, "messages": [message], **given}
        started = time.perf_counter()
        # not chat.completions.create, which spends half of its time on checking and building typed objects
        reply = await self._client.post("/chat/completions", body=body, cast_to=httpx2.Response)
        seconds = time.perf_counter() - started
        verdict = read_completion(reply.content, query, self._safe)
        left_out = ", ".join(ours for ours, name in names.items() if not name)
        return replace(verdict, model=self._short(verdict.model), seconds=round(seconds, 3), left_out=left_out)

    def _why_none(self, error: Exception) -> str:
        """Why a query has no reply. Raises JudgeStoppedError where no other would have one, either."""
        import openai

        from mipha_eval.judge.transport import MOST_BYTES, RedirectedError, TooLongError

        if isinstance(error, RedirectedError):
            where = self._short(error.target)
            raise JudgeStoppedError(
                f"HTTP {error.status} to {where}; prompts follow no redirect; give that as the judge's address"
            ) from None
        if isinstance(error, TooLongError):
            text = self._safe(error.beginning.decode(errors="replace"))
            return f"the reply is longer than {MOST_BYTES:,} bytes: {quoted(text)}"
        if isinstance(error, openai.APITimeoutError):
            return f"no reply within {self._choice.timeout:g} s"
        if isinstance(error, UnicodeEncodeError):  # a lone surrogate in a question or an answer
            return f"the prompt cannot be sent: {error.reason}"
        return f"lost: {why_lost(error)}"

    def _adapted(self, error: openai.APIStatusError, names: Mapping[str, str | None]) -> bool:
        """Whether a query that was sent with these `names` of parameters can be sent with others.

        Takes another name for a parameter that this model refuses, unless a query beside this one has led to it already;
        newer models of OpenAI's refuse two.
        """
        ours = next((ours for ours, name in names.items() if name and name == error.param), None)
        if ours is None or error.status_code != 400:
            return False
        if self._names[ours] != names[ours]:
            return True
        renamed = ours == "max_tokens" and self._names[ours] == "max_tokens"
        self._names[ours] = "max_completion_tokens" if renamed else None
        return True

    def _refused(self, error: openai.APIStatusError) -> Verdict:
        """A failed verdict for what may concern this query alone. Raises JudgeStoppedError for what concerns all."""
        text = f"HTTP {error.status_code}: {own_words(error.response.content) or error.response.reason_phrase}"
        waits = error.response.headers.get("retry-after", "")
        if error.status_code in (401, 403):
            raise JudgeStoppedError(self._short(f"{text}; is the key in the environment right?"))
        if error.status_code == 404:
            raise JudgeStoppedError(self._short(f"{text}; is there such a model, and does the address end in /v1?"))
        if error.status_code == 429 and error.code in NO_MONEY:
            raise JudgeStoppedError(self._short(text))
        if error.status_code == 429 and waits:
            raise JudgeStoppedError(self._short(f"{text}; it still asks to wait {waits} s, go on later"))
        return self._failure(text)

    def _failure(self, reason: str) -> Verdict:
        return Verdict.failure(self._short(reason))

    def _short(self, text: str) -> str:
        return printable(" ".join(self._safe(text).split())[:MESSAGE_LENGTH])

    def _safe(self, text: str) -> str:
        return text.replace(self._key, "[key]") if len(self._key) >= KEY_LENGTH else text


def why_lost(error: BaseException) -> str:
    """Why a connection was lost or never made, in the system's words where it has some."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__
    return str(error.__cause__ or "") or str(error)
