"""Ray is there when workers are asked for, and not before; what is said where a cluster cannot be used."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.cluster.ray_connection import connection
from mipha_eval.core.errors import UserError


def test_a_cluster_that_wants_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray only says that it cannot connect, whether no token was shown or another one."""
    ray: Any = pytest.importorskip("ray")

    def init(**how: object) -> None:
        raise ConnectionError(f"Failed to connect to Ray cluster at {how['address']}")

    monkeypatch.setattr(ray, "init", init)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError) as caught, connection(address):
            pass
    assert str(caught.value).startswith(f"the cluster at {address} cannot be used: Failed to connect")
    assert "set RAY_AUTH_MODE=token" in str(caught.value)
    assert caught.value.flag == "--cluster HOST:6379"


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
