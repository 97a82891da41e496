"""Connecting to a Ray cluster, or beginning one on this machine."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import io
import logging
import os
import secrets
import socket
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mipha_eval import __version__
from mipha_eval.core.errors import UserError

#: seconds until a head that does not answer is taken for one that is not there
PATIENCE = 10.0
#: the address that this process is connected to, once for each who uses it
_shared: list[str | None] = []
_lock = threading.Lock()
#: what is undone when nobody uses it any more
_session = contextlib.ExitStack()
#: the token of this process's own clusters, one for all, if they have one
_own_token: list[str] = []
#: variables by which a user says how tokens are
TOKENS = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}
FLAG = "--cluster HOST:6379"
#: Ray shows an address no token unasked, and does not say that one was wanted
WANTED = "if it asks for a token, set RAY_AUTH_MODE=token and have its token in ~/.ray/auth_token or RAY_AUTH_TOKEN"
#: an HTTP/2 frame of settings that has none, with its kind in the fourth byte, and what a client of gRPC begins with
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS

logger = logging.getLogger(__name__)


def check_installed() -> None:
    """Raises UserError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise UserError(
            f"several workers need Ray, which is not installed; pip install 'mipha-eval[cluster]=={__version__}'"
        )


@contextmanager
def connection(address: str | None) -> Iterator[None]:
    """While entered, this process is connected to the cluster at an address, else to one of its own on this machine; those
    who enter it meanwhile share it.

    Raises:
        UserError: nobody is there, the cluster has another version of Python or Ray, or this process is connected elsewhere.
    """
    with _lock:
        if not _shared:
            _begin(address)
        elif _shared[0] != address:
            raise UserError(f"this process is connected to the Ray cluster at {_shared[0] or 'this machine'}; use that one")
        _shared.append(address)
    try:
        yield
    finally:
        with _lock:
            _shared.pop()
            if not _shared:
                _session.close()


def _begin(address: str | None) -> None:
    if address is not None:
        _check_address(address)
    ray: Any = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        return  # by whoever runs in this process, who also ends it
    with contextlib.ExitStack() as session:
        session.enter_context(_environment(address, imported=ray is not None))
        session.enter_context(quiet_ray())
        session.callback(_disconnect)  # also where connecting is cut short
        _connect(address)
        _session.push(session.pop_all())


@contextmanager
def _environment(address: str | None, *, imported: bool) -> Iterator[None]:
    """While entered, what Ray is told by variables that are not set: to tell nobody of its use, that a worker without a GPU
    sees none, and a token. A cluster of this machine has one of its own, so that none is left among the user's files; to
    others it is the user's to show, since one without a token refuses who shows any.

    Args:
        imported: whether Ray is there already, which looks for a token once in a process.
    """
    told = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}
    if address is None and not os.environ.keys() & TOKENS and (_own_token or not imported):
        _own_token[:] = _own_token or [secrets.token_hex(32)]
        told |= {"RAY_AUTH_TOKEN": _own_token[0], "RAY_AUTH_MODE": "token"}
    set_here = {name: value for name, value in told.items() if name not in os.environ}
    os.environ.update(set_here)
    try:
        yield
    finally:
        for name in set_here:
            os.environ.pop(name, None)


def _connect(address: str | None) -> None:
    import ray

    how: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False, "configure_logging": False}
    own: dict[str, Any] = {"include_dashboard": False} if address is None else {}
    try:
        # what it says goes to nobody: standard output may be JSON
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            ray.init(address=address or "local", **how, **own)
    except Exception as error:  # Ray raises ConnectionError, RuntimeError, ValueError and its own
        raise UserError(_why(error, address), flag=FLAG if address else "") from error


@contextmanager
def quiet_ray() -> Iterator[None]:
    """While entered, what Ray prints of workers that died goes to the log: standard output may be JSON."""
    printer: Any = importlib.import_module("ray._private.worker")
    before = getattr(printer, "print_to_stdstream", None)  # private: a version without it prints
    ray_logger = logging.getLogger("ray")
    level = ray_logger.level
    ray_logger.setLevel(logging.ERROR)
    printer.print_to_stdstream = _note
    try:
        yield
    finally:
        ray_logger.setLevel(level)
        if before is not None:
            printer.print_to_stdstream = before


def _note(said: Mapping[str, Any], **_: object) -> None:
    for line in said["lines"]:
        logger.debug("Ray: %s", line.strip())


def _disconnect() -> None:
    """Ends what was begun, and leaves a cluster that was there as it is."""
    import ray

    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        # Ray ends this process where a thread drops what is Ray's while it shuts down, as one does that collects garbage
        gc.collect()
        gc.disable()
        try:
            shutdown: Any = ray.shutdown
            shutdown()
        finally:
            gc.enable()
        gc.collect()  # of Ray's own processes, which it ends without waiting for them, Python would complain later


def _check_address(address: str) -> None:
    """Raises UserError at once where nobody listens; Ray tries for a minute."""
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdecimal():
        raise UserError(
            f"{address} is no address of a Ray cluster; give its head's host and port, or auto on a node of it", flag=FLAG
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE) as line:
            answers = _speaks_grpc(line)
    except (OSError, OverflowError) as error:
        raise UserError(
            f"nobody listens at {address}: {error}; start a cluster there with Ray's own command", flag=FLAG
        ) from error
    if not answers:
        raise UserError(f"what listens at {address} is no head of a Ray cluster, or does not answer any more", flag=FLAG)


def _speaks_grpc(line: socket.socket) -> bool:
    """Whether a server answers as Ray's do; Ray waits for ever for one that does not answer at all."""
    if os.environ.get("RAY_USE_TLS", "0") != "0":
        return True  # these say nothing before the handshake
    try:
        line.sendall(HTTP_2)
        return line.recv(len(SETTINGS))[3:4] == SETTINGS[3:4]
    except OSError:
        return False


def _why(error: Exception, address: str | None) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines)[:300]
    if "ersion mismatch" in text:
        return f"the cluster at {address} has another version of Python or Ray: {text}"
    if address is None:
        return f"Ray cannot be started on this machine: {text}"
    if "ailed to connect" in text:
        text += f"; {WANTED}"
    return f"the cluster at {address} cannot be used: {text}"
