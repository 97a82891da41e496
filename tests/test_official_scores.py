"""Real answers of LLaVA-1.5-13B must score what was published, to the last digit that is known."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mipha_eval.core.format_lines import LETTER_ANSWER
from tests.conftest import Cli, mme_points, pope_numbers, read_jsonl
from tests.oracles.vqa_text import normalise_evalai

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
            assert metrics[f"{category}/{name}"] == pytest.approx(value, abs=1e-12)


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


@pytest.mark.parametrize(
    ("task", "numbers"),
    [
        ("textvqa", {"accuracy": 61.254}),
        ("scienceqa", {"img": 100 * 1445 / 2017, "all": 100 * 3155 / 4241}),
        ("seed", {"image": 68.2077, "video": 42.3210, "accuracy": 62.8016}),
        ("mmbench", {"accuracy": 100 * 796 / 1176, "vanilla": 75.43}),
    ],
)
def test_published_numbers(task: str, numbers: dict[str, float], cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    file = llava_answers / f"{'mmbench_dev' if task == 'mmbench' else task}.jsonl"
    outcome = cli("score", task, "--answers", file, "--data", benchmarks, "--json")
    assert outcome.code == 0, outcome.err
    for name, value in numbers.items():
        digits = len(str(value).split(".")[1]) if len(str(value)) < 9 else 10
        assert round(outcome.json["metrics"][name], digits) == round(value, digits)


def test_gqa_on_the_out_of_distribution_head(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    arguments = ["score", "gqa", "--annotations", benchmarks / "gqa/data/ood_testdev_head.json", "--json"]
    arguments += ["--answers", llava_answers / "gqa.jsonl"]
    outcome = cli(*arguments, "--subset")
    assert round(outcome.json["metrics"]["accuracy"], 3) == 61.743
    assert (outcome.json["n"], outcome.json["left_out"]) == (1733, 12578 - 1733)
    refused = cli(*arguments)
    assert refused.code == 2
    assert "10,845 of 12,578 answers belong to no question" in refused.err


@pytest.mark.parametrize(("runs", "total", "totals", "std"), [(1, 36.1, [36.1], 0), (3, 36.3, [36.1, 36.5, 36.3], 0.2)])
def test_mmvet_with_recorded_grades(
    runs: int, total: float, totals: list[float], std: float, cli: Cli, benchmarks: Path, llava_answers: Path
) -> None:
    grades = llava_answers / f"mmvet_gpt-4-grade-{runs}runs.json"
    arguments = ["score", "mmvet", "--answers", llava_answers / "mmvet.jsonl", "--data", benchmarks, "--json"]
    result = cli(*arguments, "--grades", grades).json
    assert result["headline"] == "score[gpt-4]"
    assert round(result["metrics"]["score[gpt-4]"], 1) == total
    assert all(name.endswith("[gpt-4]") for name in result["metrics"])
    assert result["runs"] == totals
    assert round(result["std"], 1) == std
    for kind in ("cap", "cap-int"):
        with (llava_answers / f"mmvet_gpt-4-{kind}-score-{runs}runs.csv").open() as file:
            row = next(row for row in csv.DictReader(file) if "13b" in row[""])
        for name, value in row.items():
            if name not in ("", "total", "std", "runs"):
                needed = set(name.split("_"))
                ours = next(key for key in result["metrics"] if _capabilities(key, kind) == needed)
                assert result["metrics"][ours] == pytest.approx(float(value), abs=0.0501)
    unjudged = cli(*arguments)
    assert unjudged.code == 3
    assert unjudged.json["metrics"] == {}


def _capabilities(metric: str, kind: str) -> set[str]:
    metric = metric.removesuffix("[gpt-4]")
    if kind == "cap-int":
        return set(metric.removeprefix("only/").split("_")) if metric.startswith("only/") else set()
    return {metric}


@pytest.mark.parametrize(("form", "published"), [("raw", 49.09), ("lower", 61.13), ("evalai", 60.08)])
def test_vqav2_rule_on_textvqa_answers(
    form: str, published: float, cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path
) -> None:
    """The official VQAv2 scorer punishes what the humans agree on but write otherwise."""
    rows = json.loads((benchmarks / "textvqa/TextVQA_0.5.1_val.json").read_text())["data"]
    annotations = [
        {
            "question_id": row["question_id"],
            "image_id": number,
            "answer_type": "other",
            "answers": [{"answer": answer, "answer_id": place} for place, answer in enumerate(row["answers"], start=1)],
        }
        for number, row in enumerate(rows)
    ]
    (tmp_path / "annotations.json").write_text(json.dumps({"annotations": annotations}))
    ids = {(row["image_id"], row["question"].lower()): row["question_id"] for row in rows}
    changes: dict[str, Callable[[str], str]] = {"raw": str, "lower": str.lower, "evalai": normalise_evalai}
    change = changes[form]
    results = []
    for row in read_jsonl(llava_answers / "textvqa.jsonl"):
        question = next(line for line in row["prompt"].split("\n") if not line.startswith("Reference OCR token:"))
        results.append({"question_id": ids[row["question_id"], question.lower()], "answer": change(row["text"])})
    (tmp_path / "results.json").write_text(json.dumps(results))
    files = ["--answers", tmp_path / "results.json", "--annotations", tmp_path / "annotations.json"]
    assert round(cli("score", "vqav2", *files, "--json").json["metrics"]["accuracy"], 2) == published


@pytest.mark.parametrize(
    ("task", "file"),
    [
        ("pope", "pope/llava_pope_test.jsonl"),
        ("mme", "MME/llava_mme.jsonl"),
        ("textvqa", "textvqa/llava_textvqa_val_v051_ocr.jsonl"),
        ("mmvet", "mm-vet/llava-mm-vet.jsonl"),
    ],
)
def test_prompts_equal_llavas_question_files(task: str, file: str, benchmarks: Path, cli: Cli) -> None:
    shown = cli("show", "task", task, "--data", benchmarks, "-n", 9000, "--json").json["questions"]
    official = [(row["text"], [row["image"]]) for row in read_jsonl(benchmarks / file)]
    assert [(row["prompt"], row["images"]) for row in shown] == official


def test_gqa_prompts(benchmarks: Path) -> None:
    from mipha_eval.core.data_source import DataSource
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.plugins.selection import build_task

    source = DataSource("folder", benchmarks, annotations=benchmarks / "gqa/data/ood_testdev_head.json")
    official = {row["question_id"]: row for row in read_jsonl(benchmarks / "gqa/llava_gqa_testdev_balanced.jsonl")}
    samples = list(build_task("gqa", {}, source, Registry()).samples())
    assert len(samples) == 1733
    for sample in samples:
        assert (sample.prompt, sample.images[0].name) == (official[sample.id]["text"], official[sample.id]["image"])


@pytest.mark.parametrize(("task", "count"), [("mmbench", 4377), ("scienceqa", 4241)])
def test_prompts_equal_those_in_llavas_answers(
    task: str, count: int, benchmarks: Path, llava_answers: Path, cli: Cli
) -> None:
    shown = cli("show", "task", task, "--data", benchmarks, "-n", 9000, "--json").json["questions"]
    file = llava_answers / ("mmbench_dev.jsonl" if task == "mmbench" else "scienceqa.jsonl")
    asked = {str(row["question_id"]): row["prompt"].removeprefix("<image>\n") for row in read_jsonl(file)}
    assert len(shown) == len(asked) == count
    for row in shown:  # LLaVA's script for MMBench records the prompt without its format line
        assert row["prompt"] in (asked[row["id"]], f"{asked[row['id']]}\n{LETTER_ANSWER}")


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
