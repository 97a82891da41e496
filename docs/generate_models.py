"""Writes the table of architectures in docs/models.md from docs/architectures.toml; a test checks both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

TARGET = Path(__file__).with_name("models.md")

#: architectures by what is known of them (``tested``, ``tested_apart``, ``refused``, ``untested``), then by name, with what
#: is shared, or why
ARCHITECTURES: Mapping[str, Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("architectures.toml").read_text(encoding="utf-8")
)

#: lines that the table stands between
BEGIN, END = "<!-- architectures, written by `make docs` -->\n", "<!-- end of architectures -->\n"

SHARED = {"prefix": "prefix", "features": "features", "none": "nothing"}


def rows() -> list[str]:
    """A line for each architecture, in the order of their names."""
    found = {name: f"tested equal | {SHARED[level]} |" for name, level in ARCHITECTURES["tested"].items()}
    found |= {name: f"tested equal | {level} |" for name, level in ARCHITECTURES["tested_apart"].items()}
    found |= {name: f"refused: {why} | |" for name, why in ARCHITECTURES["refused"].items()}
    found |= {name: f"untested{': ' if why else ''}{why} | |" for name, why in ARCHITECTURES["untested"].items()}
    return [f"| `{name}` | {found[name]}\n" for name in sorted(found)]


def with_table(page: str) -> str:
    """The page with the table as it should be. Raises ValueError if it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, behind = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{TARGET} has no lines {BEGIN!r} and {END!r}")
    tested = len(ARCHITECTURES["tested"]) + len(ARCHITECTURES["tested_apart"])
    counts = f"{tested} tested, {len(ARCHITECTURES['refused'])} refused, {len(ARCHITECTURES['untested'])} untested"
    head = f"{counts}.\n\n| architecture | `hf-chat` | questions about a picture share |\n|---|---|---|\n"
    return f"{before}{begin}\n{head}{''.join(rows())}\n{end}{behind}"


if __name__ == "__main__":
    TARGET.write_text(with_table(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
