"""Records: what is stored, as types that are checked where they are read and written as the same type.

A record is a frozen `msgspec.Struct`; its fields have the names that they have in the file, in the file's order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json

Record = TypeVar("Record")

#: a number, and not a NaN
Finite = Annotated[float, Meta(ge=-1.7e308, le=1.7e308)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Text = Annotated[str, Meta(min_length=1)]


def checked(kind: type[Record], value: object, place: str, hint: str = "") -> Record:
    """`value`, as parsed, as a `kind`. Fields that it does not name are left out; see `unknown_fields`.

    Raises:
        UserError: a field is missing, or of another type; the message begins with `place` and names the field.
    """
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise damaged(error, place, hint) from error


def damaged(error: Exception, place: str, hint: str = "") -> UserError:
    """What to raise for what could not be read as a record; names the field as ``metrics.f1``."""
    reason = str(error).replace("`", "").replace(" - at $", ", at ").replace(", at .", ", field ")
    return UserError(f"{place} is damaged: {reason}{'; ' + hint if hint else ''}")


def unknown_fields(kind: type[msgspec.Struct], value: Mapping[str, Json]) -> dict[str, Json]:
    """What an object says beside the fields of a record."""
    known = kind.__struct_encode_fields__
    return {name: each for name, each in value.items() if name not in known}


def record_json(record: msgspec.Struct) -> dict[str, Json]:
    """A record as it is stored."""
    found: dict[str, Json] = msgspec.to_builtins(record)
    return found
