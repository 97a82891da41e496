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


def installation_digest() -> str:
    """Identifies this package's code and data, the other packages, Python, Java and the kind of machine.

    "" where that is not what it was when this process asked first: nobody can say then which code is running.
    """
    now = _digest()
    return now if now == _at_first(now) else ""


def stamp_of(path: Path) -> Stamp:
    """By which it is seen whether a file was written or replaced, or something in a folder. Raises OSError."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _at_first(now: str) -> str:
    found = _asked_first()
    found.setdefault("digest", now)
    return found["digest"]


@functools.cache
def _asked_first() -> dict[str, str]:
    return {}


def _digest() -> str:
    java = shutil.which("java")
    parts = [
        *([*_packages()], sys.version, platform.platform(), sys.byteorder),
        [java, *stamp_of(Path(java).resolve())] if java else None,
        {name: os.environ.get(name) for name in ENVIRONMENT},
    ]
    digest = hashlib.sha256(json.dumps(parts).encode())
    for file in _own_files():
        content = file.read_bytes()
        digest.update(f"{file} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _own_files() -> Iterator[Path]:
    """The package's files, with plugins, certificates and oracles where a checkout has them beside it."""
    beside = (*(plugin_folder(kind) for kind in (*OWNERS, "certificates")), oracle_folder())
    for place in (PACKAGE, *(each for each in beside if not each.is_relative_to(PACKAGE))):
        for folder, folders, files in os.walk(place):
            folders[:] = sorted(name for name in folders if name != CACHE)
            yield from (Path(folder, name) for name in sorted(files))


def _packages() -> Iterator[list[object]]:
    """Names, which have the versions in them, and when each was installed."""
    for place in sys.path:
        folder = Path(place or ".")
        if folder.is_dir():
            yield from ([str(each), *stamp_of(each)] for each in sorted(folder.iterdir()) if each.suffix in INSTALLED)
