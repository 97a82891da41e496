"""Values of JSON: what parsed files hold before it is known what they mean, and what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    #: any value of JSON; what comes from a file is one of these until `isinstance` says which
    Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

    #: an object of JSON, such as a line of an answer file
    JsonObject: TypeAlias = Mapping[str, Json]
else:  # msgspec reads the types of records, and follows no type that holds itself
    Json = object
    JsonObject = Mapping[str, object]
