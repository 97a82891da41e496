"""What must never happen silently: stale answers, biased samples, mixed models, lost marks."""

from __future__ import annotations

import gc
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from PIL import Image

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.demo.files import demo_folder
from mipha_eval.engine.background import BACKLOG
from mipha_eval.engine.task_input import limit_samples
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl

TINY = Path(__file__).parents[1] / "mipha_eval/demo/tiny"
PLUGINS = Path(__file__).parent


@pytest.mark.parametrize("limit", [12, 20, 36, 45, 60, 90, 180])
def test_a_limit_is_no_bias(limit: int) -> None:
    for name in ("pope", "mme"):
        samples = list(build_task(name, {}, parse_source("demo", {}), Registry()).samples())
        chosen = limit_samples(samples, limit)
        assert limit <= len(chosen) <= limit + 1
        labels = Counter(sample.target[0].lower() for sample in chosen)
        assert 0.3 <= labels["yes"] / len(chosen) <= 0.7
        shares = Counter(sample.category for sample in chosen)
        for category, count in Counter(sample.category for sample in samples).items():
            assert abs(shares[category] - count * len(chosen) / len(samples)) <= 2
        groups = Counter(sample.group for sample in chosen if sample.group)
        assert set(groups.values()) <= {2}, "both questions about an image of MME, or none"


def tiny_run(cli: Cli, path: Path, output: Path, *more: object) -> dict[str, object]:
    arguments = ["run", "--tasks", "mme", "--limit", 10, "--model", "mipha", "-a", f"path={path}", "--data", "demo"]
    outcome = cli(*arguments, "-o", output, "--json", *more)
    assert outcome.code == 0, outcome.err
    result: dict[str, object] = outcome.json["results"][0]
    return result


@pytest.mark.parametrize("file", ["model.safetensors", "preprocessor_config.json", "tokenizer.json"])
def test_an_overwritten_checkpoint_is_another_model(file: str, cli: Cli, tmp_path: Path) -> None:
    checkpoint = Path(shutil.copytree(TINY, tmp_path / "checkpoint"))
    assert tiny_run(cli, checkpoint, tmp_path / "runs")["generated"] == 10
    assert tiny_run(cli, checkpoint, tmp_path / "runs")["generated"] == 0
    content = bytearray((checkpoint / file).read_bytes())
    if file.endswith("safetensors"):
        middle = len(content) // 2
        content[middle : middle + 64] = bytes(64)
    else:
        content += b"\n"
    (checkpoint / file).write_bytes(content)
    assert tiny_run(cli, checkpoint, tmp_path / "runs")["generated"] == 10


def test_other_images_are_asked_again(cli: Cli, tmp_path: Path) -> None:
    data = Path(shutil.copytree(demo_folder(), tmp_path / "data"))
    images = data / "MME/MME_Benchmark_release_version"
    run = [
        "run",
        "--tasks",
        "mme",
        "--limit",
        10,
        "--model",
        "mipha-tiny",
        "--data",
        data,
        "-o",
        tmp_path / "runs",
        "--json",
    ]
    assert cli(*run).json["results"][0]["generated"] == 10
    grey = Path(shutil.copytree(images, tmp_path / "grey"))
    for path in grey.rglob("*.png"):
        Image.new("RGB", (96, 96), (127, 127, 127)).save(path)
    assert cli(*run, "--image-dir", f"mme={grey}").json["results"][0]["generated"] == 10
    first = read_jsonl(next((tmp_path / "runs").glob("*/mme@llava/samples.jsonl")))[0]["images"][0]["name"]
    shutil.copy(grey / first, images / first)
    assert cli(*run).json["results"][0]["generated"] == 2, "both questions about the picture that changed"


def test_a_wrong_image_folder_is_one_error(cli: Cli, tmp_path: Path) -> None:
    data = Path(shutil.copytree(demo_folder(), tmp_path / "data"))
    shutil.rmtree(data / "MME/MME_Benchmark_release_version")
    outcome = cli("run", "--tasks", "mme", "--model", "mipha-tiny", "--data", data, "-o", tmp_path / "runs")
    assert outcome.code == 2
    assert "--image-dir" in outcome.err
    assert not list((tmp_path / "runs").glob("*/manifest.json"))


def test_a_limited_run_grows_into_the_full_one(cli: Cli, tmp_path: Path) -> None:
    run = ["run", "--tasks", "mme", "--model", "constant", "--data", "demo", "-o", tmp_path, "--json"]
    limited = cli(*run, "--limit", 50).json
    full = cli(*run).json
    assert limited["run"] == full["run"]
    assert limited["results"][0]["limited"]
    assert not full["results"][0]["limited"]
    assert limited["results"][0]["generated"] + full["results"][0]["generated"] == 472


def test_marks_stay_when_a_run_is_scored_again(cli: Cli, tmp_path: Path) -> None:
    run = ["run", "--tasks", "mme", "--limit", 10, "--blind", "-o", tmp_path, "--json"]
    path = cli(*run).json["run"]
    again = cli("score", path, "--json").json
    assert (again["blind"], again["limited"], again["demo"], again["total"]) == (True, True, True, 472)
    table = cli("score", path).out
    assert "BLIND" in table
    assert "LIMITED 10/472" in table
    assert "/1,000" in cli("score", path).out or again["maximum"]["perception"] < 2000


def test_options_of_a_task_are_kept(cli: Cli, tmp_path: Path) -> None:
    file = PLUGINS / "plugin/mipha_eval_sums.py"
    run = ["run", "--tasks", "sums", "--model", "calculator", "--data", "demo", "-o", tmp_path, "--plugin", file, "--json"]
    large, small = cli(*run, "-a", "sums.largest=4").json, cli(*run, "-a", "sums.largest=1").json
    assert large["run"] != small["run"]
    assert cli("score", large["run"], "--plugin", file, "--json").json["n"] == 25
    record = read_json(Path(large["run"]) / "sums@demo/task.json")
    assert record["options"] == {"largest": "4"}
    assert len(record["data_sha256"]) == 64


def test_a_report_keeps_all_tasks(cli: Cli, tmp_path: Path) -> None:
    run = ["run", "--model", "constant", "--data", "demo", "-o", tmp_path, "--json", "--tasks"]
    path = Path(cli(*run, "pope,mme").json["run"])
    cli(*run, "pope")
    assert "## mme@demo" in (path / "report.md").read_text()
    assert "finished" in (path / "log.txt").read_text()
    assert read_json(path / "status.json")["mme@demo"]["state"] == "done"


def test_a_damaged_line_is_asked_again(cli: Cli, tmp_path: Path) -> None:
    run = ["run", "--tasks", "mme", "--model", "constant", "--data", "demo", "-o", tmp_path, "--json"]
    first = cli(*run).json
    path = Path(first["run"]) / "mme@demo/responses.jsonl"
    lines = path.read_text().splitlines()
    lines[5], lines[7] = lines[5][:20], "[]"
    path.write_text("\n".join(lines) + "\n")
    again = cli(*run)
    assert again.code == 0
    assert "responses.jsonl:6 is damaged" in again.err
    assert again.json["results"][0]["generated"] == 2
    assert again.json["results"][0]["metrics"] == first["results"][0]["metrics"]


def test_two_processes_do_not_share_a_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mipha_eval", "run", "--tasks", "pope", "--data", "demo"]
    command += ["--output", str(tmp_path / "runs")]
    command += [
        "--plugin",
        str(PLUGINS / "slow_adapter.py"),
        "--model",
        "slow",
        "-a",
        f"log={tmp_path / 'log'}",
        "-a",
        "seconds=0.2",
    ]
    command += ["--batch-size", "4"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "runs").glob("*/pope@demo/responses.jsonl")):
        time.sleep(0.02)
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "another process" in second.stderr
    first.send_signal(signal.SIGINT)
    assert first.wait() == 3


def test_every_task_that_the_data_has(cli: Cli, tmp_path: Path) -> None:
    """`all` is what a folder has; what it lacks is said. The demo has everything."""
    (tmp_path / "data").mkdir()
    for name in ("mm-vet", "gqa"):
        (tmp_path / "data" / name).symlink_to(demo_folder() / name)
    command = ["run", "--tasks", "all", "--model", "constant", "-o", tmp_path / "runs", "--limit", "5", "--json", "--data"]
    some = cli(*command, tmp_path / "data")
    assert {result["task"] for result in some.json["results"]} == {"gqa@testdev", "mmvet@v1"}
    assert "left out pope" in some.err
    every = cli(*command, "demo")
    assert every.code == 3, "a constant that is no letter is unparsed where letters are wanted"
    unread = {result["task"] for result in every.json["results"] if result["unparsed"]}
    assert {result["task"] for result in every.json["results"] if result["failed"] or result["missing"]} == set()
    assert unread == {"mmbench@demo", "scienceqa@demo", "seed@demo"}
    assert len(every.json["results"]) == len(Registry().names("tasks"))
    assert "left out" not in every.err


def test_a_task_named_twice_is_one(cli: Cli, tmp_path: Path) -> None:
    run = ["run", "--model", "constant", "--data", "demo", "-o", tmp_path, "--json", "--tasks"]
    assert len(cli(*run, "pope,POPE,pope@llava").json["results"]) == 1
    assert cli(*run, ",").code == 2


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    images = sorted((demo_folder() / "pope/val2014").iterdir())[:6]
    rows = [
        {"question_id": number, "image": images[number % 6].name, "text": f"Is there a {shape} in the image?"}
        for number, shape in enumerate(["circle", "star", "ring", "heart"] * 6)
    ]
    return write_jsonl(tmp_path / "questions.jsonl", rows)


def predict(questions: Path, answers: Path, *more: object) -> list[object]:
    folder = demo_folder() / "pope/val2014"
    return [
        "predict",
        "--questions",
        questions,
        "--image-folder",
        folder,
        "--answers",
        answers,
        "--max-new-tokens",
        4,
        *more,
    ]


def predict_here(questions: Path) -> list[object]:
    """Answers questions about the images beside them."""
    files = ["--questions", questions, "--image-folder", questions.parent, "--answers", questions.with_name("a.jsonl")]
    return ["predict", *files, "--max-new-tokens", 2]


def test_predict_does_not_mix_models(questions: Path, cli: Cli, tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    assert cli(*predict(questions, answers)).code == 0
    before = answers.read_bytes()
    assert cli(*predict(questions, answers)).code == 0
    refused = cli(*predict(questions, answers, "--model", "constant"))
    assert refused.code == 2
    assert "--fresh" in refused.err
    assert answers.read_bytes() == before
    assert cli(*predict(questions, answers, "--model", "constant", "--fresh")).code == 0
    assert {row["model_id"] for row in read_jsonl(answers)} == {"constant"}


def test_predict_tries_failures_again(cli: Cli, tmp_path: Path) -> None:
    rows = [{"question_id": number, "image": f"{number}.png", "text": "What?"} for number in range(2)]
    asked = write_jsonl(tmp_path / "questions.jsonl", rows)
    Image.new("RGB", (9, 9)).save(tmp_path / "0.png")
    run = predict_here(asked)
    assert cli(*run).code == 3
    assert cli(*run).code == 3, "what failed is not forgotten"
    Image.new("RGB", (9, 9)).save(tmp_path / "1.png")
    assert cli(*run).code == 0
    assert all(isinstance(row["text"], str) for row in read_jsonl(tmp_path / "a.jsonl"))


def test_predict_keeps_what_exists_until_it_can_replace_it(questions: Path, cli: Cli, tmp_path: Path) -> None:
    before = questions.read_bytes()
    assert cli(*predict(questions, questions, "--fresh")).code == 2
    assert questions.read_bytes() == before
    answers = tmp_path / "answers.jsonl"
    answers.write_text("precious\n")
    assert cli(*predict(questions, answers, "--fresh", "--model", "mipha", "-a", "path=./nowhere")).code == 2
    assert answers.read_text() == "precious\n"


def test_predict_loses_nothing_when_killed(questions: Path, cli: Cli, tmp_path: Path) -> None:
    answers, log = tmp_path / "answers.jsonl", tmp_path / "log"
    slow = ["--plugin", PLUGINS / "slow_adapter.py", "--model", "slow", "-a", f"log={log}", "-a", "seconds=0.1", "-b", 2]
    arguments = list(map(str, predict(questions, answers, *slow)))
    for stop in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen([sys.executable, "-m", "mipha_eval", *arguments], stderr=subprocess.DEVNULL)
        seen = len(log.read_text().splitlines()) if log.exists() else 0
        while not log.exists() or len(log.read_text().splitlines()) < seen + 6:
            time.sleep(0.01)
        process.send_signal(stop)
        process.wait()
    assert not answers.exists(), "an answer file with gaps would be taken for a whole one"
    assert cli(*arguments).code == 0
    keys = [line.split()[1] for line in log.read_text().splitlines()]
    waiting = 2 * (BACKLOG + 1)  # answers in batches of 2 that are in hand or wait to be stored
    assert len(keys) - len(set(keys)) <= 2 + waiting, "only the batch that was killed, and what waited, is asked again"
    assert [row["question_id"] for row in read_jsonl(answers)] == list(range(24))
    assert list(tmp_path.glob("*.partial")) == []


def test_a_replayed_null_is_no_answer(cli: Cli, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [{"question_id": 1, "prompt": "x", "text": None}])
    outcome = cli(
        "run", "--tasks", "mme", "--data", "demo", "--model", "answers-file", "-a", f"path={file}", "-o", tmp_path / "r"
    )
    assert outcome.code == 2
    assert "no text" in outcome.err


def test_answers_replayed_score_as_the_file(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    file = llava_answers / "pope.jsonl"
    run = ["run", "--tasks", "pope", "--data", benchmarks, "--model", "answers-file", "-a", f"path={file}", "-o", tmp_path]
    replayed = cli(*run, "--json").json["results"][0]
    scored = cli("score", "pope", "--data", benchmarks, "--answers", file, "--json").json
    assert replayed["metrics"] == scored["metrics"]


def test_text_files_as_other_programs_write_them(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    """Byte-order mark, CRLF, form feeds in answers, a note beside MME's 14 files, ids as floats, other format lines."""
    rows = read_jsonl(llava_answers / "mme.jsonl")
    lines = []
    for row in rows:
        asked = row["prompt"].split("\n")[0]
        lines.append(json.dumps({**row, "prompt": f"<image>\n{asked}\nPlease answer yes or no."}))
    (tmp_path / "mme.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    result = cli("score", "mme", "--answers", tmp_path / "mme.jsonl", "--data", benchmarks, "--json")
    assert round(result.json["metrics"]["perception"], 4) == 1531.3187
    pope = [{**row, "question_id": float(row["question_id"])} for row in read_jsonl(llava_answers / "pope.jsonl")]
    result = cli("score", "pope", "--answers", write_jsonl(tmp_path / "p.jsonl", pope), "--data", benchmarks, "--json")
    assert int(100 * result.json["metrics"]["f1"]) == 8594
    folder = tmp_path / "official"
    folder.mkdir()
    for template in (benchmarks / "MME/eval_tool/Your_Results").glob("*.txt"):
        text = "".join(f"{line}\tYes\x0cindeed\r\n" for line in template.read_text().splitlines())
        (folder / template.name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    (folder / "README.txt").write_text("fourteen files\n")
    result = cli("score", "mme", "--answers", folder, "--data", benchmarks, "--json")
    assert (result.json["n"], result.json["metrics"]["existence"]) == (2374, 50)


@pytest.mark.parametrize(
    "names", [("adv", "random", "pop"), ("COCO_POPE_Adversarial", "COCO_POPE_Random", "COCO_POPE_Popular")]
)
def test_names_of_official_pope_files(
    names: tuple[str, str, str], cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path
) -> None:
    asked = read_jsonl(benchmarks / "pope/llava_pope_test.jsonl")
    answers = read_jsonl(llava_answers / "pope.jsonl")
    for name, category in zip(names, ("adversarial", "random", "popular"), strict=True):
        rows = [
            {"question": question["text"].split("\n")[0], "answer": answer["text"]}
            for question, answer in zip(asked, answers, strict=True)
            if question["category"] == category
        ]
        write_jsonl(tmp_path / f"{name}.json", rows)
    outcome = cli("score", "pope", "--answers", tmp_path, "--data", benchmarks, "--json")
    assert int(100 * outcome.json["metrics"]["f1"]) == 8594
    (tmp_path / f"{names[0]}.json").rename(tmp_path / "first.json")
    refused = cli("score", "pope", "--answers", tmp_path, "--data", benchmarks)
    assert refused.code == 2
    assert "first.json" in refused.err


def test_a_picture_that_is_too_wide_fails_alone(cli: Cli, tmp_path: Path) -> None:
    Image.new("RGB", (30_000, 2)).save(tmp_path / "wide.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "small.png")
    rows = [{"question_id": name, "image": f"{name}.png", "text": "What?"} for name in ("wide", "small")]
    rows.append({"question_id": "surrogate", "image": "small.png", "text": "\ud800?"})
    asked = write_jsonl(tmp_path / "questions.jsonl", rows)
    run = predict_here(asked)
    assert cli(*run).code == 3
    texts = [row["text"] for row in read_jsonl(tmp_path / "a.jsonl")]
    assert texts[0] is None
    assert isinstance(texts[1], str)
    assert texts[2] is None


def test_a_run_scored_again_leaves_stale_answers_out(cli: Cli, tmp_path: Path) -> None:
    """An answer to a question that has changed since is no answer, whoever scores."""
    data = Path(shutil.copytree(demo_folder(), tmp_path / "data"))
    run = ["run", "--tasks", "mme", "--model", "constant", "--data", data, "-o", tmp_path / "runs", "--json"]
    path = cli(*run).json["run"]
    samples = Path(path) / "mme@llava/samples.jsonl"
    samples.write_text(samples.read_text().replace("Is there a circle", "Is there one circle"))
    again = cli("score", path, "--json")
    assert again.code == 3
    assert again.json["missing"] == 12


@pytest.mark.parametrize("task", ["vizwiz@test", "mmbench@test"])
def test_no_public_labels_is_no_score(task: str, cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    data, answers = benchmarks, llava_answers / "vizwiz.jsonl"
    if task == "mmbench@test":
        data = tmp_path / "data"
        (data / "mmbench").mkdir(parents=True)
        (data / "mmbench/mmbench_test_20230712.tsv").write_text("index\tquestion\tA\tB\n7\tWhich?\ta cat\tNone\n")
        rows = [{"question_id": 7, "prompt": "Which?\nA. a cat", "text": "A"}]
        answers = write_jsonl(tmp_path / "answers.jsonl", rows)
    outcome = cli("score", task, "--answers", answers, "--data", data, "--json")
    assert outcome.code == 3
    assert (outcome.json["metrics"], outcome.json["n"]) == ({}, 0)
    assert outcome.json["unlabelled"] in (8000, 1)


def test_data_of_another_size_is_marked(cli: Cli, tmp_path: Path) -> None:
    """Drawn scenes read as a plain folder are not taken for the benchmark."""
    run = ["run", "--tasks", "mme", "--model", "constant", "--data", demo_folder(), "-o", tmp_path]
    assert "ROWS 472, NOT 2,374" in cli(*run).out


def test_ocr_tokens_decide_the_protocol_of_textvqa(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    outcome = cli("score", "textvqa@plain", "--answers", llava_answers / "textvqa.jsonl", "--data", benchmarks)
    assert outcome.code == 2
    assert "with OCR tokens" in outcome.err


def test_annotations_belong_to_tasks_that_take_them(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    file = benchmarks / "gqa/data/ood_testdev_head.json"
    outcome = cli("score", "pope", "--answers", llava_answers / "pope.jsonl", "--annotations", file)
    assert outcome.code == 2
    assert "takes no annotation file (--annotations)" in outcome.err
    marked = cli("score", "gqa", "--answers", llava_answers / "gqa.jsonl", "--annotations", file, "--subset")
    assert "ANNOTATIONS ood_testdev_head.json" in marked.out
    assert "left_out 10,845" in marked.out


def test_questions_without_text_are_not_asked(cli: Cli, tmp_path: Path) -> None:
    annotation = {"question_id": 10, "image_id": 1, "answers": [{"answer": "yes", "answer_id": 1}] * 10}
    (tmp_path / "mine.json").write_text(json.dumps({"annotations": [annotation]}))
    files = ["--annotations", tmp_path / "mine.json", "--data", tmp_path]
    outcome = cli("run", "--tasks", "vqav2", "--model", "constant", *files, "-o", tmp_path / "runs")
    assert outcome.code == 2
    assert "have no text" in outcome.err


def test_predict_refuses_files_that_are_not_its_own(questions: Path, cli: Cli, tmp_path: Path) -> None:
    labels = write_jsonl(tmp_path / "labels.jsonl", [{"question": "Is there a dog?", "answer": "yes"}])
    before = labels.read_bytes()
    outcome = cli(*predict(questions, labels))
    assert outcome.code == 2
    assert labels.read_bytes() == before
    assert cli(*predict(questions, labels, "--fresh")).code == 0
    assert (tmp_path / "labels.jsonl.before").read_bytes() == before


def test_a_blind_run_survives_a_broken_image(cli: Cli, tmp_path: Path) -> None:
    data = Path(shutil.copytree(demo_folder(), tmp_path / "data"))
    (data / "MME/MME_Benchmark_release_version/existence/0001.png").write_text("no picture")
    run = ["run", "--tasks", "mme", "--data", data, "--blind", "-o", tmp_path / "runs", "--json"]
    outcome = cli(*run)
    assert outcome.code == 3
    assert outcome.json["results"][0]["failed"] == 2


def test_submissions(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    """VizWiz' upload equals the one that was sent; a sheet holds answers as text; a split without a server is refused."""
    upload = tmp_path / "vizwiz.json"
    files = ["--data", benchmarks, "--answers"]
    assert cli("submit", "vizwiz@test", *files, llava_answers / "vizwiz.jsonl", "-o", upload).code == 0
    assert read_json(upload) == read_json(llava_answers / "vizwiz_expected_upload.json")
    rows = read_jsonl(llava_answers / "mmbench_dev.jsonl")
    rows[0]["text"] = "=1+1"
    answers = write_jsonl(tmp_path / "mmbench.jsonl", rows)
    assert cli("submit", "mmbench@dev", "--dev", *files, answers, "-o", tmp_path / "mmbench.xlsx").code == 0
    from openpyxl import load_workbook

    sheet = load_workbook(tmp_path / "mmbench.xlsx").worksheets[0]
    head = [cell.value for cell in sheet[1]]
    assert head.index("prediction") == 6
    assert "hint" not in head
    assert (sheet[2][6].value, sheet[2][6].data_type) == ("=1+1", "s")
    rows[0]["text"] = "x" * 40_000
    long = cli("submit", "mmbench@dev", "--dev", *files, write_jsonl(answers, rows), "-o", tmp_path / "long.xlsx")
    assert long.code == 2
    assert ".tsv" in long.err
    assert cli("submit", "mmbench@dev", "--dev", *files, answers, "-o", tmp_path / "long.tsv").code == 0
    missing = cli("submit", "mmbench@dev", "--dev", *files, write_jsonl(answers, rows[1:]), "-o", tmp_path / "short.tsv")
    assert missing.code == 2
    assert "1 of 4,377 questions have no answer" in missing.err
    assert cli("submit", "pope", *files, llava_answers / "pope.jsonl", "-o", tmp_path / "pope.json").code == 2


@pytest.mark.parametrize("ending", ["xlsx", "tsv"])
def test_no_upload_is_left_open(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path, ending: str) -> None:
    """What was read to see whether it says what it should is closed, not left to the garbage collector."""
    gc.disable()
    try:
        answers = llava_answers / "mmbench_dev.jsonl"
        upload = tmp_path / f"mmbench.{ending}"
        assert cli("submit", "mmbench@dev", "--dev", "--data", benchmarks, "--answers", answers, "-o", upload).code == 0
        assert not [file.path for file in psutil.Process().open_files() if Path(file.path).is_relative_to(tmp_path)]
    finally:
        gc.enable()


def test_predict_makes_the_folder_of_the_answers(questions: Path, cli: Cli, tmp_path: Path) -> None:
    answers = tmp_path / "new" / "folder" / "answers.jsonl"
    assert cli(*predict(questions, answers, "--model", "constant")).code == 0
    assert len(read_jsonl(answers)) == 24


def test_damaged_questions_of_a_run_are_an_error(cli: Cli, tmp_path: Path) -> None:
    """A question less would change the score without a word."""
    path = Path(cli("run", "--tasks", "mme", "--model", "constant", "--data", "demo", "-o", tmp_path, "--json").json["run"])
    samples = path / "mme@demo/samples.jsonl"
    lines = samples.read_text().splitlines()
    for damage in ("{}", lines[3][:30]):
        samples.write_text("\n".join([*lines[:3], damage, *lines[4:]]) + "\n")
        outcome = cli("score", path)
        assert outcome.code == 2
        assert "samples.jsonl" in outcome.err


def test_two_protocols_on_the_demo_are_two_tasks(cli: Cli, tmp_path: Path) -> None:
    run = ["run", "--model", "constant", "--data", "demo", "-o", tmp_path, "--json", "--limit", "4", "--tasks"]
    results = cli(*run, "textvqa,textvqa@plain").json["results"]
    assert [result["task"] for result in results] == ["textvqa@demo", "textvqa@demo-plain"]
    assert cli(*run, "textvqa@demo-plain").json["results"][0]["generated"] == 0


def test_ranking_is_not_mixed_with_letters(cli: Cli, tmp_path: Path) -> None:
    """Answers to prompts that show the options are no answers under seed@ppl, and rows without options cannot be ranked."""
    rows = [{"question_id": "1", "question": "What?", "answer": "A", "data_type": "image", "data_id": "1.png"}]
    (tmp_path / "seed_bench").mkdir()
    (tmp_path / "seed_bench/SEED-Bench.json").write_text(json.dumps({"questions": rows}))
    prompt = "What?\nA. this\nB. that\nAnswer with the option's letter from the given choices directly."
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": 1, "prompt": prompt, "text": "A"}])
    outcome = cli("score", "seed@ppl", "--answers", answers, "--data", tmp_path)
    assert (outcome.code, "seed@llava" in outcome.err) == (2, True)
    outcome = cli("run", "--tasks", "seed@ppl", "--model", "constant", "--data", tmp_path, "-o", tmp_path / "runs")
    assert (outcome.code, "no options to rank" in outcome.err) == (2, True)


def test_grades_and_the_rule_exclude_each_other(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    grades = llava_answers / "mmvet_gpt-4-grade-1runs.json"
    command = ["score", "mmvet", "--data", benchmarks, "--answers", llava_answers / "mmvet.jsonl"]
    assert cli(*command, "--grades", grades, "-a", "by_rule=true").code == 2
    assert "score[rule]" in cli(*command, "-a", "by_rule=true").out


def test_annotations_that_nobody_would_read_are_refused(cli: Cli, benchmarks: Path, tmp_path: Path) -> None:
    answers = write_jsonl(tmp_path / "a.jsonl", [{"question_id": 1, "text": "x"}])
    outcome = cli("score", "vizwiz@test", "--answers", answers, "--data", benchmarks, "--annotations", answers)
    assert (outcome.code, "takes no annotation file (--annotations)" in outcome.err) == (2, True)
    outcome = cli("score", "gqa", "--answers", answers, "--data", benchmarks, "--annotations", tmp_path / "none.json")
    assert (outcome.code, "none.json' does not exist" in outcome.err) == (2, True)
    outcome = cli("run", "--tasks", "gqa", "--model", "constant", "--annotations", answers, "-o", tmp_path / "runs")
    assert (outcome.code, "give one (--data FOLDER)" in outcome.err) == (2, True)


@pytest.mark.parametrize("human", [None, 3])
def test_an_annotation_that_is_no_text_is_named(human: object, cli: Cli, tmp_path: Path) -> None:
    row = {"question_id": 7, "image_id": 1, "answers": [{"answer": human, "answer_id": 1}]}
    (tmp_path / "annotations.json").write_text(json.dumps({"annotations": [row]}))
    answers = write_jsonl(tmp_path / "a.jsonl", [{"question_id": 7, "text": "x"}])
    outcome = cli("score", "vqav2", "--annotations", tmp_path / "annotations.json", "--answers", answers)
    assert (outcome.code, "question 7" in outcome.err) == (2, True)
