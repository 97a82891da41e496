"""Real answers of LLaVA-1.5-13B must score what was published, to the last digit that is known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli, read_jsonl
from tests.oracles.mme import mme_points
from tests.oracles.pope import pope_numbers

CATEGORIES = ("adversarial", "random", "popular")


def test_pope(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    outcome = cli("score", "pope", "--answers", llava_answers / "pope.jsonl", "--data", benchmarks, "--json")
    result = outcome.json
    assert outcome.code == 0
    assert (result["task"], result["n"], result["missing"], result["failed"]) == ("pope@llava", 8910, 0, 0)
    assert int(100 * result["metrics"]["f1"]) == 8594
    published = {"adversarial": 84.46, "popular": 86.25, "random": 87.14}
    for category, f1 in published.items():
        assert round(result["metrics"][f"{category}/f1"], 2) == f1
    for name, (low, high) in result["intervals"].items():
        assert low <= result["metrics"][name] <= high


def test_pope_against_the_oracle(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    metrics = cli("score", "pope", "--answers", llava_answers / "pope.jsonl", "--data", benchmarks, "--json").json["metrics"]
    questions = read_jsonl(benchmarks / "pope/llava_pope_test.jsonl")
    answers = read_jsonl(llava_answers / "pope.jsonl")
    for category in CATEGORIES:
        chosen = [
            answer["text"] for question, answer in zip(questions, answers, strict=True) if question["category"] == category
        ]
        labels = [row["label"] for row in read_jsonl(benchmarks / f"pope/coco/coco_pope_{category}.json")]
        for name, value in pope_numbers(chosen, labels).items():
            assert metrics[f"{category}/{name}"] == pytest.approx(100 * value, abs=1e-12)


def test_mme(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    result = cli("score", "mme", "--answers", llava_answers / "mme.jsonl", "--data", benchmarks, "--json").json
    assert (result["task"], result["n"]) == ("mme@llava", 2374)
    assert round(result["metrics"]["perception"], 4) == 1531.3187
    assert round(result["metrics"]["cognition"], 4) == 295.3571


def test_mme_official_folder_and_oracle(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    """The 14 text files that the official script reads give the same numbers as the JSONL, and as the oracle."""
    by_question = {
        (row["question_id"], row["prompt"].split("\n")[0]): row["text"] for row in read_jsonl(llava_answers / "mme.jsonl")
    }
    expected = {}
    for template in sorted((benchmarks / "MME/eval_tool/Your_Results").glob("*.txt")):
        lines, answers, labels = [], [], []
        for line in template.read_text().splitlines():
            image, question, label = line.split("\t")
            plain = question.removesuffix(" Please answer yes or no.").rstrip()
            key = next(key for key in by_question if _same(key, template.stem, image, plain))
            lines.append(f"{line}\t{by_question[key]}")
            answers.append(by_question[key])
            labels.append(label)
        (tmp_path / template.name).write_text("\n".join(lines) + "\n")
        expected[template.stem] = mme_points(answers, labels)
    result = cli("score", "mme", "--answers", tmp_path, "--data", benchmarks, "--json").json
    assert round(result["metrics"]["perception"], 4) == 1531.3187
    for subtask, points in expected.items():
        assert result["metrics"][subtask] == pytest.approx(points, abs=1e-9)


def _same(key: tuple[str, str], subtask: str, image: str, question: str) -> bool:
    place, text = key
    return place.split("/")[0] == subtask and Path(place).stem == Path(image).stem and text == question


def test_pope_official_answer_files(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    """{"question", "answer"} lines, a file a category, as POPE's own script takes them."""
    questions = read_jsonl(benchmarks / "pope/llava_pope_test.jsonl")
    answers = read_jsonl(llava_answers / "pope.jsonl")
    for category in CATEGORIES:
        rows = [
            json.dumps({"question": question["text"].split("\n")[0], "answer": answer["text"]})
            for question, answer in zip(questions, answers, strict=True)
            if question["category"] == category
        ]
        (tmp_path / f"coco_pope_{category}_answers.json").write_text("\n".join(rows) + "\n")
    whole = cli("score", "pope", "--answers", tmp_path, "--data", benchmarks, "--json")
    assert whole.code == 0
    assert int(100 * whole.json["metrics"]["f1"]) == 8594
    one = cli("score", "pope", "--answers", tmp_path / "coco_pope_random_answers.json", "--data", benchmarks, "--json")
    assert one.code == 3
    assert (one.json["n"], one.json["missing"]) == (2910, 6000)
    assert round(one.json["metrics"]["f1"], 2) == 87.14
    assert "adversarial/f1" not in one.json["metrics"]


def test_answers_of_another_release_are_refused(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    """By position they would silently give about 50 %."""
    outcome = cli("score", "pope@official", "--answers", llava_answers / "pope.jsonl", "--data", benchmarks)
    assert outcome.code == 2
    assert "another release" in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(("task", "protocol"), [("pope", "llava"), ("mme", "llava")])
def test_prompts_equal_llavas_question_files(task: str, protocol: str, benchmarks: Path, cli: Cli) -> None:
    shown = cli("show", "task", f"{task}@{protocol}", "--data", benchmarks, "-n", 9000, "--json").json["questions"]
    file = {"pope": "pope/llava_pope_test.jsonl", "mme": "MME/llava_mme.jsonl"}[task]
    official = [(row["text"], [row["image"]], row["category"]) for row in read_jsonl(benchmarks / file)]
    assert [(row["question"], row["images"], row["category"]) for row in shown] == official


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["score", "pope", "--answers", "{answers}", "--data", "{data}"]]
)
def test_torch_is_not_imported(arguments: list[str], benchmarks: Path, llava_answers: Path) -> None:
    filled = [text.format(answers=llava_answers / "pope.jsonl", data=benchmarks) for text in arguments]
    code = f"""
import sys
from mipha_eval.cli.app import main
sys.argv = ["mipha-eval", *{filled!r}]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {{"torch", "transformers", "datasets", "pandas"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
