"""Ray is there when workers are asked for, and not before; what is said where a cluster cannot be used."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.cli.worker_flags import cluster_address, settings
from mipha_eval.cluster.ray_connection import connection
from mipha_eval.cluster.settings import TIMEOUT, WorkerSettings
from mipha_eval.core.errors import UserError


def test_a_cluster_that_wants_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray only says that it cannot connect, whether no token was shown or another one."""
    ray: Any = pytest.importorskip("ray")

    def init(**how: object) -> None:
        raise ConnectionError(f"Failed to connect to Ray cluster at {how['address']}")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr("mipha_eval.cluster.ray_connection._speaks_grpc", lambda line: True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError) as caught, connection(address):
            pass
    assert str(caught.value).startswith(f"the cluster at {address} cannot be used: Failed to connect")
    assert "set RAY_AUTH_MODE=token" in str(caught.value)
    assert caught.value.flag == "--cluster HOST:6379"


def test_who_uses_ray_already_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook, whose other cells go on with it."""
    ray: Any = pytest.importorskip("ray")
    called: list[str] = []
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    for name in ("init", "shutdown"):
        monkeypatch.setattr(ray, name, lambda name=name, **_: called.append(name))
    with connection(None):
        pass
    assert called == []


@pytest.mark.parametrize(
    ("told", "given", "address"),
    [
        ("10.0.0.1:6379", None, "10.0.0.1:6379"),
        ("auto", None, "auto"),
        ("", None, None),
        ("local", None, None),
        ("http://127.0.0.1:8265", None, None),
        ("10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.2:6379"),
    ],
)
def test_which_addresses_are_a_cluster(
    monkeypatch: pytest.MonkeyPatch, told: str, given: str | None, address: str | None
) -> None:
    """Ray's own variable also names where jobs are handed in."""
    monkeypatch.setenv("RAY_ADDRESS", told)
    assert cluster_address(given) == address


def test_one_worker_is_this_process_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert settings("1", None, None, TIMEOUT, None) is None
    there = settings(None, None, None, TIMEOUT, None)
    assert there == WorkerSettings(None, "10.0.0.1:6379", None, TIMEOUT, None)
    assert settings("1", "10.0.0.1:6379", None, TIMEOUT, None) == WorkerSettings(1, "10.0.0.1:6379")


@pytest.mark.parametrize("gpus", [1.5, float("nan"), float("inf")])
def test_gpus_are_a_part_of_one_or_whole(gpus: float) -> None:
    with pytest.raises(UserError, match="a part of one, or a whole number"):
        settings("2", None, gpus, TIMEOUT, None)


@pytest.mark.parametrize("words", [["run", "--help"], ["run", "--tasks", "pope", "--data", "demo", "--limit", "5"]])
def test_ray_waits_until_workers_are_asked_for(words: list[str], tmp_path: Path) -> None:
    """Its import would be much of the time that a short command takes."""
    words = words if "--help" in words else [*words, "--output", str(tmp_path)]
    code = f"""
import sys
from mipha_eval.cli.app import main
sys.argv = ["mipha-eval", *{words!r}]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
assert "ray" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
