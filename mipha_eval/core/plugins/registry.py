"""Finds tasks and model adapters by name: the bundled folders, entry points of installed packages, and ``--plugin FILE``.

Names are file names; nothing is imported until it is asked for.
"""

from __future__ import annotations

import ast
import functools
import logging
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import mipha_eval
from mipha_eval.core.errors import PluginError, UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.plugins.import_closure import module_file
from mipha_eval.core.plugins.plugin_code import OWNERS, WORDS, Kind, check_there, file_classes, load_entry_point, plain_name
from mipha_eval.core.plugins.presets import Preset, read_presets
from mipha_eval.core.stage import stage

logger = logging.getLogger(__name__)

PACKAGE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Plugin:
    """Where a task or adapter is: a file, an entry point, or a preset of another plugin."""

    name: str
    kind: Kind
    place: Path | EntryPoint | Preset

    @property
    def summary(self) -> str:
        """The first line of the module's docstring, read without importing it."""
        if isinstance(self.place, Path):
            return (ast.get_docstring(ast.parse(self.place.read_bytes())) or "").split("\n")[0]
        if isinstance(self.place, EntryPoint):
            return f"from {self.place.dist.name if self.place.dist else self.place.value}"
        return self.place.summary


class Registry:
    """All plugins that can be reached, by kind and name.

    Attributes:
        left_out: tasks of installed packages that are called as bundled ones are.
        broken: ``--plugin`` files that cannot be used, and why; what they define is not known.
    """

    def __init__(self, files: Sequence[Path] = ()) -> None:
        self._files = list(dict.fromkeys(files))
        self._found: dict[Kind, dict[str, Plugin]] = {}
        self._twice: dict[Kind, set[str]] = {}
        self.left_out: dict[str, Plugin] = {}
        self.broken: dict[Path, PluginError] = {}

    def names(self, kind: Kind) -> dict[str, Plugin]:
        """Name -> plugin; ``--plugin`` files win over entry points, these over bundled models.

        A bundled task's name is its own: what stands in tables under ``pope@llava`` is that. A package's task of such a
        name is left out. A file that cannot be used is noted in `broken`, and takes no other with it.

        Raises:
            UserError: a ``--plugin`` file is not there, or is none of Python: what was meant can be nobody's guess.
        """
        if kind not in self._found:
            for file in self._files:
                check_there(file)
            bundled = {plugin.name: plugin for plugin in _bundled(kind)}
            every = _installed(kind)
            installed = {plugin.name: plugin for plugin in every}
            self._twice[kind] = {name for name, count in Counter(plugin.name for plugin in every).items() if count > 1}
            found = {**installed, **bundled} if kind == "tasks" else {**bundled, **installed}
            self.left_out |= {name: installed[name] for name in bundled.keys() & installed.keys() if kind == "tasks"}
            files: dict[str, Plugin] = {}
            for file in self._files:
                try:
                    files |= _of_file(file, kind, {**files, **(bundled if kind == "tasks" else {})})
                except PluginError as error:
                    self.broken.setdefault(file, error)
            self._found[kind] = found | files
        return self._found[kind]

    def plugin(self, kind: Kind, name: str) -> Plugin:
        """Raises UserError with the nearest names if there is no such plugin; for a broken file's why it is broken."""
        known = self.names(kind)
        plain = plain_name(name)
        meant = {file: error for file, error in self.broken.items() if _may_define(file, plain)}
        if plain not in known or meant:
            for error in (meant or self.broken).values():
                raise error
            raise UserError(unknown(WORDS[kind], name, known))
        if plain in self._twice[kind] and isinstance(known[plain].place, EntryPoint):
            packages = " and ".join(each.summary for each in _installed(kind) if each.name == plain)
            raise PluginError(f"{WORDS[kind]} {plain} is {packages}; two packages call theirs so, uninstall one")
        return known[plain]

    def check_files(self) -> None:
        """Raises UserError for a ``--plugin`` file that cannot be used; where a verb is about all plugins, at its end."""
        for error in self.broken.values():
            raise error

    def preset(self, name: str) -> Preset | None:
        """The preset of a model's name; None for a name that is no preset's. Raises UserError for one that is nobody's."""
        place = self.plugin("model_adapters", name).place
        return place if isinstance(place, Preset) else None

    def load(self, kind: Kind, name: str) -> tuple[type[Any], Mapping[str, str]]:
        """The class of a task or adapter, and the options that a preset gives."""
        plugin = self.plugin(kind, name)
        if kind == "tasks" and plugin.name in self.left_out:
            other = self.left_out.pop(plugin.name).summary.removeprefix("from ")
            logger.warning("%s: the task of that name in %s is left out, this is mipha-eval's own", plugin.name, other)
        if isinstance(plugin.place, Preset):
            return self.load(kind, plugin.place.adapter)[0], plugin.place.options
        if isinstance(plugin.place, EntryPoint):
            return load_entry_point(plugin.place, kind), {}
        with stage(f"importing {plugin.name}"):
            classes = file_classes(plugin.place, kind, _module_of(plugin.place))
        if plugin.name not in classes:
            raise UserError(f"{plugin.place} defines no {WORDS[kind]} called {plugin.name}")
        return classes[plugin.name], {}


def plugin_folder(kind: str) -> Path:
    """The bundled folder: inside an installed package, beside it in a checkout."""
    installed = PACKAGE / kind
    return installed if installed.is_dir() else PACKAGE.parent / kind


def own_module(name: str) -> Path | None:
    """The file of a module of this package, a bundled plugin's among them; None for any other."""
    root, *parts = name.split(".")
    places = mipha_eval.__path__ if root == PACKAGE.name else ()
    return next((file for place in places if (file := module_file(os.path.join(place, *parts)))), None)  # noqa: PTH118


def _bundled(kind: Kind) -> list[Plugin]:
    folder = plugin_folder(kind)
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    found = [Plugin(file.stem.replace("_", "-"), kind, file) for file in files]
    return [*found, *(Plugin(preset.name, kind, preset) for preset in read_presets(folder, PACKAGE))]


def _installed(kind: Kind) -> list[Plugin]:
    folders = tuple((place, _changed(place)) for place in sys.path)
    return [Plugin(point.name.replace("_", "-"), kind, point) for point in _points(f"mipha_eval.{kind}", folders)]


@functools.lru_cache(maxsize=8)
def _points(group: str, folders: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001
    """Entry points of what is installed; read anew once the import path, or one of its folders, is another."""
    return tuple(entry_points(group=group))


def _changed(place: str) -> int:
    """When something was last put into a folder, or taken out of it; 0 for none."""
    try:
        return os.stat(place or ".").st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


def _of_file(file: Path, kind: Kind, taken: Mapping[str, Plugin]) -> dict[str, Plugin]:
    """What a ``--plugin`` file defines. Raises UserError for one that cannot be used, or calls its own as another is."""
    owners = file_classes(file, kind, _module_of(file))
    for name, owner in owners.items():
        if name in taken and taken[name].place != file:
            place = taken[name].place
            whose = "one of mipha-eval's" if isinstance(place, Path) and _module_of(place) else f"that of {place}"
            what = f"plugin {file} calls a {WORDS[kind]} {name}, as {whose} is; it needs another name"
            raise PluginError(f"{what} ({place_of(owner, 'name')})")
    return {name: Plugin(name, kind, file) for name in owners}


def _module_of(file: Path) -> str:
    """The name of a bundled plugin's module; "" for any other file."""
    return next((f"{PACKAGE.name}.{kind}.{file.stem}" for kind in OWNERS if file.parent == plugin_folder(kind)), "")


def _may_define(file: Path, name: str) -> bool:
    """Whether a file that cannot be used has a plugin's name in it, as text."""
    try:
        source = file.read_bytes()
    except OSError:
        return False
    spelled = {name, name.replace("-", "_"), name.partition("+")[0]}
    return any(f"{mark}{each}{mark}".encode() in source for each in spelled for mark in "\"'")
