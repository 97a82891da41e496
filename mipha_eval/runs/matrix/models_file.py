"""What is to be evaluated, as a file or a program lists it: names and texts, of which nothing is looked up yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_toml
from mipha_eval.core.options import unknown

#: a model as a program lists it: a name, or what an entry of a file holds
ListedModel: TypeAlias = str | Mapping[str, object]

TOP = ("tasks", "data", "floors", "model")
KEYS = ("model", "name", "options", "controls", "as_published")
#: how an entry of a file begins
HEADER = re.compile(r"\s*\[\[\s*model\s*\]\]")


@dataclass(frozen=True)
class ModelEntry:
    """A model, or with options that have several values a matrix of it.

    Attributes:
        place: where it is listed, for messages.
        name: what tables call it; "" for what they call it anyway.
        options: the values of each, as texts.
        controls: runs of it that stand beside its own.
        as_published: whether it is asked as its paper asked it.
    """

    place: str
    model: str
    name: str = ""
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    as_published: bool = False


@dataclass(frozen=True)
class ModelsFile:
    """What is listed.

    Attributes:
        stem: what the files with the table are called.
        place: what it is called in messages.
        data: "" where none is named.
    """

    stem: str
    place: str
    models: tuple[ModelEntry, ...]
    tasks: tuple[str, ...] = ()
    data: str = ""
    floors: tuple[str, ...] = ()


def read_models_file(path: Path) -> ModelsFile:
    """Reads a TOML file.

    Raises:
        UserError: it cannot be read, or a key is unknown, missing or of the wrong type; names the line, or the entry.
    """
    values = read_toml(path)
    _check_keys(values, TOP, str(path))
    listed = values.get("model", [])
    if not isinstance(listed, list):
        raise UserError(f"{path}: every model is an entry of its own, which begins with [[model]]")
    lines = _header_lines(path.read_text(encoding="utf-8", errors="replace"))
    places = [f"{path}:{line}" for line in lines] if len(lines) == len(listed) else [str(path)] * len(listed)
    return ModelsFile(
        stem=path.stem,
        place=str(path),
        models=tuple(
            _entry(each, place, number) for number, (each, place) in enumerate(zip(listed, places, strict=True), 1)
        ),
        tasks=names(values.get("tasks", ()), f"{path}: tasks"),
        data=_text(values["data"], f"{path}: data") if "data" in values else "",
        floors=names(values.get("floors", ()), f"{path}: floors"),
    )


def listed_models(models: Sequence[ListedModel]) -> ModelsFile:
    """What a program lists. Raises UserError as `read_models_file` does."""
    entries = ({"model": each} if isinstance(each, str) else each for each in models)
    found = tuple(_entry(each, "models", number) for number, each in enumerate(entries, start=1))
    return ModelsFile("models", "models", found)


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Names a place in errors of the user's."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{place}: {error}") from error


def _entry(values: object, place: str, number: int) -> ModelEntry:
    if not isinstance(values, Mapping):
        raise UserError(f"{place}: model {number}: expected keys {', '.join(KEYS)}")
    called = values.get("name", values.get("model"))
    place = f"{place}: model {number}" + (f" ({called})" if isinstance(called, str) and called.strip() else "")
    _check_keys(values, KEYS, place)
    if "model" not in values:
        raise UserError(f"{place}: key model is missing; it names a model, as in `mipha-eval list models`")
    options = values.get("options", {})
    if not isinstance(options, Mapping):
        raise UserError(f"{place}: options must be key = value, such as {{ path = 'checkpoint' }}, not {options!r}")
    return ModelEntry(
        place=place,
        model=_text(values["model"], f"{place}: model"),
        name=_text(values["name"], f"{place}: name") if "name" in values else "",
        options={key: _values(value, f"{place}: option {key}") for key, value in _flat(options).items()},
        controls=names(values.get("controls", ()), f"{place}: controls"),
        as_published=_truth(values.get("as_published", False), f"{place}: as_published"),
    )


def _flat(options: Mapping[str, object]) -> dict[str, object]:
    """Options by name; those in a table of a benchmark's have its name and a dot before theirs."""
    found: dict[str, object] = {}
    for key, value in options.items():
        plain = key.replace("-", "_")
        if isinstance(value, Mapping) and value:
            found |= {f"{plain}.{name.replace('-', '_')}": each for name, each in value.items()}
        else:
            found[plain] = value
    return found


def _truth(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise UserError(f"{place}: expected true or false, not {value!r}")
    return value


def _check_keys(values: Mapping[str, object], known: Sequence[str], place: str) -> None:
    for key in values:
        if key not in known:
            raise UserError(f"{place}: {unknown('key', key, known)}")


def _values(value: object, place: str) -> list[str]:
    """The values of an option, one or a list of them, as a user would type them."""
    if isinstance(value, list | tuple) and not value:
        raise UserError(f"{place}: the list is empty; leave the option out, or name a value")
    return [_typed(each, place) for each in (value if isinstance(value, list | tuple) else [value])]


def _typed(value: object, place: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float | Path):
        hint = "options of tasks are given beside the file" if isinstance(value, dict) else "expected a text, number or list"
        raise UserError(f"{place}: {value!r} is no value of an option; {hint}")
    return str(value)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise UserError(f"{place} must be a text, not {value!r}")
    return value


def names(value: object, place: str) -> tuple[str, ...]:
    """Names as a list, or as ``a,b``; each once."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
        raise UserError(f"{place} must be a list of names, not {value!r}")
    return tuple(dict.fromkeys(name for each in listed for name in each.replace(",", " ").split()))


def _header_lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), start=1) if HEADER.match(line)]
