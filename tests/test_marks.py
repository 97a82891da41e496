"""What weakens a score stands in its cell, in every place where the score stands, by the word of one function."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.leaderboard import LeaderboardConfig, write_leaderboard
from mipha_eval.page.static_view import ViewConfig, write_view
from mipha_eval.reporting.marks import mark_texts, marks
from mipha_eval.scoring.gaps import gaps
from mipha_eval.scoring.result_record import read_record
from mipha_eval.store.results import read_result
from tests.browser import Tab, address_of
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl
from tests.judge_server import Say, Serve
from tests.table_runs import texts_of, write_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LIBRARY = Path(__file__).parents[1] / "mipha_eval"
UNREAD = "UNPARSED 60 (100.0%)"
JUDGED = '''
"""Judged: open questions that a judge grades."""

from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.reading import Reading
from mipha_eval.core.metrics import Metric
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.types import Query, Sample


@dataclass(frozen=True)
class Judged(JudgedTask):
    """No options."""

    name: ClassVar = "judged"
    protocols: ClassVar = {"v1": "twelve questions"}
    metrics: ClassVar = [Metric("score", lambda totals: 100 * totals["right"] / totals["asked"])]

    def samples(self):
        for number in range(12):
            yield Sample(str(number), f"What is {number}?", ("x",), (), number)

    def score(self, sample, response):
        return self.scored(sample, Reading(response.text, "to-be-judged"), 0)

    def grade(self, answers, runs):
        (answer,) = answers
        said = yield Query(f"How good is {answer.text}?", 5)
        return [self.scored(answer.sample, Reading(answer.text, "judge-grade"), float(said))]
'''


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("COLUMNS", "250")


def constant(cli: Cli, folder: Path, answer: str, *more: object, task: str = "pope") -> Any:
    run = ["run", "--tasks", task, "--model", "constant", "-a", f"answer={answer}", "--data", "demo", "-o", folder]
    return cli(*run, *more)


def run_of(folder: Path) -> Path:
    (file,) = folder.glob("*/manifest.json")
    return file.parent


def plain(text: str) -> str:
    """Without a table's frame, cells of several lines put together."""
    return re.sub(r"[\s│]+", " ", text)


def test_unread_answers_stand_in_every_cell(cli: Cli, tmp_path: Path) -> None:
    """POPE counts every answer without a "no" as yes: 70.88 for 60 answers that say neither."""
    outcome = constant(cli, tmp_path / "runs", "perhaps", "-L", 60)
    assert outcome.code == 3
    assert "pope@demo: 60 (100.0%) unparsed" in outcome.err
    assert f"70.88 DEMO LIMITED 60/1,080 {UNREAD}" in plain(outcome.out)
    run = run_of(tmp_path / "runs")
    assert f"70.88 DEMO LIMITED 60/1,080 {UNREAD} FLOOR |" in (run / "report.md").read_text()
    scored = cli("score", run)
    assert (scored.code, UNREAD in scored.out) == (3, True)
    assert UNREAD in cli("report", run).out
    for form in ("latex", "html", "csv", "json"):
        assert UNREAD.replace("%", r"\%" if form == "latex" else "%") in cli("report", run, "--format", form).out
    other = tmp_path / "other"
    assert constant(cli, other, "yes", "-L", 60).code == 0
    compared = cli("compare", run_of(other), run)
    assert UNREAD in plain(compared.out)
    assert UNREAD in cli("compare", run_of(other), run, "--format", "md").out.replace("\\", "")
    assert cli("compare", run_of(other), run, "--json").json["runs"][1]["marks"]["pope@demo"][-2:] == [UNREAD, "FLOOR"]


def test_unread_answers_on_pages(cli: Cli, tmp_path: Path, browser: Browser) -> None:
    constant(cli, tmp_path / "runs", "perhaps", "-L", 60)
    run = run_of(tmp_path / "runs")
    write_view(ViewConfig([run], tmp_path / "view.html"), Registry())
    write_leaderboard(LeaderboardConfig([tmp_path / "runs"], tmp_path / "site"), Registry())
    for page, fragment, shown in (
        (tmp_path / "view.html", {}, ["DEMO", "LIMITED 60/1,080", UNREAD]),
        (tmp_path / "view.html", {"task": "pope@demo"}, ["DEMO", "LIMITED 60/1,080", UNREAD]),
        (tmp_path / "site/index.html", {"task": "pope@demo"}, ["DEMO", "LIMITED 60/1,080", UNREAD]),
        (tmp_path / "site/index.html", {}, ["DEMO", "LIMITED", "UNPARSED"]),
    ):
        tab = Tab.open(browser, address_of(page), **fragment)
        assert tab.texts("main .tag")[: len(shown)] == shown
        if page.parent.name == "site" and fragment:
            assert "questions are left: 60 unparsed" in tab.page.locator("main").inner_text()
        tab.close()


@pytest.mark.parametrize(
    ("unread", "mark", "code"),
    [(0, [], 0), (1, [], 0), (2, ["UNPARSED 2 (1.0%)"], 0), (100, ["UNPARSED 100 (50.0%)"], 0), (101, None, 3)],
)
def test_from_which_share_on(unread: int, mark: list[str] | None, code: int, cli: Cli, tmp_path: Path) -> None:
    """A mark from 1 % on; more than half is no finished result, and not ranked."""
    texts = ["what?" if number < unread else text for number, text in enumerate(texts_of("pope@llava", [True] * 200))]
    run = write_run(tmp_path / "run", {"pope@llava": texts})
    found = read_result(run / "pope@llava/result.json")
    assert mark_texts(found) == (["UNPARSED 101 (50.5%)"] if mark is None else mark)
    assert all(each.doubt == (code == 3) for each in marks(found))
    assert gaps(found) == ({"unparsed": unread} if code else {})
    (row,) = json.loads(cli("report", run, "--format", "json").out)["groups"][0]["rows"]
    (cell,) = row["cells"].values()
    assert cell["ranked"] == (code == 0)
    assert [remark.upper() for remark in cell["remarks"]] == ([f"UNPARSED {unread} ({unread / 2:.1f}%)"] if unread else [])


def test_an_unanswered_question_is_missing_and_not_unread(cli: Cli, tmp_path: Path) -> None:
    """SEED-Bench counts it as wrong all the same."""
    constant(cli, tmp_path / "runs", "A", "-L", 20, task="seed")
    run = run_of(tmp_path / "runs")
    file = run / "seed@demo/responses.jsonl"
    asked = len(read_jsonl(file))
    write_jsonl(file, read_jsonl(file)[:5])
    scored = cli("score", run, "--json").json
    assert (scored["n"], scored["missing"], scored["unparsed"]) == (5, asked - 5, 0)
    assert f"MISSING {asked - 5}" in mark_texts(read_record(scored, "it"))


def test_a_judged_plugin_without_a_judge_has_no_score(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "judged.py").write_text(JUDGED)
    plugin = ["--plugin", tmp_path / "judged.py"]
    outcome = constant(cli, tmp_path / "runs", "x", *plugin, task="judged")
    assert (outcome.code, "no score DEMO NOT JUDGED" in plain(outcome.out)) == (3, True)
    run = run_of(tmp_path / "runs")
    assert read_json(run / "judged@demo/result.json")["metrics"] == {}
    assert (cli("score", run, *plugin).code, cli("score", run, *plugin, "--json").json["metrics"]) == (3, {})
    server = serve(lambda prompt, before: Say("0.5"))
    judge = ["--judge", "m", "--judge-base-url", server.url]
    judged = constant(cli, tmp_path / "runs", "x", *plugin, *judge, "--json", task="judged")
    assert (judged.code, judged.json["results"][0]["metrics"]) == (0, {"score[m]": 50.0})


def test_mmbench_by_rules_alone_is_a_score(cli: Cli, tmp_path: Path) -> None:
    """Its judge is for what rules cannot read; without one that is wrong, by LLaVA's scorer."""
    outcome = constant(cli, tmp_path / "runs", "I cannot tell", "-L", 40, "--json", task="mmbench")
    (result,) = outcome.json["results"]
    assert (outcome.code, result["metrics"]["accuracy"]) == (3, 0)
    assert mark_texts(read_record(result, "it"))[-2:] == [f"UNPARSED {result['n']} (100.0%)", "FLOOR"]


def test_a_second_opinion_is_in_the_run_s_table(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda prompt, before: Say("yes"))
    judge = ["--judge", "m", "--judge-base-url", server.url, "--judge-correctness"]
    outcome = constant(cli, tmp_path / "runs", "yes", "-L", 30, *judge)
    assert outcome.code == 0, outcome.err
    rows = [[cell.strip() for cell in line.split("│")[1:5]] for line in outcome.out.splitlines() if "pope@demo │" in line]
    assert [row[2] for row in rows] == ["f1", "correct[m]"]
    assert rows[1][3].startswith("100.00 DEMO LIMITED")
    assert "| pope@demo | 30 | correct[m] | 100.00" in (run_of(tmp_path / "runs") / "report.md").read_text()


def test_the_words_are_in_one_place() -> None:
    """No other module, and no script of a page, writes a mark of its own."""
    names = (
        "DEMO",
        "LIMITED",
        "BLIND",
        "MISSING",
        "FAILED",
        "UNPARSED",
        "NOT JUDGED",
        "JUDGE FAILED",
        "SHARED != ALONE",
        "ROWS",
    )
    pages = LIBRARY.parent / "reports/pages"
    for file in [*LIBRARY.rglob("*.py"), *pages.glob("*.js")]:
        if file.name != "marks.py" and not file.match("suite_files/llava.py"):  # LLaVA's script writes FAILED, too
            found = [name for text in texts_in(file) for name in names if re.match(rf"{re.escape(name)}( |$)", text)]
            assert not found or file.name == "outcomes.py", (file, found)  # letters for what became of a question


def texts_in(file: Path) -> Iterator[str]:
    """The literal texts of a source file."""
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".js":
        yield from re.findall(r'["\']([^"\']*)["\']', source)
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
