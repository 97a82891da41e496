"""Where files go: room on the disks, and what caches hold."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mipha_eval.authoring.finding import Finding
from mipha_eval.core.cache_folder import cache_folder
from mipha_eval.runs.defaults import OUTPUT

GB = 1e9
SCARCE = 2 * GB  # free bytes below which it is said
LONGEST = 1.5  # seconds that the size of a cache may take


def results_folder() -> Path:
    """As ``run`` has it."""
    return Path(os.environ.get("MIPHA_EVAL_OUTPUT") or os.environ.get("MIPHA_EVAL_OUT") or OUTPUT)


def hugging_face() -> Path:
    """As its libraries have it."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HOME") or usual).expanduser()


def hub_cache() -> Path:
    return Path(os.environ.get("HF_HUB_CACHE") or hugging_face() / "hub").expanduser()


def datasets_cache() -> Path:
    return Path(os.environ.get("HF_DATASETS_CACHE") or hugging_face() / "datasets").expanduser()


#: what is written to, by what is written there
PLACES: Mapping[str, Callable[[], Path]] = {
    "results": results_folder,
    "hub cache": hub_cache,
    "data sets": datasets_cache,
    "own cache": cache_folder,
    "temporary": lambda: Path(tempfile.gettempdir()),
}
CACHES = ("hub cache", "data sets", "own cache")


def places() -> Iterator[Finding]:
    """A line a place."""
    for name, find in PLACES.items():
        try:
            yield place(name, find())
        except (OSError, RuntimeError) as error:
            yield Finding(f"place {name}", "note", f"cannot be looked at: {error}")


def place(name: str, folder: Path) -> Finding:
    """How much room is there, what is in it if it is a cache, and whether it can be written to."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    line = f"{folder.absolute()}: {free / GB:.1f} GB free" + ("" if folder.exists() else ", not there yet")
    if name in CACHES and folder.is_dir():
        line += f", holds {held(folder)}"
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Finding(f"place {name}", "note", f"{line}; it cannot be written to")
    return Finding(f"place {name}", "note" if free < SCARCE else "ok", line)


def held(folder: Path) -> str:
    """The size of a folder's files, links not followed; at least so much where there are too many to count."""
    until, total, count, todo = time.monotonic() + LONGEST, 0, 0, [folder]
    while todo:
        if time.monotonic() > until:
            return f"at least {total / GB:.2f} GB in {count:,} files"
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                todo.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                total, count = total + entry.stat(follow_symlinks=False).st_size, count + 1
    return f"{total / GB:.2f} GB in {count:,} files"
