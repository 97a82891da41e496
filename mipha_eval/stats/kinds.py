"""Equal rows of a table, kept once: a million images have few different counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Kinds:
    """The different rows of a table [clusters, names].

    Attributes:
        rows: [kinds, names], in order of first appearance.
        kind_of: [clusters], the place of each cluster's row.
    """

    rows: np.ndarray
    kind_of: np.ndarray

    @classmethod
    def of(cls, table: np.ndarray) -> Kinds:
        places: dict[bytes, int] = {}
        kind_of = np.array([places.setdefault(row.tobytes(), len(places)) for row in table], dtype=np.uint32)
        rows = np.frombuffer(b"".join(places), dtype=table.dtype).reshape(len(places), table.shape[1])
        return cls(rows, kind_of.astype(np.min_scalar_type(len(places))))

    @property
    def sizes(self) -> np.ndarray:
        """How many clusters are of each kind."""
        return np.bincount(self.kind_of, minlength=len(self.rows))
