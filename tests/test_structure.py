"""The architecture's rules, checked on the source: who may import whom, and how big things may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "mipha_eval"
FILES = [*LIBRARY.rglob("*.py"), *(ROOT / "tasks").glob("*.py"), *(ROOT / "model_adapters").glob("*.py")]

# a module may import from its own layer and the layers before it
LAYERS = [
    ["closure", "errors", "files", "printable", "types"],
    ["blame", "options", "provenance"],
    [
        "answers",
        "metrics",
        "binary",
        "border",
        "wording",
        "data",
        "adapter",
        "answer_line",
        "answer_files",
        "matching",
        "task",
    ],
    [
        "captions",
        "certificate",
        "circular",
        "engine",
        "gaps",
        "backends",
        "judge",
        "journal",
        "records",
        "atomic",
        "store",
        "plugin_code",
        "plugins",
        "probability",
        "scoring",
        "stats",
        "published",
    ],
    ["demo", "selection"],
    ["where"],
    [
        "adversarial",
        "calibrate",
        "calibrations",
        "certify",
        "comparison",
        "judging",
        "planning",
        "prepare",
        "equivalence",
        "task_run",
        "asking",
        "run",
        "stored_task",
        "rescore",
        "predict",
        "serve_check",
        "submission",
        "verify",
        "record_release",
        "record_published",
    ],
    ["report"],
    ["page"],
    ["cli", "__main__"],
]
WITHOUT_TORCH = {f"backends/{name}.py" for name in ("prefix", "tree", "ahead", "mipha_prompt", "pixels")}
MAY_IMPORT_TORCH = {f"demo/{name}.py" for name in ("train", "lessons", "checkpoint")}


def layer_of(module: str) -> int:
    head = module.removeprefix("mipha_eval.").split(".")[0]
    return next(number for number, names in enumerate(LAYERS) if head in names)


def imports(file: Path, *, top_level: bool = False) -> set[str]:
    """Names of imported modules; type-checking blocks left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = set()
    nodes = tree.body if top_level else list(ast.walk(tree))
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    for node in nodes:
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("file", sorted(LIBRARY.rglob("*.py")), ids=lambda file: str(file.relative_to(LIBRARY)))
def test_imports_go_one_way(file: Path) -> None:
    place = file.relative_to(LIBRARY)
    if place.name == "__init__.py":
        return
    own = layer_of(".".join(place.with_suffix("").parts))
    for module in imports(file):
        assert not module.startswith(("tasks", "model_adapters", "mipha_eval.tasks", "mipha_eval.model_adapters"))
        if module.startswith("mipha_eval.") and module != "mipha_eval.__version__":
            assert layer_of(module) <= own, f"{place} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_torch_stays_in_backends_and_adapters(file: Path) -> None:
    if file.parent.name == "model_adapters":
        return
    heavy = {module.split(".")[0] for module in imports(file)} & {"torch", "transformers", "accelerate", "safetensors"}
    if heavy:
        place = file.relative_to(LIBRARY).as_posix()
        assert place in MAY_IMPORT_TORCH or (place.startswith("backends/") and place not in WITHOUT_TORCH)


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


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_sizes(file: Path) -> None:
    """Modules up to 300 lines, functions up to 50, at most 5 parameters (the command line's verbs are their flags)."""
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert code_lines(text) <= {"tasks": 80, "model_adapters": 120}.get(file.parent.name, 300)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and file.parent.name != "cli":
            assert (node.end_lineno or 0) - node.lineno + 1 <= 50, node.name
            positional = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
            assert len(positional) <= 5, f"{node.name} has {len(positional)} parameters"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_vague_names(file: Path) -> None:
    assert file.stem not in ("utils", "common", "helpers", "base", "misc")
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(("Manager", "Handler", "Helper", "Util"))
