"""What a certificate is about: every file that decides a score, found by reading imports, in a checkout and in a wheel."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.plugins.import_closure import _imports, _statements, import_closure, module_file
from mipha_eval.core.plugins.registry import PACKAGE, Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.scoring.certificate import scorer_digest, scorer_files

ROOT = Path(__file__).parents[1]
TASKS = sorted(Registry().names("tasks"))

#: changes each file of the scorers' closures in turn, and says which of them left a digest as it was; a file of many
#: scorers is changed for the first of them, since all digests are made in one way
CHANGE_EACH = """
import json, sys
from mipha_eval.scoring.certificate import scorer_digest, scorer_files
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source

changed, unnoticed = set(), []
for name in sys.argv[1:]:
    task = build_task(name, {}, parse_source("demo", {}), Registry())
    before, files = scorer_digest(task), scorer_files(task)
    for file in set(files.values()) - changed:
        content = file.read_bytes()
        file.write_bytes(content + b"\\n# changed")
        if scorer_digest(task) == before:
            unnoticed.append(str(file))
        file.write_bytes(content)
    changed |= set(files.values())
    assert scorer_digest(task) == before
assert len(changed) > 100
print(json.dumps(unnoticed))
"""

DIGESTS = """
import json, sys
from mipha_eval.scoring.certificate import scorer_digest
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source

print(json.dumps({name: scorer_digest(build_task(name, {}, parse_source("hub", {}), Registry())) for name in sys.argv[1:]}))
"""


def copied(folder: Path, *, wheel: bool) -> Path:
    """The package and its plugins as they lie in a checkout, or as a wheel holds them."""
    leave = shutil.ignore_patterns("__pycache__", "*.safetensors", "tokenizer.json")
    shutil.copytree(PACKAGE, folder / "mipha_eval", ignore=leave)
    home = folder / "mipha_eval" if wheel else folder
    for name, place in {
        "tasks": "tasks",
        "model_adapters": "model_adapters",
        "reports": "reports",
        "certificates": "certificates",
        "results/published": "results/published",
        "tests/oracles": "oracles" if wheel else "tests/oracles",
    }.items():
        shutil.copytree(ROOT / name, home / place, ignore=leave)
    return folder


def ask(folder: Path, code: str, names: Sequence[str]) -> Any:
    """What a script prints as JSON that imports the package from `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code, *names]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files_of(name: str) -> set[str]:
    return set(scorer_files(build_task(name, {}, parse_source("demo", {}), Registry())))


def test_a_change_of_any_file_of_a_scorer_is_noticed(tmp_path: Path) -> None:
    assert ask(copied(tmp_path, wheel=False), CHANGE_EACH, TASKS) == []


def test_a_wheel_and_a_checkout_have_the_same_certificates(tmp_path: Path) -> None:
    here = {name: scorer_digest(build_task(name, {}, parse_source("hub", {}), Registry())) for name in TASKS}
    for wheel in (True, False):
        assert ask(copied(tmp_path / str(wheel), wheel=wheel), DIGESTS, TASKS) == here


def test_readers_of_files_decide_scores_and_models_do_not() -> None:
    for name in TASKS:
        found = files_of(name)
        assert {
            "mipha_eval.data.jsonl",
            "mipha_eval.scoring.answer_files",
            "mipha_eval.core.metrics",
            "mipha_eval.scoring.result",
        } <= found
        assert {f"mipha_eval.tasks.{name.replace('-', '_')}", "mipha_eval.tasks", "mipha_eval.data"} <= found
        strangers = ("mipha_eval.models", "mipha_eval.judge.openai_judge", "mipha_eval.reporting", "mipha_eval.cli")
        assert not [module for module in found if module.startswith(strangers)]
    assert "mipha_eval.scoring.captions.measures" in files_of("coco-cap")
    for name in ("mmvet", "mmbench"):  # what a judge is asked decides its grades
        assert f"mipha_eval.scoring.judging/prompts/{name}.txt" in files_of(name)
    assert "mipha_eval.data.table" in files_of("mmbench")
    assert "mipha_eval.scoring.captions.measures" not in files_of("pope")


def test_a_scorer_whose_reader_changed_has_no_certificate_in_its_report(tmp_path: Path) -> None:
    """One line of `read_jsonl` changed POPE's score, and the same certificate stood under it."""
    folder = copied(tmp_path / "copy", wheel=False)
    code = "from mipha_eval.scoring.certificate import certificate_note as note; import json, sys;"
    code += "from mipha_eval.core.plugins.registry import Registry;"
    code += "from mipha_eval.core.plugins.selection import build_task;"
    code += "from mipha_eval.data.parse_source import parse_source;"
    code += "task = build_task('pope', {}, parse_source('hub', {}), Registry()); print(json.dumps(note(task, 'f1')))"
    reader = folder / "mipha_eval/data/jsonl.py"
    certificate = folder / "certificates/pope.json"
    current = ask(folder, DIGESTS, ["pope"])["pope"]
    seal = "import json, sys; from mipha_eval.scoring.certificate import sealed, oracles_digest;"
    seal += "c = json.load(open(sys.argv[1])); c |= {'scorer': sys.argv[2], 'oracle_code': oracles_digest()};"
    seal += "c['sha256'] = sealed(c); json.dump(c, open(sys.argv[1], 'w')); print('0')"
    ask(folder, seal, [str(certificate), current])
    assert "answers" in ask(folder, code, [])
    reader.write_bytes(reader.read_bytes() + b"# changed\n")
    assert ask(folder, code, []) == ""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import p.a", {"p", "p.a"}),
        ("import p.inner.b as b", {"p", "p.inner", "p.inner.b"}),
        ("from p import a", {"p", "p.a"}),
        ("from p.inner import b", {"p", "p.inner", "p.inner.b"}),
        ("from p.inner import (\n    b,\n    nothing,\n)", {"p", "p.inner", "p.inner.b"}),
        ("from . import a", {"p", "p.a"}),
        ("from .inner import b", {"p", "p.inner", "p.inner.b"}),
        ("from .inner.b import *", {"p", "p.inner", "p.inner.b"}),
        ("def f():\n    with open('x') as g:\n        import p.a", {"p", "p.a"}),
        ("class C:\n    async def f(self):\n        from p import a", {"p", "p.a"}),
        ("try:\n    pass\nexcept ImportError:\n    import p.a\nfinally:\n    import p.inner", {"p", "p.a", "p.inner"}),
        ("match 1:\n    case 1:\n        import p.a", {"p", "p.a"}),
        ("if True:\n    pass\nelse:\n    import p.a", {"p", "p.a"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.a\nelse:\n    import p.inner", {"p", "p.inner"}),
        ("import typing\nif typing.TYPE_CHECKING:\n    import p.a", set()),
        ("import q, json", set()),
        ("TABLE = 'words.txt'", {"p/words.txt"}),
        ("TABLE = folder / \"lists\" / f'{name}.txt'", {"p/lists/one.txt", "p/lists/deep/two.txt"}),
        ("TABLE = 'inner'", set()),
    ],
)
def test_imports_in_every_dress(tmp_path: Path, source: str, found: set[str]) -> None:
    for name in ("p/__init__.py", "p/a.py", "p/inner/__init__.py", "p/inner/b.py", "p/words.txt", "p/lists/one.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "p/lists/deep").mkdir()
    (tmp_path / "p/lists/deep/two.txt").write_text("")
    start = tmp_path / "p/start.py"
    start.write_text(source)

    def find(module: str) -> Path | None:
        return module_file(tmp_path.joinpath(*module.split("."))) if module.startswith("p") else None

    assert import_closure({"p.start": start}, find).keys() - {"p.start"} == found


@pytest.mark.parametrize(
    "source",
    [
        "x = 1; import p.a",
        "if True: import p.a",
        "from p import \\\n    a",
        "import p.nothing, \\\n    p.a",
        "from p import (  # noqa (odd)\n    a,\n)",
        "from p import (a); x = 1",
        "import\tp.a",
        "from p import(a)",
        '"""import nothing of this\n"""\nimport p.a',
        '"""\nif TYPE_CHECKING:\n    import this\n"""\nimport p.a',
        'def f():\n    """\nif TYPE_CHECKING:\n    x\n    """\n    import p.a',
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import p.a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import q\n\nimport p.a\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import q\nelse:\n    import p.a\n",
        "class C:\n  from p import a\n",
        "import p.a\r\n",
    ],
)
def test_no_import_is_overlooked_where_reading_is_quick(tmp_path: Path, source: str) -> None:
    """Statements are taken by their lines where that is sure; however odd the rest, none is lost."""
    (tmp_path / "p").mkdir()
    for name in ("p/__init__.py", "p/a.py"):
        (tmp_path / name).write_text("")
    start = tmp_path / "start.py"
    start.write_bytes(source.encode())
    found = import_closure({"start": start}, lambda module: module_file(tmp_path.joinpath(*module.split("."))))
    assert "p.a" in found


def test_quick_reading_finds_what_parsing_finds() -> None:
    """In all code of this package and of Python's own library."""
    files = [*PACKAGE.rglob("*.py"), *Path(os.__file__).parent.glob("*.py")]
    assert len(files) > 300
    for file in files:
        source = file.read_bytes()
        whole = {ast.unparse(node) for node in _imports(ast.parse(source))}
        assert whole <= {ast.unparse(node) for node in _imports(_statements(source))}, file


def test_modules_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    for name, text in {"a": "import b", "b": "import a, c", "c": "from a import x"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert import_closure({"a": tmp_path / "a.py"}, lambda name: module_file(tmp_path / name)).keys() == {"a", "b", "c"}
