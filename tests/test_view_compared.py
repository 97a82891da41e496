"""Which runs a page puts side by side before anybody asks: the first is the baseline, as in ``mipha-eval compare``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.page.static_view import ViewConfig, write_view
from tests.browser import Tab, address_of
from tests.page_runs import Made, Told, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LABEL = "vqav2@demo"
ONLY_LAST = "gqa@demo"
Open = Callable[..., Tab]


def answers(task: Task, sample: Sample, chance: random.Random) -> Mapping[str, Any]:
    return {"text": sample.target[0] if chance.random() < 0.6 else "something else"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three runs with a task in common; the last has another one, too."""
    folder = tmp_path_factory.mktemp("runs")
    tasks = (["vqav2"], ["vqav2"], ["vqav2", "gqa"])
    return [make_run(folder, Made(each, seed, limit=60), answers) for seed, each in enumerate(tasks)]


@pytest.fixture
def tab(browser: Browser, runs: list[Path], tmp_path: Path) -> Iterator[Open]:
    """Opens a page of the first few runs."""
    opened: list[Tab] = []

    def open_tab(count: int, looks: str = "light wide", **fragment: object) -> Tab:
        path = write_view(ViewConfig(runs[:count], tmp_path / f"{count}.html"), Registry()).path
        opened.append(Tab.open(browser, address_of(path), looks, **fragment))
        return opened[-1]

    yield open_tab
    for each in opened:
        each.close()


def side_by_side(tab: Tab) -> tuple[str, str]:
    """The run that is shown and what it is compared with, as the fields have it."""
    shown = [tab.page.locator(f"select[name={name}] option:checked").inner_text() for name in ("run", "baseline")]
    return shown[0][0], "" if shown[1] == "nothing" else shown[1][0]


def gains(baseline: Path, run: Path) -> list[str]:
    before, after = (Told.of(each, LABEL) for each in (baseline, run))
    return [name for name, score in after.scores.items() if score["value"] > before.scores[name]["value"]]


def test_one_run_is_compared_with_nothing(tab: Open) -> None:
    page = tab(1, task=LABEL)
    for name in ("run", "baseline", "change"):
        assert page.page.locator(f"select[name={name}]").count() == 0
    assert page.page.locator(".signs .badge").count() == 0


@pytest.mark.parametrize("count", [2, 3])
def test_the_second_run_is_compared_with_the_first(tab: Open, runs: list[Path], count: int) -> None:
    page = tab(count)
    page.page.locator("tbody a", has_text=LABEL).click()  # as a reader comes there
    page.settle()
    assert side_by_side(page) == ("B", "A")
    assert page.page.locator(".list li").first.locator(".badge").all_inner_texts() == ["A", "B"]
    page.choose("change", "gained")
    assert page.ids() == gains(runs[0], runs[1])


def test_further_runs_are_compared_with_the_first(tab: Open, runs: list[Path]) -> None:
    page = tab(3, task=LABEL)
    page.choose("run", "2")
    assert side_by_side(page) == ("C", "A")
    page.choose("change", "gained")
    assert page.ids() == gains(runs[0], runs[2])
    page.choose("run", "0")
    assert side_by_side(page) == ("A", "C"), "the two change places"
    page.choose("run", "1")
    page.choose("baseline", "0")
    page.choose("baseline", "2")
    assert side_by_side(page) == ("B", "C"), "another baseline leaves the run that is shown"


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ({"run": 0}, ("A", "B")),
        ({"run": 2}, ("C", "A")),
        ({"baseline": 1}, ("A", "B")),
        ({"baseline": 2}, ("A", "C")),
        ({"run": 1, "baseline": "none"}, ("B", "")),
        ({"baseline": "none"}, ("B", "")),
        ({"run": 1, "baseline": 1}, ("B", "A")),
        ({"run": 9, "baseline": "-7"}, ("B", "A")),
        ({"run": "01", "baseline": "constructor"}, ("B", "A")),
    ],
)
def test_an_address_says_which(tab: Open, fragment: dict[str, object], expected: tuple[str, str]) -> None:
    assert side_by_side(tab(3, task=LABEL, **fragment)) == expected


def test_nothing_to_compare_with_can_be_chosen_and_is_kept(tab: Open) -> None:
    page = tab(2, task=LABEL)
    page.choose("change", "lost")
    page.choose("baseline", "none")
    assert page.page.locator("select[name=change]").count() == 0
    assert len(page.ids()) == 60
    page.page.reload()
    page.settle()
    assert side_by_side(page) == ("B", "")
    page.press("j")
    page.press("x")
    assert side_by_side(page) == ("B", ""), "clearing filters is no filter of runs"


def test_a_task_of_one_run_is_compared_with_nothing(tab: Open) -> None:
    page = tab(3, task=ONLY_LAST)
    assert page.page.locator("select[name=baseline]").count() == 0
    assert page.page.locator(".list li").count() == 60
    assert page.page.locator(".sign").first.get_attribute("title") in ("right", "wrong")


def test_two_runs_side_by_side_are_accessible_on_a_telephone(tab: Open) -> None:
    page = tab(2, "dark narrow", task=LABEL, change="lost")
    assert page.violations() == []
    assert page.overflow() == 0
