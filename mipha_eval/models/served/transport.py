"""HTTP to a server with bounds: a whole reply's time and size, and no other address than the one given.

The library's own timeout is a single read's, it keeps replies of any size, and it sends prompts on to wherever it is told.
"""

from __future__ import annotations

import asyncio

import httpx2  # what openai's client is made of
import openai


class TooLongError(openai.OpenAIError):
    """A reply has more bytes than it may; carries the beginning. The client does not ask again."""

    def __init__(self, beginning: bytes) -> None:
        super().__init__("the reply is too long")
        self.beginning = beginning


class RedirectedError(openai.OpenAIError):
    """A server sends whoever asks on to `target` (here without what may be a key). The client does not ask again."""

    def __init__(self, status: int, target: httpx2.URL) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.target = str(target.copy_with(username=None, password=None, query=None, fragment=None))


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Reads whole replies, of so many seconds and bytes at most, through a client of aiohttp's, which takes half the
    processor time a request of the usual one.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._seconds, self._most_bytes = seconds, most_bytes
        self._client = openai.DefaultAioHttpClient(follow_redirects=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises ReadTimeout, ConnectError, TooLongError, RedirectedError, and what else httpx2 does."""
        try:
            return await asyncio.wait_for(self._reply(request), self._seconds)
        except TimeoutError as error:  # two classes before Python 3.11
            raise httpx2.ReadTimeout(f"no reply within {self._seconds:g} s", request=request) from error
        except httpx2.ConnectTimeout as error:  # what aiohttp's lost and refused connections are all called here
            if isinstance(error.__cause__, asyncio.TimeoutError):
                raise
            raise httpx2.ConnectError(str(error), request=request) from error.__cause__

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _reply(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._client.send(request, stream=True)
        try:
            if response.has_redirect_location:
                target = request.url.join(response.headers["location"])
                raise RedirectedError(response.status_code, target)
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > self._most_bytes:
                    if response.is_success:
                        raise TooLongError(bytes(body[:1000]))
                    break  # an error's beginning is enough
        finally:
            await response.aclose()
        kept = [(name, value) for name, value in response.headers.multi_items() if name not in LENGTHS]
        return httpx2.Response(response.status_code, headers=kept, content=bytes(body[: self._most_bytes]), request=request)


#: headers that a body is without once it is read
LENGTHS = ("content-encoding", "content-length", "transfer-encoding")
