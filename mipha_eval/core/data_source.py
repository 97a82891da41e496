"""A data source: a folder in LLaVA's eval layout, the hub, or the demo."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal

from mipha_eval.core.errors import MissingDataError, UserError
from mipha_eval.core.files import MOST_PICTURE_BYTES, read_regular
from mipha_eval.core.types import Image


@dataclass(frozen=True)
class DataSource:
    """Where a task finds its files.

    Attributes:
        kind: ``folder`` for LLaVA's layout, ``hub`` for datasets, ``demo`` for the embedded scenes (a folder, too).
        annotations: an official annotation file that replaces the task's own (any subset of its split).
        note: is told each path that is found, for `mipha-eval data where`.
        root: the folder; for ``hub`` a local mirror that holds ``OWNER/NAME`` folders, or None for the hub itself.
        image_dirs: task name -> folder with its images, where they are not under `root`.
        revisions: dataset -> its revision on the hub, of those that were read.
    """

    kind: Literal["folder", "hub", "demo"]
    root: Path | None = None
    image_dirs: Mapping[str, Path] = field(default_factory=dict)
    annotations: Path | None = None
    note: Callable[[Path], object] = field(default=lambda _: None, compare=False, repr=False)
    revisions: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def folder(self) -> Path:
        if self.root is None:
            raise UserError("this needs a folder with files; give one", flag="--data FOLDER")
        return self.root

    def find(self, *candidates: str, hint: str = "") -> Path:
        """The first of the relative paths that exists.

        Raises:
            MissingDataError: none exists; names the first one and says where it is to be had.
        """
        for candidate in candidates:
            path = self.folder / candidate
            if path.exists():
                self.note(path)
                return path
        wanted = self.folder / candidates[0]
        raise MissingDataError(f"{wanted} is missing{_nearby(wanted)}{'; ' + hint if hint else ''}")

    def annotations_or(self, *candidates: str, hint: str = "") -> Path:
        """The file that --annotations names, else the first of the relative paths that exists."""
        return self.find(*candidates, hint=hint) if self.annotations is None else self.annotations

    def images(self, task: str, *defaults: str) -> ImageFolder:
        """The folder with a task's images: --image-dir first, then the first default that exists."""
        if task in self.image_dirs:
            return ImageFolder(self.image_dirs[task])
        existing = [self.folder / default for default in defaults if (self.folder / default).is_dir()]
        return ImageFolder(existing[0] if existing else self.folder / defaults[0])

    def __str__(self) -> str:
        return self.kind if self.root is None or self.kind == "demo" else str(self.root)


@dataclass(frozen=True)
class ImageFolder:
    """Names to images. Whether a file is there shows when it is read, so that one missing image fails one question."""

    folder: Path
    _made: dict[str, Image] = field(default_factory=dict, init=False, compare=False, repr=False)

    def image(self, name: str) -> Image:
        """The image of that name; the same object each time, for a million questions may be about far fewer images."""
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = Image(name, f"{self.folder}/{name}", ImageFile(self.folder, name))
        return found


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Reads a picture's file when it is called; a third of a `partial`'s size."""

    folder: Path
    name: str

    def __call__(self) -> bytes:
        if PurePath(self.name).is_absolute() or ".." in PurePath(self.name).parts:
            raise OSError(f"the name leads out of {self.folder}")
        return read_regular(self.folder / self.name, MOST_PICTURE_BYTES)


def _nearby(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (there is no folder {path.parent})"
    close = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=2, cutoff=0.5)
    return f" (the folder has {', '.join(close)})" if close else ""
