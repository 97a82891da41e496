"""Definitions of tables: TOML files in ``reports/tables`` or anywhere; docs/tables.md has the keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_toml
from mipha_eval.core.options import unknown
from mipha_eval.core.plugins.registry import Registry, plugin_folder
from mipha_eval.core.task_label import TaskLabel
from mipha_eval.reporting.decimals import decimals
from mipha_eval.reporting.table import Column, Field
from mipha_eval.scoring.result_record import AS_PUBLISHED, ResultRecord

Record = TypeVar("Record")

#: types of a key of a table's file -> what its value may be
PLAIN: Mapping[object, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float)}

#: the title where no table is named
HEADLINES = "Headlines"
#: the keys of --row that are no field of a table
SIZE = "parameters"


@dataclass(frozen=True)
class SizeGroup:
    """Rows with at most so many parameters, in billions, that are in no group before."""

    title: str
    up_to: float = float("inf")


@dataclass(frozen=True)
class Definition:
    """What a table shows.

    Attributes:
        published: models whose published numbers stand beside the measured ones.
        order: ``size`` sorts rows by parameters, published ones first; ``given`` leaves them as named.
    """

    title: str
    columns: tuple[Column, ...]
    fields: tuple[Field, ...] = ()
    groups: tuple[SizeGroup, ...] = ()
    published: tuple[str, ...] = ()
    order: Literal["size", "given"] = "given"
    name: str = field(default="")


def table_names() -> list[str]:
    """The bundled tables."""
    return sorted(file.stem for file in (plugin_folder("reports") / "tables").glob("*.toml"))


def read_definition(name: str) -> Definition:
    """A bundled table by name, or one of a file.

    Raises:
        UserError: there is no such table, or a key of it is missing, unknown or of the wrong type; file and key are named.
    """
    path = Path(name) if name.endswith(".toml") else plugin_folder("reports") / "tables" / f"{name}.toml"
    if not path.is_file():
        raise UserError(f"{unknown('table', name, table_names())}; a file is given as its path, ending in .toml")
    values = read_toml(path)
    listed: Mapping[str, Callable[[object, str], object]] = {
        "columns": _column,
        "fields": lambda entry, place: record(Field, entry, place),
        "groups": lambda entry, place: record(SizeGroup, entry, place),
    }
    for key, read in listed.items():
        entries = values.get(key, [])
        if not isinstance(entries, list):
            raise UserError(f"{path}: {key} must be a list")
        values[key] = [read(entry, f"{path}: {key}, entry {number}") for number, entry in enumerate(entries, start=1)]
    found = dataclasses.replace(record(Definition, values, str(path)), name=path.stem)
    _check(found, path)
    return found


def _column(entry: object, place: str) -> Column:
    """A column by its name in ``reports/columns.toml``, or one of its own."""
    if isinstance(entry, str):
        known = read_toml(plugin_folder("reports") / "columns.toml")
        if entry not in known:
            raise UserError(f"{place}: {unknown('column', entry, known)}")
        place, entry = f"{plugin_folder('reports') / 'columns.toml'}: {entry}", known[entry]
    return record(Column, entry, place)


def _check(found: Definition, path: Path) -> None:
    if not found.columns:
        raise UserError(f"{path}: columns must name at least one column")
    headings = [*(each.heading for each in found.fields), *(each.heading for each in found.columns)]
    twice = next((heading for heading in headings if headings.count(heading) > 1), None)
    if twice is not None:
        raise UserError(f"{path}: two columns have the heading {twice!r}")
    for column in found.columns:
        for label in (column.task, *column.also):
            if not all(label.partition("@")):
                raise UserError(f"{path}: column {column.heading}: task {label!r} must be task@protocol")
        if not 0 <= column.decimals <= 6:
            raise UserError(f"{path}: column {column.heading}: decimals must be 0 to 6")


def check_tasks(definition: Definition, stored: Iterable[str], registry: Registry) -> None:
    """Raises UserError for a column of a task or protocol that neither exists nor is among the `stored` labels."""
    labels = set(stored)
    for column in definition.columns:
        for label in (column.task, *column.also):
            named = TaskLabel.of(label)
            if label not in labels:
                known = registry.load("tasks", named.plugin)[0].protocols
                if named.protocol not in known:
                    wrong = unknown("protocol", named.protocol, known, f"{named.plugin} has")
                    raise UserError(f"table {definition.name}, {wrong}")


def headlines(results: Iterable[ResultRecord]) -> Definition:
    """The table that is shown when none is named: a column for the headline of each task, in the order of the runs."""
    columns: dict[str, Column] = {}
    for result in results:
        metric = result.plain(result.headline)
        most = float(result.maximum.get(metric, 100))
        places = 1 if most >= 1000 else decimals(result.units.get(result.headline, ""))
        columns.setdefault(result.quantity, Column(result.quantity, result.quantity, metric, places, most=most))
    return Definition(HEADLINES, tuple(columns.values()), name="headlines")


def with_published_ways(definition: Definition, stored: Iterable[str]) -> Definition:
    """The table with one more column beside each of which a result was asked as its model's paper asked it.

    Args:
        stored: what results are of, see `ResultRecord.quantity`.
    """
    there, columns = set(stored), []
    for column in definition.columns:
        ways = [f"{label}{AS_PUBLISHED}" for label in column.labels if f"{label}{AS_PUBLISHED}" in there]
        asked = (
            replace(column, heading=f"{column.heading}{AS_PUBLISHED}", task=ways[0], also=tuple(ways[1:])) if ways else None
        )
        columns += [column, *([asked] if asked else [])]
    return replace(definition, columns=tuple(columns))


def record(kind: type[Record], values: object, place: str) -> Record:
    """A dataclass from a TOML table. Raises UserError for a key that is missing, unknown or of the wrong type."""
    if not isinstance(values, dict):
        raise UserError(f"{place}: expected a table with {', '.join(get_type_hints(kind))}")
    hints = get_type_hints(kind)
    for key in values:
        if key not in hints:
            raise UserError(f"{place}: {unknown('key', key, hints)}")
    for entry in dataclasses.fields(kind):  # type: ignore[arg-type]  # every kind is a dataclass
        if entry.default is dataclasses.MISSING and entry.name not in values:
            raise UserError(f"{place}: key {entry.name} is missing")
    return kind(**{key: _typed(value, hints[key], f"{place}: {key}") for key, value in values.items()})


def _typed(value: object, kind: object, place: str) -> object:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise UserError(f"{place} must be {' or '.join(map(repr, get_args(kind)))}, not {value!r}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, Sequence) or not all(isinstance(each, get_args(kind)[0]) for each in value):
            raise UserError(f"{place} must be a list of {get_args(kind)[0].__name__}")
        return tuple(value)
    if not isinstance(value, PLAIN[kind]) or isinstance(value, bool):
        raise UserError(f"{place} must be {'a number' if kind in (int, float) else 'a text'}, not {value!r}")
    return value
