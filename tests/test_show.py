"""What `mipha-eval show task` prints: pictures that are the pictures, and nothing from outside that acts on a terminal."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from mipha_eval.reporting.picture.blocks import half_blocks
from mipha_eval.reporting.picture.fit import MOST_ROWS, fitted
from mipha_eval.reporting.picture.kitty import kitty_commands
from mipha_eval.reporting.picture.sixel import sixels
from mipha_eval.reporting.picture.way import Way, chosen_way
from tests.conftest import Cli
from tests.plugin_files import line_of, task_file

ROOT = Path(__file__).parents[1]
ESCAPE = "\x1b"
COLOURED = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+)(?:;48;2;(\d+);(\d+);(\d+))?m(▀+)\x1b\[0m")
#: what a terminal's own program says of itself
VARIABLES = ("TMUX", "STY", "KITTY_WINDOW_ID", "TERM_PROGRAM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS")

#: two pictures of noise, a title for the terminal's window in every text, and a rule that fails for one label
PICTURED = """
    def samples(self):
        import io
        from PIL import Image as Pillow
        from mipha_eval.core.types import Image
        for number, size in enumerate([(40, 30), (7, 5)]):
            file = io.BytesIO()
            Pillow.effect_noise(size, 90).convert('RGB').save(file, 'PNG')
            images = Image(f'{number}\\x1b]0;title\\x07.png', f'/\\x1b[2J{number}', file.getvalue),
            said, answer, choices = 'Really?\\x1b]0;title\\x07\\u202e', ('Yes\\x1b[31m',), ('\\x9b2J',)
            yield Sample(str(number), said, answer, images, number, choices=choices)
        broken = Image('broken.png', '/broken.png', lambda: b'nothing')
        yield Sample('last', 'Is this a picture?', (), (broken,), 'last', 'odd')
"""


@pytest.fixture
def quiz(tmp_path: Path) -> Path:
    return task_file(tmp_path / "quiz.py", samples=PICTURED)


def on_terminal(*arguments: object, **environment: str) -> str:
    """What a command line writes to a terminal of its own."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (50, 80))
    known = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    known |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "mipha_eval", *map(str, arguments)]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=known) as program:
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
        assert program.stderr is not None
        assert not program.stderr.read()
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # its other end is closed
        return b""


def blocks_read(text: str) -> np.ndarray:
    """The pixels that coloured blocks show, a line of letters two rows; -1 where the ground is the terminal's."""
    rows = []
    for line in text.splitlines():
        upper, lower = [], []
        for *colours, letters in COLOURED.findall(line):
            numbers = [int(part) if part else -1 for part in colours]
            upper += [numbers[:3]] * len(letters)
            lower += [numbers[3:]] * len(letters)
        if upper:
            rows += [upper, lower]
    return np.array(rows)


def kitty_read(text: str) -> list[tuple[dict[str, str], Image.Image]]:
    """The pictures of a terminal's text, with the keys of their first command."""
    found: list[tuple[dict[str, str], Image.Image]] = []
    data, keys = "", dict[str, str]()
    for head, chunk in re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text):
        assert len(chunk) <= 4096
        part = dict(pair.split("=") for pair in head.split(","))
        keys = keys or part
        data += chunk
        assert part["m"] == "0" or len(chunk) % 4 == 0
        if part["m"] == "0":
            found.append((keys, Image.open(io.BytesIO(base64.b64decode(data, validate=True)))))
            data, keys = "", {}
    assert not data
    return found


def sixels_read(text: str) -> np.ndarray:
    """The pixels of the first sixel picture of a text."""
    body = text.partition("\x1bP")[2].partition("\x1b\\")[0].partition("q")[2]
    shape = re.match(r'"1;1;(\d+);(\d+)', body)
    assert shape is not None
    width, height = int(shape[1]), int(shape[2])
    pixels = np.full((height + 6, width, 3), -1.0)
    palette: dict[int, list[float]] = {}
    colour, column, top = -1, 0, 0
    for token in re.findall(r"#\d+;2;\d+;\d+;\d+|#\d+|!\d+[?-~]|[?-~]|\$|-", body[shape.end() :]):
        if ";" in token:
            name, _, *parts = map(int, token[1:].split(";"))
            palette[name] = [part * 2.55 for part in parts]
        elif token[0] == "#":
            colour = int(token[1:])
        elif token in "$-":
            column, top = 0, top + 6 * (token == "-")
        else:
            times = int(token[1:-1]) if token[0] == "!" else 1
            for bit in range(6):
                if (ord(token[-1]) - 63) >> bit & 1:
                    assert (pixels[top + bit, column : column + times] == -1).all()
                    pixels[top + bit, column : column + times] = palette[colour]
            column += times
            assert column <= width
    assert (pixels[:height] >= 0).all()
    assert (pixels[height:] == -1).all()
    return pixels[:height]


def noise(width: int, height: int, colours: int = 200) -> Image.Image:
    chance = np.random.default_rng(width * height)
    palette = chance.integers(0, 256, (colours, 3), dtype=np.uint8)
    return Image.fromarray(palette[chance.integers(0, colours, (height, width))])


def as_text(picture: Image.Image, columns: int) -> str:
    file = io.StringIO()
    console = Console(file=file, color_system="truecolor", force_terminal=True, width=500)
    for line in half_blocks(picture, columns):
        console.print(line, soft_wrap=True)
        console.file.write("\n")
    return file.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (31, 17), (48, 48), (1, 48)])
def test_blocks_are_the_pixels(size: tuple[int, int]) -> None:
    picture = noise(*size)
    found = blocks_read(as_text(picture, 80))
    assert (found[: size[1]] == np.asarray(picture)).all()
    assert (found[size[1] :] == -1).all()  # below an odd last row
    assert len(found) == size[1] + size[1] % 2


def test_blocks_of_a_larger_picture_are_means() -> None:
    picture = noise(240, 160)
    found = blocks_read(as_text(picture, 60))
    expected = np.asarray(picture, float).reshape(40, 4, 60, 4, 3).mean((1, 3))
    assert found.shape == (40, 60, 3)
    assert abs(found - expected).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (30, 40), (3000, 10), (10, 3000), (640, 480)])
@pytest.mark.parametrize("columns", [1, 20, 200])
def test_nothing_is_wider_or_higher_than_there_is_room(size: tuple[int, int], columns: int) -> None:
    picture = noise(*size)
    blocks = blocks_read(as_text(picture, columns))
    assert blocks.shape[1] <= columns
    assert len(blocks) <= 2 * MOST_ROWS
    ((keys, _),) = kitty_read(kitty_commands(picture, columns))
    assert 1 <= int(keys["c"]) <= columns
    high, wide, _ = sixels_read(sixels(picture, columns)).shape
    assert wide <= columns * 8
    assert high <= MOST_ROWS * 16


def test_a_picture_keeps_its_shape() -> None:
    assert fitted((400, 200), (100, 100)) == (100, 50)
    assert fitted((200, 400), (100, 100)) == (50, 100)
    assert fitted((20, 40), (100, 100)) == (20, 40)
    assert fitted((3, 9000), (80, 48)) == (1, 48)


@pytest.mark.parametrize("size", [(5, 6), (50, 41), (90, 100)])
def test_sixels_are_the_pixels(size: tuple[int, int]) -> None:
    """Up to a hundredth of a colour's brightness, in which the format counts."""
    picture = noise(*size)
    assert abs(sixels_read(sixels(picture, 80)) - np.asarray(picture)).max() <= 1.3


def test_sixels_of_many_colours_are_near() -> None:
    ramp = np.stack(np.meshgrid(np.arange(128), np.arange(120), indexing="ij"), -1)
    picture = Image.fromarray(np.concatenate([2 * ramp, ramp[..., :1]], -1).astype(np.uint8))
    assert abs(sixels_read(sixels(picture, 80)) - np.asarray(picture)).mean() < 10


@pytest.mark.parametrize("size", [(5, 6), (300, 200)])
def test_kittys_payload_is_the_picture(size: tuple[int, int]) -> None:
    picture = noise(*size)
    ((keys, found),) = kitty_read(kitty_commands(picture, 80))
    assert (keys["a"], keys["f"], keys["q"]) == ("T", "100", "2")
    assert found.format == "PNG"
    assert (np.asarray(found) == np.asarray(picture)).all()


class Screen(io.StringIO):
    """A file that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "asked", "way"),
    [
        ({"TERM": "xterm-256color"}, None, "blocks"),
        ({"TERM": "xterm-kitty"}, None, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, None, "kitty"),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, None, "kitty"),
        ({"TERM": "foot"}, None, "sixel"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, None, "sixel"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, None, "blocks"),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1", "TMUX": "/tmp/tmux"}, None, "blocks"),
        ({"TERM": "screen", "TERM_PROGRAM": "WezTerm"}, None, "blocks"),
        ({"TERM": "xterm-256color"}, "kitty", "kitty"),
        ({"TERM": "xterm-256color"}, "sixel", "sixel"),
        ({"TERM": "xterm-kitty"}, "blocks", "blocks"),
        ({"TERM": "xterm-kitty"}, "path", "path"),
        ({"TERM": "xterm-kitty"}, "none", "none"),
        ({"TERM": "dumb"}, None, "path"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, None, "path"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "blocks", "path"),
    ],
)
def test_ways(environment: dict[str, str], asked: Way | None, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert chosen_way(asked, Console(file=Screen(), _environ=environment), environment) == way
    plain = Console(file=io.StringIO(), _environ=environment)
    assert chosen_way(asked, plain, environment) == ("none" if way == "none" else "path")


def test_letters_that_an_encoding_does_not_have() -> None:
    class Latin(Screen):
        encoding = "latin-1"

    assert chosen_way(None, Console(file=Latin(), _environ={"TERM": "xterm-256color"}), {"TERM": "xterm"}) == "path"


Reader = Callable[[str], list[np.ndarray]]


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        ({}, lambda text: [blocks_read(text.partition("question 2")[0])]),
        ({"TERM": "xterm-kitty"}, lambda text: [np.asarray(picture) for _, picture in kitty_read(text)]),
        ({"TERM": "foot"}, lambda text: [sixels_read(text)]),
    ],
    ids=["blocks", "kitty", "sixel"],
)
def test_on_a_terminal(environment: dict[str, str], read: Reader, tmp_path: Path) -> None:
    """A real one, as far as the program can tell: the picture is between its name and its prompt."""
    picture = noise(40, 30)
    picture.save(tmp_path / "noise.png")
    samples = f"""
    def samples(self):
        from pathlib import Path
        from mipha_eval.core.types import Image
        image = Image('noise.png', 'noise.png', Path({str(tmp_path / "noise.png")!r}).read_bytes)
        yield Sample('1', 'What is it?', ('Noise',), (image,), 1)
"""
    file = task_file(tmp_path / "quiz.py", samples=samples)
    text = on_terminal("show", "task", "quiz", "--plugin", file, "-n", 3, **environment)
    assert abs(read(text)[0] - np.asarray(picture)).max() <= 1.3
    name, escape, prompt = (text.index(part) for part in ("picture: noise.png", ESCAPE, "What is it?"))
    assert name < escape < prompt
    assert text.rindex(ESCAPE) < prompt
    assert text.splitlines()[-1] == "  reading of 'Noise': 'Noise' by rule exact"


@pytest.mark.parametrize("environment", [{}, {"TERM": "xterm-kitty"}, {"TERM": "foot"}], ids=["blocks", "kitty", "sixel"])
def test_texts_from_outside_do_not_act(environment: dict[str, str], quiz: Path) -> None:
    """Neither the escape that begins commands nor its one-byte form, nor what turns the direction of writing."""
    text = on_terminal("show", "task", "quiz", "--plugin", quiz, "-n", 3, **environment)
    rest = re.sub(r"\x1b_G[^\x1b]*\x1b\\|\x1bP[^\x1b]*\x1b\\", "", COLOURED.sub("", text))
    assert not re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", rest)
    assert "[U+001B]]0;title[U+0007]" in rest
    assert "image broken.png is not an image" in rest
    assert text.count("question ") == 3


@pytest.mark.parametrize("way", ["auto", "blocks", "sixel", "kitty", "path", "none"])
def test_where_there_is_no_terminal(way: str, quiz: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-kitty")
    out = cli("show", "task", "quiz", "--plugin", quiz, "-n", 3, "--picture", way).out
    assert ESCAPE not in out
    assert "▀" not in out
    assert ("  picture: /broken.png" in out) == (way != "none")
    assert ("  picture: broken.png" in out) == (way == "none")


def test_facts(cli: Cli) -> None:
    """What a task is made of, in text and in JSON; counts are those of the questions themselves."""
    shown = cli("show", "task", "pope", "--json", "-n", 5000).json
    assert (shown["unit"], shown["bounds"]) == ("%", [0, 100])
    assert shown["size"]["questions"] == len(shown["questions"]) == 1080
    assert shown["size"]["pictures"] == len({name for row in shown["questions"] for name in row["images"]})
    assert shown["size"]["released"]["official"] == [9000]
    assert all(row["reading"]["reading"] == row["target"][0] for row in shown["questions"])
    assert all(Path(row["locations"][0]).is_file() for row in shown["questions"])
    out = cli("show", "task", "pope", "-n", 1).out
    assert "headline: f1 (%, 0 to 100)" in out
    assert f"1,080 questions about {shown['size']['pictures']:,} pictures here; llava as released: 8,910 rows" in out
    assert f"licence: {shown['licence'] or 'not said'}" in out
    assert f"citation: {shown['citation'] or 'not said'}" in out


def test_a_licence_that_nobody_said(cli: Cli, tmp_path: Path) -> None:
    out = cli("show", "task", "quiz", "--plugin", task_file(tmp_path / "quiz.py"), "-n", 0).out
    assert "licence: not said\ncitation: not said\nsize: not said" in out


def test_options_are_shown_with_the_right_one(cli: Cli) -> None:
    first = cli("show", "task", "mmbench", "-n", 1, "--json").json["questions"][0]
    right = first["choices"]["ABCD".index(first["target"][0])]
    assert f"reference: '{first['target'][0]}' ('{right}')" in cli("show", "task", "mmbench", "-n", 1).out


def test_without_questions_no_file_is_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = cli("show", "task", "pope", "-n", 0, "--data", tmp_path / "empty")
    assert outcome.code == 0, outcome.err
    assert "size: llava as released" in outcome.out
    assert cli("show", "task", "pope", "-n", 1, "--data", tmp_path / "empty").code == 2


def test_what_a_task_says_of_its_licence_and_what_its_rule_raises(cli: Cli, tmp_path: Path) -> None:
    """A rule that fails for a label is told with its place; the question is there to be looked at."""
    more = "\n    licence: ClassVar = 'CC-BY-4.0'\n    citation: ClassVar = 'arXiv:2401.00001'\n"
    score = "\n    def score(self, sample, response):\n        return {}[response.text]\n"
    file = task_file(tmp_path / "quiz.py", more=more, score=score)
    out = cli("show", "task", "quiz", "--plugin", file, "-n", 1).out
    assert "licence: CC-BY-4.0" in out
    assert "citation: arXiv:2401.00001" in out
    assert "size: 4 questions about 0 pictures here" in out
    assert f"KeyError: 'No' ({file}:{line_of(file, '{}[response.text]')}" in " ".join(out.split())


def test_labels_that_are_not_public_and_those_that_a_judge_reads(cli: Cli, tmp_path: Path) -> None:
    hidden = """
    def samples(self):
        yield Sample('1', 'What is it?', (), (), 1)
"""
    file = task_file(tmp_path / "quiz.py", samples=hidden)
    out = cli("show", "task", "quiz", "--plugin", file).out
    assert "reference: not public" in out
    assert "reading" not in out
    graded = """
    def score(self, sample, response):
        return self.scored(sample, Reading('', 'not-judged'), 0)

    def grade(self, answers, runs):
        yield from ()
"""
    file = task_file(tmp_path / "judged.py", base="JudgedTask", score=graded)
    assert "reading of 'No': a judge grades it" in cli("show", "task", "quiz", "--plugin", file).out


def test_wrong_values_are_refused_as_in_a_run(cli: Cli, tmp_path: Path) -> None:
    samples = "\n    def samples(self):\n        yield Sample('1', 'What?', 'Yes', (), 1)\n"
    file = task_file(tmp_path / "quiz.py", samples=samples)
    outcome = cli("show", "task", "quiz", "--plugin", file)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "target of question 1 must be a tuple of texts" in outcome.err
