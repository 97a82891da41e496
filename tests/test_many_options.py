"""Questions with up to 26 options keep the right letter wherever letters are written or read."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import pytest

from mipha_eval.core.alphabet import columns_of_options, lettered
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Answer, Response, Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.demo.choices import Choice
from mipha_eval.judge.judged import JudgeSettings
from mipha_eval.scoring.circular import match_unread, options_of
from tests.conftest import Cli, write_jsonl
from tests.oracles import mmbench as mmbench_oracle
from tests.oracles import scienceqa as scienceqa_oracle
from tests.test_ugly_answers import write_json

Write = Callable[[Path, Sequence[str], str], list[dict[str, Any]]]


def words(count: int) -> list[str]:
    """So many options, of which none is part of another."""
    return [f"thing {number:02}" for number in range(count)]


def write_seed(data: Path, options: Sequence[str], right: str) -> list[dict[str, Any]]:
    choices = {f"choice_{letter}": option for letter, option in zip(ascii_lowercase, options, strict=False)}
    row = {"question_id": "7", "answer": right, "data_type": "image", "question": "What?", "data_id": "7.png", **choices}
    write_json(data / "seed_bench/SEED-Bench.json", {"questions": [row]})
    return [{"question_id": "7"}]


def write_scienceqa(data: Path, options: Sequence[str], right: str) -> list[dict[str, Any]]:
    problem = {"choices": options, "answer": ascii_uppercase.index(right)}
    asked = {"id": "0", "conversations": [{"value": "What?"}], "image": "0/image.png"}
    for name, stored in {"problems": {"0": problem}, "llava_test_CQM-A": [asked], "pid_splits": {"test": ["0"]}}.items():
        write_json(data / f"scienceqa/{name}.json", stored)
    return [{"question_id": "0"}]


def write_mmbench(data: Path, options: Sequence[str], right: str) -> list[dict[str, Any]]:
    """The question with all its rotations, a column an option."""
    place, count = ascii_uppercase.index(right), len(options)
    path = data / "mmbench/mmbench_dev_20230712.tsv"
    path.parent.mkdir(parents=True)
    rows = []
    for turn in range(count):
        turned = [*options[turn:], *options[:turn]]
        answer = ascii_uppercase[(place - turn) % count]
        rows.append({"index": 1 + turn * 1_000_000, "question": "What?", "hint": "", "answer": answer, "category": "ocr"})
        rows[-1] |= dict(zip(ascii_uppercase, turned, strict=False))
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter="\t")
        table.writeheader()
        table.writerows(rows)
    return [{"question_id": row["index"], "answer": row["answer"]} for row in rows]


BENCHES: dict[str, Write] = {"seed": write_seed, "scienceqa": write_scienceqa, "mmbench": write_mmbench}
HEADLINES = {"seed": "accuracy", "scienceqa": "img", "mmbench": "accuracy"}


def read_task(name: str, data: Path) -> tuple[Task, list[Sample]]:
    task = build_task(name, {}, parse_source(str(data), {}), Registry())
    return task, list(task.samples())


@pytest.mark.parametrize("count", [2, 4, 5, 6, 8, 11, 26])
@pytest.mark.parametrize("bench", BENCHES)
def test_the_last_option_is_read(bench: str, count: int, cli: Cli, tmp_path: Path) -> None:
    """Its letter is right, the letter before it is wrong, and the prompt shows both."""
    right = ascii_uppercase[count - 1]
    keys = BENCHES[bench](tmp_path, words(count), right)
    _, samples = read_task(bench, tmp_path)
    if bench != "scienceqa":  # whose prompts come from LLaVA's file
        assert [line[:2] for line in samples[0].prompt.split("\n")[1:-1]] == [f"{letter}." for letter in ascii_uppercase][
            :count
        ]
    for wrong in (False, True):
        rows = [{"question_id": key["question_id"], "text": key.get("answer", right)} for key in keys]
        if wrong:
            rows[0]["text"] = ascii_uppercase[count - 2]
        answers = write_jsonl(tmp_path / "answers.jsonl", rows)
        result = cli("score", bench, "--data", tmp_path, "--answers", answers, "--json").json
        assert result["metrics"][HEADLINES[bench]] == (0 if wrong else 100)
        assert result["unparsed"] == 0


@pytest.mark.parametrize("bench", BENCHES)
def test_choices_name_every_option(bench: str, tmp_path: Path) -> None:
    BENCHES[bench](tmp_path, words(26), "Z")
    task, samples = read_task(bench, tmp_path)
    assert task.possible_answers(samples[0]) == {letter: letter == "Z" for letter in ascii_uppercase}


def test_probabilities_of_six_options(cli: Cli, tmp_path: Path) -> None:
    """The model's chance of the sixth letter is asked for, and counts."""
    from PIL import Image

    write_seed(tmp_path, words(6), "F")
    place = tmp_path / "seed_bench/SEED-Bench-image/7.png"
    place.parent.mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(place)
    run = cli("run", "--tasks", "seed", "--data", tmp_path, "-o", tmp_path / "runs", "--probabilities", "--json")
    (result,) = run.json["results"]
    assert result["probabilities"]["n"] == 1
    assert 0 < result["probabilities"]["mass"] <= 100


def test_the_likeliest_of_26_options(tmp_path: Path) -> None:
    write_seed(tmp_path, words(26), "Q")
    task, (sample,) = read_task("seed@ppl", tmp_path)
    assert task.request(sample).options == tuple(words(26))
    for best in range(26):
        likelihoods = tuple(-1.0 if place == best else -9.0 for place in range(26))
        score = task.score(sample, Response("", likelihoods=likelihoods, option_tokens=(2,) * 26))
        assert (score.reading, score.value) == (ascii_uppercase[best], ascii_uppercase[best] == "Q")


def test_a_judge_is_shown_26_options_and_its_letter_is_read(tmp_path: Path) -> None:
    write_mmbench(tmp_path, words(26), "X")
    task, samples = read_task("mmbench", tmp_path)
    assert options_of(samples[0]) == dict(zip(ascii_uppercase, words(26), strict=True))
    answer = Answer(samples[0], "the one on the left", task.score(samples[0], Response("the one on the left")))
    assert not answer.score.parsed
    dialogue = match_unread([answer], task._scored)  # type: ignore[attr-defined]
    query = next(dialogue)
    assert "".join(f"{letter}. {word}\n" for letter, word in zip(ascii_uppercase, words(26), strict=True)) in query.prompt
    with pytest.raises(StopIteration) as stop:
        dialogue.send("X")
    (score,) = stop.value.value
    assert (score.reading, score.value) == ("X", 1)


def test_a_second_opinion_is_told_the_option_behind_the_letter(tmp_path: Path) -> None:
    write_scienceqa(tmp_path, words(26), "Y")
    task, (sample,) = read_task("scienceqa", tmp_path)
    answer = Answer(sample, "?", task.score(sample, Response("?")))
    query = next(JudgeSettings(correctness=True).dialogue(task, [answer]))
    assert "Y\nthing 24\n" in query.prompt


def test_every_rotation_of_26_options_must_be_right(cli: Cli, tmp_path: Path) -> None:
    keys = write_mmbench(tmp_path, words(26), "M")
    rows = [{"question_id": key["question_id"], "text": key["answer"]} for key in keys]
    rows[17]["text"] = "A" if rows[17]["text"] != "A" else "B"
    answers = write_jsonl(tmp_path / "answers.jsonl", rows)
    metrics = cli("score", "mmbench", "--data", tmp_path, "--answers", answers, "--json").json["metrics"]
    assert (metrics["accuracy"], metrics["vanilla"]) == (0, 100)


def test_the_scorers_equal_the_oracles_on_26_options(tmp_path: Path) -> None:
    """Letters, statements and wordings, of options that are there and of some that are not."""
    rng = random.Random(0)
    forms = ("{}", "{}. it", "The answer is {}.", "the answer is {}", "({})", "I would say {}", "thing 0{}", "{} {}", "Z")
    for count in (3, 5, 6, 9, 26):
        BENCHES["mmbench"](tmp_path / f"m{count}", words(count), "A")
        BENCHES["scienceqa"](tmp_path / f"s{count}", words(count), "B")
        task, samples = read_task("mmbench", tmp_path / f"m{count}")
        schools, (school,) = read_task("scienceqa", tmp_path / f"s{count}")
        for _ in range(200):
            text = rng.choice(forms).replace("{}", rng.choice(ascii_uppercase), 1).replace("{}", rng.choice("AB1"))
            letter = mmbench_oracle.letter_of(text, dict(zip(ascii_uppercase, words(count), strict=False)))
            assert task.score(samples[0], Response(text)).value == (letter == "A")
            assert schools.score(school, Response(text)).value == scienceqa_oracle.is_right(text, count, 1)


def test_a_demo_question_with_26_options() -> None:
    choice = Choice("Which one?", tuple(words(26)), 25)
    assert choice.letter == "Z"
    assert choice.question().text.split("\n")[1:] == [f"{letter}. {word}" for letter, word in lettered(words(26))]
    assert [choice.rotated(turn).letter for turn in range(26)] == list(reversed(ascii_uppercase))


def test_columns_of_options() -> None:
    assert columns_of_options({"index": 1, "A": 1, "B": 1, "H": 1, "answer": 1}) == "ABCDEFGH"
    with pytest.raises(KeyError):
        columns_of_options({"B": 1})


def test_more_options_than_letters(cli: Cli, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="27 options"):
        lettered(words(27))
    write_scienceqa(tmp_path, words(27), "B")
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": "0", "text": "B"}])
    outcome = cli("score", "scienceqa", "--data", tmp_path, "--answers", answers, "--json")
    assert outcome.code == 2
    assert "27 options" in outcome.err
