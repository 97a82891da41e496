"""What is installed here: whatever beside a task, its questions and its answers a number may depend on."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from mipha_eval.core.plugins.plugin_code import OWNERS
from mipha_eval.core.plugins.registry import PACKAGE, plugin_folder
from mipha_eval.scoring.certificate import oracle_folder

#: where other packages say that they are there
INSTALLED = (".dist-info", ".egg-info", ".egg-link")
#: what Java reads text by
ENVIRONMENT = ("LANG", "LC_ALL", "LC_CTYPE", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
CACHE = "__pycache__"

#: device, inode, size and times of a file or folder: of its content, and of the change that no program can set
Stamp = tuple[int, int, int, int, int]
Stamped = tuple[str, Stamp]


def installation_digest() -> str:
    """Identifies this package's code and data, the other packages, Python, Java and the kind of machine, by files' stamps.

    "" where a file of this package is younger than this process, or anything is not what it was when this process asked
    first: nobody can say which code is running.
    """
    try:
        now = _digest()
    except OSError:  # a file that came and went meanwhile
        return ""
    return now if now == _at_first(now) else ""


def stamp_of(path: Path) -> Stamp:
    """By which it is seen whether a file was written or replaced, or something in a folder. Raises OSError."""
    return _stamp(path.stat())


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _at_first(now: str) -> str:
    found = _asked_first()
    found.setdefault("digest", now)
    return found["digest"]


@functools.cache
def _begun() -> float:
    """When this process did, in seconds of the clock that files have."""
    from psutil import Process

    return float(Process().create_time())


@functools.cache
def _asked_first() -> dict[str, str]:
    return {}


def _digest() -> str:
    java, own = shutil.which("java"), sorted(_own_files())
    if max(stamp[-1] for _, stamp in own) > 1e9 * _begun():
        return ""
    parts = [
        *(own, sorted(_packages())),
        *(sys.version, platform.platform(), sys.byteorder),
        [java, *stamp_of(Path(java).resolve())] if java else None,
        {name: os.environ.get(name) for name in ENVIRONMENT},
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _own_files() -> Iterator[Stamped]:
    """The package's files, with plugins, certificates and oracles where a checkout has them beside it."""
    beside = (*(plugin_folder(kind) for kind in (*OWNERS, "certificates")), oracle_folder())
    for folder in (PACKAGE, *(each for each in beside if not each.is_relative_to(PACKAGE))):
        yield from _files_in(str(folder))


def _files_in(folder: str) -> Iterator[Stamped]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir():
                yield entry.path, _stamp(entry.stat())
            elif entry.name != CACHE:
                yield from _files_in(entry.path)


def _packages() -> Iterator[Stamped]:
    """Names, which have the versions in them, and when each was installed."""
    for place in filter(os.path.isdir, {each or os.curdir for each in sys.path}):
        with os.scandir(place) as entries:
            yield from ((each.path, _stamp(each.stat())) for each in entries if each.name.endswith(INSTALLED))
