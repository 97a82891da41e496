"""A view that a server gives piece by piece: everything, however large, and pictures as they are stored.

Rows, searches and pictures are asked for by number; no address names a file.
"""

from __future__ import annotations

import bisect
import functools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from urllib.parse import parse_qs, urlsplit

from mipha_eval.page.embed import Page, html_of, policy_of, to_json
from mipha_eval.page.questions import Questions
from mipha_eval.page.thumbnails import thumbnail, whole_picture
from mipha_eval.page.view import SCRIPT, View

MOST_PLACES = 1000  # rows of one request
HTML = "text/html; charset=utf-8"
KEPT = 4000  # thumbnails that are kept


@dataclass(frozen=True)
class Sent:
    """What the server sends."""

    body: bytes
    kind: str = "application/json"


class Rows:
    """A task's rows as JSON, and all their texts in one string to be searched."""

    def __init__(self, task: Questions) -> None:
        texts = []
        self._rows = []
        for row in task.rows():
            self._rows.append(to_json(row))
            texts.append(row.search_text)
        self._ends = list(accumulate(len(text) + 1 for text in texts))
        self._texts = "\0".join(texts)

    def at(self, places: Sequence[int]) -> str:
        """A JSON list of rows. Raises LookupError for a place that is none."""
        if len(places) > MOST_PLACES or any(not 0 <= place < len(self._rows) for place in places):
            raise LookupError("no such rows")
        return f"[{','.join(self._rows[place] for place in places)}]"

    def search(self, wanted: str) -> list[int]:
        """Places of the rows whose texts hold `wanted`."""
        found: list[int] = []
        start = self._texts.find(wanted) if wanted else -1
        while start >= 0:
            place = bisect.bisect_right(self._ends, start)
            if start + len(wanted) < self._ends[place]:  # not across two rows
                found.append(place)
            start = self._texts.find(wanted, self._ends[place])
        return found


@dataclass(frozen=True)
class ServedView:
    """Answers requests by path; may be asked by several threads."""

    view: View
    _rows: dict[int, Rows] = field(default_factory=dict)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # in one order, whichever task is asked for first: numbers that a browser holds must outlive this process
        for task in self.view.questions:
            task.number_pictures()

    @cached_property
    def page(self) -> Page:
        document = self.view.document(served=True)
        return Page(self.view.title, SCRIPT, {"document": to_json(document)}, connects=True)

    @cached_property
    def html(self) -> bytes:
        return "".join(html_of(self.page)).encode("utf-8", errors="replace")

    @cached_property
    def policy(self) -> str:
        """The page's content security policy."""
        return policy_of(self.page)

    def send(self, address: str) -> Sent:
        """What a request for a path with its query gets.

        Raises:
            LookupError: there is no such thing.
            ImageError: a picture cannot be read.
        """
        parts = urlsplit(address)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        steps = parts.path.split("/")[1:]
        if steps == [""]:
            return Sent(self.html, HTML)
        if len(steps) != 2 or steps[0] not in self._kinds:
            raise LookupError(parts.path)
        return self._kinds[steps[0]](_number(steps[1]), query)

    @cached_property
    def _kinds(self) -> Mapping[str, Callable[[int, Mapping[str, str]], Sent]]:
        return {
            "rows": self._send_rows,
            "search": self._send_found,
            "thumbnails": self._send_thumbnail,
            "images": self._send_image,
        }

    def _send_rows(self, task: int, query: Mapping[str, str]) -> Sent:
        places = [_number(text) for text in query.get("places", "").split(",") if text]
        return Sent(self._of(task).at(places).encode())

    def _send_found(self, task: int, query: Mapping[str, str]) -> Sent:
        return Sent(json.dumps(self._of(task).search(query.get("text", "").lower())).encode())

    def _send_thumbnail(self, number: int, query: Mapping[str, str]) -> Sent:
        return Sent(self._thumbnail(number), "image/webp")

    def _send_image(self, number: int, query: Mapping[str, str]) -> Sent:
        kind, data = whole_picture(self.view.pictures.found[number])
        return Sent(data, kind)

    @cached_property
    def _thumbnail(self) -> Callable[[int], bytes]:
        return functools.lru_cache(KEPT)(lambda number: thumbnail(self.view.pictures.found[number]))

    def _of(self, task: int) -> Rows:
        with self._reading:
            if task not in self._rows:
                self._rows[task] = Rows(self.view.questions[task])
            return self._rows[task]


def _number(text: str) -> int:
    """Raises LookupError if it is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise LookupError(text)
    return int(text)
