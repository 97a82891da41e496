"""Plots of ablations: what is drawn is read back from the figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.reporting.make import Report, ReportSettings, make_report
from mipha_eval.reporting.plots.levels import level_figure
from mipha_eval.reporting.plots.lines import line_figure
from mipha_eval.reporting.plots.placed import Against, axes_of, placed_points
from mipha_eval.reporting.plots.style import paper_style
from tests.conftest import Cli, read_json
from tests.table_runs import some_right, texts_of, write_run

GQA, POPE = "gqa@testdev", "pope@llava"


def write_models(folder: Path, count: int = 6) -> list[Path]:
    """Runs of models with two or more towers and three resolutions each, with the seconds that they took."""
    made = []
    for number in range(count):
        tower, side = ("CLIP", "SigLIP", "DINOv2", "ViT")[number // 3 % 4], (224, 336, 384)[number % 3]
        about = {"tower": tower, "resolution": side, "image_tokens": (side // 14) ** 2, "seed": number // 12}
        answers = {label: texts_of(label, some_right(0.6 + number / 100, number)) for label in (GQA, POPE)}
        told: dict[str, Any] = {"about": about, "seconds": 50.0 * (number + 1), "timed": 200}
        made.append(write_run(folder / f"m{number:02}", answers, **told))
    return made


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return write_models(tmp_path)


def made(runs: list[Path], *by: str) -> Report:
    return make_report(ReportSettings(runs, by=by), Registry())


def against(report: Report, name: str) -> Against:
    return next(
        each for each in axes_of(report.table, placed_points(report.table), machines_differ=False) if each.name == name
    )


def stored(run: str, folder: Path, label: str, metric: str) -> tuple[float, list[float]]:
    result = read_json(folder / run / label / "result.json")
    return result["metrics"][metric], result["intervals"][metric]


def heights(figure: Any) -> Iterator[tuple[int, str, str, float]]:
    """(panel, level, column, height) of each bar."""
    for panel, axes in enumerate(figure.axes):
        names = [text.get_text() for text in figure.axes[-1].get_xticklabels()]
        for container in axes.containers:
            for bar in getattr(container, "patches", ()):
                place = bar.get_x() + bar.get_width() / 2
                yield panel, str(container.get_label()), names[round(place)], bar.get_height()


def test_heights_of_bars_are_scores(runs: list[Path], tmp_path: Path) -> None:
    report = made(runs, "tower", "resolution")
    with paper_style():
        figure = level_figure(report.table, placed_points(report.table))
    found = {key: height for *key_parts, height in heights(figure) for key in [tuple(key_parts)]}
    assert len(found) == 12
    for number in range(6):
        side = str((224, 336, 384)[number % 3])
        for label, metric in ((GQA, "accuracy"), (POPE, "f1")):
            assert found[number // 3, side, label] == pytest.approx(stored(f"m{number:02}", tmp_path, label, metric)[0])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["tower CLIP", "tower SigLIP"]
    assert {axes.get_ylabel() for axes in figure.axes} == {"%"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["224", "336", "384"]


def test_intervals_of_bars_are_those_of_the_results(runs: list[Path], tmp_path: Path) -> None:
    report = made(runs[:2], "resolution")
    with paper_style():
        figure: Any = level_figure(report.table, placed_points(report.table))
    paths = [path for collection in figure.axes[0].collections for path in collection.get_paths()]
    drawn = {round(float(y), 6) for path in paths for _, y in path.vertices}
    for run in ("m00", "m01"):
        for label, metric in ((GQA, "accuracy"), (POPE, "f1")):
            for end in stored(run, tmp_path, label, metric)[1]:
                assert round(end, 6) in drawn


@pytest.mark.parametrize(
    ("name", "by", "lines"),
    [("resolution", ("tower", "resolution"), ["CLIP", "SigLIP"]), ("image_tokens", ("tower",), ["CLIP", "SigLIP"])],
)
def test_points_of_lines_are_scores(
    name: str, by: tuple[str, ...], lines: list[str], runs: list[Path], tmp_path: Path
) -> None:
    report = made(runs, *by)
    with paper_style():
        figure: Any = line_figure(report.table, against(report, name))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == lines
    places = {"resolution": (224, 336, 384), "image_tokens": (256, 576, 729)}[name]
    for axes, (label, metric) in zip(figure.axes, ((GQA, "accuracy"), (POPE, "f1")), strict=True):
        assert axes.get_ylabel() == f"{label} (%)"
        assert axes.get_xlabel() == {"resolution": "Resolution (px)", "image_tokens": "Image tokens"}[name]
        points = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()]
        long = [each for each in points if len(each[0]) == 3]
        assert len(long) == 2
        for tower, (at, values) in enumerate(long):
            wanted = [stored(f"m{3 * tower + number:02}", tmp_path, label, metric)[0] for number in range(3)]
            assert values == pytest.approx(wanted)
            assert at == pytest.approx(places, rel=0.03)  # beside each other


def test_seconds_are_those_of_an_answer(runs: list[Path]) -> None:
    found = against(made(runs, "tower"), "seconds")
    assert {each.point.row: each.x for each in found.points} == {
        f"m{number:02}": pytest.approx(50 * (number + 1) / 200) for number in range(6)
    }


def test_other_machines_are_told(runs: list[Path]) -> None:
    table = made(runs, "tower").table
    told = {each.name: each.told for each in axes_of(table, placed_points(table), machines_differ=True)}
    assert told["seconds"] == ("not all on the same machine",)
    assert told["resolution"] == ()


def test_files_and_their_numbers(runs: list[Path], tmp_path: Path, cli: Cli) -> None:
    outcome = cli("report", *runs, "--by", "tower,resolution", "--plots", tmp_path / "plots")
    assert outcome.code == 0, outcome.err
    kinds = ("levels", "score-resolution", "score-image-tokens", "score-seconds", "parts-pope-llava")
    endings = ("pdf", "png", "csv")
    names = {path.name for path in (tmp_path / "plots").iterdir() if not path.name.startswith("parts")}
    assert names == {f"{kind}.{ending}" for kind in kinds[:-1] for ending in endings}
    for kind in kinds[:-1]:
        lines = list(csv.DictReader(io.StringIO((tmp_path / f"plots/{kind}.csv").read_text())))
        assert len(lines) == 12
        assert (lines[0]["tower"], lines[0]["resolution"]) == ("CLIP", "224")
        for line in lines:
            content = read_json(Path(line["file"]))
            metric = line["at"].removeprefix("metrics/")
            assert float(line["value"]) == content["metrics"][metric]
            assert [float(line["low"]), float(line["high"])] == content["intervals"][metric]
        assert (tmp_path / f"plots/{kind}.pdf").read_bytes().startswith(b"%PDF")
        with Image.open(tmp_path / f"plots/{kind}.png") as picture:
            assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 20


def test_what_does_not_vary_has_no_axis(tmp_path: Path, cli: Cli) -> None:
    """Two seeds of one model: nothing to draw lines against."""
    answers = {GQA: texts_of(GQA, some_right(0.5, 1))}
    runs = [write_run(tmp_path / name, answers, about={"tower": "CLIP", "seed": name}) for name in ("one", "two")]
    assert cli("report", *runs, "--by", "seed", "--plots", tmp_path / "plots").code == 0
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {"levels"}


def shown_texts(figure: Any) -> Iterator[Any]:
    """Titles, names of axes, numbers at them and the legend's names, as far as they are drawn."""
    for axes in figure.axes:
        if axes.axison:
            yield from (axes.title, axes.xaxis.label, axes.yaxis.label)
            for axis in (axes.xaxis, axes.yaxis):
                low, high = sorted(axis.get_view_interval())
                yield from (tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high)
    yield from (text for legend in figure.legends for text in legend.get_texts())


def overlaps(figure: Any) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [text for text in shown_texts(figure) if text.get_visible() and text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts]
    return [(one, two) for (one, first), (two, second) in combinations(boxes, 2) if first.shrunk(0.9, 0.9).overlaps(second)]


@pytest.mark.parametrize("count", [2, 14])
def test_no_text_covers_another(count: int, tmp_path: Path) -> None:
    report = made(write_models(tmp_path, count), "tower", "resolution", "seed")
    placed = placed_points(report.table)
    with paper_style():
        figures = [level_figure(report.table, placed)]
        figures += [line_figure(report.table, each) for each in axes_of(report.table, placed, machines_differ=True)]
        assert [overlaps(figure) for figure in figures] == [[]] * len(figures)


def test_levels_with_several_rows_are_told_apart(tmp_path: Path) -> None:
    """A bar a run, whatever they have in common."""
    report = made(write_models(tmp_path, 6), "tower")
    with paper_style():
        figure = level_figure(report.table, placed_points(report.table))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [f"{tower} (m{number:02})" for number, tower in enumerate(["CLIP"] * 3 + ["SigLIP"] * 3)]
