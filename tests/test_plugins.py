"""Tasks and models of third parties: an installed package and a single file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin package, installed into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(PLUGIN)], check=True)
    return target


def run_installed(target: Path, *arguments: object) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(target)}
    command = [sys.executable, "-m", "mipha_eval", *map(str, arguments), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_an_installed_package(installed: Path, tmp_path: Path) -> None:
    listing = run_installed(installed, "list")
    assert listing["tasks"]["sums"] == "from mipha-eval-sums"
    assert "calculator" in listing["models"]
    run = ["run", "--tasks", "sums", "--model", "calculator", "--data", "demo", "--output", tmp_path]
    right = run_installed(installed, *run, "-a", "sums.largest=4")["results"][0]
    assert (right["n"], right["metrics"]["accuracy"]) == (25, 100)
    wrong = run_installed(installed, *run, "-a", "off=1")["results"][0]
    assert (wrong["n"], wrong["metrics"]["accuracy"]) == (16, 0)
    shown = run_installed(installed, "show", "task", "sums")
    assert shown["options"] == {"largest": "int"}


def test_a_single_file(cli: Cli, tmp_path: Path) -> None:
    file = PLUGIN / "mipha_eval_sums.py"
    run = ["run", "--tasks", "sums", "--model", "calculator", "--data", "demo", "--output", tmp_path, "--plugin", file]
    assert cli(*run, "--json").json["results"][0]["metrics"]["accuracy"] == 100


def test_a_broken_file_names_itself(cli: Cli, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    outcome = cli("list", "--plugin", broken)
    assert outcome.code == 2
    assert "broken.py" in outcome.err
    assert "ZeroDivisionError" in outcome.err


def test_options_are_typed(cli: Cli, tmp_path: Path) -> None:
    file = PLUGIN / "mipha_eval_sums.py"
    run = ["run", "--tasks", "sums", "--data", "demo", "--output", tmp_path, "--plugin", file, "--model", "calculator"]
    outcome = cli(*run, "-a", "off=much")
    assert outcome.code == 2
    assert "whole number" in outcome.err
    outcome = cli(*run, "-a", "sums.smallest=1")
    assert outcome.code == 2
    assert "sums has largest" in outcome.err


def test_an_option_may_not_hide_a_method(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "parrot.py"
    file.write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\n"
        "from mipha_eval.core.adapter import ModelAdapter\nfrom mipha_eval.core.types import Response\n\n"
        "@dataclass(frozen=True)\nclass Parrot(ModelAdapter):\n"
        "    name: ClassVar[str] = 'parrot'\n    respond: str = 'Hello'\n"
        "    def generate(self, batch):\n        return [Response('') for _ in batch]\n"
    )
    outcome = cli("run", "--tasks", "mme", "--data", "demo", "--output", tmp_path, "--plugin", file, "--model", "parrot")
    assert outcome.code == 2
    assert "an option respond, which every model has" in outcome.err
    assert f"{file}:9" in outcome.err
