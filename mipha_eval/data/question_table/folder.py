"""A folder that is a benchmark: pictures beside a table of their questions."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.references import ENDINGS

#: what the hub's form of a folder of pictures calls its table
METADATA = "metadata"


def table_in(folder: Path) -> Path:
    """The table of a folder: ``metadata.jsonl`` or the like, the one beside a description, or the only one.

    Raises:
        UserError: there is no folder, no table, or nothing tells which of several.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder")
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    metadata = [path for path in tables if path.stem == METADATA]
    described = [path for path in tables if path.with_suffix(".toml").is_file()]
    for found in (metadata, described, tables):
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"{folder} has several tables of questions, {_names(found)}; name the file")
    raise UserError(f"{folder} has no table of questions; one is called {METADATA}.jsonl, or ends in {', '.join(ENDINGS)}")


def _names(files: list[Path]) -> str:
    return " and ".join(path.name for path in files)
