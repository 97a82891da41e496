"""A view as one file, as far as its questions and pictures fit."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.defaults import VIEW
from mipha_eval.page.embed import Page, to_json, write_html
from mipha_eval.page.questions import PIECE, Questions
from mipha_eval.page.runs import read_runs
from mipha_eval.page.thumbnails import FEWEST_BYTES, MOST_BYTES, data_uris
from mipha_eval.page.view import IMAGES, SCRIPT, View

logger = logging.getLogger(__name__)

BASE64 = 4 / 3  # characters a byte
MANY = 1000  # pictures, which take more than a moment


@dataclass(frozen=True)
class ViewConfig:
    """What a user asks for; see ``mipha-eval view --help``."""

    runs: Sequence[Path]
    output: Path | None = None
    megabytes: float = VIEW

    @property
    def path(self) -> Path:
        """Where the page is written: in the folder of the one run, or in the current one."""
        return self.output or (self.runs[0] if len(self.runs) == 1 else Path()) / "view.html"


@dataclass(frozen=True)
class Written:
    """A page, and what does not stand in it, a line each."""

    path: Path
    left_out: Sequence[str]


def write_view(config: ViewConfig, registry: Registry) -> Written:
    """Raises UserError if a run cannot be read or the page cannot be written."""
    return write_page(View(read_runs(config.runs), registry), config.path, config.megabytes)


def write_page(view: View, path: Path, megabytes: float = VIEW) -> Written:
    """Writes a view; texts come first, of the smallest tasks first, and pictures get what room is left."""
    room = int(megabytes * 1e6)
    texts = embedded_texts(view.questions, room)
    big = [task.label for task in view.questions if task.label not in texts]
    rows = {
        f"rows-{number}-{piece}": text
        for number, task in enumerate(view.questions)
        for piece, text in enumerate(texts.get(task.label, ()))
    }
    pictures = embedded_pictures(view, room - sum(map(len, rows.values())))
    document = to_json(view.document(served=False, left_out=big))
    later = {f"images-{number}": text for number, text in enumerate(in_pieces(pictures, IMAGES))}
    write_html(path, Page(view.title, SCRIPT, {"document": document, **rows}, later))
    return Written(path, list(_left_out(view, big, pictures)))


def embedded_texts(tasks: Sequence[Questions], room: int) -> dict[str, list[str]]:
    """The rows of tasks by label, as JSON in pieces; without those tasks that do not fit."""
    found = {}
    for task in sorted(tasks, key=lambda task: len(task.asked)):
        before, pieces = len(task.pictures.found), []
        for piece in in_pieces(task.rows(), PIECE):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                room += sum(map(len, pieces))
                task.pictures.forget(before)
                break
        else:
            found[task.label] = pieces
    return found


def embedded_pictures(view: View, room: int) -> list[str | None]:
    """Thumbnails of the first pictures, as many as fit, as ``data:`` addresses; None for what cannot be read."""
    pictures = view.pictures.found
    each = int(room / BASE64 / max(len(pictures), 1))
    count = len(pictures) if each >= FEWEST_BYTES else max(0, int(room / BASE64 / FEWEST_BYTES))
    if count > MANY:
        logger.info("making thumbnails of %s pictures", f"{count:,}")
    return list(data_uris(pictures[:count], min(MOST_BYTES, max(each, FEWEST_BYTES))))


def in_pieces(values: Iterator[object] | Sequence[object], size: int) -> Iterator[str]:
    """JSON lists of `size` values each."""
    rest = iter(values)
    while piece := list(islice(rest, size)):
        yield to_json(piece)


def _left_out(view: View, big: Sequence[str], pictures: Sequence[str | None]) -> Iterator[str]:
    for label in big:
        yield f"{label}: its questions do not fit into the page; serve it to see them, or allow more megabytes"
    more = len(view.pictures.found) - len(pictures)
    if more:
        yield f"{more:,} pictures do not fit into the page; serve it to see them"
    missing = sum(picture is None for picture in pictures)
    if missing:
        yield f"{missing:,} of {len(view.pictures.found):,} pictures cannot be read where the runs found them"
