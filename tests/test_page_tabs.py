"""Links to many tasks: each is seen and can be reached, however wide the window is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.leaderboard import LeaderboardConfig, write_leaderboard
from mipha_eval.page.static_view import ViewConfig, write_view
from tests.browser import Tab, address_of
from tests.page_runs import Made, make_run, mixed_answers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ["coco-cap", "gqa", "mmbench", "mme", "mmvet", "nocaps", "pope", "scienceqa", "seed", "textvqa", "vizwiz", "vqav2"]
SIZES = ["1920x1080", "1400x900", "1000x700", "360x740", "320x568"]
#: links of which a reader sees the middle and both ends
SEEN = """() => [...document.querySelectorAll('nav a')].filter(link => {
    const { left, right, top, bottom } = link.getBoundingClientRect();
    const at = x => document.elementFromPoint(x, (top + bottom) / 2);
    return [left + 2, (left + right) / 2, right - 2].every(x => link.contains(at(x)));
}).length"""
Open = Callable[..., Tab]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leaderboard of a run with twelve tasks, and the run's own page."""
    folder = tmp_path_factory.mktemp("tasks")
    run = make_run(folder, Made(["pope"], 1, limit=30), mixed_answers)
    for name in NAMES:
        if name != "pope":
            shutil.copytree(run / "pope@demo", run / f"{name}@demo")
    write_view(ViewConfig([run], folder / "view.html"), Registry())
    write_leaderboard(LeaderboardConfig([run.parent], folder), Registry())
    return folder


@pytest.fixture
def tab(browser: Browser, site: Path) -> Iterator[Open]:
    opened: list[Tab] = []

    def open_tab(page: str, size: str, **fragment: object) -> Tab:
        address = address_of(site / page)
        each = Tab.open(browser, address)
        width, height = map(int, size.split("x"))
        each.page.set_viewport_size({"width": width, "height": height})
        each.page.goto("about:blank")
        each.go(address, **fragment)
        opened.append(each)
        return each

    yield open_tab
    for each in opened:
        each.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", ["view.html", "index.html"])
def test_all_are_seen(tab: Open, page: str, size: str) -> None:
    opened = tab(page, size)
    assert opened.page.locator("nav a").count() == 1 + len(NAMES)
    assert opened.page.evaluate(SEEN) == 1 + len(NAMES)
    assert opened.overflow() == 0


@pytest.mark.parametrize("size", ["1400x900", "360x740"])
@pytest.mark.parametrize("page", ["view.html", "index.html"])
def test_each_is_reached_by_keyboard(tab: Open, page: str, size: str) -> None:
    opened = tab(page, size)
    opened.page.locator("nav a").first.focus()
    for name in NAMES:
        opened.page.keyboard.press("Tab")
        assert opened.page.evaluate("document.activeElement.textContent") == f"{name}@demo"
        assert opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.page.keyboard.press("Enter")
    opened.page.locator("nav [aria-current=page]", has_text=f"{NAMES[-1]}@demo").wait_for()
    opened.settle()
    assert opened.page.evaluate("document.activeElement.textContent") == f"{NAMES[-1]}@demo", "the focus stays"
    assert opened.violations() == []


@pytest.mark.parametrize("size", SIZES)
def test_they_stay_only_where_they_leave_room(tab: Open, size: str) -> None:
    """Where they take much of the window, they scroll away with the page; a link to a question hides nothing under them."""
    opened = tab("view.html", size, task="pope@demo", sample="7")
    width, height = map(int, size.split("x"))
    box = opened.page.locator("nav").bounding_box()
    assert box is not None
    bottom = max(0.0, box["y"] + box["height"])
    assert bottom <= 0.25 * height
    assert (bottom > 0) == (width >= 1000), "wide windows have room"
    heading = opened.page.get_by_role("heading", name="Questions").bounding_box()
    assert heading is not None
    assert bottom <= heading["y"] < height


def test_they_follow_a_window_that_changes(tab: Open) -> None:
    opened = tab("view.html", "1400x900", task="pope@demo", sample="7")
    stays = "() => getComputedStyle(document.querySelector('nav')).position === 'sticky'"
    opened.page.wait_for_function(stays)
    opened.page.set_viewport_size({"width": 360, "height": 600})
    opened.page.wait_for_function(f"() => !({stays})()")
    opened.page.set_viewport_size({"width": 1400, "height": 900})
    opened.page.wait_for_function(stays)
