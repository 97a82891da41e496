"""What a module depends on: the modules that it imports and the data files that it names, found by reading them.

Nothing is imported. Imports inside functions count; those for type checkers alone do not.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

#: a module's name -> its file; None where a closure is not to follow
Finder = Callable[[str], "Path | None"]

CODE, TYPE_CHECKING = ".py", "TYPE_CHECKING"

#: an import statement that has its lines to itself, and the word that every import has
IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+[.\w]+[ \t]+)?import[ \t]*(?:\([^)]*\)|[^\n(;\\]*)$", re.MULTILINE)
WORD, CHECKING = re.compile(rb"\bimport\b"), re.compile(TYPE_CHECKING.encode())

#: what is for type checkers alone, where it stands as it mostly does
CHECKED = re.compile(rb"^if (?:typing\.)?TYPE_CHECKING:[ \t]*\n(?:(?:[ \t]+[^\n]*)?\n)+", re.MULTILINE)

#: parts of a statement that hold further ones
STATEMENTS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True)
class Reading:
    """What a file says: modules that it may import, by full name, and data files beside it that it names."""

    imports: tuple[str, ...]
    data: tuple[Path, ...]


def import_closure(start: Mapping[str, Path], find: Finder) -> dict[str, Path]:
    """The files of modules and of all that they import, as far as `find` knows them, by name.

    A data file is called ``PACKAGE/NAME``: one that a module names and that lies beside it, or in a folder beside it.
    """
    found: dict[str, Path] = {}
    todo, asked = dict(start), set(start)
    alone: set[str] = set()  # modules beside which no folder of their name lies, so that nothing is in them
    while todo:
        name, file = todo.popitem()
        found[name] = file
        reading = read_module(name, file)
        for module in reading.imports:
            if module in asked or module.rpartition(".")[0] in alone:
                continue
            asked.add(module)
            place = find(module)
            if place is not None:
                todo[module] = place
                alone |= set() if place.stem == "__init__" or place.with_suffix("").is_dir() else {module}
        package = name if file.stem == "__init__" else name.rpartition(".")[0]
        found.update((f"{package}/{data.relative_to(file.parent).as_posix()}", data) for data in reading.data)
    return found


def closure_digest(closure: Mapping[str, Path]) -> str:
    """Identifies the content of a closure's files under their modules' names, wherever they are installed."""
    digest = hashlib.sha256()
    for name, file in sorted(closure.items()):
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read_module(name: str, file: Path) -> Reading:
    """Reads a file; what it says is found out once for each content."""
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    return _read(file, package, file.read_bytes())


@functools.lru_cache(maxsize=1024)
def _read(file: Path, package: str, source: bytes) -> Reading:
    imported = (name for node in _imports(_statements(source)) for name in _imported(node, package))
    return Reading(tuple(dict.fromkeys(parent for name in imported for parent in _parents(name))), _data_files(file, source))


def _statements(source: bytes) -> ast.Module:
    """The import statements of a file, parsed by themselves where each surely is one; else all of it, which takes long."""
    rest, blocks = CHECKED.sub(b"", source), CHECKED.findall(source)
    found = IMPORT.findall(rest)
    if all(sum(len(word.findall(each)) for each in found) == len(word.findall(rest)) for word in (WORD, CHECKING)):
        with contextlib.suppress(SyntaxError):
            for block in blocks:  # each must be a statement that ends where it seems to
                ast.parse(block)
            return ast.parse(b"\n".join(map(bytes.strip, found)))
    return ast.parse(source)


def _imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements, wherever they stand; expressions, which hold none, are not looked into."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        for part in STATEMENTS:
            if not (part == "body" and isinstance(node, ast.If) and _for_type_checkers(node.test)):
                within = getattr(node, part, ())
                todo += within if isinstance(within, list) else ()


def _for_type_checkers(test: ast.expr) -> bool:
    return TYPE_CHECKING in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    # `from . import x` in a.b is a.b.x, `from ..c import x` is a.c.x
    above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def _parents(name: str) -> Iterator[str]:
    """A module and the packages around it, whose ``__init__`` is run when it is imported."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


@functools.lru_cache(maxsize=256)
def _beside(folder: Path, changed: int) -> tuple[str, ...]:  # noqa: ARG001 - a folder that changed is listed anew
    """Names of what is in a folder beside code."""
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.suffix != CODE))


def _data_files(file: Path, source: bytes) -> tuple[Path, ...]:
    """Files beside a module, or in a folder without code beside it, whose name stands in quotes in the module."""
    found: list[Path] = []
    for name in _beside(file.parent, file.parent.stat().st_mtime_ns):
        quoted = (f'"{name}"', f"'{name}'")
        if not any(text.encode() in source for text in quoted):
            continue
        entry = file.parent / name
        inside = [path for path in sorted(entry.rglob("*")) if path.is_file()] if entry.is_dir() else [entry]
        # a folder with code is a package, and what is read of it is imported
        found += [] if any(path.suffix == CODE for path in inside) else inside
    return tuple(found)


def module_file(place: Path | str) -> Path | None:
    """The file of a module or package whose name leads to `place`; None if there is none."""
    # as texts: most names lead nowhere, and to make a path takes longer than to look for one
    files = (f"{place}{CODE}", os.path.join(place, f"__init__{CODE}"))  # noqa: PTH118
    return next((Path(file) for file in files if os.path.isfile(file)), None)  # noqa: PTH113
