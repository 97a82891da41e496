"""Bad input is one line that names the thing, exit code 2 (3 when a run ends with failed samples), never a traceback."""

from __future__ import annotations

import itertools
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
import typer
from safetensors.torch import load_file, save_file
from typer.exceptions import TyperException

from mipha_eval.cli.usage import usage_line
from mipha_eval.core.errors import UserError
from mipha_eval.demo.files import demo_folder
from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl


def assert_refused(outcome: Outcome, *words: str) -> None:
    assert outcome.code == 2, outcome.err
    assert outcome.err.startswith("error: ")
    assert len(outcome.err.strip().splitlines()) == 1
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    for word in words:
        assert word in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--tasks", "pop"], ["'pop'", "did you mean pope", "(--tasks)"]),
        (["--tasks", "mne"], ["'mne'", "did you mean mme"]),
        (["run", "--tasks", "pope@offical"], ["'offical'", "official"]),
        (["run", "--tasks", "pope", "--model", "mipa"], ["'mipa'", "mipha", "(--model)"]),
        (["run", "--tasks", "pope", "-a", "pth=x"], ["'pth'", "path", "revision", "dtype", "(-a)"]),
        (["run", "--tasks", "pope", "-a", "path"], ["key=value", "(-a)"]),
        (["run", "--tasks", "pope", "-a", "mme.x=1"], ["mme.x"]),
        (["run", "--tasks", "pope", "-a", "pope.shots=1"], ["'shots'", "pope has none, and every benchmark format", "(-a)"]),
        (["run", "--tasks", "pope", "-a", "pope.promt=1"], ["'promt'", "did you mean prompt", "(-a)"]),
        (["run", "--tasks", "pope", "--model", "mipha"], ["path"]),
        (["run", "--tasks", "pope", "--data", "nowhere"], ["nowhere", "no such folder"]),
        (["run", "--tasks", "pope", "--batch-size", "some"], ["--batch-size", "auto"]),
        (["run", "--tasks", "pope", "--image-dir", "pope=nowhere"], ["--image-dir"]),
        (["run", "--tasks", "pope", "--device", "abacus"], ["abacus", "(--device)"]),
        (["run", "--tasks", "pope", "--device", "cuda:99"], ["cuda:99"]),
        (["run", "--tasks", "pope", "--dtype", "int3"], ["int3", "bfloat16", "(--dtype)"]),
        (["run", "--tasks", "pope", "--plugin", "missing.py"], ["missing.py"]),
        (["run", "--tasks", "pope", "--data", "demo", "--model", "mipha", "-a", "path=./nowhere"], ["./nowhere"]),
        (["score", "pope", "--answers", "nowhere.jsonl", "--data", "demo"], ["nowhere.jsonl"]),
        (["score", "nowhere"], ["nowhere", "--answers"]),
        (["score", "pope@demo", "--answers", __file__, "--data", "."], ["--data demo"]),
        (["show", "task", "popee"], ["popee", "pope"]),
        (["show", "model", "constan"], ["constant"]),
    ],
)
def test_command_lines(arguments: list[str], words: list[str], cli: Cli, tmp_path: Path) -> None:
    output = ["--output", str(tmp_path)] if "run" in arguments or arguments[0].startswith("-") else []
    assert_refused(cli(*arguments, *output), *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--limit", "0.1"], ["--limit", "a whole number", "mipha-eval run --help"]),
        (["run", "--limit", "0"], ["--limit", "1 or more"]),
        (["run", "--task", "pope"], ["--task;", "did you mean --tasks?"]),
        (["run", "--tasks"], ["--tasks needs a value"]),
        (["run", "pope"], ["pope is neither a file nor the folder of a run", "(--tasks)"]),
        (["run", "--control", "blnd"], ["--control", "did you mean blind?", "mean-image"]),
        (["rnu", "--tasks", "pope"], ["rnu", "did you mean run?"]),
        (["xyzzy"], ["no verb xyzzy", "there are run, predict"]),
        (["new", "tsk"], ["did you mean task?", "mipha-eval new --help"]),
        (["score"], ["TARGET is missing", "the folder of a run"]),
        (["predict"], ["--questions is missing"]),
        (["show", "task"], ["NAME is missing"]),
        (["list", "modls"], ["'modls'", "did you mean models?", "judges"]),
        (["export", "x", "--to", "lmm"], ["--to", "did you mean lmms-eval?", "evalscope"]),
        (
            ["run", "--model", "hf-chat", "-a", "path=.", "-a", "new_tokens=3"],
            ["did you mean", "max_new_tokens", "num_beams"],
        ),
        (["run", "--model", "/nowhere", "--data", "/"], ["/nowhere", "no such checkpoint folder"]),
        (["run", "--model", "/", "-a", "path=x"], ["option path names another"]),
        (["run", "--tasks", "pope", "--model", "mipha", "-a", "path=/nowhere", "--data", "/"], ["/nowhere does not exist"]),
        (["score", "pope", "--answers", "nowhere.jsonl"], ["--answers", "'nowhere.jsonl' does not exist"]),
        (["run", "--tasks", "mmvet", "--data", "demo", "--grades", "nowhere.json"], ["--grades", "'nowhere.json' does not"]),
        (["run", "--models", "nowhere.toml"], ["--models", "'nowhere.toml' does not exist"]),
        (["run", "--tasks", "pope", "--model", "answers-file", "-a", "path=no.jsonl", "--data", "/"], ["no.jsonl"]),
        (["submit", "mmbench", "--answers", __file__, "-o", "y.tsv"], ["mmbench@test", "mmbench@dev", "name one"]),
        (["submit", "mmbench@cn-dev", "--answers", __file__, "-o", "y.tsv", "--data", "/"], ["labels", "public", "--dev"]),
        (["report", "/"], ["/ is no run folder"]),
        (["report", "--format"], ["--format needs a value; see mipha-eval report --help"]),
        (["judge", "calibrate", "--grades"], ["--grades needs a value; see mipha-eval judge calibrate --help"]),
        (["compare", "a", "b", "--alpha", "2"], ["between 0 and 1 (--alpha)"]),
        (["convert", "x", "-o", "y", "--to", "safetensor"], ["did you mean safetensors?", "transformers", "(--to)"]),
        (
            ["judge", "serve-check", "--judg", "x"],
            ["no flag --judg;", "did you mean --judge? see mipha-eval judge serve-check"],
        ),
        (["inspect", "/nowhere", "--dgest"], ["did you mean --digest?"]),
    ],
)
def test_slips_on_the_command_line(arguments: list[str], words: list[str], cli: Cli) -> None:
    assert_refused(cli(*arguments), *words)


def test_a_value_from_the_environment_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()

    @app.command()
    def verb(count: Annotated[int, typer.Option("--count", envvar="SOME_COUNT")] = 1) -> None: ...

    command = typer.main.get_command(app)
    monkeypatch.setenv("SOME_COUNT", "many")
    with pytest.raises(TyperException) as caught:
        command.main([], "mipha-eval", standalone_mode=False)
    assert "--count (environment variable SOME_COUNT): expected a whole number" in usage_line(caught.value)


def test_a_folder_of_runs_says_how_many_it_holds(cli: Cli, tmp_path: Path) -> None:
    """The same words of verbs that take runs, and what to do instead."""
    folder = tmp_path / "runs"
    for name in "ab":
        (folder / name).mkdir(parents=True)
        (folder / name / "manifest.json").write_text("{}")
    for verb in ("report", "view"):
        assert_refused(cli(verb, folder), "is no run folder", f"it holds 2 runs: name some, or all as {folder}/*/ (")
        assert_refused(cli(verb, tmp_path), "is no run folder", f"2 runs: name some, or all as {tmp_path}/*/*/ (")


def test_a_file_of_an_unknown_form_says_where_forms_are_shown(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"a": 1}')
    outcome = cli("score", "pope", "--answers", tmp_path / "mine.json", "--data", "demo")
    assert_refused(outcome, "answer 1 has no 'question_id'", "docs/answers.md")


def test_a_checkpoint_folder_is_the_model_that_runs_it(checkpoint: Path, tmp_path: Path) -> None:
    """The same model as by its name, so that a run is found again either way; of what nobody knows there is a line."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.runs.model_by_name import model_by_name

    short = model_by_name(str(checkpoint), {"dtype": "float32"}, Registry())
    long = model_by_name("mipha", {"path": str(checkpoint), "dtype": "float32"}, Registry())
    assert short == long
    for kind, name in (("llava", "hf-chat"), ("phi", "hf-text"), ("llava_phi", "llava")):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
        assert model_by_name(str(tmp_path), {}, Registry()).name == name
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "never_heard_of"}))
    with pytest.raises(UserError, match="type never_heard_of; name one"):
        model_by_name(str(tmp_path), {}, Registry())
    (tmp_path / "config.json").rename(tmp_path / "adapter_config.json")
    with pytest.raises(UserError, match="an adapter of a model"):
        model_by_name(str(tmp_path), {}, Registry())


def test_a_missing_data_set_leaves_its_task_out(cli: Cli, demo: Path, tmp_path: Path) -> None:
    """The others run; the run can be shown and scored again, and its report tells why the task has no result."""
    shutil.rmtree(demo / "mm-vet")
    arguments = ["run", "--model", "constant", "--data", demo, "--limit", 4, "--output", tmp_path / "runs", "--tasks"]
    outcome = cli(*arguments, "mmvet,mme", "--json")
    assert outcome.code == 3
    assert "left out mmvet@v1" in outcome.err
    assert [result["task"] for result in outcome.json["results"]] == ["mme@llava"]
    assert "mm-vet.json is missing" in outcome.json["failed"]["mmvet@v1"]
    run = Path(outcome.json["run"])
    assert "mmvet@v1 has no result" in (run / "report.md").read_text()
    assert cli("score", run, "--json").json["task"] == "mme@llava"
    assert cli("view", run, "-o", tmp_path / "view.html").code == 0
    planned = cli("plan", "--data", demo, "--tasks", "mmvet,mme", "--json")
    assert (planned.code, [each["task"] for each in planned.json]) == (3, ["mme@llava"])
    assert_refused(cli(*arguments, "mmvet"), "mm-vet.json is missing")


def test_answers_without_a_grade_say_who_grades(cli: Cli, tmp_path: Path) -> None:
    options = ["--model", "constant", "--tasks", "mmvet", "--limit", 2, "--output", tmp_path, "--data", demo_folder()]
    outcome = cli("run", *options)
    assert outcome.code == 3
    assert "2 answers are not graded" in outcome.err
    assert "--judge" in outcome.err
    assert "--grades" in outcome.err


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A copy of the demo's files that a test may break."""
    return Path(shutil.copytree(demo_folder(), tmp_path / "data"))


def run_constant(cli: Cli, data: Path, output: Path, *more: str) -> Outcome:
    # folder data makes the loader check POPE's row counts, so MME stands for the folder layout here
    return cli("run", "--tasks", "mme", "--model", "constant", "--data", data, "--output", output, *more)


def test_a_task_without_its_pictures_is_left_out(cli: Cli, demo: Path, tmp_path: Path) -> None:
    for picture in (demo / "MME").rglob("*.png"):
        picture.unlink()
    arguments = ["run", "--tasks", "mme,gqa", "--model", "mipha-tiny", "--data", demo, "--limit", 4, "-o", tmp_path / "runs"]
    outcome = cli(*arguments, "--json")
    assert outcome.code == 3
    assert "left out mme@llava: none of the first" in outcome.err
    assert [result["task"] for result in outcome.json["results"]] == ["gqa@testdev"]
    assert_refused(cli("run", "--tasks", "mme", *arguments[3:]), "none of the first")


def test_missing_and_broken_images(cli: Cli, demo: Path, tmp_path: Path) -> None:
    folder = demo / "MME/MME_Benchmark_release_version/existence"
    whole = (folder / "0002.png").read_bytes()
    (folder / "0001.png").unlink()
    (folder / "0002.png").write_bytes(whole[: len(whole) // 2])
    (folder / "0003.png").write_text("no picture")
    outcome = cli("run", "--tasks", "mme", "--model", "mipha-tiny", "--data", demo, "-o", tmp_path / "runs", "--json")
    assert outcome.code == 3
    result = outcome.json["results"][0]
    assert (result["failed"], result["n"]) == (6, 466)
    for name in ("0001.png", "0002.png", "0003.png"):
        assert f"existence/{name}" in outcome.err
    assert "Traceback" not in outcome.err
    (path,) = (tmp_path / "runs").glob("*/mme@llava/responses.jsonl")
    failed = [row for row in read_jsonl(path) if row["error"]]
    assert len(failed) == 6
    assert all(row["text"] == "" for row in failed)
    (folder / "0002.png").write_bytes(whole)
    again = cli("run", "--tasks", "mme", "--model", "mipha-tiny", "--data", demo, "-o", tmp_path / "runs", "--json")
    result = again.json["results"][0]
    assert (result["failed"], result["n"]) == (4, 468)
    assert result["generated"] == 6, "what failed is tried again, and nothing else"


def test_a_failed_question_has_no_text_in_the_answer_file(cli: Cli, tmp_path: Path) -> None:
    questions = write_jsonl(
        tmp_path / "q.jsonl",
        [{"question_id": 1, "image": "none.jpg", "text": "Hm?"}, {"question_id": 2, "text": "Is two more than one?"}],
    )
    arguments = ["predict", "--questions", questions, "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"]
    outcome = cli(*arguments, "--max-new-tokens", 2)
    assert outcome.code == 3
    failed, answered = read_jsonl(tmp_path / "a.jsonl")
    assert failed["text"] is None
    assert "none.jpg" in failed["error"]
    assert isinstance(answered["text"], str)


def test_names_that_lead_out_of_the_image_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    shutil.copy(next(demo_folder().rglob("*.png")), tmp_path / "secret.png")
    names = ["../secret.png", str(tmp_path / "secret.png"), "a\0b"]
    rows = [{"question_id": number, "image": name, "text": "What?"} for number, name in enumerate(names)]
    files = ["--questions", write_jsonl(tmp_path / "q.jsonl", rows), "--image-folder", tmp_path / "images"]
    assert cli("predict", *files, "--answers", tmp_path / "a.jsonl").code == 3
    assert all(row["text"] is None for row in read_jsonl(tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("MME/llava_mme.jsonl", "{broken", ["llava_mme.jsonl:1", "not JSON"]),
        ("MME/llava_mme.jsonl", "[1, 2]\n", ["llava_mme.jsonl:1", "not a JSON object"]),
        ("MME/llava_mme.jsonl", '{"question_id": 1}\n', ["expected form"]),
        ("MME/llava_mme.jsonl", "", ["no questions"]),
        ("MME/eval_tool/Your_Results/existence.txt", "only one field\n", ["expected form"]),
        ("MME/eval_tool/Your_Results/existence.txt", "", ["no label", "existence/0001.png"]),
    ],
)
def test_broken_benchmark_files(path: str, content: str, words: list[str], cli: Cli, demo: Path, tmp_path: Path) -> None:
    (demo / path).write_text(content)
    assert_refused(run_constant(cli, demo, tmp_path / "runs"), *words)


def test_missing_benchmark_files(cli: Cli, demo: Path, tmp_path: Path) -> None:
    (demo / "MME/llava_mme.jsonl").rename(demo / "MME/llava_mme_old.jsonl")
    assert_refused(
        run_constant(cli, demo, tmp_path / "runs"), "llava_mme.jsonl is missing", "llava_mme_old.jsonl", "eval.zip"
    )
    shutil.rmtree(demo / "pope")
    outcome = cli("run", "--tasks", "pope", "--model", "constant", "--data", demo, "--output", tmp_path / "runs")
    assert_refused(outcome, "pope/coco is missing", "github.com/AoiDragon/POPE")


def test_wrong_pope_release(cli: Cli, demo: Path, tmp_path: Path) -> None:
    outcome = cli("run", "--tasks", "pope", "--model", "constant", "--data", demo, "--output", tmp_path / "runs")
    assert_refused(outcome, "2,910", "360")


@pytest.fixture
def pope_answers(tmp_path: Path) -> list[dict[str, Any]]:
    """A right answer to every question of the demo's POPE."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.data.parse_source import parse_source

    task = build_task("pope", {}, parse_source("demo", {}), Registry())
    return [
        {"question_id": sample.question_id, "prompt": sample.prompt, "text": sample.target[0]} for sample in task.samples()
    ]


def score_pope(cli: Cli, tmp_path: Path, rows: list[dict[str, Any]]) -> Outcome:
    return cli("score", "pope", "--data", "demo", "--json", "--answers", write_jsonl(tmp_path / "answers.jsonl", rows))


def test_whole_answer_file(cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    outcome = score_pope(cli, tmp_path, pope_answers)
    assert outcome.code == 0
    assert outcome.json["metrics"]["f1"] == 100
    assert outcome.json["task"] == "pope@demo"


def test_order_and_kind_of_ids_do_not_matter(cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    rows = [{**row, "question_id": str(row["question_id"])} for row in reversed(pope_answers)]
    assert score_pope(cli, tmp_path, rows).json["metrics"]["f1"] == 100


def test_duplicate_answers(cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    assert_refused(score_pope(cli, tmp_path, [*pope_answers, pope_answers[5]]), "second answer", "question_id 6")


def test_foreign_answers(cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    foreign = {**pope_answers[0], "question_id": 999}
    assert_refused(score_pope(cli, tmp_path, [*pope_answers, foreign]), "1 of 1,081", "999", "another release")


def test_answers_to_other_questions(cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    moved = [{**row, "question_id": other["question_id"]} for row, other in itertools.pairwise(pope_answers)]
    assert_refused(score_pope(cli, tmp_path, moved), "is to", "another release")


def test_missing_answers(cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    outcome = score_pope(cli, tmp_path, pope_answers[:1000])
    assert outcome.code == 3
    assert (outcome.json["n"], outcome.json["missing"]) == (1000, 80)


def test_failed_answers_are_not_scored(cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    rows = [{**row, "text": None, "error": "image gone"} if number < 10 else row for number, row in enumerate(pope_answers)]
    outcome = score_pope(cli, tmp_path, rows)
    assert outcome.code == 3
    assert (outcome.json["n"], outcome.json["failed"], outcome.json["metrics"]["f1"]) == (1070, 10, 100)
    assert outcome.json["failures"] == {"image gone": 10}


@pytest.mark.parametrize("line", ['{"question_id": 1}', '{"text": "yes"}', '{"question_id": 1, "text": 5}', "nonsense"])
def test_answer_lines_of_another_form(line: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text(line + "\n")
    assert_refused(cli("score", "pope", "--data", "demo", "--answers", tmp_path / "answers.jsonl"), "answers.jsonl")


@pytest.mark.parametrize("text", ["", "\t\n", "x" * 100_000, "\0", "\ud800", "是的。", "<script>", "\x1b[31mno"])
def test_ugly_answers_are_scored(text: str, cli: Cli, tmp_path: Path, pope_answers: list[dict[str, Any]]) -> None:
    rows = [{**pope_answers[0], "text": text}, *pope_answers[1:]]
    outcome = score_pope(cli, tmp_path, rows)
    assert outcome.code == 0
    assert outcome.json["n"] == 1080
    assert outcome.json["unparsed"] == 1


@pytest.fixture
def checkpoint(tmp_path: Path, reference: Path) -> Path:
    """A copy of the reference checkpoint that a test may break."""
    folder = Path(shutil.copytree(reference / "checkpoint", tmp_path / "checkpoint"))
    for path in [folder, *folder.iterdir()]:
        path.chmod(0o755)
    return folder


def run_checkpoint(cli: Cli, folder: Path, output: Path) -> Outcome:
    arguments = ["run", "--tasks", "mme", "--data", "demo", "--limit", 2, "--device", "cpu"]
    return cli(*arguments, "--model", "mipha", "-a", f"path={folder}", "--output", output)


def break_weights(folder: Path, change: Any) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights["lm_head.bias"].fill_(torch.nan), ["lm_head.bias", "NaN"]),
        (lambda weights: weights.pop("model.mm_projector.0.bias"), ["lacks 1", "mm_projector.0.bias"]),
        (lambda weights: weights.update({"model.layers.9.mlp.fc1.bias": torch.zeros(2)}), ["unexpected", "layers.9"]),
        (lambda weights: weights.update({"visual.conv": torch.zeros(2)}), ["visual.conv"]),
        (lambda weights: weights.update({"lm_head.bias": torch.zeros(7)}), ["lm_head.bias", "[7]"]),
    ],
)
def test_broken_weights(change: Any, words: list[str], cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    break_weights(checkpoint, change)
    assert_refused(run_checkpoint(cli, checkpoint, tmp_path / "runs"), *words)


def test_damaged_missing_and_pickled_weights(cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert_refused(run_checkpoint(cli, checkpoint, tmp_path / "runs"), "model.safetensors", "damaged")
    weights.rename(checkpoint / "pytorch_model.bin")
    assert_refused(run_checkpoint(cli, checkpoint, tmp_path / "runs"), "no .safetensors", "pytorch_model.bin")
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-1.safetensors"}}))
    assert_refused(run_checkpoint(cli, checkpoint, tmp_path / "runs"), "lacks model-1.safetensors")


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("model_type", "llava", ["'llava'", "mipha_phi"]),
        ("model_type", "mipha_stablelm", ["'mipha_stablelm'", "mipha_phi, mipha_gemma, mipha_phi3"]),
        ("model_type", "mipha_gemma", ["lacks", "config and weights do not fit"]),
        ("vision_config", {}, ["vision_config.vision_tower"]),
        ("hidden_size", 50, ["config.json"]),
    ],
)
def test_wrong_configs(entry: str, value: Any, words: list[str], cli: Cli, checkpoint: Path, tmp_path: Path) -> None:
    config = read_json(checkpoint / "config.json")
    (checkpoint / "config.json").write_text(json.dumps({**config, entry: value}))
    assert_refused(run_checkpoint(cli, checkpoint, tmp_path / "runs"), *words)


def test_sharded_checkpoint_without_dead_weights(cli: Cli, checkpoint: Path, reference: Path, tmp_path: Path) -> None:
    """Shards with an index, and the parts that no answer depends on left out, give the same answers."""
    weights = load_file(checkpoint / "model.safetensors")
    alive = {key: value for key, value in weights.items() if ".head." not in key and "post_layernorm" not in key}
    parts = [dict(list(alive.items())[::2]), dict(list(alive.items())[1::2])]
    index = {}
    for number, part in enumerate(parts):
        save_file(part, checkpoint / f"model-{number}.safetensors", metadata={"format": "pt"})
        index.update(dict.fromkeys(part, f"model-{number}.safetensors"))
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (checkpoint / "model.safetensors").unlink()
    for folder, output in ((checkpoint, "sharded"), (reference / "checkpoint", "whole")):
        outcome = run_checkpoint(cli, folder, tmp_path / output)
        assert (outcome.code, "UNPARSED 2 (100.0%)" in outcome.out) == (3, True), "random weights say nothing readable"
    texts = [
        [row["text"] for row in read_jsonl(next(folder.glob("*/mme@demo/responses.jsonl")))]
        for folder in (tmp_path / "sharded", tmp_path / "whole")
    ]
    assert texts[0] == texts[1]


def test_unwritable_output(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = cli("run", "--tasks", "mme", "--model", "constant", "--data", "demo", "--output", tmp_path / "file" / "runs")
    assert_refused(outcome, "cannot write", "file")


def test_full_disk(cli: Cli, tmp_path: Path) -> None:
    """A disk that fills up while answers are stored: one line, and the next run goes on with what was stored."""
    answer = "Yes " + "x" * 2000
    arguments = ["run", "--tasks", "mme", "--model", "constant", "-a", f"answer={answer}", "--data", "demo", "--json"]
    arguments += ["--output", str(tmp_path / "runs"), "--batch-size", "8"]
    full = subprocess.run(
        [sys.executable, "-m", "mipha_eval", *arguments],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert_refused(Outcome(full.returncode, full.stdout, full.stderr), "cannot write", "responses.jsonl")
    (path,) = (tmp_path / "runs").glob("*/mme@demo/responses.jsonl")
    stored = path.read_text().count("\n")
    assert 0 < stored < 472
    again = cli(*arguments)
    assert again.code == 0
    assert again.json["results"][0]["generated"] == 472 - stored
    assert len(read_jsonl(path)) == 472
