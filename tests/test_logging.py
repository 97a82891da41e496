"""Messages: of the library through logging, of a command by its flags, of a run in its log, of others nowhere uncalled."""

from __future__ import annotations

import ast
import logging
import os
import pty
import re
import subprocess
import sys
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from mipha_eval.cli.log import choose, shown_messages
from mipha_eval.core.errors import UserError
from mipha_eval.core.library_messages import take_off_terminal
from mipha_eval.runs.evaluate import evaluate
from mipha_eval.scoring.captions.words import tokenize
from tests.conftest import Cli, needs_java
from tests.progress_lines import besides_progress
from tests.text_checkpoint import text_model

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = [
    file
    for folder in ("mipha_eval", "tasks", "model_adapters")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "cli" not in file.relative_to(ROOT).parts
]
#: rich prints on a console that the command line gives; bars are no messages
PRINTS = {
    "mipha_eval/reporting/terminal.py": {"print"},
    "mipha_eval/engine/progress/lines.py": {"print", "stderr"},
    "mipha_eval/engine/progress/screen.py": {"stderr"},
    "mipha_eval/engine/progress/terminal.py": {"print", "stderr"},
    "mipha_eval/engine/progress/foreign_output.py": {"stdout", "stderr"},
}
SILENT = {"print", "echo", "secho", "warn", "showwarning", "stderr", "stdout", "basicConfig"}
LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (DEBUG|INFO|WARNING|ERROR) [^ ]+: .+$")

#: a flag in the middle of a text
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")

DEMO = ("--data", "demo", "--limit", "6")


@cache
def parsed(file: Path) -> ast.Module:
    """A file of the library, read once for all rules."""
    return ast.parse(file.read_text(encoding="utf-8"))


def words_of(tree: ast.AST) -> set[str]:
    """Names of functions that are called, and attributes of `sys` that are used."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found.add(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            found.add(node.attr)
    return found


def test_the_library_prints_nothing() -> None:
    used = {file.relative_to(ROOT).as_posix(): words_of(parsed(file)) & SILENT for file in LIBRARY}
    assert len(used) == len(LIBRARY) > 0
    assert not {name: words for name, words in used.items() if not words <= PRINTS.get(name, set())}


def test_in_python_nothing_is_set_up() -> None:
    """No handler writes, no level is set, and a warning of ours does not go to standard error by itself."""
    script = (
        "import logging, mipha_eval\n"
        "ours = logging.getLogger('mipha_eval')\n"
        "assert [type(each).__name__ for each in ours.handlers] == ['NullHandler'], ours.handlers\n"
        "assert not logging.getLogger().handlers and not ours.level\n"
        "logging.getLogger('mipha_eval.engine.attempt').warning('nobody hears this')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""


def test_a_run_in_python_has_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where logging is not set up; nothing is printed but progress, and no handler stays."""
    before = list(logging.getLogger().handlers)
    run = evaluate("mipha-tiny", "pope", output=tmp_path, limit=4, progress=False)
    assert list(logging.getLogger().handlers) == before
    lines = (run.path / "log.txt").read_text().splitlines()
    assert [line.split(" ", 1)[1].split(";")[0] for line in (lines[0], lines[-1])] == [
        "INFO mipha_eval.run: model mipha-tiny ready",
        "INFO mipha_eval.run: finished",
    ]
    assert capsys.readouterr() == ("", "")


def test_quiet(cli: Cli, tmp_path: Path) -> None:
    """A clean run says nothing, wherever the flag stands; a task that is left out because of a damaged file is told."""
    for place, (before, behind) in enumerate([((), ("-q",)), (("--quiet",), ()), (("-q",), ("--quiet",))]):
        done = cli(*before, "run", "--tasks", "pope", *DEMO, "-o", tmp_path / str(place), *behind)
        assert (done.code, done.err) == (0, "")
    assert cli("-q", "--tasks", "pope", *DEMO, "-o", tmp_path / "0").err == ""  # no verb means run
    assert cli("run", "--tasks", "nothing", "-q").err.startswith("error: ")


def test_what_is_shown_by_default_and_with_more(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    told = cli("run", "--tasks", "all", "--data", tmp_path / "data", "-o", tmp_path / "runs")
    assert told.code == 2
    assert "left out pope: " in told.err
    assert "left out" not in cli("run", "--tasks", "all", "--data", tmp_path / "data", "-o", tmp_path / "runs", "-q").err
    plain = cli("run", "--tasks", "pope", *DEMO, "-o", tmp_path / "plain")
    assert plain.err == ""
    more = cli("run", "--tasks", "pope", *DEMO, "-o", tmp_path / "more", "-v")
    assert re.search(r"^model mipha-tiny loaded in [\d.]+ s$", more.err, re.MULTILINE)
    assert "pope@demo: 6 of 1080 questions, from demo\n" in more.err
    assert "6 scored" in more.err
    assert more.out.count("\n") == plain.out.count("\n")


def test_flags_that_contradict(cli: Cli) -> None:
    done = cli("list", "-v", "-q")
    assert (done.code, done.err) == (2, "error: -v and -q contradict each other; give one of them\n")


@pytest.mark.parametrize("verb", [("list",), ("data", "where", "--data", "demo"), ("show", "task", "pope")])
def test_every_verb_takes_them(cli: Cli, verb: Sequence[str], tmp_path: Path) -> None:
    assert cli(*verb, "-q", "--log-file", tmp_path / "log").code == 0
    assert cli("--log-file", tmp_path / "log", *verb).code == 0
    assert cli(f"--log-file={tmp_path / 'log'}", verb[0], "-v", *verb[1:]).code == 0
    assert (tmp_path / "log").exists()


def test_a_file_of_messages(cli: Cli, tmp_path: Path) -> None:
    """Everything, also where the terminal has little; a second command appends; what ended it stands there, too."""
    log = tmp_path / "messages.txt"
    assert cli("run", "--tasks", "pope", *DEMO, "-o", tmp_path / "runs", "-q", "--log-file", log).err == ""
    first = log.read_text().splitlines()
    assert all(map(LINE.match, first))
    assert {line.split(" ")[1] for line in first} == {"DEBUG", "INFO"}
    assert cli("show", "task", "nothing", "--log-file", log).code == 2
    last = log.read_text().splitlines()
    assert last[: len(first)] == first
    assert " ERROR mipha_eval.cli.app: error: " in last[-1]
    refused = cli("list", "--log-file", tmp_path / "missing" / "log.txt")
    assert (refused.code, "missing" in refused.err, "Traceback" in refused.err) == (2, True, False)


WARNS = """
import logging
import warnings
from dataclasses import dataclass
from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Response

warnings.simplefilter("always")

@dataclass(frozen=True)
class Warns(ModelAdapter):
    name = "warns"
    reads_images = False

    def load(self):
        logging.getLogger("some.library").warning("said while loading")

    def generate(self, batch):
        warnings.warn("said while answering")
        logging.getLogger("some.library").warning("said\\nin lines")
        logging.getLogger(__name__).warning("the plugin's own")
        return [Response("yes") for _ in batch]
"""


def test_others_warnings_stand_in_the_log_of_the_run(tmp_path: Path) -> None:
    """And not on the terminal unless -v asks for them; what a plugin file says is shown."""
    (tmp_path / "warns.py").write_text(WARNS)
    command = ["run", "--tasks", "pope", "--model", "warns", "--plugin", str(tmp_path / "warns.py"), *DEMO, "-o"]
    quiet = program(*command, str(tmp_path / "one"))
    assert besides_progress(quiet.stderr) == "the plugin's own\n"
    (log,) = (tmp_path / "one").glob("*/log.txt")
    text = log.read_text()
    for said in (
        "some.library: said while loading",
        "said while answering",
        "some.library: said\n  in lines",
        "the plugin's own",
    ):
        assert said in text
    assert all(line.startswith("  ") or LINE.match(line) for line in text.splitlines())
    assert "said while answering" in program(*command, str(tmp_path / "two"), "-v").stderr


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mipha_eval", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)


def on_terminal(*arguments: str, code: int = 0) -> str:
    """What a command shows where standard output and standard error are a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "mipha_eval", *arguments])
    shown = b""
    try:
        while piece := os.read(terminal, 65536):
            shown += piece
    except OSError:  # how a terminal ends
        pass
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == code, shown.decode()
    return shown.decode()


@needs_java
def test_java_says_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Its lines are messages at debug level."""
    caplog.set_level(logging.DEBUG, "mipha_eval")
    assert tokenize(["A cat, sitting."], "ptb") == ["a cat sitting"]
    assert capfd.readouterr() == ("", "")
    assert [record.levelname for record in caplog.records if "PTBTokenizer tokenized" in record.message] == ["DEBUG"]


@needs_java
def test_a_run_with_captions_says_nothing_uncalled(tmp_path: Path) -> None:
    """With METEOR, whose process has messages of its own."""
    shown = on_terminal("run", "--tasks", "nocaps", "--data", "demo", "--limit", "3", "-o", str(tmp_path), "--json")
    assert "tokenize" not in shown.replace('"tokenizer"', "")
    (log,) = tmp_path.glob("*/log.txt")
    assert " DEBUG mipha_eval.scoring.captions.words: PTBTokenizer tokenized " in log.read_text()


def test_transformers_shows_neither_bars_nor_messages(tmp_path: Path) -> None:
    text_model(tmp_path / "model")
    shown = on_terminal(
        "run",
        "--tasks",
        "scienceqa",
        *DEMO,
        "-m",
        "hf-text",
        "-a",
        f"path={tmp_path / 'model'}",
        "-o",
        str(tmp_path),
        "-q",
        "--json",
        code=3,  # its answers mean nothing
    )
    assert shown.lstrip().startswith("{")
    assert "Loading" not in shown


def test_a_library_that_writes_by_itself_is_heard_through_logging(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    library = logging.getLogger("chatty")
    library.addHandler(logging.StreamHandler())
    library.propagate = False
    take_off_terminal("chatty")
    library.warning("a word")
    assert caplog.messages == ["a word"]
    assert capsys.readouterr().err == ""


def test_all_is_as_before_after_a_command(tmp_path: Path) -> None:
    """Handlers, levels and Python's own warnings; the file is closed."""
    root, ours, shown = logging.getLogger(), logging.getLogger("mipha_eval"), warnings.showwarning
    before = list(root.handlers), ours.level
    with shown_messages():
        choose(verbose=False, quiet=True, log_file=tmp_path / "log")
        (file,) = (each for each in root.handlers if isinstance(each, logging.FileHandler) and each not in before[0])
        assert warnings.showwarning is not shown
    assert (list(root.handlers), ours.level) == before
    assert warnings.showwarning is shown
    assert file.stream is None
    with pytest.raises(UserError, match="contradict"):
        choose(verbose=True, quiet=True, log_file=None)


def test_messages_make_sense_without_a_command_line(cli: Cli, tmp_path: Path) -> None:
    """The library names the thing; the command line adds the flag."""
    with pytest.raises(UserError) as refused:
        evaluate("constant", "pope", data=tmp_path / "none", output=tmp_path / "runs")
    assert ("--" in str(refused.value), refused.value.flag) == (False, "--data")
    told = cli("run", "--tasks", "pope", "-m", "constant", "--data", tmp_path / "none", "-o", tmp_path / "runs").err
    assert told == f"error: {refused.value} (--data)\n"


def flags_in(file: Path) -> set[str]:
    """Flags in texts that are more than a flag; docstrings are no texts."""
    tree = parsed(file)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in docstrings]
    return {flag for text in texts if isinstance(text, str) and not text.startswith("--") for flag in FLAG.findall(text)}


def test_no_message_of_the_library_names_a_flag() -> None:
    """But as `flag` of an error; ``--all-rounds`` is of another program."""
    named = {file.relative_to(ROOT).as_posix(): flags_in(file) - {"--all-rounds"} for file in LIBRARY}
    assert not {name: flags for name, flags in named.items() if flags}
