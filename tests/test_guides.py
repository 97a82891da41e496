"""Each command of the guides is run, and prints what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guide import ROOT, Block, GuideError, blocks_of, environment_in, first_difference, follow
from tests.judge_server import Say, Serve

FOLDER = ROOT / "docs/guides"
GUIDES = sorted(FOLDER.glob("*.md"))
LEFT_OUT = [(guide, block) for guide in GUIDES for block in blocks_of(guide) if "norun" in block.attributes]


def judge(prompt: str, asked: int) -> Say:
    """In the place of a model: whether a sentence names what a scene has, in whatever case."""
    scene, sentence = (re.search(rf"^{name}: (.*?)\.?$", prompt, flags=re.MULTILINE) for name in ("Scene", "Sentence"))
    if scene is None or sentence is None:
        return Say("I cannot tell.")
    return Say("Yes." if scene[1].lower() == sentence[1].lower() else "No.", model="gpt-4o-mini")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_does_what_it_says(guide: Path, serve: Serve, tmp_path: Path) -> None:
    """In an empty folder; a server here is in the place of OpenAI's."""
    place = tmp_path / "guide"
    place.mkdir()
    follow(guide, place, environment_in(tmp_path, OPENAI_BASE_URL=serve(judge).url, OPENAI_API_KEY="a-key"))


@pytest.mark.parametrize(
    ("guide", "block"), LEFT_OUT, ids=lambda each: each.stem if isinstance(each, Path) else str(each.line)
)
def test_commands_that_are_not_run(guide: Path, block: Block) -> None:
    """Only listed, with the reason."""
    pytest.skip(f"{guide.name}:{block.line}: {block.attributes['norun']}")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_guides_are_short_and_listed(guide: Path) -> None:
    assert len(guide.read_text().splitlines()) < 120
    assert guide.name == "index.md" or f"]({guide.name})" in (FOLDER / "index.md").read_text()


def written(tmp_path: Path, *lines: str) -> Path:
    guide = tmp_path / "guide.md"
    guide.write_text("".join(f"{line}\n" for line in lines))
    return guide


def told(tmp_path: Path, *lines: str) -> str:
    """What is said of a guide that does not do what it says."""
    (tmp_path / "place").mkdir()
    with pytest.raises(GuideError) as caught:
        follow(written(tmp_path, *lines), tmp_path / "place", environment_in(tmp_path))
    return str(caught.value)


def test_files_commands_and_outputs(tmp_path: Path) -> None:
    lines = [
        '```text title="sub/words.txt"',
        "one",
        "two 2.50 s",
        "```",
        "",
        "```bash",
        "cat sub/words.txt",
        "pwd",
        "```",
        "",
    ]
    lines += ["```text", "one", "two 3 s", "...", "```", '```bash norun="no key"', "false", "```", "```bash exit=3"]
    lines += ["echo no >&2; exit 3", "```", "```text", "no", "```", "```python", "1 / 0", "```"]
    (tmp_path / "place").mkdir()
    follow(written(tmp_path, *lines), tmp_path / "place", environment_in(tmp_path))
    assert (tmp_path / "place/sub/words.txt").read_text() == "one\ntwo 2.50 s\n"


def test_the_program_is_this_checkout(tmp_path: Path) -> None:
    asked = 'python -c "import mipha_eval; print(mipha_eval.__file__)"'
    expected = f"{ROOT}/mipha_eval/__init__.py"
    (tmp_path / "place").mkdir()
    guide = written(tmp_path, "```bash", asked, "mipha-eval --version", "```", "```text", expected, "...", "```")
    follow(guide, tmp_path / "place", environment_in(tmp_path))


def test_a_failing_command_is_named(tmp_path: Path) -> None:
    said = told(tmp_path, "Text.", "", "```bash", "true", "echo so far; ls nowhere", "echo never", "```")
    assert said.startswith("guide.md:5: echo so far; ls nowhere\nexit code 2, expected 0\nso far\n")
    assert "nowhere" in said.splitlines()[-1]
    assert "@line" not in said


def test_another_output_is_shown(tmp_path: Path) -> None:
    said = told(tmp_path, "```bash", "echo accuracy 75.00", "```", "```text", "accuracy 75.01", "```")
    assert said.startswith("guide.md:1: echo accuracy 75.00\ndoes not print 'accuracy 75.01'")
    assert said.endswith("printed\naccuracy 75.00\n")


def test_text_further_down_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    guide = written(tmp_path, "```bash", "echo 1", "```", "The layout:", "```text", "2", "```")
    follow(guide, tmp_path / "place", environment_in(tmp_path))


@pytest.mark.parametrize(
    "lines",
    [
        ["```sh", "ls", "```"],
        ["```", "ls", "```"],
        ["```bash norun", "ls", "```"],
        ['```bash norun=""', "ls", "```"],
        ['```bash skip="why"', "ls", "```"],
        ["```bash norun=no key", "ls", "```"],
        ["- item", "  ```bash", "  ls", "  ```"],
        ["```bash", "ls"],
        ['```text title="../out.txt"', "a", "```"],
    ],
)
def test_blocks_that_would_be_passed_over(lines: list[str], tmp_path: Path) -> None:
    assert told(tmp_path, *lines).startswith("guide.md:")


@pytest.mark.parametrize(
    ("expected", "output", "difference"),
    [
        ("a\nb\n", "a\nb\n", ""),
        ("a  b\n", " a b\n\n", ""),
        ("┃ a ┃ b ┃\n", "━━━━━┳━━━━\n┃ a   ┃  b ┃\n", ""),
        ("a ... c\n", "a b c\n", ""),
        ("...\nc\n", "a\nb\nc\n", ""),
        ("...\nc\n", "c\n", ""),
        ("a\n...\n", "a\n", ""),
        ("took 1.5 s\n", "took 20 s\n", ""),
        ("results/m__20261127-120750__035c0c\n", "results/m__20270101-000000__ffffff\n", ""),
        ("m__20261127-120750__035c0c\n", "n__20270101-000000__ffffff\n", "m__RUN"),
        ("a 1.50\n", "a 1.5\n", "a 1.50"),
        ("a.c\n", "abc\n", "a.c"),
        ("a\nb\n", "a\nc\nb\n", "b"),
        ("a\n", "a\nb\n", "nothing more"),
        ("...\nb\n", "a\nc\n", "b"),
    ],
)
def test_what_is_taken_for_equal(expected: str, output: str, difference: str) -> None:
    assert first_difference(expected, output) == difference
