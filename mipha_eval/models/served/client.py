"""Asking a server of OpenAI's chat completions with the official client: the one place for models and for judges."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mipha_eval.core.json_value import Json
from mipha_eval.core.printable import printable
from mipha_eval.models.served.completion import Completion, NoCompletionError, own_words, read_completion
from mipha_eval.models.served.stopped import StoppedError
from mipha_eval.scoring.judging.dialogue import quoted

if TYPE_CHECKING:
    import openai

#: what a server wants a placeholder for where it wants no key
NO_KEY = "none"

#: replies that are no chat completion are asked for again so often
MALFORMED_TRIES = 2

#: codes of a 429 that no waiting mends
NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached")

#: codes of a server that filtered a prompt
FILTERED = ("content_filter", "content_policy_violation")

#: shorter ones are no secrets but what local servers are given (``none``, ``1``), and may well stand in a reply
KEY_LENGTH = 8

#: longest piece of a server's message that is kept
MESSAGE_LENGTH = 300

#: parameters that are left out together
TOGETHER: Mapping[str, Sequence[str]] = {"logprobs": ("top_logprobs",), "top_logprobs": ("logprobs",)}


class FailedError(Exception):
    """A request has no reply; says why in a line.

    Attributes:
        status: of HTTP; None where no error of the server's came.
        code: the server's own code of the error.
    """

    def __init__(self, reason: str, status: int | None = None, code: str = "") -> None:
        super().__init__(reason)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Server:
    """Where a model is asked, and how patiently.

    Attributes:
        whose: what messages call it, ``judge``.
        model: the name that the server knows it by.
        timeout: seconds that a whole reply may take, each time that a request is sent.
        tries: how often a request is sent at most while the server fails.
        most_bytes: of a reply.
        names: what parameters are called that the model refuses by their own name; None for one that it refuses altogether.
            Found out on the way, and shared by all clients.
    """

    whose: str
    model: str
    base_url: str | None
    key: str = field(repr=False)
    timeout: float
    tries: int
    most_bytes: int = 1_000_000
    names: dict[str, str | None] = field(default_factory=dict)

    def safe(self, text: str) -> str:
        """A text without the key."""
        return text.replace(self.key, "[key]") if len(self.key) >= KEY_LENGTH else text

    def short(self, text: str) -> str:
        """The beginning of a text without the key, in one line."""
        return printable(" ".join(self.safe(text).split())[:MESSAGE_LENGTH])


@dataclass(frozen=True)
class Reply:
    """A completion and what came of the request for it.

    Attributes:
        seconds: until it was there.
        left_out: parameters that the model refuses, so that it was asked without them.
    """

    completion: Completion
    seconds: float
    left_out: tuple[str, ...]


class ChatClient:
    """Sends requests, many at a time, in one event loop.

    The official client waits and tries again where a server is busy or fails (408, 409, 429 with ``Retry-After``, 5xx, lost
    connections, timeouts), at most `Server.tries` times. The key is sent to the server and nowhere else: it is taken out of
    whatever text comes back.
    """

    def __init__(self, server: Server) -> None:
        import openai

        from mipha_eval.models.served.transport import BoundedTransport

        self._server = server
        transport = BoundedTransport(server.timeout, server.most_bytes)
        self._client = openai.AsyncOpenAI(
            api_key=server.key or NO_KEY,
            base_url=server.base_url,
            timeout=server.timeout,
            max_retries=server.tries - 1,
            http_client=openai.DefaultAsyncHttpxClient(transport=transport, follow_redirects=False),
        )

    @property
    def base_url(self) -> str:
        return str(self._client.base_url)

    async def close(self) -> None:
        await self._client.close()

    async def ask(self, messages: Sequence[Mapping[str, Json]], limit: int, parameters: Mapping[str, Json]) -> Reply:
        """A reply, which may be none (a refusal, a filter), after as many tries as make sense.

        Args:
            limit: the most tokens of the reply.
            parameters: further ones; those that the model refuses are left out from then on.

        Raises:
            FailedError: there is none to this request.
            StoppedError: no other request would have one, either.
        """
        import openai

        reason = "not sent"
        for _ in range(MALFORMED_TRIES):
            wanted: dict[str, Json] = {"max_tokens": limit, **parameters}
            names = {ours: self._server.names.get(ours, ours) for ours in wanted}
            body: dict[str, object] = {"model": self._server.model, "messages": messages}
            body |= {name: wanted[ours] for ours, name in names.items() if name}
            try:
                reply = await self._send(body, limit)
            except openai.APIStatusError as error:
                if self._adapted(error, names):
                    return await self.ask(messages, limit, parameters)
                raise self._refused(error) from None
            except NoCompletionError as error:
                reason = f"the reply is {error}"
            except (openai.OpenAIError, UnicodeEncodeError) as error:
                raise self._lost(error) from None
            else:
                return replace(reply, left_out=tuple(ours for ours, name in names.items() if not name))
        raise FailedError(self._server.short(reason))

    async def _send(self, body: Mapping[str, object], limit: int) -> Reply:
        """Raises what the client does, and NoCompletionError."""
        import httpx2

        started = time.perf_counter()
        # not chat.completions.create, which spends half of its time on checking and building typed objects
        reply = await self._client.post("/chat/completions", body=dict(body), cast_to=httpx2.Response)
        seconds = time.perf_counter() - started
        found = read_completion(reply.content, limit, self._server.safe)
        short = self._server.short
        found = replace(found, model=short(found.model), fingerprint=short(found.fingerprint))
        return Reply(found, round(seconds, 3), ())

    async def listed(self) -> list[str] | None:
        """The names of the server's models; None where it does not tell. Raises FailedError if there is no server."""
        import httpx2
        import openai

        try:
            reply = await self._client.with_options(max_retries=0).get("/models", cast_to=httpx2.Response)
            rows = reply.json()["data"]
            return [self._server.short(row["id"]) for row in rows]
        except openai.APIConnectionError as error:
            raise self._lost(error) from None
        except (openai.OpenAIError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _lost(self, error: Exception) -> FailedError | StoppedError:
        """What to raise where no reply came, or none that can be read."""
        import openai

        from mipha_eval.models.served.transport import RedirectedError, TooLongError

        server = self._server
        if isinstance(error, RedirectedError):
            where = server.short(error.target)
            return StoppedError(
                f"HTTP {error.status} to {where}; prompts follow no redirect; give that as the {server.whose}'s address"
            )
        if isinstance(error, TooLongError):
            text = server.safe(error.beginning.decode(errors="replace"))
            return FailedError(server.short(f"the reply is longer than {server.most_bytes:,} bytes: {quoted(text)}"))
        if isinstance(error, openai.APITimeoutError):
            return FailedError(f"no reply within {server.timeout:g} s")
        if isinstance(error, UnicodeEncodeError):  # a lone surrogate in a question or an answer
            return FailedError(f"the prompt cannot be sent: {error.reason}")
        return FailedError(server.short(f"lost: {why_lost(error)}"))

    def _adapted(self, error: openai.APIStatusError, names: Mapping[str, str | None]) -> bool:
        """Whether a request that was sent with these `names` of parameters can be sent with others.

        Takes another name for a parameter that this model refuses, unless a request beside this one has led to it already;
        newer models of OpenAI's refuse two.
        """
        ours = next((ours for ours, name in names.items() if name and name == error.param), None)
        if ours is None or error.status_code != 400:
            return False
        known = self._server.names
        if known.get(ours, ours) != names[ours]:
            return True
        renamed = ours == "max_tokens" and names[ours] == "max_tokens"
        known[ours] = "max_completion_tokens" if renamed else None
        known.update(dict.fromkeys(TOGETHER.get(ours, ()), None))
        return True

    def _refused(self, error: openai.APIStatusError) -> FailedError | StoppedError:
        """What to raise for an error of the server's: of what may concern this request alone, or of what concerns all."""
        short, status = self._server.short, error.status_code
        text = f"HTTP {status}: {own_words(error.response.content) or error.response.reason_phrase}"
        waits = error.response.headers.get("retry-after", "")
        if status in (401, 403):
            return StoppedError(short(f"{text}; is the key in the environment right?"))
        if status == 404:
            return StoppedError(short(f"{text}; is there such a model, and does the address end in /v1?"))
        if status == 429 and error.code in NO_MONEY:
            return StoppedError(short(text))
        if status == 429 and waits:
            return StoppedError(short(f"{text}; it still asks to wait {waits} s, go on later"))
        return FailedError(short(text), status, str(error.code or ""))


def why_lost(error: BaseException) -> str:
    """Why a connection was lost or never made, in the system's words where it has some."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__
    return str(error.__cause__ or "") or str(error)
