"""Every printer at every width: no number, mark or count is cut, and nothing is lost."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from mipha_eval.reporting.terminal import GONE, PLAIN, Look, fold, kept, print_table
from tests.conftest import Cli, Outcome, read_jsonl, write_jsonl
from tests.judge_server import Say, Serve

WIDTHS = (60, 80, 100, 120, 200)
VERY_WIDE = 2000
ANSI = re.compile(r"\x1b\[[0-9;]*m")
FRAME = re.compile(r"[│┃┏┓┗┛┡┩├┤└┘━─┳┻┬┴╇┼ ]+")
#: whatever has a digit in it, with what is written in one piece with it
NUMBERS = re.compile(r"[^\s│]*\d[^\s│]*")

At = Callable[..., Outcome]


@pytest.fixture(params=[True, False], ids=["terminal", "pipe"])
def at(request: pytest.FixtureRequest, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> At:
    """Runs a command line on a terminal that is so many letters wide, or in a pipe for which a width is set."""
    if request.param:
        monkeypatch.setenv("FORCE_COLOR", "1")

    def call(width: int, *arguments: object) -> Outcome:
        monkeypatch.setenv("COLUMNS", str(width))
        outcome = cli(*arguments)
        assert outcome.code in (0, 3), outcome.err
        return Outcome(outcome.code, ANSI.sub("", outcome.out), outcome.err)

    return call


@pytest.fixture
def runs(cli: Cli, tmp_path: Path) -> tuple[Path, Path]:
    """Runs of many marks and long numbers: limited, of drawn scenes, with answers that cannot be read and failures."""
    found = []
    for seed in (1, 2):
        chance = random.Random(seed)
        run = ["run", "--tasks", "pope,mme", "--model", "constant", "--data", "demo", "-L", 300, "-o", tmp_path / f"{seed}"]
        path = Path(cli(*run, "-a", "answer=yes", "--json").json["run"])
        for file in path.glob("*/responses.jsonl"):
            rows = [
                {
                    **row,
                    "text": chance.choice(["yes", "no", "no", "perhaps"]),
                    "error": "broken" if chance.random() < 0.03 else "",
                }
                for row in read_jsonl(file)
            ]
            write_jsonl(file, rows)
        found.append(path)
    return found[0], found[1]


def words(text: str) -> str:
    """Without frames, all of it in one line."""
    return " ".join(FRAME.sub(" ", text).split())


def left_out(widest: str, out: str) -> set[str]:
    """Numbers of the very wide table that a narrower one says it has no room for."""
    named = {name for told in re.findall(r"\(no room for ([^)]*)\)", " ".join(out.split())) for name in told.split(", ")}
    gone: set[str] = set()
    stay: set[str] = set()
    headings: list[str] = []
    for line in widest.splitlines():
        cells = [cell.strip() for cell in re.split("[│┃]", line)]
        headings = cells if "┃" in line else headings
        table = "│" in line and len(cells) == len(headings)
        for heading, cell in zip(headings, cells, strict=True) if table else [("", line)]:
            (gone if heading in named else stay).update(NUMBERS.findall(cell))
    return gone - stay


def check(at: At, *arguments: object, phrases: tuple[str, ...] = ()) -> None:
    """Numbers and phrases that are there on a very wide terminal are there at any width, each in one piece.

    But for those of columns that the table says it has no room for; and there is no other number.
    """
    widest = at(VERY_WIDE, *arguments).out
    numbers = set(NUMBERS.findall(widest))
    assert numbers
    assert "no room" not in widest
    assert all(phrase in widest for phrase in phrases)
    for width in WIDTHS:
        out = at(width, *arguments).out
        gone = left_out(widest, out)
        for number in numbers - gone:
            if cell_len(number) <= 24:  # a path may be broken
                assert number in out, (width, number)
        for number in set(NUMBERS.findall(out)) - numbers:
            assert any(number in longer for longer in numbers if cell_len(longer) > 24), (width, number)
        for phrase in phrases:
            assert phrase in out or phrase in gone, (width, phrase)
        for line in out.splitlines():
            if not re.search(r"/\S*(/|$)", line):
                assert "│" not in line or cell_len(line) <= width, line


def test_the_table_of_a_run(at: At, tmp_path: Path) -> None:
    run = [
        "run",
        "--tasks",
        "pope",
        "--model",
        "constant",
        "-a",
        "answer=perhaps",
        "--data",
        "demo",
        "-L",
        60,
        "-o",
        tmp_path,
    ]
    check(at, *run, phrases=("LIMITED 60/1,080", "UNPARSED 60 (100.0%)", "59.88 to 80.34", "70.88"))
    whole = [*run[:-4], "-o", tmp_path / "whole"]
    check(at, *whole, phrases=("1,080", "UNPARSED 1,080 (100.0%)"))


def test_scores(at: At, runs: tuple[Path, Path]) -> None:
    out = at(VERY_WIDE, "score", runs[0]).out
    marks = re.findall(r"LIMITED \S+|UNPARSED \S+ \(\S+\)|FAILED \d+|\S+ to \S+(?= )", out)
    assert len(marks) > 10
    check(at, "score", runs[0], phrases=tuple(mark for mark in marks if mark[0].isdigit() or mark[0].isupper()))


def test_comparisons(at: At, cli: Cli, runs: tuple[Path, Path]) -> None:
    for run in runs:
        assert cli("run", "--tasks", "pope,mme", "--model", "constant", "-o", run.parent, "--data", "demo").code is not None
    out = at(VERY_WIDE, "compare", *runs, "--resamples", 200).out
    phrases = tuple(re.findall(r"[+-]\d+\.\d+ to [+-]\d+\.\d+", out))
    assert phrases
    check(at, "compare", *runs, "--resamples", 200, phrases=phrases)
    check(at, "compare", *runs, "--resamples", 200, "--metric", "all", "--fail-on-regression")


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("list", "protocols"),
        ("list", "judges"),
        ("list", "published", "--benchmark", "pope"),
        ("plan", "--tasks", "mmvet,pope,mmbench", "--data", "demo", "--judge", "gpt-4-0613"),
        ("data", "where", "--data", "demo"),
        ("data", "verify", "pope", "mme", "--data", "demo"),
        ("show", "task", "pope"),
        ("show", "model", "hf-chat"),
    ],
    ids=" ".join,
)
def test_lists(arguments: tuple[str, ...], at: At) -> None:
    check(at, *arguments)


def test_certificates(at: At, tmp_path: Path) -> None:
    check(at, "certify", "pope", "--answers", 100, "-o", tmp_path)


def test_a_judge(at: At, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)  # seconds are another each time
    server = serve(lambda prompt, before: Say("0.123456789 of 1,234,567 " * 9))
    check(at, "judge", "serve-check", "--judge", "m", "--judge-base-url", server.url)


def printed(width: int, headings: list[str], rows: list[list[str]], look: Look = PLAIN) -> str:
    file = io.StringIO()
    print_table(Console(file=file, width=width), headings, rows, look)
    return file.getvalue()


def test_tables_of_any_text() -> None:
    """Random cells come back whole from every layout, in their order; no word is broken, however a table gives way."""
    chance = random.Random(7)
    alphabet = ["1,234,567", "-12.345", "59.88 to 80.34", "word", "喵喵", "x" * 23, "y" * 50, "", "a b c d"]
    for _ in range(120):
        columns, width = chance.randint(1, 9), chance.choice(WIDTHS)
        rows = [[kept(chance.choice(alphabet)) for _ in range(columns)] for _ in range(3)]
        headings = [f"head{number}" for number in range(columns)]
        light, under = headings[columns - columns // 3 :], headings[1 : columns // 2]
        look = Look(framed=chance.random() < 0.5, yields={**dict.fromkeys(light, GONE), **dict.fromkeys(under, headings[0])})
        out = printed(width, headings, rows, look)
        assert all(cell_len(line.rstrip()) <= width for line in out.splitlines())
        gone = [name for name in light if re.search(rf"no room for .*{name}", " ".join(out.split()))]
        assert gone == light[: len(gone)]
        for row in rows:
            shown = [cell for name, cell in zip(headings, row, strict=True) if name not in gone]
            assert all(cell.replace("\u00a0", " ") in out for cell in shown)


def test_a_table_gives_way_in_order() -> None:
    """First the lightest column, then the next, then the interval stands below the score, at last it is a list with all."""
    headings = ["task", "score", "interval", "seconds", "speed"]
    rows = [["pope@llava", "85.95", kept("84.95 to 86.95"), "12.5", "77.25"], ["mme@llava", "1,531.25", "–", "9.5", "48.75"]]
    look = Look(yields={"seconds": GONE, "speed": GONE, "interval": "score"})
    seen = []
    for width in range(70, 27, -1):
        out = printed(width, headings, rows, look)
        told = re.search(r"\(no room for ([^)]*)\)", " ".join(out.split()))
        below = any("85.95" in line and "84.95" not in line for line in out.splitlines())
        seen.append(("list" if "┃" not in out else told[1] if told else "", below))
        assert "84.95 to 86.95" in out
    stages = list(dict.fromkeys(seen))
    assert stages == [
        ("", False),
        ("seconds", False),
        ("seconds, speed", False),
        ("seconds, speed", True),
        ("list", True),
    ]
    assert all(text in printed(28, headings, rows, look) for text in ("12.5", "77.25", "9.5", "48.75"))


@pytest.mark.parametrize("width", [1, 2, 10, 60])
def test_folding_loses_nothing(width: int) -> None:
    chance = random.Random(width)
    for _ in range(50):
        text = " ".join(chance.choice(["1,080", "x" * 70, "喵" * 5, kept("60 to 70"), "a"]) for _ in range(12))
        lines = fold(text, max(width, 2))
        assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\u00a0", "")
        assert all(cell_len(line) <= max(width, 2) for line in lines)
    assert fold("  name  a long line of words", 12, "    ") == ["  name  a", "    long", "    line of", "    words"]
