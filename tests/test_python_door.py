"""The Python door: what a researcher in a notebook calls, and that the command line is the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

import mipha_eval as me
from mipha_eval.core.data_source import DataSource
from mipha_eval.scoring.result_record import read_record
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl
from tests.judge_server import Say, judge_server

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> me.Run:
    return me.evaluate(
        "constant", "pope,mmbench,textvqa", data="demo", limit=30, output=tmp_path_factory.mktemp("runs"), progress=False
    )


def test_every_public_name_is_there() -> None:
    assert all(getattr(me, name) is not None for name in me.__all__)
    assert set(me.__all__) <= set(dir(me))
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        me.evaluat  # noqa: B018


def test_importing_it_is_light() -> None:
    """Nothing heavy comes in before it is needed, and a room called like a function does not hide it."""
    heavy = "{'torch', 'transformers', 'pandas', 'matplotlib', 'numpy', 'rich', 'typer', 'ray'}"
    code = f"import mipha_eval, sys; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    code = "import mipha_eval as me, mipha_eval.cli.app, mipha_eval.runs.run; me.evaluate; "
    code += "print(callable(me.report), callable(me.compare), callable(me.score))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "True True True\n"


def test_frames_are_what_is_stored(run: me.Run) -> None:
    for result in run:
        stored = read_json(run.path / result.task / "result.json")
        frame = result.metrics()
        assert dict(zip(frame.metric, frame.value, strict=True)) == stored["metrics"]
        assert frame[frame.headline].metric.tolist() == [stored["headline"]]
        assert all(f"LIMITED {stored['n']}" in marks for marks in frame.marks)
        for row in frame.itertuples():
            assert [row.low, row.high] == stored["intervals"].get(row.metric, [row.low, row.high])
        samples = result.samples()
        scores = {row["sample"]: row for row in read_jsonl(run.path / result.task / "scores.jsonl")}
        responses = {row["sample"]: row["text"] for row in read_jsonl(run.path / result.task / "responses.jsonl")}
        assert samples.id.tolist() == [row["id"] for row in read_jsonl(run.path / result.task / "samples.jsonl")]
        assert dict(zip(samples.id, samples.score, strict=True)) == {name: row["value"] for name, row in scores.items()}
        assert dict(zip(samples.id, samples.answer, strict=True)) == responses
        assert all(Path(image).is_file() for image in samples[samples.task == "pope@demo"].image)
    assert len(run.samples()) == sum(len(result.samples()) for result in run)


def test_a_stored_run_is_the_same(run: me.Run) -> None:
    loaded = me.load_run(run.path)
    assert (
        loaded.metrics()
        .sort_values(["task", "metric"], ignore_index=True)
        .equals(run.metrics().sort_values(["task", "metric"], ignore_index=True))
    )
    assert loaded["pope"].samples().equals(run["pope"].samples())
    assert [each.path for each in me.load_runs(run.path.parent)] == [run.path]
    with pytest.raises(KeyError, match="gqa"):
        run["gqa"]
    with pytest.raises(KeyError, match="there are f1"):
        run["pope"]["f2"]
    with pytest.raises(me.UserError, match="no run folder"):
        me.load_run(run.path.parent)


def test_failed_and_missing_answers_have_no_score(tmp_path: Path) -> None:
    calls: list[int] = []

    def model(images: list[Any], prompt: str) -> str:
        calls.append(len(images))
        if len(calls) % 2:
            raise RuntimeError("not today")
        return "Yes"

    run = me.evaluate(model, "pope", data="demo", limit=12, output=tmp_path, progress=False)
    assert not run.complete
    assert set(calls) == {1}
    samples = run["pope"].samples()
    failed = samples[samples.answer.isna()]
    assert 0 < len(failed) < len(samples)
    assert failed.score.isna().all()
    assert failed.right.isna().all()
    assert "not today" in next(iter(run["pope"].summary.failures))
    assert "FAILED" in run.metrics().marks[0]


def test_a_function_is_asked_anew_unless_told(tmp_path: Path) -> None:
    def ask(fresh: bool | None = None) -> me.Run:
        return me.evaluate(yes, "pope", data="demo", limit=6, output=tmp_path, progress=False, fresh=fresh)

    asked: list[str] = []

    def yes(images: list[Any], prompt: str) -> str:
        asked.append(prompt)
        return "Yes"

    first, second = ask(), ask()
    assert first.path != second.path
    before = len(asked)
    assert ask(fresh=False).path in (first.path, second.path)
    assert len(asked) == before


def test_answers_as_a_file_as_rows_and_as_texts(tmp_path: Path, run: me.Run, cli: Cli) -> None:
    rows = [{"question_id": int(row.id), "text": row.answer} for row in run["pope"].samples().itertuples()]
    file = write_jsonl(tmp_path / "answers.jsonl", rows)
    told = cli("score", "pope", "--answers", file, "--data", "demo", "--json").json
    for answers in (file, str(file), rows, {row["question_id"]: row["text"] for row in rows}):
        assert me.score("pope", answers, data="demo").summary == read_record(told, "what was printed")
    with pytest.raises(me.UserError, match="unknown option"):
        me.score("pope", file, data="demo", by_rule=True)


def test_objects_go_where_names_go(tmp_path: Path) -> None:
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_model, build_task
    from mipha_eval.data.parse_source import parse_source

    source = parse_source("demo", {})
    task = build_task("pope", {}, source, Registry())
    adapter = build_model("constant", {"answer": "No"}, Registry()).adapter
    run = me.evaluate(adapter, task, limit=6, output=tmp_path, progress=False)
    assert (
        run["pope"].metrics().value.tolist()
        == me.evaluate("constant", "pope", data="demo", answer="No", limit=6, output=tmp_path, progress=False)["pope"]
        .metrics()
        .value.tolist()
    )
    assert isinstance(source, DataSource)
    with pytest.raises(me.UserError, match="an object has its own"):
        me.evaluate(adapter, task, answer="Yes", output=tmp_path)
    other = build_task("mme", {}, parse_source(str(tmp_path), {}), Registry())
    with pytest.raises(me.UserError, match="one data source"):
        me.evaluate(adapter, [task, other], output=tmp_path, progress=False)


def test_a_comparison_in_frames(run: me.Run, tmp_path: Path, cli: Cli) -> None:
    other = me.evaluate("constant", "pope,mmbench", data="demo", answer="No", limit=30, output=tmp_path, progress=False)
    found = me.compare(run, other)
    told = cli("compare", run.path, other.path, "--json").json
    frame = found.metrics()
    rows = [row for pair in told["pairs"] for row in pair["differences"]]
    assert frame.difference.tolist() == [row["difference"] for row in rows]
    assert frame.corrected_p.tolist() == [row["corrected_p"] for row in rows]
    flips = found.samples()
    gained = {pair["task"]: pair["flips"]["gained"] for pair in told["pairs"]}
    assert {task: own.id.tolist() for task, own in flips[flips.change == "gained"].groupby("task")} == {
        task: ids for task, ids in gained.items() if ids
    }
    assert me.report([run.path, other.path], format="csv") == cli("report", run.path, other.path, "--format", "csv").out


def test_what_is_shown_is_short(run: me.Run) -> None:
    shown = repr(run).splitlines()
    assert str(run.path) in shown[0]
    assert [line.split()[2] for line in shown[1:]] == [f"{result.task}:" for result in run]
    assert all("DEMO LIMITED" in line for line in shown[1:])


def test_tables_in_a_notebook_escape_what_comes_from_outside(run: me.Run) -> None:
    answered: list[me.Run | me.Result] = [run, run["pope"]]
    assert all("<table" in each._repr_html_() for each in answered)
    summary = msgspec.structs.replace(run["pope"].summary, task="<script>alert(1)</script>")
    assert "<script>" not in me.Result(summary, run["pope"].read)._repr_html_()


def in_folder(code: str, folder: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_on_python_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 4
    out = in_folder("\n".join(blocks), tmp_path)
    assert "LIMITED" in out
    assert r"\begin{tabular}" in out


def test_the_example_runs(tmp_path: Path) -> None:
    code = (ROOT / "examples/first_steps.py").read_text(encoding="utf-8")
    lines = [line for line in code.split('"""')[2].splitlines() if line.strip()]
    assert len(lines) < 20
    in_folder(code, tmp_path)
    assert (tmp_path / "scores.png").stat().st_size > 1000


def test_progress_in_a_notebook_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setattr("mipha_eval.engine.progress.lines.SECONDS_IN_NOTEBOOK", 0.001)
    me.evaluate("constant", "pope", data="demo", limit=90, output=tmp_path, batch_size=10)
    told = capsys.readouterr().err
    assert re.search(r"\rpope@demo \d+/90(, f1 [\d.]+ \([\d.]+ to [\d.]+\))?, [\d.]+/s, \d:\d\d left", told)
    assert told.count("\r") > 2
    assert told.rpartition("\r")[0].rpartition("\r")[2].strip() == ""  # nothing is left of it
    assert "\n" not in told


def test_every_option_can_be_given(tmp_path: Path) -> None:
    """Those called as a parameter of the function, too: a served model's own name, for one."""
    import inspect

    from mipha_eval.core.options import option_fields
    from mipha_eval.core.plugins.registry import Registry

    taken = inspect.signature(me.evaluate).parameters.keys()
    registry, reached = Registry(), set()
    for name in registry.names("model_adapters"):
        reached |= {(name, key) for key in option_fields(registry.load("model_adapters", name)[0]) if key in taken}
    assert ("openai-api", "model") in reached
    asked: dict[str, Any] = {"data": "demo", "output": tmp_path, "progress": False}
    with judge_server(lambda prompt, before: Say("Yes", model="m")) as server:
        where = {"model": "m", "base_url": server.url}
        run = me.evaluate("openai-api", "pope", limit=5, options=where, **asked)
        assert {request["model"] for request in server.requests} == {"m"}
        mixed = me.evaluate("openai-api", "pope", limit=5, options={"model": "m"}, base_url=server.url, **asked)
        assert mixed.path == run.path
        assert len(server.requests) == 5
    with pytest.raises(me.UserError, match="option base_url is given twice"):
        me.evaluate("openai-api", "pope", options=where, base_url=server.url, **asked)
    with pytest.raises(me.UserError, match="colour"):
        me.evaluate("constant", "pope", options={"colour": "red"}, **asked)


def test_options_of_tasks_in_either_form(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"data": "demo", "output": tmp_path, "progress": False, "limit": 5}
    one = me.evaluate("constant", "mmvet", options={"answer": "1", "mmvet.by_rule": True}, **asked)
    other = me.evaluate("constant", "mmvet", answer="1", **{"mmvet.by_rule": True, **asked})
    assert one.path == other.path
    rows = [{"question_id": row.id, "text": "1"} for row in one["mmvet"].samples().itertuples()]
    scored = [me.score("mmvet", rows, data="demo", **more) for more in ({"options": {"by_rule": True}}, {"by_rule": True})]
    assert scored[0].summary.metrics == scored[1].summary.metrics != {}
