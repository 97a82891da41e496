"""Ways in which a file of a run may be damaged, and the verbs that read runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

#: what is done to a file's bytes; None removes it
WHOLE: dict[str, Callable[[bytes], bytes | None]] = {
    "deleted": lambda _: None,
    "emptied": lambda _: b"",
    "halved": lambda content: content[: len(content) // 2],
    "object": lambda _: b"{}\n",
    "list": lambda _: b"[]\n",
    "null": lambda _: b"null\n",
    "number": lambda _: b"5\n",
    "text": lambda _: b"what was here has gone\n",
    "deep": lambda _: b"[" * 100_000 + b"\n",
    "digits": lambda _: b"9" * 400 + b"\n",
    "bytes": lambda _: b"\xff\xfe\x00garbage\xff\n",
}

#: what a field may be replaced by; `GONE` removes it
GONE = object()
FIELDS: dict[str, Any] = {
    "gone": GONE,
    "null": None,
    "text": "x",
    "number": -7,
    "float": 1e300,
    "true": True,
    "list": [[]],
    "object": {"x": {}},
}


def damaged_fields(content: bytes, *, lines: bool) -> Iterator[tuple[str, bytes]]:
    """(name, content) with one field gone or of another type, for each field of a file's object and of the objects in it."""
    first, *rest = content.split(b"\n") if lines else [content]
    record = json.loads(first)
    for path in _paths(record):
        for name, value in FIELDS.items():
            changed = json.loads(first)
            owner = changed
            for key in path[:-1]:
                owner = owner[key]
            if value is GONE:
                del owner[path[-1]]
            else:
                if type(owner[path[-1]]) is type(value):
                    continue
                owner[path[-1]] = value
            yield f"{'.'.join(path)} {name}", b"\n".join([json.dumps(changed).encode(), *rest])


def _paths(record: Any, deep: int = 2) -> Iterator[list[str]]:
    if isinstance(record, dict):
        for key, value in record.items():
            yield [key]
            if deep > 1:
                yield from ([key, *path] for path in _paths(value, deep - 1))


def verbs(run: Path, other: Path, out: Path) -> dict[str, Sequence[object]]:
    """Command lines that read a run, by verb."""
    return {
        "score": ["score", run],
        "score --json": ["score", run, "--json"],
        "report": ["report", run, "--format", "json"],
        "compare": ["compare", run, other, "--json"],
        "compare as second": ["compare", other, run],
        "view": ["view", run, "-o", out / "view.html"],
        "leaderboard": ["leaderboard", run.parent, "-o", out / "site"],
    }
