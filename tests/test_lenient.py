"""The more forgiving reading: what a person would take an answer to say, and never less than the official rule finds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.adversarial import adversarial_answer
from mipha_eval.answers.lenient import read_letter, read_short, read_yes_no
from mipha_eval.plugins import Registry
from mipha_eval.scoring import score_responses
from mipha_eval.selection import build_task, parse_source, read_samples
from mipha_eval.types import Response
from tests.conftest import Cli, read_jsonl, write_jsonl
from tests.lenient_cases import LETTERS, OPTIONS, SENTENCE_LETTERS, SENTENCES, SHORT, YES_NO

TASKS = ("pope", "mme", "mmbench", "seed", "scienceqa", "gqa", "vqav2", "textvqa", "vizwiz")


@pytest.mark.parametrize(("text", "letter"), LETTERS)
def test_letters(text: str, letter: str) -> None:
    assert read_letter(text, OPTIONS) == letter


@pytest.mark.parametrize(("text", "letter"), SENTENCE_LETTERS)
def test_letters_of_sentences(text: str, letter: str) -> None:
    assert read_letter(text, SENTENCES) == letter


@pytest.mark.parametrize(("text", "answer"), YES_NO)
def test_yes_and_no(text: str, answer: str) -> None:
    assert read_yes_no(text) == answer


@pytest.mark.parametrize(("text", "answer"), SHORT)
def test_short_answers(text: str, answer: str) -> None:
    assert read_short(text) == answer


@given(st.text(alphabet="ABCDEab .,()*\n<>think/{}\\boxed答案是", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_has_a_letter_of_its_options_or_none(text: str) -> None:
    assert read_letter(text, OPTIONS) in ("", "A", "B", "C", "D")
    assert read_yes_no(text) in ("", "yes", "no")


@pytest.mark.parametrize("name", TASKS)
def test_never_below_the_official_reading(name: str) -> None:
    """On answers made to trip scorers up, and right and wrong ones in every dress."""
    task = build_task(name, {}, parse_source("demo", {}), Registry())
    samples = read_samples(task)[:120]
    rng = random.Random(name)
    responses = {sample.id: Response(adversarial_answer(rng, sample, samples)) for sample in samples}
    summary = score_responses(task, samples, responses).summary
    assert summary["robust"] >= summary["metrics"][summary["headline"]] - 1e-9
    assert set(summary["robust_moves"]) == {"to_right", "to_wrong"}


def test_thoughts_are_told_beside_the_official_score(cli: Cli, tmp_path: Path) -> None:
    """POPE's official rule reads on to the first full stop: "no" in a thought decides."""
    run = cli(
        "run", "--tasks", "pope", "--model", "constant", "-a", "answer=Yes", "--data", "demo", "-o", tmp_path, "--json"
    )
    folder = Path(run.json["run"]) / "pope@demo"
    rows = [{**row, "text": f"<think>no, not yet</think> {row['text']}"} for row in read_jsonl(folder / "responses.jsonl")]
    write_jsonl(folder / "responses.jsonl", rows)
    outcome = cli("score", run.json["run"], "--json").json
    assert outcome["metrics"]["f1"] == 0.0
    # what either reading finds right counts, so that the forgiving one is never below the official
    assert outcome["robust"] >= run.json["results"][0]["metrics"]["f1"]
    assert outcome["wrapped"] == {"<think>": len(rows)}
    shown = cli("score", run.json["run"]).out
    assert f"HOLD <think> {len(rows):,}" in shown.replace("\N{NO-BREAK SPACE}", " ")
    assert "more forgiving reading" in " ".join(shown.split())
    assert json.dumps(outcome)
