"""``responses.jsonl``: what a model answered, appended as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from mipha_eval.core.json_value import Json
from mipha_eval.core.record import Count, record_json
from mipha_eval.core.served import Served
from mipha_eval.core.types import Response
from mipha_eval.store.journal import read_stored
from mipha_eval.store.rows import RowDecoder

#: fields that are left out where they are empty
SELDOM = ("top", "probabilities", "served", "worker")
#: field of format 1 -> its name today
BEFORE = {"chances": "probabilities"}


class StoredResponse(Struct, frozen=True):
    """What a line has of a response; see `Response`."""

    text: str
    tokens: Count = 0
    finish: str = "stop"
    error: str = ""
    verbatim: bool = False
    likelihoods: tuple[float, ...] = ()
    option_tokens: tuple[Annotated[int, Meta(ge=1)], ...] = ()
    top: tuple[tuple[int, float], ...] = ()
    probabilities: tuple[float, ...] = ()
    served: Served | None = None
    worker: Count | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which says that the record is damaged."""
        if len(self.likelihoods) != len(self.option_tokens):
            raise ValueError("likelihoods and option_tokens are not of equally many options")

    @property
    def response(self) -> Response:
        return Response(*values_of(self))


FIELDS = StoredResponse.__struct_fields__
values_of = attrgetter(*FIELDS)


class ResponseRow(StoredResponse, frozen=True, kw_only=True):
    """A line of ``responses.jsonl``.

    Attributes:
        key: of the request, see `Request.key`.
        images: digests of those that the model saw.
        seconds: the answer's share of its batch's time; None where nobody measured it, as of answers that were taken from
            elsewhere and in older runs.
    """

    sample: str
    key: str
    images: tuple[str, ...]
    error: str
    seconds: Annotated[float, Meta(ge=0, le=1.7e308)] | None = None


class Stored(NamedTuple):
    """A response as it was stored; `key`, `images` and `seconds` are those of `ResponseRow`."""

    key: str
    images: tuple[str, ...]
    response: Response
    seconds: float | None


ROWS = RowDecoder(ResponseRow, BEFORE)


def read_responses(path: Path) -> dict[str, Stored]:
    """Stored responses by sample id; of several for one sample the last."""
    return {row.sample: Stored(row.key, row.images, row.response, row.seconds) for row in read_stored(path, ROWS)}


def response_json(response: Response) -> Mapping[str, Json]:
    """A response as it is stored."""
    row: dict[str, Json] = dict(zip(FIELDS, values_of(response), strict=True))
    for name in SELDOM:
        if not row[name] and row[name] != 0:  # there is a worker 0
            del row[name]
    if response.served is not None:
        row["served"] = record_json(response.served)
    return row
