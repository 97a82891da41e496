"""The samples in the zip of an Inspect log, in either shape, which one log may mix.

A sample is one member, ``samples/ID_epoch_N.json``, or a folder ``samples/ID_epoch_N/``: its head ``sample.json``, its
``metadata.json``, and lists in pieces, each named by the place of its first entry, as ``messages/0.json``. There,
attachments are such a list, and ``attachment://KEY`` counts its entries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import parse_json
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.suite_files.members import read_members

SAMPLES = "samples/"
#: a member of a sample that is a folder; ids may have slashes, too
PART = re.compile(
    r"(samples/.+_epoch_[0-9]+)/(?:(sample|metadata|skeleton)|([a-z]+)/([0-9]+|stats|uuids))[.]json", re.DOTALL
)
#: lists that are read; others tell how an answer came about
LISTS = ("messages", "attachments")
HEAD, METADATA = "sample", "metadata"
#: how a picture begins that stands in a log; nothing is read of it
PICTURE = "data:"


@dataclass
class _Parts:
    """What has been read of a sample that is a folder."""

    head: JsonObject | None = None
    metadata: Json = None
    lists: dict[str, dict[int, list[Json]]] = field(default_factory=lambda: {name: {} for name in LISTS})

    def put(self, part: re.Match[str], value: Json) -> None:
        if part[2] == HEAD:
            self.head = value if isinstance(value, dict) else None
        elif part[2] == METADATA:
            self.metadata = value
        else:
            self.lists[part[3]][int(part[4])] = value if isinstance(value, list) else []

    def sample(self, place: str) -> JsonObject:
        """As it stands where a sample is one member. Raises UserError if a piece is missing."""
        messages, attachments = (self._list(place, name) for name in LISTS)
        known = {str(number): "" if _is_picture(text) else text for number, text in enumerate(attachments)}
        return {"metadata": self.metadata, **(self.head or {}), "messages": messages, "attachments": known}

    def _list(self, place: str, name: str) -> list[Json]:
        found: list[Json] = []
        for start, piece in sorted(self.lists[name].items()):
            if start != len(found):
                raise UserError(f"{place}: {name} {len(found)} to {start - 1} are missing")
            found += piece
        return found


def samples_in_zip(path: Path) -> Iterator[tuple[str, JsonObject]]:
    """Samples with their places.

    Raises:
        UserError: the zip cannot be read, or a member of it is no JSON.
    """
    folders: dict[str, _Parts] = {}
    for name, data in read_members(path, _is_read):
        value = _parsed(f"{path}: {name}", data)
        part = PART.fullmatch(name)
        if part:
            folders.setdefault(part[1], _Parts()).put(part, value)
        elif isinstance(value, Mapping):
            yield f"{path}: {name}", value
    for name, parts in folders.items():
        place = f"{path}: {name}"
        if parts.head is None:
            raise UserError(f"{place} has no {HEAD}.json")
        yield place, parts.sample(place)


def _is_read(name: str) -> bool:
    if not (name.startswith(SAMPLES) and name.endswith(".json")):
        return False
    part = PART.fullmatch(name)
    return part is None or part[2] in (HEAD, METADATA) or (part[3] in LISTS and part[4].isdigit())


def _is_picture(text: Json) -> bool:
    return isinstance(text, str) and text.startswith(PICTURE)


def _parsed(place: str, data: bytes) -> Json:
    try:
        return parse_json(data.decode(json.detect_encoding(data), "surrogateescape"))
    except ValueError as error:
        raise UserError(f"{place} is not JSON: {error}") from error
