"""POPE on a made-up set, whose files have other numbers of rows than POPE's two releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.tasks.pope import Pope


@dataclass(frozen=True)
class BenchPope(Pope):
    """No options; for ``--plugin``."""

    name: ClassVar[str] = "bench-pope"
    rows: ClassVar[Mapping[str, Sequence[int]]] = {}
    hub: ClassVar[Mapping[str, str]] = {}

    def _label_folder(self) -> Path:
        return self.data.find("pope/coco")
