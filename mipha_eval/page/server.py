"""The server of a view: reads only, and by default for this machine alone.

Requests under another name than the server's are refused, so that a page from elsewhere cannot read a run through a name
of its own that leads to this machine (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiohttp import web

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.data.images import ImageError
from mipha_eval.page.runs import read_runs
from mipha_eval.page.served_view import HTML, Sent, ServedView
from mipha_eval.page.view import View

logger = logging.getLogger(__name__)

ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": "mipha-eval",
}
NOTHING = "default-src 'none'; sandbox"  # the policy of whatever is no page
LONGEST_LINE = 65_536  # bytes of an address with all the rows that it asks for
SECONDS_TO_END = 1.0  # for answers that are under way


def serve_view(runs: Sequence[Path], host: str, port: int, registry: Registry, announce: Callable[[str], object]) -> None:
    """Serves runs until Ctrl-C; calls `announce` with the address once it listens.

    Raises:
        UserError: a run cannot be read, or the port is taken.
    """
    with open_server(ServedView(View(read_runs(runs), registry)), host, port) as server:
        if not server.loopback:
            logger.warning("everybody who reaches this machine at %s can read these runs", host)
        announce(server.url)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            logger.info("ended")


@dataclass(frozen=True)
class ViewServer:
    """A server that listens, and where."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.host).is_loopback

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"


@contextmanager
def open_server(view: ServedView, host: str, port: int) -> Iterator[ViewServer]:
    """Serves a view in a thread of its own while entered; port 0 takes a free one. Raises UserError if it cannot."""
    listening: Future[Any] = Future()
    with ThreadPoolExecutor(1, "server") as threads:
        served: Future[Any] = threads.submit(asyncio.run, _serve(view, host, port, listening))
        wait((served, listening), return_when=FIRST_COMPLETED)
        if served.done():
            served.result()  # raises why it cannot
        server: ViewServer
        server, stop = listening.result()
        try:
            yield server
        finally:
            stop()


async def _serve(view: ServedView, host: str, port: int, listening: Future[tuple[ViewServer, Callable[[], object]]]) -> None:
    """Serves until it is stopped; sets where, and what stops it."""
    names = frozenset({host.lower(), "localhost", socket.gethostname().lower()})

    async def answer(request: web.Request) -> web.Response:
        status, sent = await asyncio.to_thread(_found, view, names, request)
        policy = view.policy if sent.kind == HTML else NOTHING
        return web.Response(status=status, body=sent.body, headers=_headers(sent.kind, policy))

    app = web.Application()
    app.router.add_get("/{address:.*}", answer)  # and HEAD; nothing takes any other method
    runner = web.AppRunner(app, access_log=None, max_line_size=LONGEST_LINE, shutdown_timeout=SECONDS_TO_END)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        found, stopped = runner.addresses[0], asyncio.Event()
        stop = partial(asyncio.get_running_loop().call_soon_threadsafe, stopped.set)
        listening.set_result((ViewServer(str(found[0]), int(found[1])), stop))
        await stopped.wait()
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise UserError(f"cannot serve at {host}:{port}: {reason}; give another port or host") from error
    finally:
        await runner.cleanup()


def _headers(kind: str, policy: str) -> dict[str, str]:
    return {"Content-Type": kind, **ALWAYS, "Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}


def _found(view: ServedView, names: frozenset[str], request: web.Request) -> tuple[HTTPStatus, Sent]:
    if not _comes_to(request.headers.get("Host", ""), names):
        return HTTPStatus.MISDIRECTED_REQUEST, Sent(b"this server has another name", "text/plain")
    try:
        return HTTPStatus.OK, view.send(request.raw_path)
    except LookupError:
        return HTTPStatus.NOT_FOUND, Sent(b"there is no such thing here", "text/plain")
    except ImageError:
        return HTTPStatus.NOT_FOUND, Sent(b"this picture cannot be read", "text/plain")


def _comes_to(host: str, names: frozenset[str]) -> bool:
    """Whether a request is for one of `names` or for an address in digits."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return bool(ip_address(name))
    except ValueError:
        return name.lower() in names
