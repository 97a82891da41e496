"""Finds tasks and model adapters by name: the bundled folders, entry points of installed packages, and ``--plugin FILE``.

Names are file names; nothing is imported until it is asked for.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias

import mipha_eval
from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import PluginError, UserError, UserInterruptError
from mipha_eval.core.options import option_fields, unknown
from mipha_eval.core.plugins.blame import FILE_MODULE, is_foreign, place_in, told
from mipha_eval.core.plugins.checks.classes import MODEL, TASK, Checks, check_class, check_options
from mipha_eval.core.plugins.import_closure import module_file
from mipha_eval.core.plugins.presets import Preset, read_presets
from mipha_eval.core.task import Task
from mipha_eval.core.task_label import TaskLabel

logger = logging.getLogger(__name__)

Kind = Literal["tasks", "model_adapters"]
Owner: TypeAlias = "type[Task] | type[ModelAdapter]"
OWNERS: Mapping[Kind, Owner] = {"tasks": Task, "model_adapters": ModelAdapter}
CHECKS: Mapping[Kind, Checks] = {"tasks": TASK, "model_adapters": MODEL}
WORDS: Mapping[Kind, str] = {"tasks": "task", "model_adapters": "model"}
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
            return (ast.get_docstring(ast.parse(self.place.read_text(encoding="utf-8"))) or "").split("\n")[0]
        if isinstance(self.place, EntryPoint):
            return f"from {self.place.dist.name if self.place.dist else self.place.value}"
        return self.place.summary


class Registry:
    """All plugins that can be reached, by kind and name.

    Attributes:
        left_out: tasks of installed packages that are called as bundled ones are.
    """

    def __init__(self, files: Sequence[Path] = ()) -> None:
        self._files = list(files)
        self._found: dict[Kind, dict[str, Plugin]] = {}
        self.left_out: dict[str, Plugin] = {}

    def names(self, kind: Kind) -> dict[str, Plugin]:
        """Name -> plugin; ``--plugin`` files win over entry points, these over bundled models.

        A bundled task's name is its own: what stands in tables under ``pope@llava`` is that. A package's task of such a
        name is left out.

        Raises:
            UserError: a ``--plugin`` file cannot be used, or has a task with a bundled one's name.
        """
        if kind not in self._found:
            bundled = {plugin.name: plugin for plugin in _bundled(kind)}
            installed = {plugin.name: plugin for plugin in _installed(kind)}
            found = {**installed, **bundled} if kind == "tasks" else {**bundled, **installed}
            self.left_out |= {name: installed[name] for name in bundled.keys() & installed.keys() if kind == "tasks"}
            for file in self._files:
                named = {name: Plugin(name, kind, file) for name in _classes(_load_file(file), kind)}
                taken = next((name for name in named if name in bundled), None) if kind == "tasks" else None
                if taken is not None:
                    raise PluginError(
                        f"plugin {file} calls a task {taken}, as one of mipha-eval's is; it needs another name"
                    )
                found |= named
            self._found[kind] = found
        return self._found[kind]

    def plugin(self, kind: Kind, name: str) -> Plugin:
        """Raises UserError with the nearest names if there is no such plugin."""
        known = self.names(kind)
        plain = _plain(name)
        if plain not in known:
            raise UserError(unknown(WORDS[kind], name, known))
        return known[plain]

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
            return _load_entry_point(plugin.place, kind), {}
        classes = _classes(_load_file(plugin.place), kind)
        if plugin.name not in classes:
            raise UserError(f"{plugin.place} defines no {WORDS[kind]} called {plugin.name}")
        return classes[plugin.name], {}


def called(owner: Owner) -> str:
    """What a plugin is found by: its name, and what it varies."""
    return TaskLabel(owner.name, variation=owner.variation).plugin if issubclass(owner, Task) else owner.name


def plugin_folder(kind: str) -> Path:
    """The bundled folder: inside an installed package, beside it in a checkout."""
    installed = PACKAGE / kind
    return installed if installed.is_dir() else PACKAGE.parent / kind


def own_module(name: str) -> Path | None:
    """The file of a module of this package, a bundled plugin's among them; None for any other."""
    root, *parts = name.split(".")
    places = mipha_eval.__path__ if root == PACKAGE.name else ()
    return next((file for place in places if (file := module_file(Path(place, *parts)))), None)


def _bundled(kind: Kind) -> list[Plugin]:
    folder = plugin_folder(kind)
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    found = [Plugin(file.stem.replace("_", "-"), kind, file) for file in files]
    return [*found, *(Plugin(preset.name, kind, preset) for preset in read_presets(folder, PACKAGE))]


def _installed(kind: Kind) -> list[Plugin]:
    return [Plugin(point.name.replace("_", "-"), kind, point) for point in entry_points(group=f"mipha_eval.{kind}")]


def _load_entry_point(point: EntryPoint, kind: Kind) -> Owner:
    with _importing(f"plugin {point.name} ({point.value})"):
        owner: object = point.load()
    if not isinstance(owner, type):
        raise UserError(f"entry point {point.value} is not a class")
    if not issubclass(owner, OWNERS[kind]):
        raise UserError(f"entry point {point.value} is not a {OWNERS[kind].__name__}")
    _check(owner, kind)
    name = called(owner)
    if _plain(name) != _plain(point.name):
        raise PluginError(f"entry point {point.name} is {point.value}, which calls itself {name}; the names must agree")
    return owner


@contextmanager
def _importing(what: str) -> Iterator[None]:
    """A stranger's code may fail in any way, also by ending the program; only this plugin is lost."""
    try:
        yield
    except UserInterruptError:
        raise
    except BaseException as error:
        place = place_in(error)
        raise PluginError(f"{what} cannot be imported: {told(error)}{f' ({place})' if place else ''}") from error


def _check(owner: type, kind: Kind) -> None:
    """Raises PluginError for a class that cannot be used."""
    check_class(owner, WORDS[kind], CHECKS[kind])
    if kind == "tasks":
        check_options(owner, WORDS[kind], Task, option_fields(owner))


def _plain(name: str) -> str:
    return name.replace("_", "-").lower()


def _load_file(file: Path) -> ModuleType:
    """Imports a plugin file once; bundled ones as ``mipha_eval.tasks.NAME``, others under their own path."""
    if not file.is_file():
        raise UserError(f"plugin file {file} does not exist")
    for kind in OWNERS:
        if file.parent == plugin_folder(kind):
            return importlib.import_module(f"{PACKAGE.name}.{kind}.{file.stem}")
    name = f"{FILE_MODULE}{file.resolve()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UserError(f"plugin file {file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        with _importing(f"plugin {file}"):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _classes(module: ModuleType, kind: Kind) -> dict[str, Owner]:
    """Concrete tasks or adapters that a module defines, by their `name`."""
    defined = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
    wanted: list[Owner] = [owner for owner in defined if issubclass(owner, OWNERS[kind]) and not inspect.isabstract(owner)]
    for owner in wanted:
        if is_foreign(owner):
            _check(owner, kind)
    return {_plain(called(owner)): owner for owner in wanted}
