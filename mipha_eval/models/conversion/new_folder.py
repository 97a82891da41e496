"""A folder that is there complete or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import why


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to write into; where that comes to its end, it becomes `target`, else nothing of it stays.

    Raises:
        UserError: there is something at `target`, or it cannot be written.
    """
    target = target.expanduser().resolve()
    check_free(target)
    above = [folder for folder in target.parents if not folder.exists()]
    made = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made.mkdir()
        yield made
        with suppress(FileNotFoundError):
            target.rmdir()  # empty, as was seen
        made.rename(target)
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        for folder in above:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise UserError(f"cannot write {target}: {why(error)}; nothing is left of it") from error
        raise


def check_free(target: Path) -> None:
    """Raises UserError unless there is nothing, or an empty folder."""
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            kind = "has files already" if target.is_dir() else "is a file"
            raise UserError(f"{target} {kind}; name a folder that does not exist yet, or an empty one", flag="-o OUT")
    except OSError as error:
        raise UserError(f"cannot look at {target}: {why(error)}") from error


def check_room(target: Path, size: int) -> None:
    """Raises UserError where a disk has not so many bytes free."""
    there = next(folder for folder in target.expanduser().resolve().parents if folder.exists())
    free = shutil.disk_usage(there).free
    if size > free:
        raise UserError(f"{target} takes {size / 1e9:.1f} GB, but {there} has {free / 1e9:.1f} GB free")


def copy_files(files: Iterable[Path], source: Path, target: Path) -> None:
    """Copies files, what links lead to in their places, under their names in `source`."""
    for file in sorted(files):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
