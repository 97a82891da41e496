"""Files that are still to be written, and writing them without touching any that are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.atomic import errors_naming
from mipha_eval.core.errors import UserError

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Draft:
    """What a new plugin consists of.

    Attributes:
        files: path below the chosen folder -> text or bytes.
        steps: what each of the next commands is for -> its words; a `Path` is below the chosen folder.
    """

    files: Mapping[str, str | bytes]
    steps: Mapping[str, tuple[str | Path, ...]]

    def write(self, folder: Path) -> list[Path]:
        """Writes all files.

        Returns:
            Their paths.

        Raises:
            UserError: one is there, or a folder that they would be alone in; then none is written.
        """
        tops = sorted({folder / Path(name).parts[0] for name in self.files})
        there = next((top for top in tops if top.exists() or top.is_symlink()), None)
        if there is not None:
            raise UserError(
                f"{there} is there already and is left as it is; choose another name or another folder",
                flag="--output FOLDER",
            )
        for name, content in self.files.items():
            path = folder / name
            with errors_naming(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return [folder / name for name in self.files]

    def commands(self, folder: Path) -> dict[str, str]:
        """The next commands as they are typed, by what they are for."""
        return {
            aim: shlex.join(word if isinstance(word, str) else _typed(folder / word) for word in words)
            for aim, words in self.steps.items()
        }


def _typed(path: Path) -> str:
    """A path as no program takes it for a package's name."""
    return str(path) if path.suffix or len(path.parts) > 1 else f"./{path}"


def rendered(template: str, **values: object) -> str:
    """A template's text with its values."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Python and TOML, not HTML; names are checked, and nothing else comes from outside
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)


def words_of(template: str) -> set[str]:
    """Every word of a template, so that a class can be called by none of them."""
    return set(re.findall(r"\w+", (TEMPLATES / template).read_text(encoding="utf-8")))
