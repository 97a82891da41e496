"""Ray nodes on this machine, each as good as a machine of its own."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class LocalNodes:
    """A cluster; nodes come and go.

    Attributes:
        address: of its head.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.address: str = cluster.address

    def add(self, **how: object) -> Any:
        """A further node, with one CPU unless it is said otherwise."""
        with _quiet():
            return self._cluster.add_node(**{"num_cpus": 1, **how})

    def remove(self, node: Any) -> None:
        """Kills all of a node's processes."""
        with _quiet():
            self._cluster.remove_node(node, allow_graceful=False)


@contextmanager
def local_nodes(cpus: int = 3) -> Iterator[LocalNodes]:
    """A cluster whose only node is its head."""
    with _quiet():
        from ray.cluster_utils import Cluster

        cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": cpus, "include_dashboard": False})
    try:
        yield LocalNodes(cluster)
    finally:
        with _quiet():
            cluster.shutdown()


@contextmanager
def _quiet() -> Iterator[None]:
    """What Ray says while it begins and ends processes."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
