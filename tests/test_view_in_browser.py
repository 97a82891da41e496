"""``mipha-eval view``'s page, opened in a real browser. What it shows is compared with the run's files, read apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.static_view import ViewConfig, write_view
from tests.browser import Tab, address_of
from tests.page_runs import UNREADABLE, Told, demo_runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TASKS = ("mmbench@demo", "pope@demo", "vqav2@demo")
#: whether the picture of the question that is looked at is there
PICTURE = "() => document.querySelector('img.picture').naturalWidth > 0"
Open = Callable[..., Tab]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return demo_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def page(runs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "view.html"
    assert write_view(ViewConfig(runs, path), Registry()).left_out == []
    return address_of(path)


@pytest.fixture
def tab(browser: Browser, page: str) -> Iterator[Open]:
    """Opens the page; the test fails if a request leaves it or its console is not silent."""
    opened: list[Tab] = []

    def open_tab(looks: str = "light wide", **fragment: object) -> Tab:
        opened.append(Tab.open(browser, page, looks, **fragment))
        return opened[-1]

    yield open_tab
    for each in opened:
        each.close()


def told(runs: tuple[Path, Path], label: str) -> list[Told]:
    return [Told.of(run, label) for run in runs]


def value_of(score: Any) -> float | None:
    return None if score is None else float(score["value"])


def sign(number: float) -> int:
    return (number > 0) - (number < 0)


def test_every_number_of_the_summary_is_a_result_s(tab: Open, runs: tuple[Path, Path]) -> None:
    rows = [[text.strip() for text in row.split("\t")] for row in tab().texts("main table tbody tr")]
    assert len(rows) == 6
    for place, label in enumerate(TASKS):
        for number, own in enumerate(told(runs, label)):
            row, result = rows[2 * place + number], own.result
            assert (row.pop(0) == label) if number == 0 else True
            headline = result["headline"]
            low, high = result["intervals"][headline]
            assert row[1].startswith(f"{result['metrics'][headline]:.2f} DEMO FAILED {result['failed']}")
            assert row[2:5] == [f"{low:.2f} to {high:.2f}", headline, f"{result['n']:,}"]
            assert row[5].split(" ")[0] == str(result["unparsed"])
            assert row[6] == str(result["failed"])


def test_metrics_and_their_bars(tab: Open, runs: tuple[Path, Path]) -> None:
    page = tab(task="pope@demo")
    rows = [row.split("\t") for row in page.texts("table tbody tr") if "/" in row or "f1" in row]
    results = [own.result for own in told(runs, "pope@demo")]
    by_name = {row[0].strip(): [cell.strip() for cell in row[1:5]] for row in rows}
    for name in results[0]["metrics"]:
        expected = []
        for result in results:
            low, high = result["intervals"][name]
            expected += [f"{result['metrics'][name]:.2f}", f"{low:.2f} to {high:.2f}"]
        if "/" in name or name == "f1":
            assert by_name[name] == expected
    drawn = page.page.locator("svg.bars").first
    frame = float(drawn.locator(".frame").get_attribute("width") or 0)
    bars = [float(bar.get_attribute("width") or 0) for bar in drawn.locator(".bar").all()]
    assert [bar / (frame - 1) for bar in bars] == pytest.approx(
        [result["metrics"]["f1"] / 100 for result in results], abs=0.01
    )
    ends = [re.findall(r"M([\d.]+) ", whisker.get_attribute("d") or "") for whisker in drawn.locator(".whisker").all()]
    for whisker, result in zip(ends, results, strict=True):
        low, high = (100 * (float(end) - 1) / (frame - 1) for end in (whisker[0], whisker[-1]))
        assert [low, high] == pytest.approx(result["intervals"]["f1"], abs=0.6)


def test_calibration_is_drawn_where_probabilities_are(tab: Open, runs: tuple[Path, Path]) -> None:
    page = tab(task="mmbench@demo")
    plots = page.page.locator("figure svg.plot").all()
    assert len(plots) == 2
    for plot, own in zip(plots, told(runs, "mmbench@demo"), strict=True):
        lines = plot.locator("line.diagonal")
        (x0, y0), (x1, y1) = [[float(lines.get_attribute(f"{axis}{end}") or 0) for axis in "xy"] for end in "12"]
        dots = [
            (
                (float(dot.get_attribute("cx") or 0) - x0) / (x1 - x0),
                (float(dot.get_attribute("cy") or 0) - y0) / (y1 - y0),
            )
            for dot in plot.locator("circle").all()
        ]
        bins = own.result["probabilities"]["bins"]
        assert dots == [pytest.approx((confidence, accuracy), abs=0.002) for _, confidence, accuracy in bins]
    page.go(task="vqav2@demo")
    assert page.page.locator("figure svg.plot").count() == 0, "any text may be an answer there"


OUTCOMES: dict[str, Callable[[Any, Any, Any], bool]] = {
    "right": lambda sample, response, score: score is not None and score["value"] == 1,
    "partly": lambda sample, response, score: score is not None and 0 < score["value"] < 1,
    "wrong": lambda sample, response, score: score is not None and score["value"] == 0,
    "unparsed": lambda sample, response, score: score is not None and not score["parsed"],
    "failed": lambda sample, response, score: bool(response["error"]),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("label", ["mmbench@demo", "vqav2@demo"])
def test_filter_by_outcome(tab: Open, runs: tuple[Path, Path], label: str, outcome: str) -> None:
    page = tab(task=label)
    for number, own in enumerate(told(runs, label)):
        expected = own.ids(OUTCOMES[outcome])
        page.go(task=label, run=number)
        names = page.page.locator("select[name=state] option").evaluate_all("options => options.map(each => each.value)")
        if not expected:
            assert outcome not in names
            continue
        page.choose("state", outcome)
        assert page.ids() == expected[:200]
        assert page.sample == expected[0]
        assert f"{len(expected)}" in page.status


def test_filters_by_category_and_text(tab: Open, runs: tuple[Path, Path]) -> None:
    page, (own, _) = tab(task="vqav2@demo", run=0), told(runs, "vqav2@demo")
    page.choose("category", "yes/no")
    assert page.ids() == own.ids(lambda sample, response, score: sample["category"] == "yes/no")[:200]
    page.type("DIAMOND")
    page.choose("state", "wrong")
    expected = own.ids(
        lambda sample, response, score: (
            sample["category"] == "yes/no" and "diamond" in sample["prompt"].lower() and value_of(score) == 0
        )
    )
    assert page.ids() == expected != []
    page.type("no such text anywhere")
    assert page.ids() == []
    assert page.status == "No question passes these filters."
    page.page.get_by_role("button", name="Clear").click()
    page.settle()
    assert page.ids() == own.ids(lambda sample, response, score: True)[:200]
    page.go(task="mmbench@demo")
    page.type(UNREADABLE)
    answers = [own.responses for own in told(runs, "mmbench@demo")]
    asked = told(runs, "mmbench@demo")[0].ids(lambda *_: True)
    assert page.ids() == [name for name in asked if any(answer[name]["text"] == UNREADABLE for answer in answers)]


def test_pages_of_200(tab: Open, runs: tuple[Path, Path]) -> None:
    page = tab(task="pope@demo")
    ids = told(runs, "pope@demo")[0].ids(lambda *_: True)
    assert len(ids) == 1080
    seen, statuses = [], []
    while True:
        seen += page.ids()
        statuses.append(page.status)
        if page.page.get_by_role("button", name="Next page").is_disabled():
            break
        page.page.get_by_role("button", name="Next page").click()
        page.settle()
    assert seen == ids
    assert statuses[0] == "Questions 1 to 200 of 1,080"
    assert statuses[-1] == "Questions 1,001 to 1,080 of 1,080"
    page.press("p")
    assert page.ids() == ids[800:1000]
    page.go(task="pope@demo", sample=ids[555])
    assert page.ids() == ids[400:600]
    assert page.sample == ids[555]
    assert page.page.locator(".list [aria-current]").count() == 1


@pytest.mark.parametrize("label", TASKS)
def test_two_runs_side_by_side(tab: Open, runs: tuple[Path, Path], label: str) -> None:
    page, (first, second) = tab(task=label), told(runs, label)
    found = {}
    for change, fits in (("gained", 1), ("lost", -1), ("same", 0)):
        page.choose("change", change)
        expected = [
            name
            for name in second.ids(lambda *_: True)
            if name in first.scores
            and name in second.scores
            and sign(second.scores[name]["value"] - first.scores[name]["value"]) == fits
        ]
        assert page.ids() == expected[:200]
        assert len(expected) > 3
        found[change] = len(expected)
    options = page.texts("select[name=change] option")
    assert options[1:] == [f"Gained {found['gained']:,}", f"Lost {found['lost']:,}", f"The same {found['same']:,}"]
    shown = [text for text in page.texts(".answer > .block") if text]
    answers = [own.responses[page.sample]["text"] for own in (first, second)]
    assert shown == [answer for answer in answers if answer]


def test_keys(tab: Open, runs: tuple[Path, Path]) -> None:
    page = tab(task="pope@demo")
    ids = told(runs, "pope@demo")[0].ids(lambda *_: True)
    for key in "jjjkj":
        page.press(key)
    assert page.sample == ids[3]
    page.press("n")
    assert page.sample == ids[200]
    page.press("k")
    assert page.sample == ids[199]
    page.press("/")
    page.page.keyboard.type("jk")
    page.settle()
    assert page.page.locator("input[name=text]").input_value() == "jk"
    page.press("Escape")
    page.press("x")
    assert page.status == "Questions 1 to 200 of 1,080"
    page.press("?")
    assert "next question" in page.page.get_by_role("dialog", name="Keys").inner_text()
    before = page.sample
    page.press("j")
    assert page.sample == before, "keys rest while a dialog is open"
    page.press("Escape")
    page.press("Control+j")
    assert page.sample == before
    page.press("s")
    page.page.get_by_role("heading", name="Scores").wait_for()
    page.page.go_back()
    page.page.get_by_role("heading", name="Questions").wait_for()
    page.page.locator("nav a", has_text="pope@demo").focus()
    assert page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_question_with_all_that_is_known_of_it(tab: Open, runs: tuple[Path, Path]) -> None:
    first, _ = told(runs, "pope@demo")
    name = first.ids(lambda sample, response, score: score is not None and score["span"] and value_of(score) == 0)[0]
    page = tab(task="pope@demo", sample=name)
    sample = next(sample for sample in first.samples if sample["id"] == name)
    assert page.page.locator(".detail > .block").first.inner_text() == sample["prompt"]
    assert page.texts(".references li") == sample["target"]
    start, end = first.scores[name]["span"]
    assert page.page.locator(".answer mark").first.inner_text() == first.responses[name]["text"][start:end]
    told_of_first = page.page.locator(".answer").first.inner_text()
    assert first.scores[name]["rule"] in told_of_first
    assert f"Read as {first.scores[name]['reading']}" in told_of_first
    assert "wrong" in told_of_first
    chances = [f"{100 * chance:.1f}" for chance in first.responses[name]["probabilities"]]
    assert [row.split("\t")[1].strip() for row in page.texts(".answer >> nth=0 >> tbody tr")] == chances
    picture = page.page.locator("img.picture")
    page.page.wait_for_function(PICTURE)
    assert picture.get_attribute("alt") == f"Picture {sample['images'][0]['name']}"


def test_options_and_questions_that_are_scored_together(tab: Open, runs: tuple[Path, Path]) -> None:
    own, _ = told(runs, "mmbench@demo")
    sample = next(sample for sample in own.samples if sum(other["group"] == sample["group"] for other in own.samples) > 2)
    page = tab(task="mmbench@demo", sample=sample["id"])
    (right,), options = sample["target"], sample["choices"]
    letters = [f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=False) if text]
    assert page.texts(".options li") == [f"{line} (right)" if line[0] == right else line for line in letters]
    page.page.wait_for_function(PICTURE)  # out of the benchmark's table
    others = [other["id"] for other in own.samples if other["group"] == sample["group"] and other is not sample]
    buttons = page.page.locator("p button.link")
    assert buttons.count() == len(others)
    buttons.first.click()
    page.settle()
    assert page.sample == others[0]


def test_latex_can_be_copied(tab: Open) -> None:
    page = tab()
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.page.get_by_role("button", name="Copy as LaTeX").click()
    text = page.page.get_by_role("textbox", name="Copy as LaTeX").input_value()
    assert "\\toprule" in text
    assert "scripted" in text
    page.page.get_by_text("Copied.").wait_for()
    assert page.page.evaluate("navigator.clipboard.readText()") == text


@pytest.mark.parametrize("label", ["", *TASKS])
def test_no_page_is_wider_than_a_telephone(tab: Open, label: str) -> None:
    assert tab("light narrow", task=label).overflow() == 0


@pytest.mark.parametrize("looks", ["light wide", "dark narrow"])
def test_accessible_light_and_dark_wide_and_narrow(tab: Open, looks: str) -> None:
    page = tab(looks)
    assert page.violations() == []
    page.go(
        task="mmbench@demo", run=1, baseline=0, change="lost", category="count"
    )  # few rows, for it looks at each of them
    assert page.violations() == []
    page.press("?")
    assert page.violations() == []
    page.press("Escape")
    paper = page.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    lightness = sum(map(int, re.findall(r"\d+", paper))) / 3
    assert (lightness < 64) == looks.startswith("dark")
    headings = page.page.eval_on_selector_all("main :is(h1,h2,h3,h4), header h1", "all => all.map(each => +each.tagName[1])")
    assert all(below - above <= 1 for above, below in zip([0, *headings], headings, strict=False))


def test_nothing_may_be_loaded_or_run(browser: Browser, page: str) -> None:
    """The policy holds even for a script that got into the page."""
    tab = Tab.open(browser, page)
    blocked = tab.page.evaluate(
        """async () => {
            const found = [];
            addEventListener('securitypolicyviolation', (event) => found.push(event.effectiveDirective));
            await fetch('http://127.0.0.1:9/').catch(() => {});
            const image = document.createElement('img');
            image.src = 'http://127.0.0.1:9/x.png';
            const failed = new Promise((resolve) => image.addEventListener('error', resolve));
            document.body.append(image);
            const script = document.createElement('script');
            script.textContent = 'window.intruder = true';
            document.body.append(script);
            document.body.insertAdjacentHTML('beforeend', '<b onclick="window.intruder = true" style="color: red">x</b>');
            document.body.lastChild.click();
            await failed;
            return [found.sort(), window.intruder ?? null];
        }"""
    )
    assert blocked == [["connect-src", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"], None]
    tab.page.context.close()
