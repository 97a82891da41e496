"""One import path: tasks are ``mipha_eval.tasks`` in a checkout, an editable install and a wheel alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.plugins.plugin_code import OWNERS

ROOT = Path(__file__).parents[1]
HOME = "mipha_eval"

#: tells where a task is from, what else can be imported, and whether the registry's class is the one that is imported
ASK = """
import importlib.util, json, sys
from pathlib import Path
import mipha_eval
light = not {"torch", "transformers", "pandas", "matplotlib", "numpy", "ray"} & sys.modules.keys()
from mipha_eval.model_adapters.constant import Constant
from mipha_eval.tasks.pope import Pope
from mipha_eval.core.plugins.registry import Registry, plugin_folder
from mipha_eval.scoring.certificate import load_oracles

# what pages are bundled of stays in the repository
shipped = lambda file: file.suffix in (".toml", ".j2", ".css") or file.parent.name == "bundles"
registry = Registry()
names = ["tasks", "model_adapters", "tests", "bench", "training", "tools", "docs", "typings", "hatch_build"]
print(json.dumps({
    "file": sys.modules[Pope.__module__].__file__,
    "module": Pope.__module__,
    "light": light,
    "same": registry.load("tasks", "pope")[0] is Pope and registry.load("model_adapters", "constant")[0] is Constant,
    "tasks": sorted(registry.names("tasks")),
    "oracles": len(load_oracles("pope")[0]),
    "reports": sorted(file.name for file in plugin_folder("reports").rglob("*.*") if shipped(file)),
    "templates": sorted(file.name for file in Path(mipha_eval.__file__).parent.glob("authoring/*/templates/*")),
    "published": len(list(plugin_folder("results/published").iterdir())),
    "certificates": len(list(plugin_folder("certificates").iterdir())),
    "exposed": [name for name in names if importlib.util.find_spec(name)],
}))
"""


def ask(python: Path | str, folder: Path, **environment: str) -> Any:
    """What `ASK` finds, started from a folder."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), "-c", ASK]
    done = subprocess.run(command, cwd=folder, env=inherited | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def install(folder: Path, *what: str) -> Path:
    """The Python of a new environment with this package and, without its ``.pth`` files, all that the tests' has."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = next(folder.glob("lib/python*/site-packages"))
    others = [place for place in sys.path if place.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(others))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--ignore-installed", *what], check=True)
    return python


@pytest.fixture(scope="module")
def checkout() -> Any:
    return ask(sys.executable, ROOT)


def test_a_checkout_from_its_root_and_from_anywhere(checkout: Any, tmp_path: Path) -> None:
    elsewhere = ask(sys.executable, tmp_path, PYTHONPATH=str(ROOT))
    assert checkout == elsewhere
    assert Path(checkout["file"]) == ROOT / "tasks" / "pope.py"
    assert checkout["module"] == f"{HOME}.tasks.pope"
    assert checkout["same"]
    assert checkout["light"]
    assert checkout["templates"]


@pytest.mark.parametrize("how", ["editable", "wheel"])
def test_an_install(how: str, checkout: Any, tmp_path: Path) -> None:
    """The same things under the same names as in a checkout, and no folder of the checkout on anyone's path."""
    python = install(tmp_path / "env", *(["--editable"] if how == "editable" else []), str(ROOT))
    found = ask(python, tmp_path)
    assert found["exposed"] == []
    place = ROOT if how == "editable" else next((tmp_path / "env").glob("lib/python*/site-packages")) / HOME
    assert Path(found["file"]) == place / "tasks" / "pope.py"
    assert {**found, "file": "", "exposed": []} == {**checkout, "file": "", "exposed": []}
    command = [str(tmp_path / "env/bin/mipha-eval"), "list", "tasks", "--json"]
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert sorted(json.loads(listed.stdout)["tasks"]) == checkout["tasks"]


def test_types_are_checked_under_the_names_that_are_imported() -> None:
    """mypy runs no code, so that links show it what ``mipha_eval.__path__`` holds."""
    links = ROOT / "typings" / HOME
    assert {link.name for link in links.iterdir()} == set(OWNERS)
    for kind in OWNERS:
        assert {file.name for file in (links / kind).glob("*.py")} == {file.name for file in (ROOT / kind).glob("*.py")}
