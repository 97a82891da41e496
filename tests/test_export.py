"""A run in other suites' files: their own code reads every answer back, and nothing is replaced or left out unsaid."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import random
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from mipha_eval.cli.export import SuiteName
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample
from mipha_eval.data.suite_files.inspect_log import read_inspect
from mipha_eval.data.suite_files.stored import StoredFile
from mipha_eval.judge.stored_task import read_stored_tasks
from mipha_eval.runs.evaluate import evaluate
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.suites.export import ExportSettings, export_run
from mipha_eval.suites.write import vlmevalkit
from mipha_eval.suites.write.answered import AnsweredTask, RunFacts
from mipha_eval.suites.write.inspect_log import sample_name
from mipha_eval.suites.write.suites import SUITES, find_suite
from tests.conftest import Cli, read_json, read_jsonl
from tests.page_runs import Made, make_run
from tests.suite_environment import VLMEVALKIT, read_by_suite, suite_python
from tests.suite_readers import shown

TASKS = ("pope", "mme", "mmbench", "gqa", "scienceqa", "seed", "textvqa", "vizwiz", "vqav2", "mmvet", "coco-cap", "nocaps")
BROKEN = "the picture is broken"
#: what answers are like: their reading must not change on the way
UGLY = (
    "Yes, as far as I can see.",
    " no ",
    "=1+1",
    "<think>a thought</think>B",
    "Ja, ü 图 🙂",
    "two\nlines",
    'a "word"',
    "A. cat",
)


def ugly_answers(task: Task, sample: Sample, chance: random.Random) -> Mapping[str, Any]:
    """Right ones, odd ones, and a few failures."""
    draw = chance.random()
    if draw < 0.03:
        return {"text": "", "finish": "error", "error": BROKEN}
    if draw < 0.5 and sample.target:
        return {"text": sample.target[0], "tokens": 3}
    return {"text": chance.choice(UGLY), "tokens": 128, "finish": "length"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the demo of every benchmark."""
    return make_run(tmp_path_factory.mktemp("export"), Made(TASKS, 7), ugly_answers)


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python of the suites' own environment."""
    return suite_python()


@functools.cache
def texts(run: Path, label: str) -> Mapping[str, str]:
    """Sample id -> answer, those that failed left out; read without what is tested."""
    stored = RunFolder(run).task(label).responses()
    return {name: entry.response.text for name, entry in stored.items() if not entry.response.error}


@functools.cache
def samples(run: Path, label: str) -> Sequence[Sample]:
    return RunFolder(run).task(label).samples()


def failures(run: Path, label: str) -> int:
    return len(samples(run, label)) - len(texts(run, label))


def export(run: Path, suite: str, folder: Path, *tasks: str) -> list[Path]:
    return list(export_run(ExportSettings(run, suite, folder, tasks)).files)


def test_every_suite_has_a_name_for_the_command_line() -> None:
    assert {each.value for each in SuiteName} == set(SUITES)


def test_the_answers_have_failures_and_oddities(run: Path) -> None:
    """Else the tests below show little."""
    assert all(failures(run, label) for label in ("pope@demo", "mme@demo", "gqa@demo"))
    assert set(UGLY) <= set(texts(run, "pope@demo").values())


# lmms-eval


def documents(run: Path) -> dict[str, dict[str, Any]]:
    """lmms-eval's task -> place -> the row that its data set would have."""
    rows: dict[str, dict[str, Any]] = {}
    for task, label in LMMS_RULES.items():
        rows[task] = {str(place): DOCUMENTS[task](sample) for place, sample in enumerate(samples(run, label))}
    return rows


LMMS_RULES = {
    "pope": "pope@demo",
    "mme": "mme@demo",
    "scienceqa": "scienceqa@demo",
    "seedbench": "seed@demo",
    "textvqa_val": "textvqa@demo",
    "vizwiz_vqa_val": "vizwiz@demo",
}
DOCUMENTS: Mapping[str, Any] = {
    "pope": lambda one: {"answer": one.target[0], "question_id": str(one.question_id % 10_000_000)},
    "mme": lambda one: {"answer": one.target[0], "question_id": one.question_id, "category": one.category},
    "scienceqa": lambda one: {"choices": one.choices, "answer": "ABCDE".index(one.target[0])},
    "seedbench": lambda one: {"answer": one.target[0], "data_type": one.category, "question_id": one.question_id},
    "textvqa_val": lambda one: {"answers": list(one.target), "question_id": int(one.id)},
    "vizwiz_vqa_val": lambda one: {
        "answers": list(one.target),
        "question_id": one.images[0].name.rpartition(".")[0],
    },
}


def test_lmms_eval_reads_every_answer_and_makes_the_same_of_it(run: Path, python: Path, tmp_path: Path) -> None:
    """By its own loader of logs, and by the rules of its tasks for the same answers and documents."""
    files = export(run, "lmms-eval", tmp_path, *LMMS_RULES.values())
    docs = tmp_path / "documents.json"
    docs.write_text(json.dumps(documents(run)))
    logs = [file for file in files if "_samples_" in file.name]
    found = read_by_suite(python, "lmms-eval", [*logs, docs])
    assert found.keys() == LMMS_RULES.keys()
    for task, label in LMMS_RULES.items():
        own = found[task]
        rows = read_jsonl(next(file for file in logs if file.stem.endswith(f"_samples_{task}")))
        wanted = [text for sample in samples(run, label) if (text := texts(run, label).get(sample.id)) is not None]
        assert own["answers"] == wanted
        assert own["results"]["results"].keys() == LMMS_RULES.keys()
        assert [{key: row[key] for key in made} for row, made in zip(rows, own["made"], strict=True)] == own["made"]
    assert found["pope"]["scores"]


def test_lines_of_lmms_eval(run: Path, tmp_path: Path) -> None:
    """As its 0.7.3 writes them for its own pope, key by key."""
    files = export(run, "lmms-eval", tmp_path, "pope", "mmbench", "gqa", "coco-cap", "mmvet")
    by_name = {file.stem.partition("_samples_")[2]: file for file in files if "_samples_" in file.name}
    assert by_name.keys() == {"pope", "mmbench_en_dev", "gqa", "coco2017_cap_val", "mmvet"}
    row = read_jsonl(by_name["pope"])[0]
    metrics = [f"pope_{name}" for name in ("accuracy", "precision", "recall", "f1_score", "yes_ratio")]
    begin = ["doc_id", "target", "filtered_resps", "token_counts", "doc_hash"]
    assert list(row) == [*begin, *metrics, "input"]
    assert row["input"] == samples(run, "pope@demo")[row["doc_id"]].prompt
    for label, task in (("gqa@demo", "gqa"), ("coco-cap@demo", "coco2017_cap_val"), ("mmbench@demo", "mmbench_en_dev")):
        asked = samples(run, label)
        assert {asked[row["doc_id"]].id: row["filtered_resps"] for row in read_jsonl(by_name[task])} == texts(run, label)
    judged = read_jsonl(by_name["mmbench_en_dev"])[0]["gpt_eval_score"]
    assert {"index", "question", "answer", "prediction", "category", "L2-category", *"ABCDE"} <= judged.keys()


def test_results_of_lmms_eval_say_whose_they_are(run: Path, tmp_path: Path) -> None:
    (file,) = [file for file in export(run, "lmms-eval", tmp_path, "pope") if file.name.endswith("_results.json")]
    results = read_json(file)
    own = RunFolder(run).task("pope@demo").results()[0]
    assert results["results"]["pope"] == {
        "alias": "pope",
        **{f"{key},mipha-eval": value for key, value in own.metrics.items()},
    }
    assert results["configs"]["pope"]["metadata"]["marks"][0] == "DEMO"
    assert results["n-samples"]["pope"] == {"original": own.total, "effective": own.total}
    assert file.parent.name == results["model_name_sanitized"]
    assert file.parent.name.endswith("-demo")


# Inspect


def test_inspect_reads_every_answer(run: Path, python: Path, tmp_path: Path) -> None:
    """By ``inspect_ai.log.read_eval_log``: answers, errors, scores, metrics, and the list that its viewer shows."""
    files = export(run, "inspect", tmp_path)
    found = read_by_suite(python, "inspect", files)
    stored = {each.label: each for each in read_stored_tasks(run, Registry())}
    assert found.keys() == stored.keys()
    for label, log in found.items():
        assert log["answers"] == log["messages"] == texts(run, label)
        assert set(log["errors"].values()) <= {BROKEN}
        assert len(log["errors"]) == failures(run, label)
        assert log["metrics"] == stored[label].summary.metrics
        assert log["values"] == {each.sample: each.value for each in stored[label].scores if each.rule != "not-judged"}
        assert sorted(log["summaries"]) == sorted(sample.id for sample in samples(run, label))
        assert "DEMO" in log["tags"]
    assert found["pope@demo"]["images"][0].startswith("data:image/")
    assert isinstance(found["vizwiz@demo"]["targets"]["0"], list)


def test_logs_are_read_alike_with_and_without_inspect(run: Path, python: Path, tmp_path: Path) -> None:
    """Whole ones by Inspect's library and by ours, and those that Inspect has put into pieces, packed with Zstandard."""
    files = export(run, "inspect", tmp_path, "pope", "scienceqa", "vizwiz")
    found = read_by_suite(python, "inspect again", files, PYTHONPATH=str(Path(__file__).parents[1]))
    for file in files:
        own = found[str(file)]
        for path in (file, Path(own["pieces"])):
            given = read_inspect(StoredFile(path))
            assert given is not None
            assert by_id(map(shown, given.answers)) == by_id({**each, "part": str(path)} for each in own["answers"])


def by_id(answers: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(answers, key=lambda answer: answer["id"])


def test_logs_of_inspect_are_the_same_again(run: Path, tmp_path: Path) -> None:
    first, again = (export(run, "inspect", tmp_path / name, "pope")[0] for name in ("a", "b"))
    assert first.read_bytes() == again.read_bytes()


def test_ids_lead_nowhere_in_a_log() -> None:
    """Ids of somebody's table are names in a zip."""
    asked = [Sample(name, "?", ("a",), (), name) for name in ("../../up", "/etc/passwd", "a/b", "..\\up")]
    assert [sample_name(place, one) for place, one in enumerate(asked)] == ["question 0", "question 1", "a/b", "question 3"]


# VLMEvalKit


def table(file: Path) -> list[dict[str, Any]]:
    """Rows of a sheet, read without pandas."""
    head, *rows = load_workbook(io.BytesIO(file.read_bytes()))["Sheet1"].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def test_tables_of_vlmevalkit_hold_every_answer(run: Path, tmp_path: Path) -> None:
    """Also those that look like formulas; failures stand as VLMEvalKit writes them."""
    files = {file.stem.partition("-demo_")[2]: file for file in export(run, "vlmevalkit", tmp_path)}
    wanted = {"POPE", "MME", "MMBench_DEV_EN", "GQA_TestDev_Balanced", "ScienceQA_TEST", "SEEDBench_IMG", "TextVQA_VAL"}
    assert files.keys() == {*wanted, "VizWiz", "MMVet", "COCO_VAL"}
    for name, label in (("MME", "mme@demo"), ("GQA_TestDev_Balanced", "gqa@demo"), ("COCO_VAL", "coco-cap@demo")):
        asked = samples(run, label)
        rows = table(files[name])
        said = {asked[row["index"]].id: row["prediction"] for row in rows}
        failed = {key for key, text in said.items() if text == f"Failed to obtain answer: {BROKEN}"}
        assert len(rows) == len(asked)
        assert {key: text for key, text in said.items() if key not in failed} == texts(run, label)
    bench = {str(row["index"]): row["prediction"] for row in table(files["MMBench_DEV_EN"])}
    assert texts(run, "mmbench@demo").items() <= bench.items()
    assert all(str(row["index"]).startswith("scienceqa-") for row in table(files["ScienceQA_TEST"]))


def test_pope_of_vlmevalkit_has_each_pair_once(run: Path, tmp_path: Path) -> None:
    """A row a picture, question and answer; spread over its categories it is the run again."""
    (file,) = export(run, "vlmevalkit", tmp_path, "pope")
    spread = sorted(
        (row["image_path"], row["question"], category, row["prediction"])
        for row in table(file)
        for category in row["category"].split(",")
    )
    given = texts(run, "pope@demo")
    asked = samples(run, "pope@demo")
    assert spread == sorted(
        (
            one.images[0].name,
            one.prompt.split("\n")[0],
            one.category,
            given.get(one.id, f"Failed to obtain answer: {BROKEN}"),
        )
        for one in asked
    )
    assert {row["answer"] for row in table(file)} == {"Yes", "No"}


def test_a_text_that_no_sheet_holds_makes_a_text_table() -> None:
    image = Image("a.png", "a.png", bytes)
    asked = [Sample(str(place), f"What is {place}?", ("a",), (image,), place) for place in range(3)]
    said = {"0": "bell \x07", "1": 'a "word"\tand\nmore', "2": "x" * 40_000}
    task = AnsweredTask("gqa@testdev", "gqa", "testdev", asked, {name: Response(text) for name, text in said.items()})
    (written,) = vlmevalkit.write(RunFacts("m", "m"), [task])
    assert written.files[0].path == "m/m_GQA_TestDev_Balanced.tsv"
    assert "row 1 has a text that no sheet can hold" in written.notes[0]
    rows = csv.DictReader(io.StringIO(written.files[0].content.decode(), newline=""), delimiter="\t")
    assert [row["prediction"] for row in rows] == list(said.values())


@pytest.fixture
def real(benchmarks: Path, llava_answers: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a run of LLaVA-1.5-13B's own answers to a benchmark."""

    def make(task: str) -> Path:
        path = llava_answers / f"{task if task != 'mmbench' else 'mmbench_dev'}.jsonl"
        return evaluate(
            "answers-file", [task], data=str(benchmarks), output=tmp_path / "runs", progress=False, path=path
        ).path

    return make


def vlmevalkit_finds(python: Path, files: Sequence[Path]) -> Any:
    """What its own code makes of tables; skips the test without a checkout, since it is no package of PyPI's."""
    root = os.environ.get(VLMEVALKIT, "")
    if not Path(root, "vlmeval").is_dir():
        pytest.skip(f"VLMEvalKit is not here (set {VLMEVALKIT} to a checkout)")
    return read_by_suite(python, "vlmevalkit", files)


def test_vlmevalkit_scores_its_mmbench(real: Callable[[str], Path], python: Path, tmp_path: Path) -> None:
    """By its circular evaluation without a judge: LLaVA-1.5-13B's published 67.7, and every answer."""
    run = real("mmbench")
    found = vlmevalkit_finds(python, export(run, "vlmevalkit", tmp_path / "out"))["MMBench_DEV_EN"]
    own = RunFolder(run).task("mmbench@dev").results()[0].metrics["accuracy"]
    assert 100 * found["score"][0]["Overall"] == pytest.approx(own)
    assert round(own, 1) == 67.7
    given = texts(run, "mmbench@dev")
    assert dict(zip(found["index"], found["prediction"], strict=True)) == given


def test_vlmevalkit_scores_its_pope(real: Callable[[str], Path], python: Path, tmp_path: Path) -> None:
    """Each category's F1 is the benchmark's: these answers are plain yes and no, which all rules read alike."""
    run = real("pope")
    found = vlmevalkit_finds(python, export(run, "vlmevalkit", tmp_path / "out"))["POPE"]
    own = RunFolder(run).task("pope@llava").results()[0].metrics
    for row in found["score"]:
        if row["split"] != "Overall":
            assert row["Overall"] == pytest.approx(own[f"{row['split']}/f1"])
            assert row["acc"] == pytest.approx(own[f"{row['split']}/accuracy"])
    assert len(found["prediction"]) < len(texts(run, "pope@llava"))


def test_vlmevalkit_scores_its_mme(real: Callable[[str], Path], python: Path, tmp_path: Path) -> None:
    run = real("mme")
    found = vlmevalkit_finds(python, export(run, "vlmevalkit", tmp_path / "out"))["MME"]
    own = RunFolder(run).task("mme@llava").results()[0].metrics
    assert found["score"][0]["perception"] == pytest.approx(own["perception"])
    assert found["score"][0]["reasoning"] == pytest.approx(own["cognition"])


# LLaVA


def test_answer_files_of_llava_are_read_again(run: Path, cli: Cli, tmp_path: Path) -> None:
    """Where its scripts look for them; scored, they are worth what the run's own answers are."""
    files = {file.relative_to(tmp_path).as_posix(): file for file in export(run, "llava", tmp_path)}
    name = next(path for path in files if path.startswith("pope/")).split("/")[2].removesuffix(".jsonl")
    for place, label in (("pope", "pope"), ("MME", "mme"), ("scienceqa", "scienceqa"), ("mm-vet", "mmvet")):
        file = files[f"{place}/answers/{name}.jsonl"]
        assert [row["text"] for row in read_jsonl(file)] == [
            text for one in samples(run, f"{label}@demo") if (text := texts(run, f"{label}@demo").get(one.id)) is not None
        ]
    row = read_jsonl(files[f"pope/answers/{name}.jsonl"])[0]
    assert list(row) == ["question_id", "prompt", "text", "answer_id", "model_id", "metadata"]
    scored = cli("score", "pope", "--answers", files[f"pope/answers/{name}.jsonl"], "--data", "demo", "--json")
    assert scored.json["metrics"] == pytest.approx(RunFolder(run).task("pope@demo").results()[0].metrics)
    shown = [row["prompt"].startswith("<image>\n") for row in read_jsonl(files[f"scienceqa/answers/{name}.jsonl"])]
    given = texts(run, "scienceqa@demo")
    assert shown == [bool(one.images) for one in samples(run, "scienceqa@demo") if one.id in given]


# EvalScope


def test_evalscope_reads_every_answer(run: Path, python: Path, tmp_path: Path) -> None:
    """By the records of its cache: a prediction a question, and of POPE what its rule makes of it."""
    files = export(run, "evalscope", tmp_path, "pope", "scienceqa", "vqav2")
    found = read_by_suite(python, "evalscope", files)
    predictions = {name: rows for name, rows in found.items() if "/predictions/" in name}
    for label, begin in (("scienceqa@demo", "science_qa"), ("vqav2@demo", "vqav2")):
        asked = samples(run, label)
        (rows,) = [rows for name, rows in predictions.items() if Path(name).name == f"{begin}_default.jsonl"]
        assert {asked[int(place)].id: text for place, text in rows.items()} == texts(run, label)
    given = texts(run, "pope@demo")
    for category in ("random", "popular", "adversarial"):
        every = [one for one in samples(run, "pope@demo") if one.category == category]
        placed = {str(int(str(one.question_id)) % 10_000_000 - 1): one for one in every}
        (said,) = [rows for name, rows in predictions.items() if name.endswith(f"/pope_{category}.jsonl")]
        assert {placed[place].id: text for place, text in said.items()} == {
            one.id: given[one.id] for one in every if one.id in given
        }
        (read,) = [rows for name, rows in found.items() if "/reviews/" in name and name.endswith(f"pope_{category}.jsonl")]
        assert read == {place: int(placed[place].target[0].upper() in text.upper()) for place, text in said.items()}


def official(name: str, protocol: str, count: int, **more: Any) -> AnsweredTask:
    """A task as a run on a benchmark has it, with questions that none of it are."""
    asked = [Sample(str(place), "Is it?", ("yes",), (), place + 1, "random") for place in range(count)]
    return AnsweredTask(f"{name}@{protocol}", name, protocol, asked, {}, **more)


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (official("mmbench", "dev", 3, total=4377), "later release"),
        (official("gqa", "testdev", 3, total=12578), "no benchmark"),
        (official("scienceqa", "llava", 3, total=4241, limited=True), "drawn"),
        (official("vqav2", "val", 3, total=3), "214,354"),
        (official("pope", "official", 3, total=9000, variation="politely"), "no benchmark"),
    ],
)
def test_evalscope_takes_no_set_of_others(task: AnsweredTask, why: str) -> None:
    """It would put the answers beside its own questions."""
    assert why in find_suite("evalscope").refusal(task)


def test_evalscope_has_other_random_questions() -> None:
    (written,) = find_suite("evalscope").write(RunFacts("m", "m"), [official("pope", "llava", 4, total=8910)])
    assert not written.files
    assert any("left out the 4 questions of random" in note for note in written.notes)


# all of them


def test_failures_are_counted(run: Path, tmp_path: Path) -> None:
    failed = failures(run, "pope@demo")
    for suite in ("lmms-eval", "llava", "evalscope"):
        notes = export_run(ExportSettings(run, suite, tmp_path, ("pope",))).notes
        assert any(f"pope@demo: left out {failed:,} failed of" in note for note in notes)


def test_what_a_suite_lacks_is_named_and_the_rest_is_written(run: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("export", run, "--to", "llava", "-o", tmp_path)
    assert done.code == 3
    refused = [line for line in done.err.splitlines() if "not written" in line]
    assert sorted(line.split(":")[0].split()[-1] for line in refused) == [
        "coco-cap@demo",
        "nocaps@demo",
        "vizwiz@demo",
        "vqav2@demo",
    ]
    assert all(Path(line).is_file() for line in done.out.splitlines())


def test_nothing_is_replaced_unasked(run: Path, cli: Cli, tmp_path: Path) -> None:
    first = cli("export", run, "--to", "inspect", "--tasks", "pope", "-o", tmp_path)
    assert first.code == 0
    (file,) = map(Path, first.out.splitlines())
    file.write_text("somebody's")
    again = cli("export", run, "--to", "inspect", "--tasks", "pope", "-o", tmp_path)
    assert (again.code, file.read_text()) == (2, "somebody's")
    assert "is there already" in again.err
    assert "--force" in again.err
    assert cli("export", run, "--to", "inspect", "--tasks", "pope", "-o", tmp_path, "--force").code == 0
    assert zipfile.is_zipfile(file)


def test_the_default_folder_is_in_the_run(run: Path, cli: Cli) -> None:
    done = cli("export", run, "--to", "evalscope", "--tasks", "scienceqa@demo", "--json")
    assert done.json["folder"] == str(run / "export" / "evalscope")
    assert [Path(name).relative_to(run / "export/evalscope").parts[0] for name in done.json["files"]] == ["predictions"]
    assert RunFolder(run).tasks() == sorted(f"{name}@demo" for name in TASKS)


@pytest.mark.parametrize(
    ("suite", "tasks", "message"),
    [
        ("llava", ["coco-cap"], "LLaVA has no form for any task"),
        ("llava", ["coco"], "has no result of coco; there are"),
        ("swift", [], "no suite is called 'swift'; there are lmms-eval"),
    ],
)
def test_mistakes_are_one_line(run: Path, tmp_path: Path, suite: str, tasks: Sequence[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        export_run(ExportSettings(run, suite, tmp_path, tasks))
    assert not list(tmp_path.iterdir())


def test_two_protocols_that_are_one_task_there(tmp_path: Path) -> None:
    both = make_run(tmp_path, Made(("textvqa", "textvqa@plain"), 3), ugly_answers)
    with pytest.raises(UserError, match="one task for"):
        export_run(ExportSettings(both, "vlmevalkit", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_limited_blind_run_says_so(tmp_path: Path) -> None:
    folder = make_run(tmp_path, Made(("pope",), 3, limit=20, blind=True), ugly_answers)
    (log,) = export(folder, "inspect", tmp_path / "out")
    assert log.parent.name.endswith("-demo-blind-limited")
    with zipfile.ZipFile(log) as file:
        header = json.loads(file.read("header.json"))
    assert header["eval"]["config"]["limit"] == len(samples(folder, "pope@demo"))
    assert any(tag.startswith("LIMITED") for tag in header["eval"]["tags"])
    assert "BLIND" in header["eval"]["tags"]


def test_pictures_are_embedded_while_they_are_small(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mipha_eval.suites.export.SMALL_PICTURE", 10)
    (log,) = export(run, "inspect", tmp_path, "pope")
    with zipfile.ZipFile(log) as file:
        first = json.loads(file.read(next(name for name in file.namelist() if name.startswith("samples/"))))
    assert first["input"][0]["content"][0]["image"] == samples(run, "pope@demo")[0].images[0].location
