"""Definitions of tables, and rows from what was named on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mipha_eval.core.files import read_toml
from mipha_eval.core.plugins.registry import Registry, plugin_folder
from mipha_eval.reporting.definition import check_tasks, read_definition, table_names
from tests.conftest import Cli
from tests.table_runs import json_rows, some_right, texts_of, write_run

COLUMN = '{heading = "GQA", task = "gqa@testdev", metric = "accuracy"}'


@pytest.mark.parametrize("name", table_names())
def test_bundled_tables(name: str) -> None:
    """They read, and their columns are metrics of tasks under protocols that exist."""
    found = read_definition(name)
    check_tasks(found, (), Registry())
    for column in found.columns:
        task = Registry().load("tasks", column.task.partition("@")[0])[0]
        assert column.metric in {metric.name for metric in task.metrics}


def test_the_papers_table_has_its_columns() -> None:
    found = read_definition("mipha-paper")
    assert [field.heading for field in found.fields] == ["LLM", "Res."]
    names = ["VQAv2", "GQA", "VizWiz", "SQA-I", "TextVQA", "POPE", "MME-P", "MMBench", "SEED-I", "MM-Vet"]
    assert [column.heading for column in found.columns] == names
    assert [column.decimals for column in found.columns] == [1] * 10


def test_every_shared_column_is_used_or_has_the_keys_of_one(tmp_path: Path) -> None:
    names = list(read_toml(plugin_folder("reports") / "columns.toml"))
    (tmp_path / "all.toml").write_text(f'title = "all"\ncolumns = {json.dumps(names)}\n')
    check_tasks(read_definition(str(tmp_path / "all.toml")), (), Registry())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns = [", r"cannot read .*mine\.toml"),
        ('title = "t"', "columns must name at least one column"),
        ('title = "t"\ncolumns = []', "at least one column"),
        ("title = 3\ncolumns = ['gqa']", "title must be a text, not 3"),
        ("title = 't'\ncolumns = 'gqa'", "columns must be a list"),
        ("title = 't'\ncolumns = ['gqq']", r"mine\.toml: columns, entry 1: unknown column 'gqq'; did you mean gqa"),
        ("title = 't'\ncolumns = ['gqa', 'gqa']", "two columns have the heading 'GQA'"),
        ("title = 't'\ncolumns = [3]", "columns, entry 1: expected a table with heading"),
        ("title = 't'\ncolumns = [{heading = 'x'}]", "columns, entry 1: key task is missing"),
        (f"title = 't'\ncolumns = [{COLUMN[:-1]}, decimal = 2}}]", "unknown key 'decimal'; did you mean decimals"),
        (f"title = 't'\ncolumns = [{COLUMN[:-1]}, decimals = '2'}}]", "decimals must be a number, not '2'"),
        (f"title = 't'\ncolumns = [{COLUMN[:-1]}, decimals = 9}}]", "decimals must be 0 to 6"),
        (f"title = 't'\ncolumns = [{COLUMN[:-1]}, decimals = true}}]", "decimals must be a number"),
        (f"title = 't'\ncolumns = [{COLUMN[:-1]}, better = 'more'}}]", "better must be 'higher' or 'lower'"),
        (f"title = 't'\ncolumns = [{COLUMN[:-1]}, also = [3]}}]", "also must be a list of str"),
        ("title = 't'\ncolumns = [{heading = 'x', task = 'gqa', metric = 'm'}]", "must be task@protocol"),
        ("title = 't'\ncolumns = [{heading = 'x', task = 'gqq@a', metric = 'm'}]", "unknown task 'gqq'"),
        (
            "title = 't'\ncolumns = [{heading = 'x', task = 'gqa@val', metric = 'm'}]",
            "unknown protocol 'val'; gqa has testdev",
        ),
        (
            "title = 't'\ncolumns = [{heading = 'x', task = 'gqa@testdev', metric = 'acc'}]",
            "unknown metric 'acc'; did you mean acc",
        ),
        (
            "title = 't'\ncolumns = ['gqa']\npublished = ['Mipha-3']",
            "unknown published model 'Mipha-3'; did you mean Mipha-3B",
        ),
        ("title = 't'\ncolumns = ['gqa']\norder = 'up'", "order must be 'size' or 'given'"),
        ("title = 't'\ncolumns = ['gqa']\n[[groups]]\nup_to = 3", "groups, entry 1: key title is missing"),
        ("title = 't'\ncolumns = ['gqa']\ntitel = 3", "unknown key 'titel'; did you mean title"),
    ],
)
def test_mistakes_in_a_definition_are_named(text: str, message: str, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "mine.toml").write_text(text)
    run = write_run(tmp_path / "run", {"gqa@testdev": texts_of("gqa@testdev", [True, False])})
    outcome = cli("report", run, "--table", tmp_path / "mine.toml")
    assert (outcome.code, outcome.out) == (2, "")
    assert re.search(message, outcome.err), outcome.err
    assert outcome.err.count("\n") == 1


def test_unknown_table(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("report", tmp_path, "--table", "mipha-papr")
    assert outcome.code == 2
    run = write_run(tmp_path / "run", {"gqa@testdev": texts_of("gqa@testdev", [True])})
    outcome = cli("report", run, "--table", "mipha-papr")
    assert "unknown table 'mipha-papr'; did you mean mipha-paper" in outcome.err


def test_lower_is_better(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "mine.toml").write_text(f"title = 't'\ncolumns = [{COLUMN[:-1]}, better = 'lower'}}]")
    runs = [
        write_run(tmp_path / name, {"gqa@testdev": texts_of("gqa@testdev", some_right(share, 1))})
        for name, share in (("a", 0.9), ("b", 0.5), ("c", 0.1))
    ]
    rows = json_rows(cli("report", *runs, "--table", tmp_path / "mine.toml", "--format", "json").out)
    assert [row["cells"]["GQA"]["place"] for row in rows] == ["", "second", "best"]


def names(cli: Cli, *arguments: object) -> list[str]:
    outcome = cli("report", *arguments, "--format", "json")
    assert outcome.code == 0, outcome.err
    return [row["method"] for row in json_rows(outcome.out)]


TWO = texts_of("gqa@testdev", [True, False])
ALSO = texts_of("pope@llava", [True, False])


def test_runs_of_one_model_are_one_row(tmp_path: Path, cli: Cli) -> None:
    """The same model and weights on other data are another run, but no other model."""
    same = {"model": "m", "options": {"path": "p"}, "weights": {"weights": "1"}}
    first = write_run(tmp_path / "m__1__a", {"gqa@testdev": TWO}, **same)
    second = write_run(tmp_path / "m__2__b", {"pope@llava": ALSO}, **same)
    other = write_run(tmp_path / "m__3__c", {"pope@llava": ALSO}, **{**same, "weights": {"weights": "2"}})
    again = write_run(tmp_path / "m__4__d", {"gqa@testdev": TWO}, **same)
    assert names(cli, first, second) == ["m"]
    assert names(cli, first, other) == ["m (a)", "m (c)"]
    assert names(cli, first, second, again) == ["m (a)", "m (d)"]


def test_options_that_differ_stand_behind_the_name(tmp_path: Path, cli: Cli) -> None:
    runs = [
        write_run(
            tmp_path / f"m__{dtype}__x", {"gqa@testdev": TWO}, model="m", options={"dtype": "auto"}, weights={"dtype": dtype}
        )
        for dtype in ("float32", "float16")
    ]
    assert names(cli, *runs) == ["m (float32)", "m (float16)"]


def test_a_path_that_was_given_is_in_the_name(tmp_path: Path, cli: Cli) -> None:
    told = {"model": "hf-chat", "options": {"path": "/models/llava-1.5-7b-hf"}}
    given = write_run(tmp_path / "a", {"gqa@testdev": TWO}, config={"model": {"options": ["path=/models/x"]}}, **told)
    preset = write_run(tmp_path / "b", {"gqa@testdev": TWO}, config={"model": {"options": []}}, **told)
    assert names(cli, given) == ["hf-chat llava-1.5-7b-hf"]
    assert names(cli, preset) == ["hf-chat"]


@pytest.mark.parametrize("about", ["1", "one", "*/one", "on?"])
def test_a_row_is_named_by_number_name_or_pattern(about: str, tmp_path: Path, cli: Cli) -> None:
    runs = [write_run(tmp_path / name, {"gqa@testdev": TWO}) for name in ("one", "two")]
    assert names(cli, *runs, "--row", f"{about}:name=Ours=best: yes") == ["Ours=best: yes", "two"]


def test_rows_of_one_name_are_put_together(tmp_path: Path, cli: Cli) -> None:
    runs = [write_run(tmp_path / "one", {"gqa@testdev": TWO}), write_run(tmp_path / "two", {"pope@llava": ALSO})]
    outcome = cli("report", *runs, "--row", "*:name=Ours", "--format", "json")
    (row,) = json_rows(outcome.out)
    assert all(row["cells"].values())
    twice = write_run(tmp_path / "three", {"pope@llava": ALSO})
    outcome = cli("report", *runs, twice, "--row", "*:name=Ours")
    assert outcome.code == 2
    assert re.search(r"row Ours: .*two.* and .*three.* are both pope@llava", outcome.err)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("name=x", "expected RUN:key=value"),
        ("1:name", "expected RUN:key=value"),
        ("9:name=x", "no run is called 9; there are run"),
        ("other:name=x", "no run is called other"),
        ("1:nam=x", "unknown field of a row 'nam'; did you mean name"),
        ("1:parameters=big", "expected a number of billions"),
        ("1:published=Mipha-3", "unknown published model 'Mipha-3'"),
    ],
)
def test_mistakes_in_a_setting_are_named(setting: str, message: str, tmp_path: Path, cli: Cli) -> None:
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO})
    outcome = cli("report", run, "--table", "mipha-paper", "--row", setting)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_what_a_run_says_of_its_model_is_shown(tmp_path: Path, cli: Cli) -> None:
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO}, about={"resolution": "384", "parameters": "2.9"})
    arguments = ("report", run, "--table", "mipha-paper", "--published", "none", "--format", "json")
    (row,) = json_rows(cli(*arguments, "--row", "1:llm=Phi-2").out)
    assert (row["fields"]["resolution"], row["fields"]["llm"], row["parameters"]) == ("384", "Phi-2", 2.9)
    assert json.loads(cli(*arguments, "--row", "1:parameters=7B").out)["groups"][0]["title"] == "4 to 10 B"


def test_a_published_models_facts_are_those_of_the_run_of_its_name(tmp_path: Path, cli: Cli) -> None:
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO}, model="llava-1.5-7b")
    outcome = cli("report", run, "--table", "mipha-paper", "--published", "none", "--format", "json")
    (row,) = json_rows(outcome.out)
    assert (row["published_as"], row["fields"]["llm"]) == ("LLaVA-1.5-7B", "Vicuna-7B-v1.5")


@pytest.mark.parametrize("content", ["{}", "[]x", '{"task": "gqa@testdev"}', "3", "[3]", "\0"])
def test_what_is_no_result_is_refused(content: str, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "x.json").write_text(content)
    outcome = cli("report", tmp_path / "x.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "x.json" in outcome.err


@pytest.mark.parametrize("metrics", ['{"accuracy": "high"}', '{"accuracy": NaN}', '{"accuracy": true}', "[]"])
def test_damaged_results_are_refused(metrics: str, tmp_path: Path, cli: Cli) -> None:
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO})
    file = run / "gqa@testdev/result.json"
    stored = json.loads(file.read_text())
    file.write_text(json.dumps({**stored, "metrics": "HERE"}).replace('"HERE"', metrics))
    outcome = cli("report", run)
    assert outcome.code == 2
    assert str(file) in outcome.err


@pytest.mark.parametrize("key", ["n", "rules", "missing", "headline", "intervals"])
def test_results_that_lack_something_are_refused(key: str, tmp_path: Path, cli: Cli) -> None:
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO})
    file = run / "gqa@testdev/result.json"
    stored = json.loads(file.read_text())
    for damaged in (
        {name: value for name, value in stored.items() if name != key},
        {**stored, key: "x" if key != "headline" else 3},
    ):
        file.write_text(json.dumps(damaged))
        outcome = cli("report", run)
        assert (outcome.code, outcome.out) == (2, "")
        assert str(file) in outcome.err


def test_several_results_of_one_task_in_a_file_are_refused(tmp_path: Path, cli: Cli) -> None:
    """Such as `score RUN --judge OTHER` prints; one of them would be lost."""
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO, "pope@llava": ALSO})
    stored = [json.loads(file.read_text()) for file in sorted(run.glob("*/result.json"))]
    (tmp_path / "both.json").write_text(json.dumps(stored))
    assert len(json.loads(cli("report", tmp_path / "both.json", "--format", "json").out)["columns"]) == 2
    (tmp_path / "twice.json").write_text(json.dumps([stored[0], stored[0]]))
    assert "twice.json has several results of one task" in cli("report", tmp_path / "twice.json").err


def test_nothing_to_show(cli: Cli, tmp_path: Path) -> None:
    assert "name a run" in cli("report", "--table", "mipha-paper", "--published", "none").err
    assert cli("report").code == 2
    (tmp_path / "empty").mkdir()
    assert "manifest.json" in cli("report", tmp_path / "empty").err
