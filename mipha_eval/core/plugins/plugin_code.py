"""A plugin's code: imported as what it is, and looked at before it is used."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint
from pathlib import Path
from types import CodeType, ModuleType
from typing import Literal, TypeAlias

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import PluginError, UserError, UserInterruptError
from mipha_eval.core.options import option_fields
from mipha_eval.core.plugins.blame import FILE_MODULE, is_foreign, place_in, place_of, told
from mipha_eval.core.plugins.checks.classes import MODEL, TASK, Checks, check_class, check_metrics, check_options
from mipha_eval.core.plugins.checks.contract import check_contract, lacking
from mipha_eval.core.plugins.code_digest import code_digest
from mipha_eval.core.task import Task
from mipha_eval.core.task_label import TaskLabel

Kind = Literal["tasks", "model_adapters"]
Owner: TypeAlias = "type[Task] | type[ModelAdapter]"
OWNERS: Mapping[Kind, Owner] = {"tasks": Task, "model_adapters": ModelAdapter}
CHECKS: Mapping[Kind, Checks] = {"tasks": TASK, "model_adapters": MODEL}
WORDS: Mapping[Kind, str] = {"tasks": "task", "model_adapters": "model"}

#: methods by which a class is known that was meant to be a task or a model
SIGNS: Mapping[Kind, tuple[str, ...]] = {"tasks": ("samples", "questions", "score"), "model_adapters": ("generate",)}


def plain_name(name: str) -> str:
    """A plugin's name as it is looked up."""
    return name.replace("_", "-").lower()


def called(owner: Owner) -> str:
    """What a plugin is found by: its name, and what it varies."""
    return TaskLabel(owner.name, variation=owner.variation).plugin if issubclass(owner, Task) else owner.name


def load_entry_point(point: EntryPoint, kind: Kind) -> Owner:
    """The class that a package provides. Raises UserError for one that cannot be used."""
    with _importing(f"plugin {point.name} ({point.value})"):
        owner: object = point.load()
    if not isinstance(owner, type):
        raise PluginError(f"entry point {point.value} is not a class")
    if not issubclass(owner, OWNERS[kind]):
        raise PluginError(f"entry point {point.value} is not a {OWNERS[kind].__name__} ({place_of(owner, '')})")
    if inspect.isabstract(owner):
        raise PluginError(f"plugin {point.name}: {lacking(owner, WORDS[kind])} ({place_of(owner, '')})")
    _check(owner, kind)
    name = called(owner)
    if plain_name(name) != plain_name(point.name):
        raise PluginError(f"entry point {point.name} is {point.value}, which calls itself {name}; the names must agree")
    return owner


def file_classes(file: Path, kind: Kind, bundled: str = "") -> dict[str, Owner]:
    """Concrete tasks or adapters that a file defines, by what they are called.

    Args:
        bundled: the name of its module if it is one of this package; another file is known by its own path.

    Raises:
        UserError: it is no Python file, cannot be imported, defines neither a task nor a model, or one that cannot be used.
    """
    module = importlib.import_module(bundled) if bundled else _load_file(file)
    if not bundled:
        _check_defined(file, module)
    for each in OWNERS:  # a file is broken for tasks and models alike
        for owner in filter(is_foreign, _concrete(module, each)):
            _check(owner, each)
    named: dict[str, Owner] = {}
    for owner in _concrete(module, kind):
        name = plain_name(called(owner))
        if name in named:
            both = f"classes {named[name].__name__} and {owner.__name__}"
            raise PluginError(f"plugin {file}: {both} are both called {name} ({place_of(owner, 'name')})")
        named[name] = owner
    return named


def _concrete(module: ModuleType, kind: Kind) -> list[Owner]:
    return [owner for owner in _defined(module) if issubclass(owner, OWNERS[kind]) and not inspect.isabstract(owner)]


def _defined(module: ModuleType) -> list[type]:
    """The classes of a module, those that it imports left out; one by two names is one."""
    values = (value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__)
    return list(dict.fromkeys(values))


def _check_defined(file: Path, module: ModuleType) -> None:
    """Raises PluginError for a file that defines nothing, or a class that was meant to be complete and is not."""
    concrete = [owner for kind in OWNERS for owner in _concrete(module, kind)]
    for kind, contract in OWNERS.items():
        for owner in _defined(module):
            unfinished = issubclass(owner, contract) and inspect.isabstract(owner)
            derived = any(issubclass(each, owner) for each in concrete)
            if unfinished and not derived and (not concrete or isinstance(vars(owner).get("name"), str)):
                raise PluginError(f"plugin {file}: {lacking(owner, WORDS[kind])} ({place_of(owner, '')})")
    if concrete:
        return
    for kind, contract in OWNERS.items():
        for owner in _defined(module):
            if any(sign in vars(owner) for sign in SIGNS[kind]):
                what = f"class {owner.__name__} is no {WORDS[kind]}; derive it: class {owner.__name__}({contract.__name__})"
                raise PluginError(f"plugin {file}: {what} ({place_of(owner, '')})")
    raise PluginError(f"plugin {file} defines neither a task nor a model: a class of its own that is derived from one")


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
    """Raises PluginError for a class that cannot be used. What its code is, is noted now, as it was read just now."""
    if is_foreign(owner):
        check_contract(owner, WORDS[kind])
    check_class(owner, WORDS[kind], CHECKS[kind])
    check_options(owner, WORDS[kind], OWNERS[kind], option_fields(owner))
    if issubclass(owner, Task):
        check_metrics(owner, Task.metrics_for)
    code_digest(owner)


class _SourceLoader(SourceFileLoader):
    """Compiles what stands in the file now: kept bytecode is found by size and second alone, so that it may be another's."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def check_there(file: Path) -> None:
    """Raises UserError for what is no file."""
    if not file.is_file():
        what = "is a folder; name the Python file in it" if file.is_dir() else "does not exist"
        raise UserError(f"plugin file {file} {what}", flag="--plugin")


def _load_file(file: Path) -> ModuleType:
    """Imports a plugin file once, under its own path."""
    check_there(file)
    name = f"{FILE_MODULE}{file.resolve()}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _SourceLoader(name, str(file)) if file.suffix == ".py" else None
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
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
