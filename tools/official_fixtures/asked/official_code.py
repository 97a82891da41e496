"""Single functions and values out of official files, run without the packages around them."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any


def module_of(file: Path, name: str) -> Any:
    """A file as a module of its own; it imports nothing of its project."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def stand_in(name: str, **attributes: object) -> ModuleType:
    """A module that official code imports, with what it takes from there."""
    module = sys.modules[name] = ModuleType(name)
    module.__dict__.update(attributes)
    return module


def _found(file: Path, path: str) -> ast.AST:
    """The definition of a dotted name, such as ``Class.method``; the last one of that name."""
    node: ast.AST = ast.parse(file.read_text(encoding="utf-8"))
    for part in path.split("."):
        bodies = [child for child in ast.iter_child_nodes(node) if _name(child) == part]
        if not bodies:
            raise SystemExit(f"{file} has no {path}")
        node = bodies[-1]
    return node


def _name(node: ast.AST) -> str:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return next((target.id for target in targets if isinstance(target, ast.Name)), "")


def function_of(file: Path, path: str, names: Mapping[str, object]) -> Any:
    """A function or method, with the global names that it uses."""
    node = _found(file, path)
    if not isinstance(node, ast.FunctionDef):
        raise SystemExit(f"{path} of {file} is no function")
    defaults = tuple(ast.literal_eval(default) for default in node.args.defaults)
    node.decorator_list, node.returns, node.args.defaults = [], None, []
    for argument in [*node.args.args, *node.args.kwonlyargs]:
        argument.annotation = None
    code = compile(ast.fix_missing_locations(ast.Module([node], [])), str(file), "exec")
    inner = next(constant for constant in code.co_consts if isinstance(constant, CodeType))
    return FunctionType(inner, {**vars(builtins), **names}, node.name, defaults)


def value_of(file: Path, path: str) -> Any:
    """A literal that is assigned in a file or in a class."""
    node = _found(file, path)
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        raise SystemExit(f"{path} of {file} is no value")
    return ast.literal_eval(node.value)
