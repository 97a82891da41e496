"""What is said where a cluster cannot be used."""

from __future__ import annotations

import socket
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
