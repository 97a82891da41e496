"""The server of ``mipha-eval view --serve``: reads only, and by default for this machine alone.

Requests under another name than the server's are refused, so that a page from elsewhere cannot read a run through a name
of its own that leads to this machine (DNS rebinding).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import cast

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
}


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
            server.serve_forever()
        except KeyboardInterrupt:
            logger.info("ended")


def open_server(view: ServedView, host: str, port: int) -> ViewServer:
    """A server that listens; port 0 takes a free one. Raises UserError if it cannot."""
    try:
        return ViewServer(view, host, port)
    except OSError as error:
        raise UserError(f"cannot serve at {host}:{port}: {error.strerror}; give another port or host") from error


class ViewServer(ThreadingHTTPServer):
    """Serves a view."""

    daemon_threads = True

    def __init__(self, view: ServedView, host: str, port: int) -> None:
        self.view = view
        self.names = frozenset({host.lower(), "localhost", socket.gethostname().lower()})
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), ViewRequests)

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(str(self.server_address[0])).is_loopback

    @property
    def url(self) -> str:
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class ViewRequests(BaseHTTPRequestHandler):
    """GET and HEAD of what a view has."""

    protocol_version = "HTTP/1.1"
    server_version = "mipha-eval"
    sys_version = ""

    def do_GET(self) -> None:
        server = cast("ViewServer", self.server)
        status, sent = self._found(server)
        policy = server.view.policy if sent.kind == HTML else "default-src 'none'; sandbox"
        self.send_response(status)
        own = {"Content-Type": sent.kind, "Content-Length": str(len(sent.body))}
        for name, value in {**own, **ALWAYS, "Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(sent.body)

    do_HEAD = do_GET  # noqa: N815

    def _found(self, server: ViewServer) -> tuple[HTTPStatus, Sent]:
        if not self._comes_to(server.names):
            return HTTPStatus.MISDIRECTED_REQUEST, Sent(b"this server has another name", "text/plain")
        try:
            return HTTPStatus.OK, server.view.send(self.path)
        except LookupError:
            return HTTPStatus.NOT_FOUND, Sent(b"there is no such thing here", "text/plain")
        except ImageError:
            return HTTPStatus.NOT_FOUND, Sent(b"this picture cannot be read", "text/plain")

    def _comes_to(self, names: frozenset[str]) -> bool:
        """Whether the request is for one of `names` or for an address in digits."""
        host = self.headers.get("Host", "")
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        try:
            return bool(ip_address(name))
        except ValueError:
            return name.lower() in names

    def log_message(self, *texts: object) -> None:
        """Says nothing; a terminal full of requests helps nobody."""
