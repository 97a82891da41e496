"""Which code a plugin is, so that answers and scores of another are never taken for its own."""

from __future__ import annotations

import importlib.util
import logging
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

from mipha_eval.core.plugins.blame import FILE_MODULE, OWN, foreign_parts, plugin_name
from mipha_eval.core.plugins.import_closure import closure_digest, import_closure, module_file

logger = logging.getLogger(__name__)

#: where other people's packages and Python's own modules are
INSTALLED = ("purelib", "platlib", "stdlib", "platstdlib")


@cache
def code_digest(owner: type) -> str:
    """Identifies a plugin's code: its file, and the modules of its own package or beside it that this imports.

    Python's modules and those of other packages are left out. "" for a task or model of this package, which has versions.
    Read once, when the plugin is loaded: what is edited later is not what runs.
    """
    return _digest(owner)


def tell_of_edited(owners: Iterable[type]) -> None:
    """Tells of plugins whose code is another now than when it was loaded."""
    for owner in dict.fromkeys(owners):
        try:
            edited = _digest(owner) != code_digest(owner)
        except (OSError, SyntaxError):
            edited = True
        if edited:
            name = plugin_name(owner.__module__)
            logger.warning(
                "plugin %s was edited meanwhile; this is by its code as it was, the same command goes by the new", name
            )


def _digest(owner: type) -> str:
    start, packages = {}, set()
    for part in foreign_parts(owner):
        file = getattr(sys.modules.get(part.__module__), "__file__", None)
        if file is not None:
            single = part.__module__.startswith(FILE_MODULE)
            start[plugin_name(part.__module__) if single else part.__module__] = Path(file)
            packages |= set() if single else {part.__module__.partition(".")[0]}
    return closure_digest(import_closure(start, partial(_own_file, frozenset(packages))))[:16] if start else ""


def _own_file(packages: frozenset[str], module: str) -> Path | None:
    """The file of a module that belongs to a plugin; None for any other."""
    head, *rest = module.split(".")
    if head == OWN or head in sys.stdlib_module_names:
        return None
    place = _place(head)
    if place is None or (head not in packages and _is_installed(place)):
        return None
    return module_file(place.joinpath(*rest))


@cache
def _place(head: str) -> Path | None:
    """Where a package or module of the first level is, without its ending; nothing is imported."""
    try:
        spec = importlib.util.find_spec(head)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    if folders:
        return Path(folders[0])
    return Path(spec.origin).with_suffix("") if spec.has_location and spec.origin else None


def _is_installed(place: Path) -> bool:
    return any(place.is_relative_to(sysconfig.get_path(name)) for name in INSTALLED)
