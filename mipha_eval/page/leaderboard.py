"""``mipha-eval leaderboard``: a static site on all runs below a folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import asdict

from mipha_eval import __version__
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.boards import Board, board
from mipha_eval.page.defaults import SITE_RUN
from mipha_eval.page.embed import Page, to_json, write_html
from mipha_eval.page.facts import RunFacts
from mipha_eval.page.runs import ShownRun, read_runs, run_facts
from mipha_eval.page.static_view import write_page
from mipha_eval.page.thumbnails import Pictures
from mipha_eval.page.view import View
from mipha_eval.store.plain_name import plain_name
from mipha_eval.store.run_names import name_order

logger = logging.getLogger(__name__)

SCRIPT = "leaderboard.js"


class LinkedRun(RunFacts, frozen=True, kw_only=True):
    """A run, and the address of its page."""

    page: str


class Document(Struct, frozen=True):
    """What the site's first page shows, as its scripts get it."""

    by: str
    title: str
    runs: tuple[LinkedRun, ...]
    tasks: tuple[Board, ...]


@dataclass(frozen=True)
class LeaderboardConfig:
    """What a user asks for; see ``mipha-eval leaderboard --help``."""

    folders: Sequence[Path]
    site: Path
    megabytes: float = SITE_RUN


def write_leaderboard(config: LeaderboardConfig, registry: Registry) -> Path:
    """Writes ``index.html`` and a page for each run, and returns the former.

    Raises:
        UserError: there is no run that can be shown, or the site cannot be written.
    """
    runs = find_runs(*config.folders)
    files = page_files(runs)
    for run, file in zip(runs, files, strict=True):
        written = write_page(View([run], registry, Pictures()), config.site / file, config.megabytes)
        for line in written.left_out:
            logger.warning("%s: %s", run.folder.path.name, line)
    labels = sorted({label for run in runs for label in run.results})
    document = Document(
        by=f"mipha-eval {__version__}",
        title=config.folders[0].resolve().name,
        runs=tuple(LinkedRun(**asdict(run_facts(run)), page=quote(file)) for run, file in zip(runs, files, strict=True)),
        tasks=tuple(board(runs, label, registry) for label in labels),
    )
    index = config.site / "index.html"
    write_html(index, Page(f"Leaderboard of {document.title}", SCRIPT, {"document": to_json(document)}))
    return index


def find_runs(*folders: Path) -> list[ShownRun]:
    """All runs below folders with a finished task; by name; those that cannot be read are told and left out."""
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; a leaderboard is of runs, and of answer files")
    paths = sorted({path.parent.resolve() for folder in folders for path in folder.rglob("manifest.json")})
    good = []
    for path in paths:
        try:
            if read_runs([path])[0].results:
                good.append(path)
            else:
                logger.warning("left out %s: it has no finished task", path)
        except UserError as error:
            logger.warning("left out: %s", error)
    if not good:
        raise UserError(f"no run below {', '.join(map(str, folders))} has a finished task")
    return sorted(read_runs(good), key=lambda run: name_order(run.name))


def page_files(runs: Sequence[ShownRun]) -> list[str]:
    """Where each run's page is in the site; runs whose folders have the same name are numbered."""
    taken: dict[str, int] = {}
    files = []
    for run in runs:
        name = plain_name(run.folder.path.name)
        taken[name] = taken.get(name, 0) + 1
        files.append(f"runs/{name}{f'-{taken[name]}' if taken[name] > 1 else ''}.html")
    return files
