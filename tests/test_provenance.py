"""By whom a metric was made is a field of results: no reader takes it from the metric's name."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.errors import UserError
from mipha_eval.core.metrics import share
from mipha_eval.core.provenance import Provenance
from mipha_eval.store.migrations import migrated_result
from mipha_eval.store.results import read_result
from tests.conftest import Cli, read_json

ROOT = Path(__file__).parents[1]

#: two metrics whose names differ in brackets alone; one question of two is right
TWO_MEANS = '''
"""Means: two metrics whose names end in brackets."""

from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.reading import Reading
from mipha_eval.core.metrics import Metric
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample


@dataclass(frozen=True)
class Means(Task):
    """No options."""

    name: ClassVar = "means"
    protocols: ClassVar = {"v1": "four questions"}
    metrics: ClassVar = [
        Metric("f1[macro]", lambda totals: 100 * totals["right"] / totals["asked"]),
        Metric("f1[micro]", lambda totals: 100 - 90 * totals["right"] / totals["asked"]),
    ]

    def samples(self):
        for number in range(4):
            yield Sample(str(number), f"Question {number}?", ("Yes" if number % 2 else "No",), (), number)

    def score(self, sample, response):
        return self.scored(sample, Reading(response.text, "exact"), response.text == sample.target[0])
'''

CONSTANT = ["--model", "constant", "--data", "demo"]


@pytest.fixture
def means(cli: Cli, tmp_path: Path) -> Path:
    """A finished run of the task above."""
    plugin = tmp_path / "means.py"
    plugin.write_text(TWO_MEANS)
    run = cli(
        "run", "--tasks", "means", *CONSTANT, "-a", "answer=Yes", "--plugin", plugin, "-o", tmp_path / "runs", "--json"
    )
    assert run.code == 0, run.err
    return Path(run.json["run"])


def table(cli: Cli, run: Path, *more: object) -> dict[str, Any]:
    outcome = cli("report", run, "--format", "json", *more)
    assert outcome.code == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def cell_of(found: dict[str, Any], heading: str) -> dict[str, Any]:
    (row,) = found["groups"][0]["rows"]
    cell: dict[str, Any] = row["cells"][heading]
    return cell


def test_a_tokenizer_is_no_judge(cli: Cli, tmp_path: Path) -> None:
    run = cli(
        "run", "--tasks", "coco-cap", *CONSTANT, "-L", 4, "-a", "coco_cap.tokenizer=treebank", "-o", tmp_path, "--json"
    )
    (result,) = run.json["results"]
    assert result["provenance"]["CIDEr[treebank]"] == {"metric": "CIDEr", "by": "tokenizer", "name": "treebank"}
    assert result["provenance"].keys() == result["units"].keys()
    found = table(cli, run.json["run"])
    assert cell_of(found, "coco-cap@demo")["judge"] == ""
    assert cell_of(found, "coco-cap@demo")["value"] == result["metrics"]["CIDEr[treebank]"]
    assert "judged" not in found["notes"][0]
    assert "coco-cap@demo CIDEr" in found["notes"][0]


def test_a_rule_in_a_judges_place_is_told(cli: Cli, tmp_path: Path) -> None:
    run = cli("run", "--tasks", "mmvet", *CONSTANT, "-o", tmp_path, "--json")
    (result,) = run.json["results"]
    assert result["headline"] == "score[rule]"
    assert result["provenance"]["score[rule]"] == {"metric": "score", "by": "rule", "name": "rule"}
    assert cell_of(table(cli, run.json["run"]), "mmvet@demo")["judge"] == "rule"


def test_brackets_in_a_plugins_names_are_names(cli: Cli, tmp_path: Path, means: Path) -> None:
    result = read_json(means / "means@demo/result.json")
    assert result["metrics"] == {"f1[macro]": 50, "f1[micro]": 55}
    assert result["provenance"] == {}
    headline = cell_of(table(cli, means), "means@demo")
    assert (headline["value"], headline["metric"], headline["judge"]) == (50, "f1[macro]", "")
    columns = "".join(
        f'[[columns]]\nheading = "{name}"\ntask = "means@demo"\nmetric = "f1[{name}]"\n' for name in ("macro", "micro")
    )
    definition = tmp_path / "both.toml"
    definition.write_text(f'title = "Both"\n{columns}')
    found = table(cli, means, "--table", definition)
    assert (cell_of(found, "macro")["value"], cell_of(found, "micro")["value"]) == (50, 55)
    plain = tmp_path / "plain.toml"
    plain.write_text('title = "Plain"\n[[columns]]\nheading = "f1"\ntask = "means@demo"\nmetric = "f1"\n')
    outcome = cli("report", means, "--table", plain)
    assert outcome.code == 2
    assert "means@demo has f1[macro], f1[micro]" in outcome.err


def test_a_comparison_takes_the_metric_that_is_named(cli: Cli, tmp_path: Path, means: Path) -> None:
    plugin = tmp_path / "means.py"
    other = cli(
        *("run", "--tasks", "means", "--model", "constant", "--data", "demo", "-a", "answer=No.", "--plugin", plugin),
        *("-o", tmp_path / "runs", "--json"),
    )
    outcome = cli("compare", means, other.json["run"], "--metric", "f1[micro]", "--plugin", plugin, "--json")
    assert outcome.code == 0, outcome.err
    rows = {row["metric"]: row["values"] for pair in outcome.json["pairs"] for row in pair["differences"]}
    assert rows == {"f1[macro]": [50, 0], "f1[micro]": [55, 100]}


@pytest.mark.parametrize(
    ("result", "name", "found"),
    [
        ({"metrics": {"score[rule]": 1.0}}, "score[rule]", Provenance("score", "rule", "rule")),
        ({"metrics": {"in/CIDEr[ptb]": 1.0}}, "in/CIDEr[ptb]", Provenance("in/CIDEr", "tokenizer", "ptb")),
        (
            {"metrics": {"score[a[b]]": 1.0}, "judge": {"name": "a[b]"}},
            "score[a[b]]",
            Provenance("score", "judge", "a[b]"),
        ),
        (
            {"metrics": {}, "headline": "score[gpt-4]", "judge": {"name": "gpt-4"}},
            "score[gpt-4]",
            Provenance("score", "judge", "gpt-4"),
        ),
        ({"metrics": {"f1[macro]": 1.0}, "judge": None}, "f1[macro]", None),
        ({"metrics": {"score[local]": 1.0}}, "score[local]", Provenance("score", "judge", "local")),
        ({"metrics": {"f1": 1.0}, "judge": None}, "f1", None),
    ],
)
def test_results_from_before_are_read(result: dict[str, Any], name: str, found: Provenance | None) -> None:
    migrated: Any = migrated_result(result)
    assert migrated["provenance"].get(name) == (asdict(found) if found else None)


def test_a_stored_run_from_before_makes_the_same_table(cli: Cli, tmp_path: Path) -> None:
    run = cli("run", "--tasks", "coco-cap,mmvet", *CONSTANT, "-L", 8, "-o", tmp_path, "--json").json["run"]
    before = table(cli, run)
    for file in Path(run).glob("*/result.json"):
        content = read_json(file)
        del content["provenance"]
        file.write_text(json.dumps(content))
    assert table(cli, run) == before


@pytest.mark.parametrize("damaged", [5, [], {"f1": 5}, {"f1": {}}, {"f1": {"metric": 5, "by": "judge", "name": "a"}}])
def test_a_damaged_provenance_is_refused(cli: Cli, tmp_path: Path, damaged: Any) -> None:
    run = cli("run", "--tasks", "pope", *CONSTANT, "-L", 6, "-o", tmp_path, "--json").json["run"]
    file = Path(run) / "pope@demo/result.json"
    file.write_text(json.dumps({**read_json(file), "provenance": damaged}))
    outcome = cli("report", run)
    assert outcome.code == 2
    assert "damaged" in outcome.err
    with pytest.raises(UserError, match=r"damaged.*provenance"):
        read_result(file)


def test_a_name_is_written_in_one_place() -> None:
    made = share("score").made("judge", "gpt-4")
    assert (made.name, made.plain) == ("score[gpt-4]", "score")
    assert made.made("judge", "other").name == "score[other]"
    for file in [
        *(ROOT / "mipha_eval").rglob("*.py"),
        *(ROOT / "reports/pages").glob("*.js"),
        *(ROOT / "reports").glob("*/*.j2"),
    ]:
        text = file.read_text()
        found = re.findall(r"""(?:partition|split|index|indexOf|find|match)\(\s*r?["'/]\\?\[["'/]""", text)
        assert not found, f"{file} reads a name at its bracket"
        matched = re.findall(r"""(?:startswith|endswith|removeprefix|removesuffix)\(\s*r?f["'][^"'\n]*\[""", text)
        assert not matched or file.name == "migrations.py", f"{file} compares a name up to its bracket"
