"""Standard output and standard error that cannot be written, or have few letters: nothing but what was printed is lost."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from mipha_eval.cli.standard_streams import Outlet
from mipha_eval.reporting.terminal import KEPT, print_lines, print_table
from mipha_eval.store.run_log import MessageFile, file_of_messages
from tests.conftest import Said

ROOT = Path(__file__).parents[1]
NO_ROOM = "error: cannot write standard output: No space left on device; what was stored is kept\n"
CLOSED = "error: cannot write standard output: it is closed; what was stored is kept\n"


def ended(words: str, **environment: str) -> tuple[int, str, str]:
    """How a command line of a shell ends, and what it says where it can; ``M`` is the program."""
    # written at once or at the end, as it is by default
    own = {**{name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}, **environment}
    line = words.replace("M ", f"'{sys.executable}' -m mipha_eval ", 1)
    done = subprocess.run(["sh", "-c", line], capture_output=True, cwd=ROOT, env=own, check=False)
    return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")


@pytest.mark.parametrize(
    ("words", "at_once", "code", "said"),
    [
        ("M show task pope >/dev/full", "", 2, NO_ROOM),
        ("M show task pope >/dev/full", "1", 2, NO_ROOM),
        ("M list tasks --json >&-", "", 2, CLOSED),
        ("M --version >/dev/full 2>&-", "", 2, ""),
        ("M --version >/dev/null 2>&- <&-", "", 0, ""),
        ("M list tasks --oops >/dev/null 2>/dev/full", "", 2, ""),  # a message that nobody hears
    ],
)
def test_what_cannot_be_written(words: str, at_once: str, code: int, said: str) -> None:
    """Neither a traceback nor Python's own last words."""
    assert ended(words, PYTHONUNBUFFERED=at_once) == (code, "", said)


def test_an_encoding_that_lacks_letters() -> None:
    """All is there, with escapes for what the encoding lacks."""
    code, said, error = ended("M list published", PYTHONIOENCODING="ascii", COLUMNS="300")
    assert (code, error) == (0, "")
    assert said.isascii()
    assert r"\u2013" in said


@pytest.mark.parametrize(("encoding", "corner"), [("ascii", "+"), ("latin-1", "+"), ("utf-8", "┏")])
def test_tables_are_drawn_with_what_there_is(encoding: str, corner: str) -> None:
    """Lines are of one length, escapes being as long as they are; a kept space is a space."""
    written = io.BytesIO()
    console = Console(file=io.TextIOWrapper(written, encoding, write_through=True), width=60)
    print_table(console, ["modèle", "score"], [["λ-net", f"58.20{KEPT}LIMITED"], ["plain", "61.00"]])
    print_lines(console, [f"→ 3{KEPT}of 4"])
    lines = written.getvalue().decode(encoding).splitlines()
    assert lines[0].startswith(corner)
    assert len({len(line) for line in lines[:-1]}) == 1
    text = "λ-net 58.20 LIMITED".encode(encoding, "backslashreplace").decode(encoding)
    assert " ".join(lines[3].replace("│", "|").replace("|", " ").split()) == text
    assert lines[-1] == "→ 3 of 4".encode(encoding, "backslashreplace").decode(encoding)


def test_an_outlet_writes_all() -> None:
    """To a pipe that holds a part, and that somebody made one that does not wait."""
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    outlet = Outlet(sink, is_open=True)
    with subprocess.Popen(["wc", "-c"], stdin=source, stdout=subprocess.PIPE) as reader:
        os.close(source)
        assert outlet.write(b"x" * 1_000_000) == 1_000_000
        os.close(sink)
        assert reader.communicate()[0].split() == [b"1000000"]
    assert outlet.lost is None


def test_a_full_log_is_told_of_once(said: Said) -> None:
    handler = file_of_messages(Path("/dev/full"))
    assert isinstance(handler, MessageFile)
    record = logging.LogRecord("mipha_eval.x", logging.INFO, "", 0, "words", (), None)
    for _ in range(2):
        handler.handle(record)
    handler.close()
    assert said() == "cannot write /dev/full: No space left on device; messages are missing there\n"
