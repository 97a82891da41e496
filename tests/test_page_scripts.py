"""The scripts of pages are modules: they leave nothing behind on a page, and their types are those of the data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.page.leaderboard import LeaderboardConfig, write_leaderboard
from mipha_eval.page.static_view import ViewConfig, write_view
from tests.browser import Tab, address_of
from tests.judge_server import Say, judge_server
from tests.page_runs import Made, make_run, mixed_answers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = Path(__file__).parents[1] / "reports/pages"
COMPILER = PAGES / "node_modules/.bin/tsc"
GLOBALS = "() => Object.getOwnPropertyNames(window).filter(name => isNaN(name))"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = Made(("mmbench", "vqav2"), 1, "3", limit=30)
    alike = [
        make_run(folder, each, mixed_answers) for each in (made, replace(made, seed=2, size=""), replace(made, blind=True))
    ]
    with judge_server(lambda prompt, before: Say("0.5")) as server:
        judge = JudgeChoice("strict", server.url, concurrency=1, tries=1)
        judged = make_run(folder, Made(["mmvet"], 3, limit=20, judge=judge), lambda *_: {"text": "a star"})
    return [*alike, judged]


@pytest.fixture(scope="module")
def pages(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A page of each kind, by the type of its document."""
    folder = tmp_path_factory.mktemp("pages")
    view = write_view(ViewConfig(runs, folder / "view.html"), Registry()).path
    return {
        "ViewDocument": view,
        "LeaderboardDocument": write_leaderboard(LeaderboardConfig([runs[0].parent], folder / "site"), Registry()),
    }


@pytest.mark.parametrize("kind", ["ViewDocument", "LeaderboardDocument"])
def test_a_page_has_one_script_and_no_names_of_its_own(
    browser: Browser, pages: Mapping[str, Path], kind: str, tmp_path: Path
) -> None:
    text = pages[kind].read_text(encoding="utf-8")
    assert len(re.findall(r"<script(?! type=\"application/json\")", text)) == 1
    empty = tmp_path / "empty.html"
    empty.write_text("<!doctype html><div id='page'></div><main id='main'></main>")
    tab = Tab.open(browser, address_of(pages[kind]))
    plain = tab.page.context.new_page()
    plain.goto(address_of(empty))
    assert set(tab.page.evaluate(GLOBALS)) == set(plain.evaluate(GLOBALS))
    tab.close()


@pytest.mark.parametrize("file", sorted(PAGES.glob("*.js")), ids=lambda file: file.name)
def test_every_script_of_a_page_is_a_module(file: Path) -> None:
    """What is used of another module is imported from it, and every module but a page's own is imported by one."""
    assert re.search(r"^(import|export) ", file.read_text(encoding="utf-8"), re.MULTILINE)
    modules = "".join(each.read_text(encoding="utf-8") for each in PAGES.glob("*.js"))
    imported = re.findall(r'^(?:import|\}) .*from "\./(.*)";$', modules, re.MULTILINE)
    assert file.name in {*imported, *(path.name for path in PAGES.glob("bundles/*.js"))}


def test_the_types_are_those_of_the_data(pages: Mapping[str, Path], tmp_path: Path) -> None:
    """The compiler holds real data against the types: nothing is missing, of another type, or unknown to them."""
    told = check(typed(pages), tmp_path)
    assert told == "", told


@pytest.mark.parametrize("name", ["states", "span", "calibration_error", "shortMarks", "verdicts", "judge", "entries"])
def test_a_key_that_is_called_otherwise_is_told(pages: Mapping[str, Path], tmp_path: Path, name: str) -> None:
    source = typed(pages)
    assert f'"{name}":' in source
    assert "'\"renamed\"' does not exist" in check(source.replace(f'"{name}":', '"renamed":'), tmp_path)


def typed(pages: Mapping[str, Path]) -> str:
    """The data of pages as a program that says which types they have."""
    blocks = []
    for kind, path in pages.items():
        found = elements(path)
        blocks.append(declared(kind, found["document"]))
        blocks += [declared("Row[]", rows) for name, rows in found.items() if name.startswith("rows-")]
    return "\n".join(blocks)


def declared(kind: str, value: Any) -> str:
    return f'{{ const value: import("./types").{kind} = {json.dumps(value)}; }}'


def elements(path: Path) -> dict[str, Any]:
    """The data of a page."""
    found = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', path.read_text(encoding="utf-8"))
    return {name: json.loads(text) for name, text in found}


def check(source: str, folder: Path) -> str:
    """What the compiler says of a program beside the types."""
    if not COMPILER.exists():
        pytest.skip("types are not checked: what checks them is not installed (make lint-js)")
    shutil.copy(PAGES / "types.d.ts", folder)
    (folder / "data.ts").write_text(source, encoding="utf-8")
    path = f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}"  # where the Makefile puts Node if there is none
    done = subprocess.run(
        [COMPILER, "--ignoreConfig", "--noEmit", "--strict", "data.ts"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr
