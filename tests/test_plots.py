"""Plots for papers: readable without colour, with TrueType fonts, and with their numbers beside."""

from __future__ import annotations

import csv
import io
import json
import string
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from mipha_eval.reporting.plots.series import MOST_ROWS
from mipha_eval.reporting.plots.style import HATCHES, LINES, MARKERS, SHADES, label, save
from tests.conftest import Cli, read_json
from tests.table_runs import prepare_golden, some_right, texts_of, write_run


@pytest.fixture
def plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Path:
    """Plots of the fixed table."""
    prepare_golden(tmp_path)
    monkeypatch.chdir(tmp_path)
    outcome = cli("report", "runs/best", "runs/poor", "runs/strange", "--table", "golden.toml", "--plots", "plots")
    assert outcome.code == 0, outcome.err
    assert "wrote plots/bars.pdf" in outcome.err
    return tmp_path / "plots"


def numbers(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_files(plots: Path) -> None:
    names = {path.name for path in plots.iterdir()}
    kinds = ("bars", "radar", "parts-POPE")  # the made-up GQA has one kind of question
    assert names == {f"{kind}.{ending}" for kind in kinds for ending in ("pdf", "png", "csv")}


def test_fonts_are_truetype(plots: Path) -> None:
    for path in plots.glob("*.pdf"):
        content = path.read_bytes()
        assert content.startswith(b"%PDF")
        assert b"/CIDFontType2" in content
        assert b"/Type3" not in content


def test_the_same_bytes_every_time(plots: Path, cli: Cli) -> None:
    first = {path.name: path.read_bytes() for path in plots.iterdir()}
    cli("report", "runs/best", "runs/poor", "runs/strange", "--table", "golden.toml", "--plots", "plots")
    assert {path.name: path.read_bytes() for path in plots.iterdir()} == first


def test_pictures_are_grey_and_not_empty(plots: Path) -> None:
    for path in plots.glob("*.png"):
        with Image.open(path) as picture:
            colours = picture.convert("RGB").getcolors(1 << 24) or []
        assert len(colours) > 20
        assert all(max(colour) - min(colour) <= 2 for _, colour in colours if isinstance(colour, tuple))


def test_rows_can_be_told_apart_without_colour() -> None:
    def grey(shade: str) -> int:
        return int(shade[1:3], 16)

    assert len({*map(len, (SHADES, HATCHES, LINES, MARKERS))}) == 1 == len({len(SHADES), MOST_ROWS})
    for first, second in combinations(range(MOST_ROWS), 2):
        assert HATCHES[first] != HATCHES[second] or abs(grey(SHADES[first]) - grey(SHADES[second])) > 60
        assert MARKERS[first] != MARKERS[second]


def test_every_number_stands_in_the_table_or_in_a_result(plots: Path, cli: Cli) -> None:
    outcome = cli("report", "runs/best", "runs/poor", "runs/strange", "--table", "golden.toml", "--format", "json")
    cells = {
        (row["method"] + "†" * row["published"], column): cell
        for group in json.loads(outcome.out)["groups"]
        for row in group["rows"]
        for column, cell in row["cells"].items()
        if cell is not None
    }
    for name in ("bars", "radar"):
        drawn = numbers(plots / f"{name}.csv")
        assert {(row["row"], row["axis"]) for row in drawn} == {key for key, cell in cells.items() if not cell["grey"]}
        for row in drawn:
            cell = cells[row["row"], row["axis"]]
            assert (float(row["value"]), row["file"], row["at"]) == (cell["value"], cell["file"], cell["at"])
            assert (row["low"], row["high"]) == tuple("" if cell[end] is None else str(cell[end]) for end in ("low", "high"))
            assert float(row["share_of_highest"]) == pytest.approx(cell["value"] / 100)
    parts = numbers(plots / "parts-POPE.csv")
    assert {row["axis"] for row in parts} == {"adversarial/f1", "random/f1", "popular/f1"}
    for row in parts:
        stored = read_json(Path(row["file"]))
        assert float(row["value"]) == stored["metrics"][row["axis"]]
        assert [float(row["low"]), float(row["high"])] == stored["intervals"][row["axis"]]


def test_a_radar_needs_three_axes(tmp_path: Path, cli: Cli) -> None:
    run = write_run(tmp_path / "run", {"gqa@testdev": texts_of("gqa@testdev", some_right(0.5, 1))})
    assert cli("report", run, "--plots", tmp_path / "plots").code == 0
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {"bars"}


def test_more_rows_than_can_be_told_apart(tmp_path: Path, cli: Cli) -> None:
    """Measured rows come first; the plot says how many there are."""
    run = write_run(tmp_path / "run", {"gqa@testdev": texts_of("gqa@testdev", some_right(0.5, 1))})
    assert cli("report", run, "--table", "mipha-paper", "--plots", tmp_path / "plots").code == 0
    rows = list(dict.fromkeys(row["row"] for row in numbers(tmp_path / "plots/bars.csv")))
    assert rows[0] == "run"
    assert len(rows) == MOST_ROWS
    content = (tmp_path / "plots/bars.pdf").read_bytes()
    assert content.startswith(b"%PDF")


def test_strange_names_are_drawn_as_text(tmp_path: Path, cli: Cli) -> None:
    assert label("a$x_1$ 模\0") == "a$x_1$ [U+6A21][U+0000]"
    assert len(label("x" * 1000)) == 40
    right = texts_of("gqa@testdev", some_right(0.5, 1))
    names = ("$\\frac{1}{", "模型", "a\0b\x1b[1m", "_hidden", "<script>")
    runs = [write_run(tmp_path / str(number), {"gqa@testdev": right}, model=name) for number, name in enumerate(names)]
    outcome = cli("report", *runs, "--plots", tmp_path / "plots")
    assert outcome.code == 0, outcome.err
    assert len({row["row"] for row in numbers(tmp_path / "plots/bars.csv")}) == len(names)


def test_nothing_to_plot(tmp_path: Path, cli: Cli) -> None:
    run = write_run(tmp_path / "run", {"pope@official": texts_of("pope@official", [True])})
    outcome = cli(
        "report",
        run,
        "--table",
        "ablation-llm",
        "--plots",
        tmp_path / "plots",
        "-o",
        tmp_path / "t.md",
        "--published",
        "none",
    )
    assert outcome.code == 2
    assert "nothing to plot" in outcome.err
    (tmp_path / "file").write_text("")
    run = write_run(tmp_path / "other", {"gqa@testdev": texts_of("gqa@testdev", [True])})
    assert "cannot write plots" in cli("report", run, "--plots", tmp_path / "file").err


@pytest.mark.parametrize("ending", ["pdf", "png"])
def test_a_full_disk_is_told_as_such(ending: str, tmp_path: Path) -> None:
    """Whatever is half drawn when it is found out."""
    from matplotlib.figure import Figure

    (tmp_path / f"bars.{ending}").symlink_to("/dev/full")
    figure = Figure()
    figure.text(0, 0, string.ascii_letters)  # whose font is more than a file holds back
    with pytest.raises(OSError, match="No space left on device"):
        save(figure, tmp_path / "bars")
