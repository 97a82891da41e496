"""What a run keeps of the workers that answered, and what results, reports and pages make of it."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mipha_eval as me
from mipha_eval.core.errors import UserError
from mipha_eval.core.served import Served
from mipha_eval.core.types import Response
from mipha_eval.page.runs import read_runs, run_facts
from mipha_eval.reporting.gpu_hours import gpu_hours
from mipha_eval.reporting.summary import write_report
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.responses import read_responses, response_json
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.worker_record import WorkerRecord
from mipha_eval.store.workers_note import workers_note
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl
from tests.table_runs import json_rows, texts_of, write_run

H100 = "NVIDIA H100 80GB HBM3"
ALIKE = {"mipha-eval": "0.2.0", "torch": "2.7.1"}


def worker(index: int, **told: Any) -> WorkerRecord:
    usual = {"node": "n1", "device": H100, "gpus": 1, "python": "3.12.3", "packages": ALIKE}
    return WorkerRecord(index=index, **{**usual, **told})


# What is stored


def test_an_answer_keeps_the_number_of_its_worker(tmp_path: Path) -> None:
    given = {"a": Response("yes", worker=0), "b": Response("no", worker=12), "c": Response("yes")}
    rows = [{"sample": name, "key": "k", "images": [], **response_json(each)} for name, each in given.items()]
    assert [row.get("worker", "none") for row in rows] == [0, 12, "none"]
    write_jsonl(tmp_path / "responses.jsonl", rows)
    read = read_responses(tmp_path / "responses.jsonl")
    assert {name: stored.response.worker for name, stored in read.items()} == {"a": 0, "b": 12, "c": None}


def test_the_number_is_no_part_of_the_answer() -> None:
    assert Response("yes", worker=1) == Response("yes")
    served = Served(model="m", prompt_tokens=9)
    for given in (Response("yes", worker=1), Response("yes", served=served, worker=1)):
        assert given.repeated.worker == 1


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    row = {"sample": "a", "key": "k", "images": [], "text": "yes", "error": ""}
    write_jsonl(tmp_path / "responses.jsonl", [{**row, "worker": -1}, {**row, "sample": "b", "worker": 1}])
    assert list(read_responses(tmp_path / "responses.jsonl")) == ["b"], "the other is asked again"


def test_noting_workers_leaves_all_else_in_the_manifest(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Manifest(model="m", data="demo", started="today"))
    file = run.path / "manifest.json"
    assert "workers" not in read_json(file)
    before = {**read_json(file), "of_another_version": {"x": [1]}}
    file.write_text(json.dumps(before))
    run.note_workers([worker(2), worker(0)])
    content = read_json(file)
    content["workers"][0]["cores"] = 8
    file.write_text(json.dumps(content))
    ended = worker(2, answered=7, busy=3.5, waited=0.5, seconds=4.0, ended="killed")
    run.note_workers([ended, worker(1, node="n2")])
    after = read_json(file)
    assert {name: value for name, value in after.items() if name != "workers"} == before
    assert [each["index"] for each in after["workers"]] == [0, 1, 2]
    assert after["workers"][0]["cores"] == 8, "a field that this version does not know, of a worker that nobody noted anew"
    assert run.manifest().workers == (worker(0), worker(1, node="n2"), ended)
    assert [path.name for path in run.path.iterdir()] == ["manifest.json"]


def test_numbers_are_given_once() -> None:
    """Of the first command's three workers one was never ready, so that it has no record."""
    assert Manifest(model="m", data="demo").next_worker == 0
    assert Manifest(model="m", data="demo", workers=(worker(0), worker(2))).next_worker == 3


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Manifest(model="m", data="demo"))
    file = run.path / "manifest.json"
    file.write_text(json.dumps({**read_json(file), "workers": [{"index": "first"}]}))
    for read in (run.manifest, lambda: run.note_workers([worker(0)])):
        with pytest.raises(UserError, match=r"manifest\.json.*workers.*index"):
            read()


# In what workers differ


def note(manifest: dict[str, Any], *numbers: int | None) -> str:
    whole = Manifest(**{"model": "m", "data": "demo", "python": "3.12.3", "packages": ALIKE, **manifest})
    return workers_note([Response("yes", worker=number) for number in numbers], whole)


def test_workers_that_are_alike_need_no_note() -> None:
    assert note({"workers": (worker(0), worker(1, node="n2"))}, 0, 1, 0) == ""
    assert note({"weights": {"device": "cpu"}}, None, None) == ""
    assert note({}) == ""


def test_only_those_that_answered_are_held_against_each_other() -> None:
    others: dict[str, Any] = {"workers": (worker(0), worker(1, device="cpu"), worker(2, python="3.11.9"))}
    assert note(others, 0, 0) == ""
    assert note(others, 0, 1) == f"answered on 2 kinds of device (cpu; {H100})"
    assert note(others, 2, 0) == "answered with 2 versions of Python (3.11.9; 3.12.3)"
    failed = [Response("yes", worker=0), dataclasses.replace(Response.failure("killed"), worker=1)]
    assert workers_note(failed, Manifest(model="m", data="demo", **others)) == ""


def test_what_one_worker_does_not_tell_is_no_difference() -> None:
    more = {"workers": (worker(0), worker(1, packages={**ALIKE, "numpy": "2.0"}))}
    assert note(more, 0, 1) == ""


def test_the_process_of_the_run_is_held_against_workers() -> None:
    own = {"workers": (worker(0, packages={"mipha-eval": "0.3.0", "torch": "2.6.0"}),), "mipha_eval": "0.2.0"}
    assert note({**own, "weights": {"device": H100}}, None, 0) == (
        "answered with 2 versions of mipha-eval (0.2.0; 0.3.0), with 2 versions of torch (2.6.0; 2.7.1)"
    )
    assert note({**own, "weights": {"device": "cpu"}}, None, 0).startswith(f"answered on 2 kinds of device (cpu; {H100}), ")


def test_a_worker_that_nobody_described_is_told() -> None:
    assert note({"workers": (worker(0),)}, 0, 5) == "answered by 1 worker that the manifest does not describe"


# In results and what is made of them

ASK = ("run", "--tasks", "pope,mme", "--model", "constant", "--data", "demo", "--json")


def begun(cli: Cli, folder: Path, limit: int = 4) -> RunFolder:
    """A run of a few questions."""
    outcome = cli(*ASK, "--limit", limit, "-o", folder)
    assert outcome.code == 0, outcome.err
    return RunFolder(Path(outcome.json["run"]))


def answered_by(run: RunFolder, label: str, number_of: Callable[[int], int | None]) -> None:
    """Writes the numbers of workers into a task's stored answers, by their places."""
    file = run.task(label).path / "responses.jsonl"
    rows = [{**row, "worker": number_of(place)} for place, row in enumerate(read_jsonl(file))]
    write_jsonl(
        file, [{name: value for name, value in row.items() if value is not None or name != "worker"} for row in rows]
    )


def notes_of(results: list[dict[str, Any]]) -> dict[str, str | None]:
    return {result["task"]: result.get("workers_note") for result in results}


def test_scoring_again_tells_of_two_versions_of_torch(cli: Cli, tmp_path: Path) -> None:
    run = begun(cli, tmp_path)
    before = cli("score", run.path, "--json").json
    answered_by(run, "pope@demo", lambda place: place % 2)
    answered_by(run, "mme@demo", lambda _: 1)
    run.note_workers([worker(0, packages={"torch": "2.6.0"}), worker(1)])
    after = cli("score", run.path, "--json").json
    told = "answered with 2 versions of torch (2.6.0; 2.7.1)"
    assert notes_of(after) == {"pope@demo": told, "mme@demo": None}
    assert notes_of(before) == {"pope@demo": None, "mme@demo": None}
    assert [result["metrics"] for result in after] == [result["metrics"] for result in before]


def test_a_run_that_goes_on_with_and_without_workers(cli: Cli, tmp_path: Path) -> None:
    """What was answered in the run's own process, on a CPU, and by two workers elsewhere, stands in one result."""
    run = begun(cli, tmp_path)
    content = read_json(run.path / "manifest.json")
    (run.path / "manifest.json").write_text(json.dumps({**content, "weights": {"device": "cpu"}}))
    answered_by(run, "pope@demo", lambda place: None if place < 2 else place - 2)
    own = {"python": content["python"], "packages": {"torch": content["packages"]["torch"]}}
    run.note_workers([worker(0, **own), worker(1, **own)])
    again = begun(cli, tmp_path, limit=6)
    assert again.path == run.path
    told = f"answered on 2 kinds of device (cpu; {H100})"
    stored = {label: run.task(label).results()[0].workers_note for label in ("pope@demo", "mme@demo")}
    assert stored == {"pope@demo": told, "mme@demo": None}
    assert len(read_jsonl(run.task("pope@demo").path / "responses.jsonl")) == 6, "what workers answered is not asked again"
    assert notes_of(cli("score", run.path, "--json").json) == stored
    mark = f"UNLIKE WORKERS {told}"
    assert mark in (run.path / "report.md").read_text()
    assert mark in cli("report", run.path).out
    assert mark in cli("score", run.path).out.replace("\N{NO-BREAK SPACE}", " ")
    frame = me.load_run(run.path).metrics()
    assert all(mark in marks for marks in frame[frame["task"] == "pope@demo"]["marks"])


# GPU-hours


def measured(folder: Path, device: str, seconds: float, tasks: int = 1) -> RunFolder:
    """A run whose every task took so long."""
    labels = ("pope@llava", "gqa@testdev")[:tasks]
    texts = {label: texts_of(label, [True, True, False, True]) for label in labels}
    return RunFolder(write_run(folder, texts, weights={"device": device}, seconds=seconds, timed=4, generated=4))


def test_hours_of_workers_by_hand(tmp_path: Path) -> None:
    run = measured(tmp_path / "run", "cpu", 999.0)
    run.note_workers(
        [
            worker(0, seconds=3600, busy=2700, waited=900),  # an hour of one, 0.75 of it computing
            worker(1, gpus=0.5, seconds=7200, busy=1800, waited=5400),  # an hour, 0.25 of it
            worker(2, gpus=2, seconds=1800, busy=1800),  # an hour, all of it
            worker(3, device="cpu", gpus=0, seconds=3600, busy=3600),
        ]
    )
    found = gpu_hours(run)
    assert found is not None
    assert (found.held, found.computing, found.unmeasured) == (3.0, 2.0, 0)
    assert found.text == "3.00, 66.7% of it computing"
    run.note_workers([worker(4)])
    again = gpu_hours(run)
    assert again is not None
    assert again.text == "at least 3.00, 66.7% of it computing, the time of 1 worker not noted"


def test_hours_without_workers(tmp_path: Path) -> None:
    assert gpu_hours(measured(tmp_path / "cpu", "cpu", 3600.0)) is None
    assert gpu_hours(measured(tmp_path / "mps", "mps", 3600.0)) is None
    assert gpu_hours(RunFolder(write_run(tmp_path / "server", {"pope@llava": ["yes"]}))) is None
    found = gpu_hours(measured(tmp_path / "gpu", H100, 2700.0, tasks=2))
    assert found is not None
    assert (found.held, found.computing) == (1.5, None)
    assert found.text == "1.50"
    workers = measured(tmp_path / "workers", "cpu", 3600.0)
    workers.note_workers([worker(0, device="cpu", gpus=0, seconds=3600, busy=3600)])
    assert gpu_hours(workers) is None


def test_reports_show_hours_where_there_are_any(tmp_path: Path) -> None:
    large = measured(tmp_path / "large", H100, 1800.0, tasks=2)
    small = measured(tmp_path / "small", "cpu", 5.0, tasks=2)
    several = measured(tmp_path / "several", H100, 5.0, tasks=2)
    several.note_workers([worker(0, seconds=1800, busy=900)])
    runs = [run.path for run in (large, small, several)]
    told = "GPU-hours: large 1.00; several 0.50, 50.0% of it computing."
    for form in ("md", "html"):
        assert told in me.report(runs, format=form)
    assert told.replace("%", r"\%") in me.report(runs, format="latex")
    assert {row["method"]: row.get("gpu_hours") for row in json_rows(me.report(runs, format="json"))} == {
        "large": {"held": 1.0, "computing": None, "unmeasured": 0},
        "small": None,
        "several": {"held": 0.5, "computing": 0.25, "unmeasured": 0},
    }
    lines = csv.DictReader(me.report(runs, format="csv").splitlines())
    cells = {(row["method"], row["gpu_hours"], row["gpu_hours_computing"]) for row in lines}
    assert cells == {("large", "1.0", ""), ("small", "", ""), ("several", "0.5", "0.25")}
    for form in ("md", "csv", "json", "latex"):
        assert not re.search("GPU-hours|gpu_hours", me.report([small.path], format=form))


def test_runs_of_one_row_add_up(tmp_path: Path) -> None:
    """Two runs of one model, of different tasks."""
    for name, label in (("first", "pope@llava"), ("second", "gqa@testdev")):
        told = {"weights": {"device": H100}, "seconds": 3600, "timed": 4}
        write_run(tmp_path / name, {label: texts_of(label, [True, False, True, True])}, model="m", **told)
    (row,) = json_rows(me.report([tmp_path / "first", tmp_path / "second"], format="json"))
    assert row["gpu_hours"]["held"] == 2.0


def test_the_report_of_a_run_and_its_page_name_the_workers(tmp_path: Path) -> None:
    run = measured(tmp_path / "run", H100, 5.0)
    run.note_workers([worker(0, seconds=3600, busy=1800), worker(1, node="n2", seconds=3600, busy=3600, ended="killed")])
    places = f"2: 1 on n1 ({H100}), 1 on n2 ({H100}); 1 ended early: killed"
    page = write_report(run).read_text()
    assert f"| workers | {places} |" in page
    assert "GPU-hours: 2.00, 75.0% of it computing." in page
    (shown,) = read_runs([run.path])
    made = dict(run_facts(shown).made)
    assert (made["workers"], made["GPU-hours"]) == (places, "2.00, 75.0% of it computing")
    (other,) = read_runs([measured(tmp_path / "other", "cpu", 5.0).path])
    assert not {"workers", "GPU-hours"} & dict(run_facts(other).made).keys()
