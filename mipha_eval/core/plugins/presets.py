"""Names for adapters with options set, and how the papers of these models asked them: the files of ``model_adapters``."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value]"
Table: TypeAlias = Mapping[str, Value]

#: what a preset's table may hold beside the adapter's options
SAID = ("adapter", "summary", "data", "licence", "source", "unverified", "like", "asked", "published")
#: what a table on asking may hold beside options
ABOUT = ("source", "differs")


@dataclass(frozen=True)
class Asked:
    """How a benchmark, or all of them, were asked.

    Attributes:
        options: as they would be typed.
        source: where that stands; empty where these are options for the benchmarks that have more of their own alone.
        differs: what no option brings about, or what is uncertain.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    """A model by name.

    Attributes:
        adapter: the name of what runs it.
        options: of the adapter, as they would be typed.
        data: the data source that it is made for; "" for none.
        asked: how its paper or card asked it; "" for all benchmarks, beside what a benchmark's own entry says.
        licence, source: of the weights; where their id was read.
        unverified: what was found nowhere; "" for nothing.
        published: the model's name among published scores; "" if it has none there.
    """

    name: str
    adapter: str
    summary: str
    options: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    asked: Mapping[str, Asked] = field(default_factory=dict)
    licence: str = ""
    source: str = ""
    unverified: str = ""
    published: str = ""

    @property
    def asked_options(self) -> dict[str, str]:
        """All options of asking, those of one benchmark as ``TASK.key``."""
        return {
            f"{task}.{key}" if task else key: text for task, each in self.asked.items() for key, text in each.options.items()
        }

    def knows(self, task: str) -> bool:
        """Whether it says how its paper asked a benchmark, by its name as options have it."""
        return task in self.asked or bool(self.asked.get("", Asked()).source)

    def differs(self, task: str) -> tuple[str, ...]:
        """What of its paper's way of asking a benchmark no option brings about, or is uncertain."""
        return tuple(dict.fromkeys(line for key in ("", task) for line in self.asked.get(key, Asked()).differs))


def read_presets(folder: Path, package: Path) -> list[Preset]:
    """The presets of ``presets.toml`` and of the files in ``presets`` beside it; ``{package}`` is the package's folder.

    Raises:
        UserError: two presets have one name, or one is like a preset that there is not.
    """
    tables: dict[str, Table] = {}
    for file in [*folder.glob("presets.toml"), *sorted(folder.glob("presets/*.toml"))]:
        found = _tables(file.read_text(encoding="utf-8"))
        twice = next((name for name in found if name in tables), None)
        if twice is not None:
            raise UserError(f"{file} has a preset {twice}, as another file of {folder} has")
        tables |= found
    return [_preset(name, tables, package) for name in tables]


@functools.lru_cache(maxsize=64)
def _tables(text: str) -> Mapping[str, Table]:
    """What a file holds, found out once for each content."""
    return tomllib.loads(text)


def _preset(name: str, tables: Mapping[str, Table], package: Path) -> Preset:
    table = tables[name]
    return Preset(
        name=name,
        adapter=_text(table["adapter"]),
        summary=_text(table["summary"]),
        options={key: _text(value).replace("{package}", str(package)) for key, value in table.items() if key not in SAID},
        asked=_asked(name, tables),
        **{key: _text(table.get(key, "")) for key in ("data", "licence", "source", "unverified", "published")},
    )


def _asked(name: str, tables: Mapping[str, Table]) -> dict[str, Asked]:
    """How a preset was asked, on top of how the one was that it is like."""
    like = tables[name].get("like")
    if like is not None and like not in tables:
        raise UserError(f"preset {name}: {unknown('preset', _text(like), tables)}")
    found = _asked(_text(like), tables) if like is not None else {}
    asked = tables[name].get("asked")
    if not isinstance(asked, dict):
        return found
    general: dict[str, Value] = {key: value for key, value in asked.items() if not isinstance(value, dict)}
    said: dict[str, dict[str, Value]] = {"": general} if general else {}
    said |= {key.replace("-", "_"): each for key, each in asked.items() if isinstance(each, dict)}
    for task, each in said.items():
        before = found.get(task, Asked())
        options = {key: _text(value) for key, value in each.items() if key not in ABOUT}
        found[task] = Asked(
            {**before.options, **options},
            _text(each.get("source", before.source)),
            _lines(each["differs"]) if "differs" in each else before.differs,
        )
    return found


def _lines(value: Value) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else (_text(value),)


def _text(value: Value) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(_text, value))
    return str(value)
