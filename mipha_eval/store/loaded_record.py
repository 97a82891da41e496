"""``loaded.json``: what was typed, and which files were read, when a run's model was last loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_json
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.record import Text, checked, record_json
from mipha_eval.scoring.installation import Stamp, stamp_of

NAME = "loaded.json"
#: seconds within which a file can be written twice and look as if it were written once, on the coarsest file systems
GRAIN = 2.0
NANO = 1_000_000_000


class LoadedRecord(Struct, frozen=True):
    """From which it follows that the same command would load the same model.

    Attributes:
        model: a digest of the model as it was typed, and of what is installed.
        run: the same with all else of the command that decides the run.
        files: those that were read and the folders that they are in, with their stamps.
    """

    model: Text
    run: Text
    files: Mapping[str, Stamp]

    @property
    def unchanged(self) -> bool:
        """Whether all files are as they were, and none came or went."""
        try:
            return all(stamp_of(Path(path)) == stamp for path, stamp in self.files.items())
        except OSError:
            return False


def read_loaded(folder: Path) -> LoadedRecord | None:
    """None where there is none that can be read: then the model is loaded."""
    try:
        return checked(LoadedRecord, read_object(folder / NAME), str(folder))
    except UserError:
        return None


def write_loaded(folder: Path, model: str, run: str, files: Callable[[], Iterable[Path]]) -> None:
    """Notes what was loaded; takes away what was noted before where files are too young to be known by their stamps.

    Args:
        files: those that were read; asked again behind the stamps, so that these are of what was loaded.

    Raises:
        UserError: as `files` does, where one was written since it was read.
    """
    try:
        stamps = {str(path.absolute()): stamp_of(path) for path in _watched(files())}
    except OSError:  # one has gone meanwhile
        stamps = {}
    files()
    if stamps and max(written for *_, written, _ in stamps.values()) < (time.time() - GRAIN) * NANO:
        write_json(folder / NAME, record_json(LoadedRecord(model, run, stamps)))
    else:
        (folder / NAME).unlink(missing_ok=True)


def _watched(files: Iterable[Path]) -> set[Path]:
    """Files with their folders and those within, which change where a file that would be read comes or goes."""
    found = set(files)
    folders = {file.parent for file in found}
    return found | folders | {inside for folder in folders for inside in folder.iterdir() if inside.is_dir()}
