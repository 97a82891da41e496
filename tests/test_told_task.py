"""What an answer file of another suite says that it answers need not be said again; nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.runs.told_task import told_task
from tests import suite_files
from tests.conftest import Cli, write_jsonl
from tests.suite_files import Answered

SAMPLE = {"doc_id": 0, "filtered_resps": ["yes"], "resps": [["yes"]]}


@pytest.fixture(scope="module")
def answers() -> list[Answered]:
    """The right answers to POPE's demo."""
    samples = read_samples(build_task("pope", {}, parse_source("demo", {}), Registry()))
    return suite_files.answered(samples, {sample.id: sample.target[0] for sample in samples})


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("20261101_010101_samples_pope.jsonl", "pope"),
        ("samples_textvqa_val.jsonl", "textvqa"),
        ("x_samples_mmbench_cn_dev.jsonl", "mmbench@cn-dev"),
        ("x_samples_mmbench_en_dev.jsonl", "mmbench"),
        ("x_samples_mmvet.jsonl", "mmvet"),
        ("x_samples_chartqa.jsonl", None),
        ("pope.jsonl", None),
    ],
)
def test_lmms_eval_names_its_task_in_the_name_of_the_file(name: str, task: str | None, tmp_path: Path) -> None:
    assert told_task(write_jsonl(tmp_path / name, [SAMPLE, SAMPLE]), Registry()) == task
    assert told_task(write_jsonl(tmp_path / name, [{"question_id": 1, "text": "yes"}]), Registry()) is None


def test_other_suites(answers: list[Answered], tmp_path: Path) -> None:
    few, known = answers[:2], Registry()
    (tmp_path / "a/org").mkdir(parents=True)
    assert told_task(suite_files.inspect_json("org/pope@demo", tmp_path / "a", few), known) == "pope@demo"
    assert told_task(suite_files.inspect_eval("pope", tmp_path, few), known) == "pope"
    assert told_task(suite_files.inspect_eval("gsm8k", tmp_path, few), known) is None
    assert told_task(suite_files.vlmevalkit_sheet("POPE", tmp_path, few), known) == "pope"
    assert told_task(suite_files.vlmevalkit("GQA_TestDev_Balanced", tmp_path, few), known) == "gqa"
    assert told_task(suite_files.vlmevalkit_json("MMStar", tmp_path, few), known) is None
    assert told_task(tmp_path / "not_there_POPE.tsv", known) is None


def test_two_suites_files_are_compared_without_a_word(cli: Cli, answers: list[Answered], tmp_path: Path) -> None:
    first = suite_files.lmms_eval("pope", tmp_path, answers)
    second = suite_files.inspect_eval("pope", tmp_path, answers)
    found = cli("compare", first, second, "--data", "demo", "--json")
    assert found.code == 0, found.err
    assert found.json["pairs"][0]["differences"][0]["difference"] == 0
    assert f"{first} says that it answers pope" in found.err
    other = tmp_path / "answers.jsonl"
    first.rename(other)
    told = cli("compare", other, second, "--data", "demo")
    assert (told.code, len(told.err.strip().splitlines())) == (2, 1)
    assert "(--task)" in told.err
