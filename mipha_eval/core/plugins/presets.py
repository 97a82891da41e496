"""Names for adapters with options set, and how the papers of these models asked them: the files of ``model_adapters``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from mipha_eval.core.errors import UserError

#: what a preset's table may hold beside the adapter's options
SAID = ("adapter", "summary", "data", "licence", "source", "unverified", "asked", "published")

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value]"


@dataclass(frozen=True)
class Preset:
    """A model by name.

    Attributes:
        adapter: the name of what runs it.
        options: of the adapter, as they would be typed.
        data: the data source that it is made for; "" for none.
        asked: how its paper or card asked it, as options are called, with ``TASK.`` before those of one benchmark; empty
            where it did so as the suite does, or where nobody knows.
        covers: benchmarks of which that is known; None for all.
        licence, source: of the weights; where what is asked stands.
        unverified: what could not be looked up; "" for nothing.
        published: benchmark -> what its authors published.
    """

    name: str
    adapter: str
    summary: str
    options: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    covers: frozenset[str] | None = frozenset()
    licence: str = ""
    source: str = ""
    unverified: str = ""
    published: Mapping[str, str] = field(default_factory=dict)

    def knows(self, task: str) -> bool:
        """Whether it says how its paper asked a benchmark."""
        return self.covers is None or task in self.covers


def read_presets(folder: Path, package: Path) -> list[Preset]:
    """The presets of ``presets.toml`` and of the files in ``presets`` beside it; ``{package}`` is the package's folder.

    Raises:
        UserError: a file is broken, or two presets have one name.
    """
    found: dict[str, Preset] = {}
    for file in [*folder.glob("presets.toml"), *sorted(folder.glob("presets/*.toml"))]:
        for name, table in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if name in found:
                raise UserError(f"{file} has a preset {name}, as another file of {folder} has")
            found[name] = _preset(name, table, package)
    return list(found.values())


def _preset(name: str, table: Mapping[str, Value], package: Path) -> Preset:
    asked = table.get("asked", {})
    known = asked if isinstance(asked, dict) else {}
    flat = {key: _text(value) for key, value in known.items() if not isinstance(value, dict)}
    of_tasks = {task: own for task, own in known.items() if isinstance(own, dict)}
    published = table.get("published", {})
    return Preset(
        name=name,
        adapter=_text(table["adapter"]),
        summary=_text(table["summary"]),
        options={key: _text(value).replace("{package}", str(package)) for key, value in table.items() if key not in SAID},
        data=_text(table.get("data", "")),
        asked={**flat, **{f"{task}.{key}": _text(value) for task, own in of_tasks.items() for key, value in own.items()}},
        covers=None if flat else frozenset(of_tasks),
        licence=_text(table.get("licence", "")),
        source=_text(table.get("source", "")),
        unverified=_text(table.get("unverified", "")),
        published={key: _text(value) for key, value in published.items()} if isinstance(published, dict) else {},
    )


def _text(value: Value) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(_text, value))
    return str(value)
