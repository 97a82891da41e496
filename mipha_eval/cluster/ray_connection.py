"""Connecting to a Ray cluster, or beginning one on this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import socket
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from mipha_eval import __version__
from mipha_eval.core.errors import UserError

#: seconds until a head that does not answer is taken for one that is not there
PATIENCE = 10.0
#: the address that this process is connected to, once for each who uses it
_shared: list[str | None] = []
_lock = threading.Lock()
FLAG = "--cluster HOST:6379"

logger = logging.getLogger(__name__)


def check_installed() -> None:
    """Raises UserError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise UserError(
            f"several workers need Ray, which is not installed; pip install 'mipha-eval[cluster]=={__version__}'"
        )


@contextlib.contextmanager
def connection(address: str | None) -> Iterator[None]:
    """While entered, this process is connected to the cluster at an address, else to one of its own on this machine; those
    who enter it meanwhile share it.

    Raises:
        UserError: nobody is there, the cluster has another version of Python or Ray, or this process is connected elsewhere.
    """
    with _lock:
        if not _shared:
            _connect(address)
        elif _shared[0] != address:
            raise UserError(f"this process is connected to the Ray cluster at {_shared[0] or 'this machine'}; use that one")
        _shared.append(address)
    try:
        yield
    finally:
        with _lock:
            _shared.pop()
            if not _shared:
                _disconnect()


def _connect(address: str | None) -> None:
    if address is not None:
        _check_address(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")  # a worker without a GPU sees none
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
    logging.getLogger("ray").setLevel(logging.ERROR)


def _disconnect() -> None:
    """Ends what was begun, and leaves a cluster that was there as it is."""
    import ray

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        shutdown: Any = ray.shutdown
        shutdown()


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
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE):
            pass
    except (OSError, OverflowError) as error:
        raise UserError(
            f"nobody listens at {address}: {error}; start a cluster there with `ray start --head`", flag=FLAG
        ) from error


def _why(error: Exception, address: str | None) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines)[:300]
    if "ersion mismatch" in text:
        return f"the cluster at {address} has another version of Python or Ray: {text}"
    if address is None:
        return f"Ray cannot be started on this machine: {text}"
    return f"the cluster at {address} cannot be used: {text}"
