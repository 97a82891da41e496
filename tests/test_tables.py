"""Comparison tables: the same numbers and marks in every format, each traceable to a stored file."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from mipha_eval.reporting.formats import RENDERERS
from mipha_eval.reporting.published import published_folder
from tests.conftest import Cli, read_json
from tests.table_grids import Shown, TableReader, read_html, read_latex, read_markdown
from tests.table_runs import (
    ENDINGS,
    GOLDEN,
    golden_report,
    json_rows,
    prepare_golden,
    settled,
    some_right,
    texts_of,
    write_run,
)


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The fixed table in all formats."""
    folder = tmp_path_factory.mktemp("golden")
    prepare_golden(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return {kind: golden_report(ENDINGS.get(kind, kind)) for kind in RENDERERS}


@pytest.fixture
def in_golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fixed runs and their table's definition in the current folder."""
    prepare_golden(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", RENDERERS)
def test_golden_tables(kind: str, golden: dict[str, str]) -> None:
    """After a change that is meant: ``python -m tests.table_runs``."""
    stored = (GOLDEN / f"table.{ENDINGS.get(kind, kind)}").read_text(encoding="utf-8")
    assert golden[kind] == settled(stored)


def expected_grid(golden: dict[str, str]) -> dict[tuple[str, int], dict[str, Any]]:
    """(method, column) -> the cell of the JSON."""
    found = {}
    for row in json_rows(golden["json"]):
        for place, cell in enumerate(row["cells"].values()):
            found[f"{row['method']}{'†' * row['published']}", place] = cell
    return found


def check_grid(rows: list[list[Shown]], golden: dict[str, str], plain: bool) -> None:
    """Every cell of a written table has the number, interval and marks of the JSON's."""
    expected = expected_grid(golden)
    columns = len(json.loads(golden["json"])["columns"])
    fields = len(json.loads(golden["json"])["fields"])
    body = [row for row in rows[1:] if len(row) == 1 + fields + columns and any(cell.text for cell in row[1:])]
    assert len(body) == len(json_rows(golden["json"]))
    for row, (method, _) in zip(body, list(expected)[::columns], strict=True):
        if plain:
            assert f"{row[0].text}{'†' * row[0].above.startswith('†')}" == method
        for place, cell in enumerate(row[1 + fields :]):
            wanted = expected[method, place]
            if wanted is None:
                assert (cell.text, cell.below, cell.above, cell.styles) == ("–", "", "", set())
                continue
            assert cell.text == wanted["printed"]
            styles = {wanted["place"]} if wanted["place"] else {"grey"} if wanted["grey"] else set()
            assert cell.styles == styles
            assert bool(cell.above) == bool(wanted["remarks"])
            assert len(cell.above.split(",")) == max(1, len(wanted["remarks"]))
            assert bool(cell.below) == (wanted["low"] is not None)
            if cell.below:
                low, high = map(float, cell.below.split("–"))
                assert low == pytest.approx(wanted["low"], abs=0.0501)
                assert high == pytest.approx(wanted["high"], abs=0.0501)


def test_every_format_shows_the_same(golden: dict[str, str]) -> None:
    for reader in (read_markdown(golden["md"]), read_html(golden["html"])):
        assert reader.odd == []
        check_grid(reader.rows, golden, plain=True)
    check_grid(read_latex(golden["latex"]), golden, plain=False)
    lines = list(csv.DictReader(io.StringIO(golden["csv"])))
    cells = {key: cell for key, cell in expected_grid(golden).items() if cell is not None}
    assert len(lines) == len(cells)
    for line, cell in zip(lines, cells.values(), strict=True):
        for name, value in cell.items():
            told = "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)
            assert line[name] == told, name


def test_footnotes_say_what_the_cells_remarks_are(golden: dict[str, str]) -> None:
    expected = expected_grid(golden)
    columns = len(json.loads(golden["json"])["columns"])
    for reader in (read_markdown(golden["md"]), read_html(golden["html"])):
        rows = [row for row in reader.rows[1:] if len(row) > columns and any(cell.text for cell in row[1:])]
        followed = 0
        for row, (method, _) in zip(rows, list(expected)[::columns], strict=True):
            for place, cell in enumerate(row[-columns:]):
                wanted = expected[method, place]
                letters = cell.above.split(",") if cell.above else []
                assert [reader.footnotes[letter] for letter in letters] == (wanted["remarks"] if wanted else [])
                followed += len(letters)
        assert followed > 5


def walk_numbers(report: str, folder: Path) -> int:
    """Follows every number of a JSON report to the file that it names; returns how many there were."""
    followed = 0
    for row in json_rows(report):
        for cell in row["cells"].values():
            if cell is None or cell["value"] is None:
                continue
            if row["published"]:
                file = published_folder() / Path(cell["file"]).name
                line = next(
                    csv.reader([file.read_text(encoding="utf-8").splitlines()[int(cell["at"].removeprefix("line ")) - 1]])
                )
                assert line[0] == row["method"]
                assert (float(line[9]), line[11]) == (cell["value"], cell["source"])
            else:
                stored = read_json(folder / cell["file"])
                kind, _, name = cell["at"].partition("/")
                assert kind == "metrics"
                assert stored["metrics"][name] == pytest.approx(cell["value"], abs=1e-4)
                assert stored["intervals"][name] == pytest.approx([cell["low"], cell["high"]], abs=1e-4)
                assert stored["task"] == cell["protocol"]
                assert [stored[key] for key in ("n", "unparsed", "failed", "missing")] == [
                    cell[key] for key in ("n", "unparsed", "failed", "missing")
                ]
            followed += 1
    return followed


def test_every_number_stands_in_a_stored_file(in_golden: Path) -> None:
    assert walk_numbers(golden_report("json"), in_golden) > 15


def test_bold_are_those_that_a_test_does_not_tell_from_the_best(in_golden: Path, cli: Cli) -> None:
    """Against McNemar's exact test and Holm's correction computed here; each question has a picture of its own."""
    right = {"a": some_right(0.9, 11), "b": some_right(0.84, 12), "c": some_right(0.78, 13), "d": some_right(0.55, 14)}
    runs = [
        write_run(in_golden / "more" / name, {"gqa@testdev": texts_of("gqa@testdev", own)}) for name, own in right.items()
    ]
    pairs = {}
    for first, second in combinations(right, 2):
        gained = sum(y and not x for x, y in zip(right[first], right[second], strict=True))
        lost = sum(x and not y for x, y in zip(right[first], right[second], strict=True))
        pairs[first, second] = binomtest(gained, gained + lost).pvalue
    adjusted, largest = {}, 0.0
    for rank, pair in enumerate(sorted(pairs, key=pairs.__getitem__)):
        largest = max(largest, min(1.0, (len(pairs) - rank) * pairs[pair]))
        adjusted[pair] = largest
    best = max(right, key=lambda name: sum(right[name]))
    tied = {best} | {name for pair, p in adjusted.items() if best in pair and p > 0.05 for name in pair}
    assert 1 < len(tied) < 4  # else the test would show nothing
    rows = json_rows(cli("report", *runs, "--format", "json").out)
    assert {row["method"] for row in rows if row["cells"]["gqa@testdev"]["place"] == "best"} == tied
    assert [row["method"] for row in rows if row["cells"]["gqa@testdev"]["place"] == "second"] == [
        max(set(right) - tied, key=lambda name: sum(right[name]))
    ]


def test_results_without_answers_are_ranked_by_what_they_print(tmp_path: Path, cli: Cli) -> None:
    """What score --json printed has no answers to be tested."""
    for name, value in (("x", 61.04), ("y", 61.03), ("z", 60.0)):
        result = {"task": "gqa@testdev", "headline": "accuracy", "n": 12578, "missing": 0, "failed": 0, "unparsed": 0}
        result |= {"rules": {"exact": 12578}, "metrics": {"accuracy": value}, "intervals": {}, "version": 1, "total": 12578}
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
    outcome = cli("report", *sorted(tmp_path.glob("*.json")), "--table", "mipha-paper", "--published", "none")
    assert re.search(r"\| x .*\*\*61\.0\*\*.*\n\| y .*\*\*61\.0\*\*.*\n\| z .*<ins>60\.0</ins>", outcome.out), outcome.out
    assert "Not tested: GQA" in outcome.out


@pytest.mark.parametrize(
    ("told", "remark"),
    [
        ({"limited": True}, "LIMITED 200/12,578"),
        ({"demo": True}, "DEMO"),
        ({"blind": True}, "BLIND"),
        ({"missing": 4}, "MISSING 4"),
        ({"annotations": "mine.json"}, "ANNOTATIONS mine.json"),
        ({"total": 400}, "ROWS 400, NOT 12,578"),
        ({"equivalence": {"checked": 5, "identical": 3, "exact": True}}, "SHARED != ALONE 2/5"),
    ],
)
def test_what_is_in_doubt_is_marked_and_never_best(told: dict[str, Any], remark: str, tmp_path: Path, cli: Cli) -> None:
    best, other, third = (texts_of("gqa@testdev", some_right(share, 5)) for share in (0.99, 0.8, 0.4))
    doubtful = write_run(tmp_path / "doubtful", {"gqa@testdev": best})
    stored = read_json(doubtful / "gqa@testdev/result.json")
    (doubtful / "gqa@testdev/result.json").write_text(json.dumps({**stored, **told}))
    runs = [doubtful, *(write_run(tmp_path / name, {"gqa@testdev": texts}) for name, texts in (("b", other), ("c", third)))]
    rows = {row["method"]: row["cells"]["gqa@testdev"] for row in json_rows(cli("report", *runs, "--format", "json").out)}
    assert (rows["doubtful"]["ranked"], rows["doubtful"]["place"]) == (False, "")
    assert remark in rows["doubtful"]["remarks"]
    assert (rows["b"]["place"], rows["c"]["place"]) == ("best", "second")


def test_two_judges_are_never_ranked_together(tmp_path: Path, cli: Cli) -> None:
    """The judge of most rows is ranked; the others are marked, and a published number counts by its judge, too."""
    for name, judge, value in (("a", "gpt-4", 30.0), ("b", "gpt-4", 31.0), ("c", "local", 99.0), ("d", "rule", 98.0)):
        result = {"task": "mmvet@v1", "headline": f"score[{judge}]", "n": 218, "missing": 0, "failed": 0, "unparsed": 0}
        result |= {"rules": {"judge-grade": 218}, "metrics": {f"score[{judge}]": value}, "intervals": {}, "version": 1}
        (tmp_path / f"{name}.json").write_text(json.dumps({**result, "total": 218}))
    published = ("--published", "Qwen-VL-Chat,LLaVA-1.5-7B")
    outcome = cli("report", *sorted(tmp_path.glob("*.json")), "--format", "json", *published)
    cells = {row["method"]: row["cells"]["mmvet@v1"] for row in json_rows(outcome.out)}
    assert {name: cell["place"] for name, cell in cells.items()} == {
        "a": "",
        "b": "second",
        "c": "",
        "d": "",
        "LLaVA-1.5-7B": "best",
        "Qwen-VL-Chat": "",
    }
    assert cells["c"]["remarks"] == ["judged by local"]
    assert cells["Qwen-VL-Chat"]["remarks"] == ["judged by gpt-4-turbo"]
    assert "judged by gpt-4" in json.loads(outcome.out)["notes"][0]


def test_a_calibrated_judges_error_bar_is_a_remark_not_a_doubt(tmp_path: Path, cli: Cli) -> None:
    calibration = {"judge": "local", "reference": "gpt-4", "n": 50, "bias": 1.2, "bias_interval": [0.4, 2.0]}
    calibration |= {"mean_absolute_error": 0.1, "kappa": 0.9}
    judge = {"name": "local", "pending": 0, "failed": 0, "unreadable": 0, "calibration": calibration}
    for name, value, told in (("a", 30.0, judge), ("b", 31.0, judge), ("c", 99.0, {**judge, "pending": 3})):
        result = {"task": "mmvet@v1", "headline": "score[local]", "n": 218, "missing": 0, "failed": 0, "unparsed": 0}
        result |= {"rules": {}, "metrics": {"score[local]": value}, "intervals": {}, "version": 1, "total": 218}
        (tmp_path / f"{name}.json").write_text(json.dumps({**result, "judge": told}))
    outcome = cli("report", *sorted(tmp_path.glob("*.json")), "--format", "json")
    cells = {row["method"]: row["cells"]["mmvet@v1"] for row in json_rows(outcome.out)}
    assert {name: cell["place"] for name, cell in cells.items()} == {"a": "second", "b": "best", "c": ""}
    assert cells["a"]["remarks"] == ["JUDGE +1.2 (+0.4 to +2.0) VS gpt-4"]
    assert "NOT JUDGED 3" in cells["c"]["remarks"]


def test_a_version_of_the_task_is_not_ranked_with_another(tmp_path: Path, cli: Cli) -> None:
    runs = [write_run(tmp_path / name, {"gqa@testdev": texts_of("gqa@testdev", some_right(0.7, 3))}) for name in "abc"]
    stored = read_json(runs[2] / "gqa@testdev/result.json")
    (runs[2] / "gqa@testdev/result.json").write_text(json.dumps({**stored, "version": 0, "metrics": {"accuracy": 99.0}}))
    cells = {row["method"]: row["cells"]["gqa@testdev"] for row in json_rows(cli("report", *runs, "--format", "json").out)}
    assert (cells["c"]["place"], cells["c"]["remarks"]) == ("", ["version 0 of the task"])


def test_published_numbers_can_be_left_out_of_the_ranking(in_golden: Path, cli: Cli) -> None:
    arguments = ("report", "runs/poor", "--table", "golden.toml", "--format", "json", "--row", "poor:llm=Phi-1.5")
    ranked = json_rows(cli(*arguments).out)
    unranked = json_rows(cli(*arguments, "--no-rank-published").out)
    assert any(cell["place"] for row in ranked if row["published"] for cell in row["cells"].values() if cell)
    assert not any(cell["place"] for row in unranked if row["published"] for cell in row["cells"].values() if cell)


def test_output_takes_its_format_from_its_name(in_golden: Path, cli: Cli) -> None:
    for name, beginning in (
        ("a.tex", "% needs"),
        ("a.html", "<!doctype"),
        ("a.csv", "group,"),
        ("a.json", "{"),
        ("a.txt", "**"),
    ):
        outcome = cli("report", "runs/best", "-o", name)
        assert (outcome.code, outcome.out) == (0, "")
        assert f"wrote {name}" in outcome.err
        assert Path(name).read_text(encoding="utf-8").startswith(beginning)
    assert cli("report", "runs/best", "-o", "a.tex", "--format", "md").code == 0
    assert Path("a.tex").read_text(encoding="utf-8").startswith("**")


def test_torch_matplotlib_and_scipy_wait_until_they_are_needed(in_golden: Path) -> None:
    import subprocess
    import sys

    code = """
import sys
from mipha_eval.cli.app import main
sys.argv = ["mipha-eval", "report", "runs/best", "--table", "golden.toml"]  # one run: nothing to be tested
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {"torch", "transformers", "datasets", "pandas", "matplotlib", "scipy", "numpy"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_readers_of_the_tests_would_notice(golden: dict[str, str]) -> None:
    """The checks above fail where a format loses a mark."""
    broken = golden["md"].replace("**93.0**", "93.0", 1)
    assert broken != golden["md"]
    with pytest.raises(AssertionError):
        check_grid(read_markdown(broken).rows, golden, plain=True)
    reader = TableReader()
    reader.feed("<table><tr><td onclick='x'><img src='y'></td></tr></table>")
    assert reader.odd == ["onclick=x", "img", "src=y"]
