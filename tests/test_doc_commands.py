"""Every command in README.md and docs/ runs, and prints what the page shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from mipha_eval.cli.app import app
from tests.conftest import Cli, Outcome
from tests.doc_commands import COMMANDS, ELSEWHERE, PAGES, Command, commands_of, fenced, why_not, with_stand_ins, words_of
from tests.doc_world import LIMIT, VARIABLES, link_official, make_world
from tests.guide import ROOT, first_difference
from tests.judge_server import Say, Serve

FOUND = {page.name: commands_of(page) for page in PAGES}
#: a command or a part of one -> why it is not run
LEFT_OUT = {
    f"{command.page.name}:{command.line}: {part}": (part, why)
    for commands in FOUND.values()
    for command in commands
    for part in command.parts
    if (why := why_not(part))
}
OFFICIAL = [command for commands in FOUND.values() for command in commands if command.official]
LANGUAGES = {*COMMANDS, "text", "python", "toml", "yaml", "bibtex"}

#: pages whose Python is run by another test, each of which reads the page
PYTHON = {
    "controls.md": "test_doc_commands.py",
    "plugins.md": "test_docs.py",
    "python.md": "test_python_door.py",
    "stock-scorers.md": "test_stock_runs.py",
    "README.md": "test_doc_commands.py",
}
#: programs that the pages use beside this one
PLAIN = {"rm", "mv", "ls"}


def judge(prompt: str, asked: int) -> Say:
    """An answer to a question of the demo, else a grade."""
    return Say("Yes" if "Answer the question" in prompt else "1.0")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_world(folder)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_run(page: Path, world: Path, cli: Cli, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder for all pages, with what stands in for models and data sets; see tests/doc_commands.py."""
    monkeypatch.chdir(world)
    for name, value in {**VARIABLES, "OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": serve(judge).url}.items():
        monkeypatch.setenv(name, value)
    told = [f"{command.place}\n  {problem(command, cli)}" for command in FOUND[page.name] if not command.official]
    wrong = [each for each in told if not each.endswith("\n  ")]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("command", OFFICIAL, ids=lambda command: f"{command.page.stem}-{command.line}")
def test_published_answers_are_scored(
    command: Command, benchmarks: Path, llava_answers: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the files' own names and places; what is printed is what the page shows."""
    link_official(tmp_path, benchmarks, llava_answers)
    monkeypatch.chdir(tmp_path)
    assert command.output
    assert problem(command, cli) == ""


def problem(command: Command, cli: Cli) -> str:
    """What is wrong with a command; empty for nothing."""
    if command.inline and (told := mentioned(command.text)):
        return "" if told == "as a name" else told
    outcome = Outcome(0, "", "")
    for part in command.parts:
        outcome = outcome if why_not(part) else run_words(words_of(with_stand_ins(part)), cli, shown=bool(command.output))
        if outcome.code != 0:
            break
    if outcome.code != command.ends_with:
        ended = f"exit code {outcome.code}, expected {command.ends_with}"
        return f"{with_stand_ins(command.text)}\n  {ended}\n{outcome.err[-2000:]}"
    missing = first_difference(command.output, outcome.out) if command.output else ""
    return missing and f"does not print {missing!r}\n{outcome.out}"


def run_words(words: Sequence[str], cli: Cli, *, shown: bool) -> Outcome:
    """Runs one program; what is shown on a page is run whole, other runs with few questions."""
    program, *arguments = words
    if program in PLAIN:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)
    if program == "export":
        return Outcome(0, "", "")
    if program != "mipha-eval":
        return Outcome(127, "", f"{program} is neither run nor in NOT_RUN")
    target = Path(arguments[-1]) if ">" in arguments else None
    arguments = before_redirection(arguments)
    if arguments[0] == "run" and "--limit" not in arguments and not shown:
        arguments += ["--limit", str(LIMIT)]
    outcome = cli(*arguments)
    if target:
        target.write_text(outcome.out)
    return outcome


def before_redirection(words: Sequence[str]) -> list[str]:
    return [*words[: words.index(">")]] if ">" in words else [*words]


def mentioned(text: str) -> str:
    """Of a command in a sentence: that it only names a verb, or what is wrong with it; empty for one that can be run."""
    command, _, rest = verb_of(words_of(text)[1:])
    if not rest:
        return "as a name"
    return "as a name" if lacks_arguments(command, words_of(with_stand_ins(text))) else ""


def verb_of(words: Sequence[str]) -> tuple[Any, str, list[str]]:
    """The verb that a command line begins with, its name, and what is left of the line."""
    command: Any = get_command(app)
    rest, name = [*words], "mipha-eval"
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"there is no verb {name}"
        command = command.commands[name]
    return command, name, rest


def lacks_arguments(command: Any, words: Sequence[str]) -> bool:
    """Whether a command line is too short to be run; raises for flags that there are not."""
    try:
        command.make_context("verb", verb_of(before_redirection(words[1:]))[2])
    except typer.Exit:  # of a flag that only shows something
        return False
    except Exception as error:
        if "Missing parameter" in str(error):
            return True
        if "does not exist" not in str(error):  # a reader's files are not here
            raise
    return False


@pytest.mark.parametrize("place", LEFT_OUT)
def test_what_is_not_run_is_looked_at(place: str) -> None:
    """Its flags are known, the shell can read it, and the test that runs the like is there."""
    part, why = LEFT_OUT[place]
    done = subprocess.run(["bash", "-n", "-c", part], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if part.startswith("mipha-eval ") and "-completion" not in part:
        lacks_arguments(verb_of(words_of(part)[1:])[0], words_of(with_stand_ins(part)))
    for test in re.findall(r"tests/\w+\.py", why):
        assert (ROOT / test).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_are_told_apart(page: Path) -> None:
    """So that no command hides in a block that nobody runs."""
    for block in fenced(page):
        place = f"{page.name}:{block.line}"
        assert block.language in LANGUAGES, place
        hidden = re.search(r"^\$ |^mipha-eval ", block.text, flags=re.MULTILINE)
        assert block.language in COMMANDS or hidden is None, f"{place}: commands are in blocks called sh"
        if block.language == "toml":
            assert tomllib.loads(block.text), place
        if block.language == "python":
            assert page.name in (ROOT / "tests" / PYTHON[page.name]).read_text(), place


def test_pages_that_are_left_out_are_there() -> None:
    assert all((ROOT / "docs" / name).is_file() for name in ELSEWHERE)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if PYTHON.get(page.name) == Path(__file__).name], ids=lambda page: page.stem
)
def test_python_runs(page: Path, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of pages that no other test reads."""
    shutil.copytree(world / "before", world / page.stem / "before")
    monkeypatch.chdir(world / page.stem)
    blocks = [block.text for block in fenced(page) if block.language == "python"]
    exec(compile("\n".join(blocks), str(page), "exec"), {"__name__": "page"})
