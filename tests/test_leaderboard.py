"""``mipha-eval leaderboard``: who is ranked with whom, the intervals of ranks, and the site in a real browser."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.json import decode, encode

from mipha_eval.core.atomic import write_json
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.page.boards import board
from mipha_eval.page.leaderboard import LeaderboardConfig, find_runs, page_files, write_leaderboard
from mipha_eval.page.runs import read_runs
from tests.browser import Tab, address_of
from tests.conftest import Cli, read_json
from tests.page_runs import Made, Told, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: size of a model and the share of its answers that are right
MODELS = {"0.5": 0.55, "3": 0.80, "7": 0.82, "13": 0.95}
TASKS = ("vqav2", "gqa")


def answers_right(rate: float, *, fails: bool = False) -> Any:
    def answers(task: Task, sample: Sample, chance: random.Random) -> Mapping[str, Any]:
        if fails and chance.random() < 0.1:
            return {"text": "", "finish": "error", "error": "no picture"}
        return {"text": sample.target[0] if chance.random() < rate else "something else"}

    return answers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four models under the same conditions, and some that are not: limited ones, a blind one, one with failures."""
    folder = tmp_path_factory.mktemp("runs")
    for seed, (size, rate) in enumerate(MODELS.items()):
        make_run(folder / f"m{size}", Made(TASKS, seed, size), answers_right(rate))
    for seed in (10, 11):
        make_run(folder / f"limited{seed}", Made(TASKS, seed, limit=50), answers_right(0.99))
    make_run(folder / "blind", Made(TASKS, 20, blind=True), answers_right(1))
    make_run(folder / "fails", Made(TASKS, 30), answers_right(1, fails=True))
    return folder


@pytest.fixture(scope="module")
def site(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The leaderboard's first page."""
    return write_leaderboard(LeaderboardConfig([folder], tmp_path_factory.mktemp("site")), Registry())


def paths(folder: Path) -> list[Path]:
    return [run.folder.path for run in find_runs(folder)]


def names(runs: Sequence[Path]) -> list[str]:
    """The folder that each run was made in."""
    return [run.parent.parent.name for run in runs]


def shown(runs: Sequence[Path], label: str) -> Any:
    """A board as the page's scripts get it."""
    return decode(encode(board(read_runs(runs), label, Registry())))


def test_who_is_ranked_with_whom(folder: Path) -> None:
    runs = paths(folder)
    found = shown(runs, "vqav2@demo")
    groups: dict[Any, set[str]] = {}
    for number, entry in found["entries"].items():
        groups.setdefault(entry.get("group"), set()).add(names(runs)[int(number)])
    assert groups == {
        0: {"m0.5", "m3", "m7", "m13"},
        1: {"limited10", "limited11"},
        2: {"blind"},
        None: {"fails"},
    }
    by_name = {names(runs)[int(number)]: entry for number, entry in found["entries"].items()}
    assert by_name["blind"]["rank"] is None
    assert by_name["fails"]["why"].startswith("questions are left: ")
    assert any(mark.startswith("FAILED") for mark in by_name["fails"]["marks"])
    assert found["groups"][0] == {"runs": 4, "questions": 300, "special": False}
    assert found["groups"][1]["questions"] == 50


def test_other_versions_judges_and_protocols_are_not_ranked_together(folder: Path, tmp_path: Path) -> None:
    runs = []
    for size in MODELS:
        (run,) = (folder / f"m{size}" / "runs").glob("scripted*__*")
        runs.append(Path(shutil.copytree(run, tmp_path / f"m{size}")))
    task = read_json(runs[0] / "gqa@demo/task.json")
    write_json(runs[0] / "gqa@demo/task.json", {**task, "version": task["version"] + 1})
    result = read_json(runs[1] / "gqa@demo/result.json")
    write_json(runs[1] / "gqa@demo/result.json", {**result, "headline": "binary"})
    task = read_json(runs[2] / "gqa@demo/task.json")
    write_json(runs[2] / "gqa@demo/task.json", {**task, "data_sha256": "another release"})
    found = shown(runs, "gqa@demo")
    assert [entry["rank"] for entry in found["entries"].values()] == [None] * 4
    assert sorted(entry["group"] for entry in found["entries"].values()) == [0, 1, 2, 3]


def test_rank_intervals_are_those_of_an_independent_bootstrap(folder: Path) -> None:
    """Images drawn one by one, means and ranks computed anew: no code shared but the scores on disk."""
    runs = [run for run in paths(folder) if names([run])[0].startswith("m")]
    found = shown(runs, "gqa@demo")
    told = [Told.of(run, "gqa@demo").scores for run in runs]
    clusters = sorted({score["cluster"] for score in told[0].values()})
    place = {cluster: number for number, cluster in enumerate(clusters)}
    sums, asked = np.zeros((len(runs), len(clusters))), np.zeros(len(clusters))
    for number, scores in enumerate(told):
        for score in scores.values():
            sums[number, place[score["cluster"]]] += score["value"]
    for score in told[0].values():
        asked[place[score["cluster"]]] += 1
    generator = np.random.default_rng(5)
    drawn = generator.integers(len(clusters), size=(4000, len(clusters)))
    values = sums[:, drawn].sum(axis=2) / asked[drawn].sum(axis=1)
    better = (values[None] > values[:, None]).sum(axis=1) + 1
    level = (values[None] >= values[:, None]).sum(axis=1)
    expected = [
        [int(np.quantile(low, 0.025, method="inverted_cdf")), int(np.quantile(high, 0.975, method="inverted_cdf"))]
        for low, high in zip(better, level, strict=True)
    ]
    assert [entry["rank"] for entry in found["entries"].values()] == expected
    ranks = dict(zip(names(runs), expected, strict=True))
    assert ranks["m13"] == [1, 1]
    assert ranks["m0.5"] == [4, 4]
    assert ranks["m3"] == ranks["m7"] == [2, 3]


def test_cli(cli: Cli, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "blind", tmp_path / "runs/blind")
    (tmp_path / "runs/broken").mkdir()
    (tmp_path / "runs/broken/manifest.json").write_text("{")
    outcome = cli("leaderboard", tmp_path / "runs", "-o", tmp_path / "site")
    assert outcome.code == 0
    assert outcome.out == f"leaderboard: {tmp_path / 'site/index.html'}\n"
    assert "left out: cannot read" in outcome.err


def test_the_site(browser: Browser, folder: Path, site: Path) -> None:
    runs = paths(folder)
    tab = Tab.open(browser, address_of(site))
    assert tab.page.locator("tbody tr").count() == 8
    scores = {run: f"{Told.of(run, 'gqa@demo').result['metrics']['accuracy']:.2f}" for run in runs}
    cells = tab.texts("tbody tr td:nth-child(3)")
    assert [cell.split(" ")[0] for cell in cells] == list(scores.values())

    tab.page.get_by_role("button", name="gqa@demo").click()
    head = tab.page.locator("th", has_text="gqa@demo")
    assert head.get_attribute("aria-sort") == "descending"
    values = [float(cell.split(" ")[0]) for cell in tab.texts("tbody tr td:nth-child(3):not(:has(.set-back))")]
    assert values == sorted(values, reverse=True)
    assert len(values) == 4
    assert tab.page.locator("tbody tr:nth-child(n+5) .set-back").count() == 8, "behind them what is not ranked with them"
    tab.page.get_by_role("button", name="gqa@demo").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert tab.page.evaluate("document.activeElement.textContent") == "gqa@demo ▲", "the focus stays"

    tab.choose("size", "4")
    assert tab.texts("tbody td.number") == ["3 B"]
    tab.choose("size", "more")
    assert tab.texts("tbody td.number") == ["13 B"]
    tab.choose("size", "")
    tab.type("SCRIPT-20")
    assert tab.page.locator("tbody tr").count() == 1

    tab.go(task="vqav2@demo")
    ranked = [row.split("\t") for row in tab.texts("tbody:first-of-type tr:not(.group)")]
    assert [row[0].strip() for row in ranked][::3] == ["1", "4"]
    assert {row[2].strip() for row in ranked} == {"500 M", "3 B", "7 B", "13 B"}
    groups = [text.strip() for text in tab.texts("tr.group")]
    assert groups[0] == "Ranked together: 4 runs on the same 300 questions"
    assert groups[-1] == "Not ranked"
    tab.own = address_of(site.parent)
    tab.page.locator("tbody a").first.click()
    tab.page.get_by_role("heading", name="How the runs were made").wait_for()
    tab.close()


@pytest.mark.parametrize("looks", ["light wide", "dark narrow"])
def test_accessible(browser: Browser, site: Path, looks: str) -> None:
    tab = Tab.open(browser, address_of(site), looks)
    for task in ("", "gqa@demo"):
        tab.go(task=task)
        assert tab.violations() == []
        assert tab.overflow() == 0
    tab.close()


def test_runs_with_one_folder_s_name_have_pages_of_their_own(folder: Path, tmp_path: Path) -> None:
    run = paths(folder)[0]
    for name in ("a", "b"):
        shutil.copytree(run, tmp_path / name / "same & <name>")
    files = page_files(find_runs(tmp_path))
    assert len(set(files)) == 2
    assert all(file.startswith("runs/same") and not set("&<>#?%") & set(file) for file in files)


def test_a_folder_without_runs(cli: Cli, tmp_path: Path) -> None:
    assert "no run below" in cli("leaderboard", tmp_path, "-o", tmp_path / "site").err
    assert cli("leaderboard", tmp_path / "none", "-o", tmp_path / "site").code == 2
