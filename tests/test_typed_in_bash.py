"""Words completed by a bash that somebody types into: what stands on the command line afterwards."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: what a line that was accepted has for the program, and the word on the terminal that it was
BEGINNING = r"""
mipha-eval() { printf '%s\0' "$@" > accepted; echo "ACC""EPTED"; }
eval "$(command mipha-eval --show-completion bash)"
mipha-eval
"""
#: a shell's settings, what is typed, and the words that the program is given
TYPED = (
    ("", "run -t pope@ll\t", ["run", "-t", "pope@llava"]),
    ("", "run --tasks pope,pope@of\t", ["run", "--tasks", "pope,pope@official"]),
    ("", "run --tasks=pope@of\t", ["run", "--tasks=pope@official"]),
    ("", "run -t 'pope@o\t", ["run", "-t", "pope@official"]),
    ("", 'run --tasks="mme,pope@o\t', ["run", "--tasks=mme,pope@official"]),
    ("", "view C:/my\\ runs/\t", ["view", "C:/my runs/$1"]),
    ("", 'view "C:/my runs/\t', ["view", "C:/my runs/$1"]),
    # bash-completion sets the first, other programs' completions the second
    ("shopt -u hostcomplete", "run --tasks=pope@of\t", ["run", "--tasks=pope@official"]),
    ("COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]}", "run --tasks=pope,pope@of\t", ["run", "--tasks=pope,pope@official"]),
)


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[list[str], str]]]:
    """An interactive bash; of a line, what the program is given and what the terminal showed."""
    folder = tmp_path_factory.mktemp("typed")
    for name in ("C:/my runs/$1/manifest.json", "bin/mipha-eval"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m mipha_eval "$@"\n')
        (folder / name).chmod(0o755)
    settings = {"HOME": str(folder), "INPUTRC": os.devnull, "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    settings |= {"PATH": f"{folder}/bin:{os.environ['PATH']}", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    ours, its = pty.openpty()
    command = ["bash", "--norc", "--noprofile", "-i"]
    shell = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, cwd=folder, env=settings, start_new_session=True)

    def typed(line: str) -> tuple[list[str], str]:
        os.write(ours, f"{line}\n".encode())
        shown, end = "", time.monotonic() + 120
        while "ACCEPTED" not in shown:
            assert select.select([ours], [], [], max(0.0, end - time.monotonic()))[0], shown
            shown += os.read(ours, 65536).decode(errors="replace")
        return (folder / "accepted").read_text().split("\0")[:-1], shown

    try:
        typed(BEGINNING)
        yield typed
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
        os.close(its)


pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def test_a_tab_makes_the_word_that_was_meant(bash: Callable[[str], tuple[list[str], str]]) -> None:
    found = []
    for setting, words, _ in TYPED:
        if setting:
            bash(f"{setting}; mipha-eval")
        found.append((setting, words, bash(f"mipha-eval {words}")[0]))
    assert found == list(TYPED)


def test_of_several_words_what_they_share_is_made_and_another_tab_shows_them(
    bash: Callable[[str], tuple[list[str], str]],
) -> None:
    bash("shopt -s hostcomplete; mipha-eval")
    given, shown = bash("mipha-eval run -t pope@\t\t")
    assert given == ["run", "-t", "pope@"]
    assert "official" in shown
    assert "llava" in shown
