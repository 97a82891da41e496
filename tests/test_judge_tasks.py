"""What judges are used for: whole runs, MMBench's unread answers, second opinions, other judges, calibration, plans."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mipha_eval.core.types import Score
from mipha_eval.judge.calibrate import agreement, quadratic_kappa
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl
from tests.judge_server import JudgeServer, Say, Serve

PROPOSED = "Proposed answer:"
SLOW = Path(__file__).with_name("slow_adapter.py")


@pytest.fixture(autouse=True)
def _judges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("MIPHA_EVAL_CALIBRATIONS", str(tmp_path / "calibrations"))


def judge_flags(server: JudgeServer, name: str = "m") -> list[object]:
    return ["--judge", name, "--judge-base-url", server.url]


# ---- runs


def test_all_of_mmvet_with_its_pictures(cli: Cli, benchmarks: Path, serve: Serve, tmp_path: Path) -> None:
    """218 questions about 200 real pictures: answered by the embedded model, judged meanwhile, every verdict stored."""
    server = serve(lambda prompt, before: Say("0.5" if len(prompt) % 2 else "1.0"))
    run = ["run", "--tasks", "mmvet", "--data", benchmarks, "-o", tmp_path, "--json", "-a", "max_new_tokens=8"]
    outcome = cli(*run[:-2], *judge_flags(server))
    assert outcome.code == 0, outcome.err
    (result,) = outcome.json["results"]
    assert (result["n"], result["failed"], result["headline"]) == (218, 0, "score[m]")
    place = Path(outcome.json["run"]) / "mmvet@v1"
    verdicts = read_jsonl(place / "verdicts.jsonl")
    assert len({row["key"] for row in verdicts}) == len(verdicts) == len(set(server.prompts)) == len(server.prompts)
    grades = {row["sample"]: row["details"]["grades"] for row in read_jsonl(place / "scores.jsonl")}
    assert len(grades) == 218
    assert result["metrics"]["score[m]"] == pytest.approx(100 * sum(one for (one,) in grades.values()) / 218)
    again = cli("score", outcome.json["run"], "--json").json
    assert (again["metrics"], len(server.requests)) == (result["metrics"], len(verdicts))


def test_a_killed_run_asks_nothing_again_that_was_answered(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda prompt, before: Say("0.5", wait=0.05))
    command = [sys.executable, "-m", "mipha_eval", "run", "--tasks", "mmvet", "-o", str(tmp_path), "--limit", "40"]
    command += [*map(str, judge_flags(server)), "--judge-concurrency", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(server.requests) < 8 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (place,) = tmp_path.glob("*/mmvet@demo")
    stored = {row["prompt_sha256"] for row in read_jsonl(place / "verdicts.jsonl")}
    before = Counter(server.prompts)
    assert 1 <= len(stored) <= len(before) < 40
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    asked_again = set(server.prompts[before.total() :]) & before.keys()
    assert not {hashlib.sha256(prompt.encode()).hexdigest() for prompt in asked_again} & stored
    assert len(asked_again) <= 2  # those under way when it was killed


def test_judging_goes_on_beside_the_model(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """The first answers are judged while the last ones are still to be made."""
    answered: list[int] = []

    def script(prompt: str, before: int) -> Say:
        (file,) = tmp_path.glob("*/mmvet@demo/responses.jsonl")
        answered.append(len(read_jsonl(file)))
        return Say("0.5")

    run = ["run", "--tasks", "mmvet", "--data", "demo", "-o", tmp_path, "--plugin", SLOW, "--model", "slow", "-b", 1]
    assert cli(*run, "-a", f"log={tmp_path / 'log'}", "--limit", 20, *judge_flags(serve(script))).code == 0
    assert answered[0] < 10
    assert answered[-1] >= 20


def test_a_second_interrupt_stops_at_once(serve: Serve, tmp_path: Path) -> None:
    """And says so, with the exit code of what is not finished; the rest is asked by the same command."""
    answers = write_mmbench(tmp_path, "What is it", ["A", UNREAD, "A", "B"])
    asked, held = threading.Event(), threading.Event()

    def script(prompt: str, before: int) -> Say:
        asked.set()
        held.wait(60)
        return Say("B")

    server = serve(script)
    command = [sys.executable, "-m", "mipha_eval", "score", "mmbench", "--answers", str(answers), "--data", str(tmp_path)]
    command += [*map(str, judge_flags(server))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert any("once more stops at once" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    held.set()
    assert (process.returncode, "stopped; the same command goes on" in told) == (3, True)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_run_judged_by_two(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """Another judge grades stored answers again, side by side; the model is not asked, and neither is the first judge."""
    first, other = serve(lambda prompt, before: Say("1.0")), serve(lambda prompt, before: Say("0.25"))
    run = cli("run", "--tasks", "mmvet,pope", "--limit", 9, "-o", tmp_path, "--json", *judge_flags(first, "first"))
    place = Path(run.json["run"])
    asked = len(first.requests)
    both = cli("score", place, "--json", *judge_flags(other, "other")).json
    assert [result["headline"] for result in both] == ["score[first]", "score[other]"]
    assert [result["metrics"][result["headline"]] for result in both] == [100, 25]
    assert len(first.requests) == asked
    assert [result["headline"] for result in cli("score", place, "--json").json] == ["score[first]", "score[other]", "f1"]
    assert read_json(place / "mmvet@demo/result.json")["headline"] == "score[first]"
    assert read_json(place / "mmvet@demo/result.other.json")["headline"] == "score[other]"
    cli("run", "--tasks", "mmvet,pope", "--limit", 9, "-o", tmp_path, *judge_flags(other, "other"))
    assert read_json(place / "mmvet@demo/result.json")["headline"] == "score[other]"
    assert {file.name for file in place.glob("mmvet@demo/result*.json")} == {"result.json", "result.first.json"}


def test_all_tasks_of_a_run_are_judged_in_one_session(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """By one client, and with one budget."""
    server = serve(lambda prompt, before: Say("yes"))
    place = Path(cli("run", "--tasks", "pope,gqa", "--limit", 4, "-o", tmp_path, "--json").json["run"])
    again = ["score", place, "--json", *judge_flags(server), "--judge-correctness"]
    outcome = cli(*again, "--judge-budget", "1calls")
    assert (outcome.code, len(server.requests)) == (3, 1)
    outcome = cli(*again)
    assert (outcome.code, [result["metrics"]["correct[m]"] for result in outcome.json]) == (0, [100, 100])


def test_a_run_of_before_judges_were_is_told_how_to_get_one(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """Its copy of the questions lacks what MMBench's judge is shown."""
    server = serve(lambda prompt, before: Say("Z"))
    run = ["run", "--tasks", "mmbench", "--data", "demo", "--limit", 4, "-o", tmp_path, "--json"]
    place = Path(cli(*run).json["run"])
    (samples,) = place.glob("*/samples.jsonl")
    write_jsonl(samples, [{key: row[key] for key in row if key != "question"} for row in read_jsonl(samples)])
    outcome = cli("score", place, *judge_flags(server))
    assert (outcome.code, "the run's own command with a judge adds it" in outcome.err, server.requests) == (2, True, [])
    assert cli(*run, *judge_flags(server)).code == 0
    assert cli("score", place, *judge_flags(server)).code == 0


def test_recorded_grades_in_a_run(cli: Cli, benchmarks: Path, llava_answers: Path, tmp_path: Path) -> None:
    """Replayed grades are stored like verdicts, and a run is scored again from them."""
    flags = ["--model", "answers-file", "-a", f"path={llava_answers / 'mmvet.jsonl'}", "--data", benchmarks]
    grades = llava_answers / "mmvet_gpt-4-grade-3runs.json"
    outcome = cli("run", "--tasks", "mmvet", *flags, "-o", tmp_path, "--grades", grades, "--json")
    (result,) = outcome.json["results"]
    assert (outcome.code, result["runs"]) == (0, [36.1, 36.5, 36.3])
    assert cli("score", outcome.json["run"], "--json").json["runs"] == [36.1, 36.5, 36.3]


def test_a_stopped_judge_does_not_stop_the_model(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda prompt, before: Say("bad key", 401))
    outcome = cli("run", "--tasks", "mmvet,pope", "--limit", 8, "-o", tmp_path, "--json", *judge_flags(server))
    assert outcome.code == 3
    assert "HTTP 401" in outcome.err
    mmvet, pope = outcome.json["results"]
    assert mmvet["judge"]["pending"] == mmvet["n"]
    assert pope["metrics"]["accuracy"] >= 0
    status = read_json(Path(outcome.json["run"]) / "status.json")
    assert (status["mmvet@demo"]["state"], status["pope@demo"]["state"]) == ("judge", "done")


# ---- MMBench


def mmbench_rows(question: str) -> list[dict[str, Any]]:
    """Two questions of two rotations each."""
    rows = []
    for base, options in ((1, ("cat", "dog")), (2, ("tree", "house"))):
        for rotation in range(2):
            turned = options[rotation:] + options[:rotation]
            cells = {
                "index": base + rotation * 1_000_000,
                "question": question,
                "hint": "see",
                "A": turned[0],
                "B": turned[1],
            }
            rows.append(
                {**cells, "C": "", "D": "", "answer": "AB"[rotation], "category": "c", "l2-category": "l", "image": ""}
            )
    return rows


def write_mmbench(folder: Path, question: str, texts: list[str], split: str = "dev_20230712") -> Path:
    """A table in MMBench's form, and answers to its rows."""
    rows = mmbench_rows(question)
    (folder / "mmbench").mkdir(exist_ok=True)
    lines = ["\t".join(rows[0]), *("\t".join(map(str, row.values())) for row in rows)]
    (folder / f"mmbench/mmbench_{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    answers = [{"question_id": row["index"], "text": text} for row, text in zip(rows, texts, strict=True)]
    return write_jsonl(folder / "answers.jsonl", answers)


UNREAD = "it purrs, so what else would it be than that"


def test_unread_answers_go_to_the_judge(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """Only where all other rotations are right; the prompt is VLMEvalKit's, put together here again."""
    answers = write_mmbench(tmp_path, "What is it", ["A", UNREAD, "B", UNREAD])
    server = serve(lambda prompt, before: Say("B"))
    flags = ["--answers", answers, "--data", tmp_path, "--json"]
    result = cli("score", "mmbench", *flags, *judge_flags(server)).json
    assert result["metrics"]["accuracy[m]"] == 50
    assert "vanilla[m]" not in result["metrics"]
    (request,) = server.requests
    assert request["temperature"] == 0
    assert request["messages"][0]["content"].endswith(
        "Example 3: \nQuestion: What is it?\nOptions: There are several options: \nA. dog\nB. cat\n\n"
        f"Answer: {UNREAD}\nYour output: "
    )
    plain = cli("score", "mmbench", *flags).json
    assert (plain["metrics"]["accuracy"], plain["unparsed"]) == (0, 2)


def test_an_unreadable_option_is_left_out_and_not_drawn(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    answers = write_mmbench(tmp_path, "What is it", ["A", UNREAD, "A", "B"])
    server = serve(lambda prompt, before: Say("I would rather not say which of them"))
    score = ["score", "mmbench", "--answers", answers, "--data", tmp_path, "--json"]
    outcome = cli(*score, *judge_flags(server))
    result = outcome.json
    assert (outcome.code, len(server.requests)) == (3, 3)
    assert (result["metrics"]["accuracy[m]"], result["n"], result["judge"]["unreadable"]) == (100, 2, 2)
    assert "unreadable reply, finish_reason stop: 'I would rather not say which of them'" in outcome.err
    mended = serve(lambda prompt, before: Say("B"))
    outcome = cli(*score, *judge_flags(mended))
    assert (outcome.code, outcome.json["metrics"]["accuracy[m]"], len(mended.requests)) == (0, 100, 1)


def test_a_failed_verdict_leaves_the_question_out(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    answers = write_mmbench(tmp_path, "What is it", ["A", UNREAD, "A", "B"])
    server = serve(lambda prompt, before: Say("no", 400))
    outcome = cli("score", "mmbench", "--answers", answers, "--data", tmp_path, "--json", *judge_flags(server))
    assert (outcome.code, outcome.json["metrics"]["accuracy[m]"], outcome.json["judge"]["failed"]) == (3, 100, 2)
    empty = serve(lambda prompt, before: Say(None, finish="length"))
    outcome = cli("score", "mmbench", "--answers", answers, "--data", tmp_path, "--json", *judge_flags(empty))
    assert (outcome.code, outcome.json["metrics"]["accuracy[m]"], outcome.json["judge"]["failed"]) == (3, 100, 2)
    assert "empty reply, finish_reason length" in outcome.err


def test_chinese_questions_are_judged_in_chinese(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    answers = write_mmbench(tmp_path, "这是什么", ["A", "喵" * 30, "A", "B"], "dev_cn_20231003")
    server = serve(lambda prompt, before: Say("B"))
    flags = ["--answers", answers, "--data", tmp_path, "--json", *judge_flags(server)]
    assert cli("score", "mmbench@cn-dev", *flags).json["metrics"]["accuracy[m]"] == 100
    (prompt,) = server.prompts
    assert prompt.startswith("你是一个帮助我匹配答案与单选题中多个选项的 AI 助手。")
    assert prompt.endswith(
        "问题: 这是什么?\n选项: There are several options: \nA. dog\nB. cat\n\n答案: " + "喵" * 30 + "\n输出: "
    )


# ---- second opinions


def test_any_task_can_have_a_second_opinion(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """Beside the official metric, under a name of its own, equal questions asked once."""
    server = serve(lambda prompt, before: Say("Yes." if f"{PROPOSED}\n{'-' * 20}\nyes\n" in prompt.lower() else "no"))
    run = ["run", "--tasks", "pope", "--data", "demo", "--limit", 30, "-o", tmp_path, "--json", "--model", "constant"]
    plain = cli(*run).json["results"][0]
    outcome = cli(*run, *judge_flags(server), "--judge-correctness")
    (result,) = outcome.json["results"]
    place = Path(outcome.json["run"]) / "pope@demo"
    assert (outcome.code, result["headline"]) == (0, plain["headline"])
    assert {name: result["metrics"][name] for name in plain["metrics"]} == plain["metrics"]
    opinions = [row["judged"] for row in read_jsonl(place / "scores.jsonl")]
    assert result["metrics"]["correct[m]"] == pytest.approx(100 * sum(opinions) / len(opinions))
    assert len(server.requests) == len(set(server.prompts)) <= 30
    assert "correct[m]" in result["intervals"]


@pytest.mark.parametrize("task", ["seed", "seed@ppl", "scienceqa"])
def test_the_wrong_options_are_no_accepted_answers(task: str, cli: Cli, serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda prompt, before: Say("no"))
    run = ["run", "--tasks", task, "--data", "demo", "--limit", 6, "-o", tmp_path, "--json", "--model", "mipha-tiny"]
    outcome = cli(*run, *judge_flags(server), "--judge-correctness")
    assert outcome.code == 0, outcome.err
    (samples,) = Path(outcome.json["run"]).glob("*/samples.jsonl")
    right = {(row["target"][0], row["choices"]["ABCDE".index(row["target"][0])]) for row in read_jsonl(samples)}
    accepted = {
        tuple(re.findall(r"Accepted answers:\n-+\n(.*?)\n-+\n", prompt, re.DOTALL)[0].split("\n"))
        for prompt in server.prompts
    }
    assert accepted == right


# ---- calibration


def brute_kappa(mine: list[float], right: list[float]) -> float:
    """From the table of all pairs of grades, with weights that grow with the square of the distance."""
    levels = [round(0.1 * step, 1) for step in range(11)]
    table = np.zeros((11, 11))
    for one, other in zip(mine, right, strict=True):
        table[levels.index(one), levels.index(other)] += 1
    weights = np.subtract.outer(levels, levels) ** 2
    chance = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float(1 - (weights * table).sum() / (weights * chance).sum())


def test_kappa_is_that_of_the_table() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        mine, right = (rng.integers(0, 11, 50) / 10 for _ in range(2))
        expected = brute_kappa([round(x, 1) for x in mine.tolist()], [round(x, 1) for x in right.tolist()])
        assert quadratic_kappa(mine, right) == pytest.approx(expected, abs=1e-12)


def test_agreement_of_known_grades() -> None:
    graded = [
        Score(str(place), 0.0, "", "judge-grade", cluster=str(place), details={"grades": grades})
        for place, grades in enumerate([[0.0, 0.2], [0.5, 0.5], [1.0, 1.0], [0.4, 0.2]])
    ]
    found = agreement(graded, [[0.0], [0.5], [0.9], [0.5]])
    assert found.bias == pytest.approx(100 * (0.1 + 0 + 0.1 - 0.2) / 4)
    assert found.mean_absolute_error == pytest.approx(0.4 / 4)
    assert found.rank_correlation == pytest.approx(np.corrcoef([1, 3, 4, 2], [1, 2.5, 4, 2.5])[0, 1])
    assert found.repeat_deviation == pytest.approx(((0.02 + 0 + 0 + 0.02) / 4) ** 0.5)
    assert found.reference_repeat_deviation is None


def test_a_calibration_travels_with_later_scores(cli: Cli, benchmarks: Path, llava_answers: Path, serve: Serve) -> None:
    """A judge that grades half a point lower than GPT-4 did is known to, wherever it grades later."""
    grades = read_json(llava_answers / "mmvet_gpt-4-grade-3runs.json")
    rows = read_json(benchmarks / "mm-vet/mm-vet.json")
    texts = {f"v1_{row['question_id']}": row["text"] for row in read_jsonl(llava_answers / "mmvet.jsonl")}
    known = {f"{rows[name]['question']} | ": name for name in rows}
    by_prompt = {(rows[name]["question"], texts[name]): max(entry["score"][0] - 0.1, 0) for name, entry in grades.items()}

    def script(prompt: str, before: int) -> Say:
        grade = next(
            grade
            for (question, text), grade in by_prompt.items()
            if f"\n{question} | " in prompt and f" | {text} | " in prompt
        )
        return Say(f"{grade:.1f}")

    assert known
    server = serve(script)
    where = ["--answers", llava_answers / "mmvet.jsonl", "--data", benchmarks, *judge_flags(server), "--json"]
    beside = ["--grades", llava_answers / "mmvet_gpt-4-grade-3runs.json", *where[2:]]
    outcome = cli("judge", "calibrate", *beside)
    assert outcome.code == 0, outcome.err
    found = outcome.json
    mean = {name: sum(entry["score"]) / 3 for name, entry in grades.items()}
    lower = {name: round(max(entry["score"][0] - 0.1, 0), 1) for name, entry in grades.items()}
    differences = [lower[name] - mean[name] for name in grades]
    assert found["n"] == 218
    assert found["bias"] == pytest.approx(100 * sum(differences) / 218)
    assert found["mean_absolute_error"] == pytest.approx(sum(map(abs, differences)) / 218)
    assert found["bias_interval"][0] < found["bias"] < found["bias_interval"][1] < 0
    assert found["repeat_deviation"] == 0
    assert found["reference"] == "gpt-4"
    asked = len(server.requests)
    verdicts = server.prompts
    later = cli("score", "mmvet", *where, "--verdicts", os.environ["MIPHA_EVAL_CALIBRATIONS"]).json
    assert later["judge"]["calibration"]["bias"] == found["bias"]
    assert len(verdicts) >= asked
    other = serve(script)
    unknown = cli("score", "mmvet", *where[:4], *judge_flags(other, "another"), "--json", "--verdicts", "/tmp").json
    assert unknown["judge"]["calibration"] is None


# ---- before money is spent


def test_a_plan_is_what_is_asked(cli: Cli, benchmarks: Path, llava_answers: Path, serve: Serve, tmp_path: Path) -> None:
    """With answers at hand, the calls of a plan are those that a judge gets, if every reply can be read."""
    plan = ["plan", "--tasks", "mmvet", "--data", benchmarks, "--judge", "gpt-4-0613", "--json"]
    (planned,) = cli(*plan, "--answers", llava_answers / "mmvet.jsonl", "--judge-runs", 2).json
    server = serve(lambda prompt, before: Say("1.0"))
    where = ["--answers", llava_answers / "mmvet.jsonl", "--data", benchmarks, "--verdicts", tmp_path]
    cli("score", "mmvet", *where, *judge_flags(server), "--judge-runs", 2)
    assert planned["judge"]["calls"] == len(server.requests) == 436
    assert planned["judge"]["prompt_tokens"] == sum(-(-len(prompt.encode()) // 4) for prompt in server.prompts)
    assert planned["judge"]["usd"] == pytest.approx((30 * planned["judge"]["prompt_tokens"] + 60 * 3 * 436) / 1e6)
    assert planned["judge"]["most_calls"] == 5 * 436
    text = cli(*plan[:-1]).out
    assert "218 questions" in text
    assert "USD" in text
    own = cli("plan", "--tasks", "mmvet,pope", "--data", "demo", "--judge", "my-own").out
    assert "price unknown (give IN,OUT" in own
    assert "no judge" in own


def test_a_server_that_understands_and_one_that_does_not(cli: Cli, serve: Serve) -> None:
    def clever(prompt: str, before: int) -> Say:
        if "Correctness\n---" in prompt:
            return Say("1.0" if "It is 4." in prompt else "0.0")
        if "Your output:" in prompt:
            return Say("B" if "grass" in prompt else "Z")
        return Say("yes" if "a young cat" in prompt else "no")

    outcome = cli("judge", "serve-check", *judge_flags(serve(clever)), "--json")
    assert (outcome.code, outcome.json["understood"], outcome.json["steady"]) == (0, True, True)
    outcome = cli("judge", "serve-check", *judge_flags(serve(lambda prompt, before: Say("The correct answer"))))
    assert (outcome.code, "cannot be relied on" in outcome.out) == (3, True)
    outcome = cli("judge", "serve-check", *judge_flags(serve(lambda prompt, before: Say("who are you?", 401))))
    assert (outcome.code, "HTTP 401" in outcome.err) == (2, True)


def test_judges_are_listed(cli: Cli) -> None:
    assert json.loads(cli("list", "judges", "--json").out)["judges"]["gpt-4-0613"] == "30, 60 USD for a million tokens"
