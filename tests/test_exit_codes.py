"""What a command's end says: one place in the code, one in the documentation."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mipha_eval.cli.exit_code import MEANINGS, ExitCode

ROOT = Path(__file__).parents[1]


def test_codes_are_named() -> None:
    """No verb ends with a bare number."""
    for file in (ROOT / "mipha_eval").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Exit", "sys.exit", "SystemExit", "exit"):
                assert not any(isinstance(each, ast.Constant) for each in node.args), f"{file}: {ast.unparse(node)}"


def test_codes_are_documented() -> None:
    assert {int(code) for code in ExitCode} == {0, 1, 2, 3, 4}
    assert set(MEANINGS) == set(ExitCode)
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in page


@pytest.mark.parametrize("verb", [["list"], ["list", "published"], ["show", "task", "pope"]])
def test_a_reader_that_goes_is_no_error(verb: list[str]) -> None:
    """As in `mipha-eval list published | head -1`, at any width."""
    for width in ("60", "300"):
        command = [sys.executable, "-u", "-m", "mipha_eval", *verb]
        environment = {**os.environ, "COLUMNS": width}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(1)
            process.stdout.close()
            error = process.stderr.read().decode()
        assert (process.returncode, error) == (0, "")
