"""The architecture's rules, checked on the source: who may import whom, and how big things may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "mipha_eval"
PLUGINS = ("tasks", "model_adapters")
FILES = [*LIBRARY.rglob("*.py"), *(file for folder in PLUGINS for file in (ROOT / folder).glob("*.py"))]
HEAVY = {"torch", "transformers", "accelerate", "safetensors"}
#: in the room of models, what plans and preprocesses without tensors
WITHOUT_TORCH = {f"models/{name}.py" for name in ("prefix", "prompt_groups", "tree", "prefetch", "mipha_prompt", "pixels")}


def rooms() -> list[str]:
    """The folders of the library from the ground up, as the architecture's page orders them."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    order: str = re.findall(r"`([a-z]+(?: < [a-z]+)+)`", page)[0]
    return order.split(" < ")


def modules(root: Path) -> dict[str, Path]:
    """The modules of the package in a folder, by their full names."""
    files = (root / "mipha_eval").rglob("*.py")
    return {".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


MODULES = modules(ROOT)


@cache
def parsed(file: Path) -> ast.Module:
    """A file of the package, read once for all rules."""
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports(file: Path) -> set[str]:
    """Names of imported modules, also in functions; type-checking blocks left out."""
    tree = parsed(file)
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports name their module in full"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def graph_of(known: dict[str, Path]) -> dict[str, set[str]]:
    """Which modules each imports; where one statement names a package and a module in it, the module."""
    named = {name: {module for module in imports(file) if module in known} - {name} for name, file in known.items()}
    return {
        name: {module for module in found if not any(other.startswith(f"{module}.") for other in found)}
        for name, found in named.items()
    }


def room_of(module: str) -> str:
    return module.split(".")[1] if module.startswith("mipha_eval.") else ""


def upward(graph: dict[str, set[str]], order: list[str]) -> list[str]:
    """The imports of a later room by an earlier one."""
    floor = {name: order.index(room_of(name)) for name in graph if room_of(name) in order}
    pairs = [(name, module) for name, found in graph.items() for module in found if {name, module} <= floor.keys()]
    return sorted(f"{name} imports {module}" for name, module in pairs if floor[module] > floor[name])


def circle(graph: dict[str, set[str]]) -> str:
    """A circle of imports, or ""."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " -> ".join(error.args[1])
    return ""


def test_rooms_are_the_folders() -> None:
    folders = {folder.name for folder in LIBRARY.iterdir() if (folder / "__init__.py").is_file()}
    assert set(rooms()) == folders
    entries = [entry for entry in LIBRARY.iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= 20, sorted(entry.name for entry in entries)


def test_no_import_runs_upward() -> None:
    assert not upward(graph_of(MODULES), rooms())


def test_no_circle() -> None:
    """Neither at import nor later: an import inside a function hides a circle from Python, not from a reader."""
    assert not circle(graph_of(MODULES))


def test_nothing_imports_plugins_or_what_is_outside() -> None:
    outside = (*PLUGINS, *(f"mipha_eval.{folder}" for folder in PLUGINS), "training", "tools", "tests", "bench")
    found = [(name, module) for name, file in MODULES.items() for module in imports(file) if module.startswith(outside)]
    assert not found


def test_a_circle_and_an_upward_import_are_seen(tmp_path: Path) -> None:
    """In a package made for that, with the imports inside functions."""
    texts = {
        "core/one.py": "def act():\n    from mipha_eval.core.two import act",
        "core/two.py": "from mipha_eval.core import one",
        "store/three.py": "def act():\n    import mipha_eval.runs.four",
        "runs/four.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mipha_eval.cli import five",
        "cli/five.py": "from mipha_eval.runs import four",
    }
    for name, text in texts.items():
        file = tmp_path / "mipha_eval" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    graph = graph_of(modules(tmp_path))
    assert upward(graph, rooms()) == ["mipha_eval.store.three imports mipha_eval.runs.four"]
    assert {"mipha_eval.core.one", "mipha_eval.core.two"} == set(circle(graph).split(" -> "))
    graph["mipha_eval.core.two"].clear()
    assert not circle(graph)


def test_torch_stays_with_the_models() -> None:
    files = [file for file in FILES if file.parent.name != "model_adapters"]
    heavy = [file for file in files if {module.split(".")[0] for module in imports(file)} & HEAVY]
    places = {file.relative_to(LIBRARY).as_posix() if file.is_relative_to(LIBRARY) else str(file) for file in heavy}
    assert places
    assert not {place for place in places if not place.startswith("models/") or place in WITHOUT_TORCH}


#: what begins a program or a process
BEGINNINGS = re.compile(r"subprocess\.(Popen|run|call|check_\w+|getoutput)|os\.(fork|exec|spawn|popen|system|posix_spawn)")


def test_programs_are_started_in_one_place() -> None:
    """Where their ends are seen to; the guard of a server is a program itself."""
    calls = [
        (file.relative_to(ROOT).as_posix(), ast.unparse(node.func))
        for file in FILES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Call)
    ]
    starting = {file for file, call in calls if BEGINNINGS.match(call)}
    assert starting <= {"mipha_eval/core/children.py", "mipha_eval/models/served/guard.py"}, starting


def code_lines(text: str) -> int:
    """Lines that do something: no blank lines, comments, docstrings or imports."""
    tree = ast.parse(text)
    idle = set()
    for node in ast.walk(tree):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and (docstring or isinstance(node, ast.Import | ast.ImportFrom)):
            idle |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), start=1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") and number not in idle for number, line in lines)


def too_large(file: Path) -> Iterator[str]:
    """What of a file is larger than it may be: modules up to 300 lines, functions up to 50, at most 5 parameters (the
    command line's verbs are their flags).
    """
    text, folder = file.read_text(encoding="utf-8"), file.parent.name
    if len(text.splitlines()) > 300 or code_lines(text) > {"tasks": 80, "model_adapters": 120}.get(folder, 300):
        yield f"{file}: {code_lines(text)} lines of code"
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef) and folder != "cli":
            if (node.end_lineno or 0) - node.lineno + 1 > 50:
                yield f"{file}: {node.name} is long"
            positional = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
            if len(positional) > 5:
                yield f"{file}: {node.name} has {len(positional)} parameters"


def test_sizes() -> None:
    assert not [found for file in FILES for found in too_large(file)]


def test_values_have_types() -> None:
    """`Any` is for what other libraries leave open; less than 5 in 1,000 lines."""
    names = [node for file in FILES for node in ast.walk(parsed(file)) if isinstance(node, ast.Name | ast.alias)]
    found = sum(node.id == "Any" if isinstance(node, ast.Name) else node.name == "Any" for node in names)
    assert found < 5 * sum(file.read_text(encoding="utf-8").count("\n") for file in FILES) / 1000


def test_no_mapping_of_anything_crosses_a_border() -> None:
    """What is passed from module to module says what it holds; what is free JSON is called `Json`."""
    free = {"Mapping[str, Any]", "dict[str, Any]", "MutableMapping[str, Any]", "Dict[str, Any]"}
    found = []
    for file in FILES:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                said = [node.returns, *(argument.annotation for argument in (*node.args.args, *node.args.kwonlyargs))]
                kinds = [ast.unparse(each) for kind in said if kind is not None for each in ast.walk(kind)]
                found += [f"{file.relative_to(ROOT)}: {node.name}" for kind in kinds if kind in free]
    assert not found


def test_no_vague_names() -> None:
    assert not [file for file in FILES if file.stem in ("utils", "common", "helpers", "base", "misc")]
    classes = [node.name for file in FILES for node in ast.walk(parsed(file)) if isinstance(node, ast.ClassDef)]
    assert classes
    assert not [name for name in classes if name.endswith(("Manager", "Handler", "Helper", "Util"))]
