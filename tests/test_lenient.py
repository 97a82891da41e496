"""The lenient reading of many more answers, of any text whatever, and what terminal and report say of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.adversarial import adversarial_answer
from mipha_eval.answers.lenient import read_letter, read_short, read_yes_no
from mipha_eval.answers.wrapping import wrappers
from mipha_eval.plugins import Registry
from mipha_eval.scoring import score_responses
from mipha_eval.selection import build_task, parse_source
from mipha_eval.task import Task
from mipha_eval.types import Response, Sample
from tests.conftest import Cli, write_jsonl
from tests.lenient_cases import KINDS, LETTERS, OPTIONS, SENTENCE_LETTERS, SENTENCES, SHORT, YES_NO
from tests.oracles import pope
from tests.test_lenient_reading import NAMES, write_pope


@pytest.mark.parametrize(("kind", "text", "letter"), LETTERS, ids=ascii)
def test_letters(kind: str, text: str, letter: str) -> None:
    assert kind in KINDS
    assert read_letter(text, OPTIONS) == letter


@pytest.mark.parametrize(("kind", "text", "letter"), SENTENCE_LETTERS, ids=ascii)
def test_letters_of_sentences(kind: str, text: str, letter: str) -> None:
    assert kind in KINDS
    assert read_letter(text, SENTENCES) == letter


@pytest.mark.parametrize(("kind", "text", "said"), YES_NO, ids=ascii)
def test_yes_and_no(kind: str, text: str, said: str) -> None:
    assert kind in KINDS
    assert read_yes_no(text) == said


@pytest.mark.parametrize(("kind", "text", "short"), SHORT, ids=ascii)
def test_short_answers(kind: str, text: str, short: str) -> None:
    assert kind in KINDS
    assert read_short(text) == short


HEADS = ("", "x", "The answer is ", "Answer:", "<think>", "<answer>", "no, ", "\\boxed{", "（")
REPEATED = (
    *(
        "A ",
        "B\n",
        "A or B, ",
        "a b ",
        "not ",
        "no ",
        "yes. ",
        "answer ",
        "answer is ",
        "the ",
        "most likely ",
        "so, ",
        "is ",
    ),
    *(
        "(",
        "((B) ",
        "[",
        "{",
        "<",
        '"',
        "'",
        "*",
        "**",
        "_ ",
        "`",
        "#",
        "-",
        " - ",
        "$",
        ".",
        "?",
        ":",
        " ",
        "\n",
        "\t",
        " \n",
    ),
    *(
        "\\boxed{",
        "\\text{",
        "<think>",
        "</think>",
        "<answer>",
        "<|",
        "<|im_end|>",
        "<s> ",
        "<b>",
        "```\n",
        "（",
        "答案",
        "是不是",
    ),
    *(
        "\nuser:",
        "assistant: ",
        "question: x\n",
        '{"answer":',
        "(Here begins the CONCLUSION stage)",
        "a cat ",
        "is most ",
        "Ａ",
    ),
)


@pytest.mark.parametrize("repeated", REPEATED, ids=ascii)
def test_long_texts_are_read(repeated: str) -> None:
    """20,000 characters of one kind; where a pattern tried every way to divide them, this would take minutes."""
    for head in HEADS:
        text = head + repeated * (20_000 // len(repeated))
        assert read_letter(text, OPTIONS) in ("", *"ABCD")
        assert read_yes_no(text) in ("", "yes", "no")
        assert len(read_short(text)) <= len(text)
        assert set(wrappers(text)) <= {"<think>", "<think> unclosed", "<answer>", "<|im_end|>", "<s>", *CONCLUSION}


CONCLUSION = ("(Here begins the CONCLUSION stage)",)


@pytest.fixture(scope="module")
def demo() -> dict[str, tuple[Task, list[Sample]]]:
    source = parse_source("demo", {})
    made = {name: build_task(name, {}, source, Registry()) for name in NAMES}
    return {name: (task, list(task.samples())) for name, task in made.items()}


PIECES = (
    *(
        "A",
        "B",
        "a",
        "b",
        "I",
        "yes",
        "no",
        "Yes",
        "No",
        "not",
        "or",
        "and",
        "is",
        "the answer is",
        "Answer:",
        "option",
        "2",
        "red",
    ),
    *(
        " ",
        "\n",
        ".",
        ",",
        "?",
        "(",
        ")",
        "**",
        "\\boxed{",
        "}",
        "<think>",
        "</think>",
        "<answer>",
        "</s>",
        "<|im_end|>",
        "答案",
        "是",
    ),
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_answer_is_worth_less(demo: dict[str, tuple[Task, list[Sample]]], name: str, data: st.DataObject) -> None:
    """Of any text, alone and beside others: the lenient headline is never below the official one, and nothing raises."""
    task, samples = demo[name]
    rng = random.Random(data.draw(st.integers(0, 10**9)))
    asked = rng.sample(samples, 3)
    texts = [data.draw(TEXTS) + rng.choice(("", *asked[0].references)) for _ in asked[1:]]
    texts.append(adversarial_answer(rng, asked[-1], samples))
    responses = {sample.id: Response(text) for sample, text in zip(asked, texts, strict=True)}
    for group in ([asked[0]], [asked[1]], [asked[2]], asked):
        summary = score_responses(task, group, {sample.id: responses[sample.id] for sample in group}).summary
        official = summary["metrics"].get(summary["headline"])
        assert (official is None) == (summary["robust"] is None)
        assert official is None or summary["robust"] >= official - 1e-9


def test_thoughts_are_told_beside_the_official_score(cli: Cli, tmp_path: Path) -> None:
    """Some thoughts hold a "no" for the official rule, some do not; the number is the official script's all the same."""
    answers = write_pope(tmp_path)
    for place, row in enumerate(answers):
        if place % 4:
            row["text"] = row["text"].replace("Is there no doubt?", "I see it.")
    path = write_jsonl(tmp_path / "answers.jsonl", answers)
    official = pope.score(tmp_path, path).metrics
    flags = ["score", "pope", "--data", tmp_path, "--answers", path]
    result = cli(*flags, "--json").json
    assert 0 < official["f1"] < 100
    assert result["metrics"]["f1"] == official["f1"]
    assert (result["robust"], result["wrapped"]) == (100, {"<think>": len(answers)})
    told = " ".join(cli(*flags).out.replace("\N{NO-BREAK SPACE}", " ").split())
    assert f"HOLD <think> {len(answers):,}" in told
    assert f"which finds {result['robust_moves']['to_right']:,} (" in told


def test_thoughts_are_told_by_a_run_and_its_report(cli: Cli, tmp_path: Path) -> None:
    answer = "answer=<think>There is no doubt.</think> Yes"
    flags = [
        "run",
        "--tasks",
        "pope",
        "--data",
        "demo",
        "--limit",
        "12",
        "--model",
        "constant",
        "-a",
        answer,
        "-o",
        tmp_path,
    ]
    shown = " ".join(cli(*flags).out.replace("\N{NO-BREAK SPACE}", " ").split())
    (folder,) = tmp_path.glob("*__*")
    report = (folder / "report.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    result = cli("score", folder, "--json").json
    right, wrong = result["robust_moves"]["to_right"], result["robust_moves"]["to_wrong"]
    assert right > 0
    assert wrong > 0
    assert "HOLD <think> 12" in shown
    for text in (report, " ".join(cli("score", folder).out.replace("\N{NO-BREAK SPACE}", " ").split())):
        assert f"{result['robust']:.2f} under a more forgiving reading, which finds {right} (" in text
        assert f"and would find {wrong} (" in text
    assert "HOLD &lt;think> 12" in report
