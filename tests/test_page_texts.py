"""Questions, answers and names come from outside: on pages they are text, whatever they look like."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs
from PIL import Image

from mipha_eval.core.atomic import write_json
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.page.embed import to_json
from mipha_eval.page.facts import ResultFacts, result_facts
from mipha_eval.page.latex import latex_table
from mipha_eval.page.leaderboard import LeaderboardConfig, write_leaderboard
from mipha_eval.page.questions import browser_span
from mipha_eval.page.static_view import ViewConfig, write_view
from mipha_eval.scoring.result_record import ResultRecord
from tests.browser import Tab, address_of
from tests.conftest import read_json, write_jsonl
from tests.page_runs import Made, Told, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

POPE = Path(__file__).parents[1] / "bench/pope_task.py"
PAGES = Path(__file__).parents[1] / "reports/pages"
BREAKOUT = "</script><script>window.intruder = 1</script><!-- <script>"
STRANGE = {
    "script": f"yes {BREAKOUT}",
    "attribute": "\"'><img src=x onerror='window.intruder = 1'>",
    "link": "[here](javascript:window.intruder=1) javascript:window.intruder=1",
    "escape": "yes\x1b[31m\x1b]8;;http://x\x07 and\rno",
    "turned": "yes \u202egnp.exe\u202c \u2066no\u2069 \u200fyes",
    "nothing": "yes\x00no",
    "separators": "yes\u2028no\u2029",
    "halves": "\ud83d yes \ude00",
    "astral": "\U0001f600\U0001f600 No, there is not",
    "template": "{{ 7 * 7 }} {% raw %} ${window.intruder = 1}",
    "long": "yes " + "x" * 100_000,
}
NAME = f"model{BREAKOUT}\u202e\x1b[31m"
SHOWN_NAME = f"model{BREAKOUT}U+202E␛[31m script-1.json"  # with the end of its path


def strange_run(folder: Path) -> Path:
    """Every strange text as question, answer, category's word and picture's name, in a run of a strange model."""
    data = folder / "data"
    names = {key: f"{key}.png" for key in STRANGE}
    names |= {"script": "<script>1.png", "attribute": '"><img src=x>.png', "turned": "\u202egnp.png"}
    rows = [
        {"question_id": number + 1, "image": names[key], "text": f"Is it {text}?"[:5000], "label": "yes"}
        for number, (key, text) in enumerate(STRANGE.items())
    ]
    for name in ("random", "popular", "adversarial"):
        write_jsonl(data / f"pope/coco/coco_pope_{name}.json", rows)
    (data / "pope/val2014").mkdir(parents=True)
    for name in names.values():
        Image.new("RGB", (40, 30), "teal").save(data / "pope/val2014" / name)
    (data / "pope/val2014/long.png").unlink()
    texts = list(STRANGE.values())

    def answers(task: Task, sample: Sample, chance: random.Random) -> Mapping[str, Any]:
        return {"text": texts[(int(sample.id) - 1) % 1_000_000 % len(texts)]}

    run = make_run(folder, Made(["bench-pope"], 1, data=str(data), plugins=[POPE]), answers)
    manifest = read_json(run / "manifest.json")
    write_json(run / "manifest.json", {**manifest, "model": NAME, "options": {**manifest["options"], "x": BREAKOUT}})
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strange_run(tmp_path_factory.mktemp("strange"))


def open_quietly(browser: Browser, path: Path, **fragment: object) -> Tab:
    tab = Tab.open(browser, address_of(path), "light wide", **fragment)
    assert tab.page.evaluate("window.intruder ?? null") is None
    return tab


def test_answers_are_text(browser: Browser, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "view.html"
    written = write_view(ViewConfig([run], path), Registry([POPE]))
    assert written.left_out == ["1 of 11 pictures cannot be read where the runs found them"]
    tab = open_quietly(browser, path, task="bench-pope@llava")
    assert tab.page.locator("h1").inner_text() == SHOWN_NAME
    ids = tab.ids()
    assert len(ids) == 33
    shown = {}
    for place, key in enumerate(STRANGE):
        tab.go(task="bench-pope@llava", sample=ids[place])
        answer = tab.page.locator(".answer > .block")
        shown[key] = answer.inner_text()
        assert tab.page.locator(".detail > .block").first.inner_text().startswith("Is it ")
        assert answer.evaluate("node => node.querySelectorAll(':not(mark, span.unseen, button)').length") == 0
    for key in ("script", "attribute", "link", "template", "astral"):
        assert shown[key] == STRANGE[key]
    assert shown["nothing"] == "yes␀no"
    assert shown["escape"] == "yes␛[31m␛]8;;http://x␇ and␍no"
    assert shown["turned"] == "yes U+202Egnp.exeU+202C U+2066noU+2069 U+200Fyes"
    assert shown["separators"] == "yesU+2028noU+2029"
    assert shown["halves"] == "U+D83D yes U+DE00"
    tab.go(task="bench-pope@llava", sample=ids[list(STRANGE).index("long")])
    assert shown["long"].endswith("… Show all 100,004 characters")
    assert len(shown["long"]) < 2100
    tab.page.locator(".answer button.more").click()
    assert tab.page.locator(".answer > .block").inner_text() == STRANGE["long"]
    assert tab.page.locator(".missing").inner_text() == "This picture is not there."
    tab.go(task="bench-pope@llava", sample=ids[list(STRANGE).index("astral")])
    score = Told.of(run, "bench-pope@llava").scores[tab.sample]
    start, end = score["span"]
    assert tab.page.locator("mark").inner_text() == STRANGE["astral"][start:end] != ""
    tab.type("gnp.exe")
    assert len(tab.ids()) == 3
    assert tab.overflow() == 0
    assert tab.violations() == []
    tab.close()


def test_names_in_addresses_are_no_more_than_filters(browser: Browser, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "view.html"
    write_view(ViewConfig([run], path), Registry([POPE]))
    tab = open_quietly(browser, path, task=BREAKOUT, run="99", baseline="-7", state="constructor", sample="__proto__")
    assert "Scores" in tab.texts("h2")
    tab.go(
        task="bench-pope@llava",
        run="99",
        baseline="-7",
        state="constructor",
        category=BREAKOUT,
        text="<b>",
        sample="__proto__",
    )
    assert tab.status == "No question passes these filters."
    assert tab.page.evaluate("window.intruder ?? null") is None
    tab.close()


def test_a_leaderboard_of_strange_names(browser: Browser, run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    shutil.copytree(run, folder / "a#b?c%d")
    site = tmp_path / "site"
    index = write_leaderboard(LeaderboardConfig([folder], site), Registry([POPE]))
    tab = open_quietly(browser, index)
    assert folder.name in tab.page.locator("h1").inner_text()
    assert tab.page.locator("tbody a").inner_text() == SHOWN_NAME
    tab.own = address_of(site)
    tab.page.locator("tbody a").click()
    tab.page.get_by_role("heading", name="Scores").wait_for()
    assert tab.page.evaluate("window.intruder ?? null") is None
    tab.close()


@pytest.mark.parametrize(
    "file", sorted([*PAGES.glob("*.js"), *PAGES.glob("bundles/*.js")]), ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_scripts_set_text_as_text(file: Path) -> None:
    source = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|https?:|srcdoc|DOMParser", source
    )


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_json_in_a_page_is_the_same_text_and_ends_nothing(text: str) -> None:
    found = to_json({"text": text})
    assert json.loads(found) == {"text": text}
    assert not re.search(r"[<>&\u0000-\u001f\u007f-\uffff]", found)


def test_numbers_that_json_lacks_are_null() -> None:
    assert json.loads(to_json({"a": [float("nan"), (float("inf"), 1.5)]})) == {"a": [None, [None, 1.5]]}


def test_spans_are_counted_as_browsers_count() -> None:
    text = "\U0001f600é\ud83d No"
    start = text.index("No")
    begin, end = browser_span(text, (start, start + 2))
    assert text.encode("utf-16-le", "surrogatepass")[2 * begin : 2 * end].decode("utf-16-le") == "No"


def result(score: str, *marks: str) -> ResultFacts:
    record = ResultRecord(
        task="x@y", n=1, missing=0, unparsed=0, failed=0, headline="score[gpt_4]", metrics={}, intervals={}, rules={}
    )
    return structs.replace(result_facts(record), score=score, marks=marks)


def test_latex_compiles(tmp_path: Path) -> None:
    """A real engine sets names and marks as they are; where there is none, braces and cells are counted."""
    runs = [NAME, *(f"{text[:60]}" for text in STRANGE.values()), *(f"run {number}" for number in range(30))]
    tasks: list[tuple[str, list[ResultFacts | None]]] = [
        ("pope@llava", [result(f"{place}.00", f"LIMITED {place}/1,000 & <50 %", "DEMO") for place in range(len(runs))]),
        ("mm_vet@v1", [None, *(result("1.00") for _ in runs[1:])]),
    ]
    table = latex_table(runs, tasks)
    rows = [line for line in table.splitlines() if line.endswith(r" \\")]
    assert len(rows) == 2 + len(runs)
    assert all(len(re.findall(r"(?<!\\)&", row)) == len(tasks) for row in rows)
    plain = re.sub(r"\\[{}]", "", table)
    assert plain.count("{") == plain.count("}")
    letters = re.findall(r"textsuperscript\{([a-z]+)\}\\,", table)
    assert len(set(letters)) == len(letters) == len(runs) + 1
    engine = shutil.which("pdflatex")
    if engine is None:
        pytest.skip("the table is parsed, not compiled: pdflatex is not installed")
    document = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}\n{table}\\end{{document}}\n"
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        [engine, "-halt-on-error", "-interaction=nonstopmode", "t.tex"], cwd=tmp_path, check=False, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-2000:]
