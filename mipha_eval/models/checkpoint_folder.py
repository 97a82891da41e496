"""Where a checkpoint is: a folder, or a repository of the hub."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.models.fingerprint import WANTED_FILES, Stamp, check_unchanged
from mipha_eval.models.weights import PICKLED

SETTINGS = "config.json"

logger = logging.getLogger(__name__)


def locate_checkpoint(path: str, revision: str | None = None, *, pickled: bool = False) -> Path:
    """A local folder as it is, else a snapshot of a hub repository.

    Args:
        pickled: whether ``.bin`` files of a repository are fetched, too.

    Raises:
        UserError: there is neither.
    """
    folder = Path(path).expanduser()
    if folder.is_dir():
        return folder
    if not is_hub_name(path):
        raise UserError(f"checkpoint folder {path} does not exist")
    logger.info("%s comes from the hub; what is not here yet is fetched", path)
    return _fetched(path, revision, [*WANTED_FILES, *(PICKLED if pickled else ())])


def check_exists(path: str, revision: str | None = None) -> None:
    """Raises UserError if a path is neither a local folder nor a repository of the hub, whose settings alone are fetched."""
    if is_hub_name(path):
        _fetched(path, revision, [SETTINGS])
    else:
        locate_checkpoint(path)


def _fetched(path: str, revision: str | None, wanted: list[str]) -> Path:
    """The folder with files of a repository of the hub. Raises UserError."""
    from huggingface_hub import snapshot_download

    from mipha_eval.models.stage_bar import fetched

    try:
        with fetched(path) as bars:
            return Path(snapshot_download(path, revision=revision, allow_patterns=wanted, tqdm_class=bars))
    except Exception as error:  # huggingface_hub raises its own, requests' and OSErrors here
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path} is no local folder and cannot be fetched from the hub: {reason}") from error


def local_files(path: str, read: Mapping[Path, Stamp]) -> list[Path]:
    """The files of a checkpoint that is a folder; none of one that the hub has, which may have another tomorrow.

    Args:
        read: as they were before they were read.

    Raises:
        UserError: one was written since.
    """
    check_unchanged(read, read)
    return list(read) if Path(path).expanduser().is_dir() else []


def is_hub_name(path: str) -> bool:
    """Whether a path can be a repository's name on the hub, and is no folder here."""
    return path.count("/") == 1 and not path.startswith(("/", ".", "~")) and not Path(path).is_dir()
