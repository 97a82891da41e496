"""Judging through the command line against a real server on the loopback, which a script makes behave and misbehave."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.scoring.judging.prompts import GRADE_AGAIN
from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl
from tests.judge_server import JudgeServer, Say, Script, Serve

CANARY = "sk-canary-5d41402abc4b2a76b9719d911017c592"
QUESTIONS = [
    ("v1_0", "What is x?", "-1<AND>-5", ["ocr", "math"], "x = -1"),
    ("v1_1", "Who is it?", "a man<OR>a boy", ["rec"], "A young boy."),
    ("v1_2", "What is written?", "STOP", ["ocr"], "It says STOP."),
    ("v1_3", "Why is it funny?", "The cat sleeps", ["rec", "gen"], "I do not know"),
]


@dataclass(frozen=True)
class Bench:
    """A small MM-Vet with answers, and how to have it judged."""

    cli: Cli
    folder: Path
    answers: Path

    def judge(self, server: JudgeServer, *flags: object, model: str = "gpt-4-0613") -> Outcome:
        where = ["--answers", self.answers, "--data", self.folder, "--judge", model, "--judge-base-url", server.url]
        return self.cli("score", "mmvet", *where, *flags)

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        return read_jsonl(self.folder / "answers.json.mmvet@v1.verdicts.jsonl")


@pytest.fixture
def bench(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("MIPHA_EVAL_CALIBRATIONS", str(tmp_path / "calibrations"))
    rows = {
        name: {"imagename": f"{name}.png", "question": question, "answer": truth, "capability": needs}
        for name, question, truth, needs, _ in QUESTIONS
    }
    (tmp_path / "mm-vet").mkdir()
    (tmp_path / "mm-vet/mm-vet.json").write_text(json.dumps(rows))
    (tmp_path / "answers.json").write_text(json.dumps({name: text for name, *_, text in QUESTIONS}))
    return Bench(cli, tmp_path, tmp_path / "answers.json")


def by_question(replies: dict[str, Callable[[int], Say]]) -> Script:
    """A script that looks for a question in the prompt's last line."""

    def script(prompt: str, before: int) -> Say:
        last = prompt.removesuffix(GRADE_AGAIN).splitlines()[-1]
        return next((reply(before) for question, reply in replies.items() if last.startswith(question)), Say("1.0"))

    return script


def test_the_prompt_is_the_official_one(bench: Bench, serve: Serve) -> None:
    """Put together here a second time, from the parts that the official script puts together."""
    server = serve(lambda prompt, before: Say("0.5"))
    outcome = bench.judge(server, "--json")
    assert outcome.code == 0
    result = outcome.json
    assert result["headline"] == "score[gpt-4-0613]"
    assert result["metrics"]["score[gpt-4-0613]"] == 50
    assert all(name.endswith("[gpt-4-0613]") for name in result["metrics"])
    request = next(each for each in server.requests if "x = -1 | " in each["messages"][0]["content"][-20:])
    prompt = request["messages"][0]["content"]
    assert prompt.endswith("\n\nWhat is x? | -1 <AND> -5 | x = -1 | ")
    assert prompt.startswith("Compare the ground truth and prediction from AI models, to give a correctness score")
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("gpt-4-0613", 0.0, 3)
    assert len(request["messages"]) == 1
    assert server.requests[0]["authorization"] == f"Bearer {CANARY}"


def test_an_unreadable_grade_is_asked_for_again_hotter(bench: Bench, serve: Serve) -> None:
    """The official order of temperatures; a grade that stays unreadable is in no metric, counted and marked."""
    replies = ["well", "", "1.5", "nan"]
    server = serve(
        by_question(
            {
                "What is x?": lambda before: Say("hard to say"),
                "Who is it?": lambda before: Say(replies[before % 4]),
                "What is written?": lambda before: Say(None if before == 0 else "0.7 or so"),
            }
        )
    )
    outcome = bench.judge(server, "--json")
    result = outcome.json
    assert outcome.code == 3
    asked = [each for each in server.requests if "What is x? | -1" in each["messages"][0]["content"]]
    assert [each["temperature"] for each in asked] == [0.0, 0.0, 0.5, 1.0, 1.5]
    assert [each["messages"][0]["content"].endswith(GRADE_AGAIN) for each in asked] == [False, True, True, True, True]
    assert result["metrics"]["score[gpt-4-0613]"] == pytest.approx(100 * (0.7 + 1) / 2)
    assert (result["unparsed"], result["judge"]["unreadable"], result["judge"]["failed"], result["n"]) == (0, 2, 0, 2)
    assert any("'hard to say'" in reason for reason in result["judge"]["failures"])
    assert result["envelope"] == pytest.approx([42.5, 92.5])
    assert "UNREADABLE VERDICTS 2" in bench.judge(server).out


FAULTS = {
    "429": lambda before: Say("slow down", 429, {"Retry-After": "0.01"}) if before == 0 else Say("0.4"),
    "429 twice": lambda before: Say("slow down", 429, {"Retry-After": "0.01"}) if before < 2 else Say("0.4"),
    "500": lambda before: Say("oops", 500, {"Retry-After": "0.01"}) if before == 0 else Say("0.4"),
    "503 without JSON": lambda before: Say("", 503, {"Retry-After": "0.01"}, b"<html>") if before == 0 else Say("0.4"),
    "slow": lambda before: Say("0.4", wait=1.0 if before == 0 else 0.0),
    "cut": lambda before: Say("0.4", cut=before == 0),
    "no JSON": lambda before: Say(body=b"{not json") if before == 0 else Say("0.4"),
    "no completion": lambda before: Say(body=b'{"choices": []}') if before == 0 else Say("0.4"),
    "a list": lambda before: Say(body=b"[1, 2]") if before == 0 else Say("0.4"),
    "nested": lambda before: Say(body=b"[" * 100_000) if before == 0 else Say("0.4"),
    "no gzip": lambda before: Say("0.4", headers={"Content-Encoding": "gzip"} if before == 0 else {}),
    "no UTF-8": lambda before: Say(body=b'{"choices": "\xff"}') if before == 0 else Say("0.4"),
    "plain text": lambda before: Say("", 200, {"Content-Type": "text/plain"}, b"0.9") if before == 0 else Say("0.4"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_costs_nothing(fault: str, bench: Bench, serve: Serve) -> None:
    server = serve(by_question({"Who is it?": FAULTS[fault]}))
    outcome = bench.judge(server, "--json", "--judge-timeout", 0.5)
    assert outcome.code == 0, outcome.err
    assert outcome.json["metrics"]["score[gpt-4-0613]"] == pytest.approx(100 * 3.4 / 4)
    assert sum("Who is it? | a man" in prompt for prompt in server.prompts) == (3 if fault == "429 twice" else 2)
    assert len(server.requests) == (6 if fault == "429 twice" else 5)  # nobody else was asked twice


LASTING = {
    "500": (Say("oops", 500, {"Retry-After": "0.01"}), "HTTP 500"),
    "400": (Say("your prompt is bad", 400), "your prompt is bad"),
    "slow": (Say("0.4", wait=0.6), "no reply within 0.2 s"),
    "cut": (Say("0.4", cut=True), "lost"),
    "no JSON": (Say(body=b"{not json"), "no JSON"),
    "no completion": (Say(body=b'{"id": 3}'), "no chat completion"),
    "a number": (Say(body=b'{"choices": [{"message": {"content": 7}}], "model": "m"}'), "no chat completion"),
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_is_a_counted_failure(fault: str, bench: Bench, serve: Serve) -> None:
    """The question has no grade: it is not 0, it is in no metric, it stands in the cell, and it is tried again."""
    say, words = LASTING[fault]
    server = serve(by_question({"Who is it?": lambda before: say}))
    flags = ("--json", "--judge-timeout", 0.2, "--judge-tries", 2)
    outcome = bench.judge(server, *flags)
    assert outcome.code == 3
    assert outcome.json["metrics"]["score[gpt-4-0613]"] == 100
    assert outcome.json["judge"]["failed"] == 1
    assert words in outcome.err
    assert any(words in reason for reason in outcome.json["judge"]["failures"])
    asked = len(server.requests)
    assert asked <= 3 + 2 * 2
    mended = serve(lambda prompt, before: Say("0"))
    outcome = bench.judge(mended, *flags)
    assert (outcome.code, len(mended.requests)) == (0, 1)
    assert outcome.json["metrics"]["score[gpt-4-0613]"] == 75
    assert "JUDGE FAILED" not in bench.judge(mended).out


@pytest.mark.parametrize(
    ("say", "words"),
    [
        pytest.param(Say(f"Incorrect API key provided: {CANARY}", 401, code="invalid_api_key"), "HTTP 401", id="401"),
        pytest.param(Say("no access", 403), "HTTP 403", id="403"),
        pytest.param(Say("no such model", 404), "HTTP 404", id="404"),
        pytest.param(Say("no money", 429, {"Retry-After": "0.01"}, code="insufficient_quota"), "no money", id="quota"),
        pytest.param(Say("come tomorrow", 429, {"Retry-After": "86400"}), "86400", id="a day"),
    ],
)
def test_what_concerns_all_stops_the_judge(say: Say, words: str, bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: say)
    outcome = bench.judge(server, "--json", "--judge-concurrency", 1, "--judge-tries", 2)
    assert outcome.code == 3
    assert words in outcome.err
    assert len(server.requests) <= 2
    assert outcome.json["metrics"] == {}
    assert (outcome.json["judge"]["pending"], outcome.json["judge"]["failed"]) == (4, 0)
    assert "NOT JUDGED 4" in bench.judge(server, "--judge-tries", 1).out


def test_a_server_that_is_not_there_is_not_asked_thousands_of_times(bench: Bench, cli: Cli, tmp_path: Path) -> None:
    rows = [{"question_id": place, "text": f"answer {place}"} for place in range(40)]
    questions = {
        f"v1_{place}": {"imagename": "a.png", "question": f"q{place}", "answer": "x", "capability": ["rec"]}
        for place in range(40)
    }
    (tmp_path / "mm-vet/mm-vet.json").write_text(json.dumps(questions))
    answers = write_jsonl(tmp_path / "many.jsonl", rows)
    flags = ["--judge", "m", "--judge-base-url", "http://127.0.0.1:9/v1", "--judge-tries", 1, "--judge-concurrency", 4]
    outcome = cli("score", "mmvet", "--answers", answers, "--data", tmp_path, "--json", *flags)
    assert outcome.code == 3
    assert "8 queries in a row failed" in outcome.err
    assert outcome.json["judge"]["pending"] + outcome.json["judge"]["failed"] == 40
    assert outcome.json["judge"]["failed"] <= 16


@pytest.mark.parametrize("usage", [[1], "many", {"prompt_tokens": -5, "completion_tokens": True}, {"prompt_tokens": "x"}])
def test_odd_counts_of_tokens_are_estimated(usage: object, bench: Bench, serve: Serve) -> None:
    reply = {"choices": [{"message": {"content": "0.4"}}], "usage": usage}
    server = serve(lambda prompt, before: Say(body=json.dumps(reply).encode()))
    outcome = bench.judge(server, "--json")
    assert (outcome.code, outcome.json["metrics"]["score[gpt-4-0613]"]) == (0, pytest.approx(40))
    expected = sum(-(-len(prompt.encode()) // 4) for prompt in server.prompts)
    assert outcome.json["judge"]["prompt_tokens"] == expected
    assert outcome.json["judge"]["completion_tokens"] == 4


def test_what_a_server_says_of_itself_is_no_command_to_the_terminal(bench: Bench, serve: Serve) -> None:
    reply = {"choices": [{"message": {"content": "0.4"}}], "model": "m\x1b[31m\ud800"}
    fine = serve(lambda prompt, before: Say(body=json.dumps(reply).encode()))
    outcome = bench.judge(fine)
    assert (outcome.code, "calls itself m[U+001B][31m[U+D800]" in outcome.out.replace("\n", "")) == (0, True)
    refused = serve(lambda prompt, before: Say("bad \x1b[31m\ud800", 401))
    outcome = bench.judge(refused, model="other")
    assert (outcome.code, "bad [U+001B][31m[U+D800]" in outcome.err) == (3, True)


@pytest.mark.parametrize(
    "reply", ["1e0", ".5", "0,5", "\uff10.\uff15", "1_0", "0_1", "1\n", "0.5\x00", "1.0 \ud800", "-0", "inf", "0.5\t1"]
)
def test_odd_grades_are_read_as_the_official_script_does(reply: str, bench: Bench, serve: Serve) -> None:
    try:
        value = float(reply.split(" ", maxsplit=1)[0].strip())
    except ValueError:
        value = -1
    result = bench.judge(serve(lambda prompt, before: Say(reply)), "--json").json
    readable = 0 <= value <= 1
    assert result["metrics"].get("score[gpt-4-0613]") == (pytest.approx(100 * value) if readable else None)
    assert result["judge"]["unreadable"] == (0 if readable else 4)


@pytest.mark.parametrize("name", ["a/b/../c", "..", "with space", "\u00fc\u6a21\u578b", "x" * 1000, "a]b[c"])
def test_odd_names_of_models(name: str, bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("0.5"))
    outcome = bench.cli("run", "--tasks", "mmvet", "--data", "demo", "--limit", 2, "-o", bench.folder / "runs", "--json")
    other = ["--judge", name, "--judge-base-url", server.url, "--json"]
    outcome = bench.cli("score", outcome.json["run"], *other)
    assert (outcome.code, outcome.json["headline"]) == (0, f"score[{name}]")
    assert {request["model"] for request in server.requests} == {name}


@pytest.mark.parametrize("name", ["\x1b[31mred", "to\u202eleft", "caf\udce9", "a\nb", " "])
def test_names_that_nobody_can_see_are_refused(name: str, bench: Bench, serve: Serve) -> None:
    outcome = bench.judge(serve(lambda prompt, before: Say("0.5")), model=name)
    assert (outcome.code, outcome.err.startswith(("error: judge ", "error: a judge needs"))) == (2, True)
    assert outcome.err.strip().isprintable()


def test_a_prompt_that_cannot_be_sent(bench: Bench, serve: Serve) -> None:
    texts = {name: "\ud800" if name == "v1_0" else text for name, *_, text in QUESTIONS}
    bench.answers.write_text(json.dumps(texts))
    outcome = bench.judge(serve(lambda prompt, before: Say("1")), "--json")
    assert (outcome.code, outcome.json["judge"]["failed"], "cannot be sent" in outcome.err) == (3, 1, True)


@pytest.mark.parametrize("key", ["1", "0", f"{CANARY}\n", f" {CANARY}"])
def test_keys_as_people_set_them(key: str, bench: Bench, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """What local servers are given for a key stands in grades, too; and files end in line ends."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    server = serve(lambda prompt, before: Say("1.0"))
    assert bench.judge(server, "--json").json["metrics"]["score[gpt-4-0613]"] == 100
    assert server.requests[0]["authorization"] == f"Bearer {key.strip()}"


@pytest.mark.parametrize("key", [f"{CANARY}\r\nX: y", f"\u00fc{CANARY}"])
def test_keys_that_no_header_holds(key: str, bench: Bench, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    outcome = bench.judge(serve(lambda prompt, before: Say("1.0")))
    assert (outcome.code, outcome.err.startswith("error: OPENAI_API_KEY holds"), "canary" in outcome.err) == (2, True, False)


@pytest.mark.parametrize(("name", "value"), [("text", 7), ("prompt_tokens", "x"), ("seconds", [1]), ("model", None)])
def test_a_damaged_verdict_is_asked_for_again(name: str, value: object, bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("1.0"))
    bench.judge(server)
    rows = bench.verdicts
    write_jsonl(bench.folder / "answers.json.mmvet@v1.verdicts.jsonl", [{**rows[0], name: value}, *rows[1:]])
    outcome = bench.judge(server, "--json")
    assert (outcome.code, len(server.requests), "is damaged" in outcome.err) == (0, 5, True)


@pytest.mark.parametrize("text", ["[]", "{", '{"gpt-4-0613": 7}', '{"other": {"runs": "x"}}', '{"other": {"base_url": 7}}'])
def test_damaged_notes_on_judges_are_told(text: str, bench: Bench, serve: Serve) -> None:
    (bench.folder / "answers.json.mmvet@v1.judges.json").write_text(text)
    outcome = bench.judge(serve(lambda prompt, before: Say("1.0")))
    assert (outcome.code, "judges.json" in outcome.err, "Traceback" in outcome.err) == (2, True, False)


@pytest.mark.parametrize("text", ["{}", "[]", '{"v1_0": {"score": []}}', '{"v1_0": 7}', '{"v1_0": {"score": [NaN]}}'])
def test_broken_grade_files_are_told(text: str, bench: Bench) -> None:
    grades = bench.folder / "grades.json"
    grades.write_text(text)
    outcome = bench.cli("score", "mmvet", "--answers", bench.answers, "--data", bench.folder, "--grades", grades)
    assert (outcome.code, "grades.json" in outcome.err) == (2, True)


def test_two_processes_do_not_pay_twice(bench: Bench, serve: Serve) -> None:
    """While one asks, another that would ask the same is refused."""
    refused: list[int] = []

    def script(prompt: str, before: int) -> Say:
        if not refused:
            command = [sys.executable, "-m", "mipha_eval", *sys.argv[1:]]
            refused.append(subprocess.run(command, capture_output=True, check=False).returncode)
        return Say("1.0")

    server = serve(script)
    assert bench.judge(server, "--judge-concurrency", 1).code == 0
    assert (refused, len(server.requests)) == ([2], 4)


def test_no_key_is_asked_for_where_none_is_needed(bench: Bench, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    server = serve(lambda prompt, before: Say("1"))
    assert bench.judge(server).code == 0
    outcome = bench.cli("score", "mmvet", "--answers", bench.answers, "--data", bench.folder, "--judge", "gpt-4-0613")
    assert (outcome.code, outcome.err.startswith("error: judge gpt-4-0613 needs a key")) == (2, True)


def test_the_key_is_nowhere(bench: Bench, serve: Serve) -> None:
    """Not even where the server sends it back, in an error or in a reply."""
    server = serve(
        by_question(
            {
                "What is x?": lambda before: Say(f"your key {CANARY} is bad", 400),
                "Who is it?": lambda before: Say(f"{CANARY} 1.0"),
                "What is written?": lambda before: Say(body=f'{{"{CANARY}": 1}}'.encode()),
            }
        )
    )
    outcomes = [bench.judge(server), bench.judge(server, "--json")]
    run = ["run", "--tasks", "mmvet", "--data", "demo", "--limit", 4, "-o", bench.folder / "runs"]
    outcomes.append(bench.cli(*run, "--judge", "m", "--judge-base-url", server.url))
    refused = serve(lambda prompt, before: Say(f"{CANARY}", 401))
    outcomes.append(bench.cli(*run, "--judge", "other", "--judge-base-url", refused.url))
    text = "".join(outcome.out + outcome.err for outcome in outcomes)
    assert "[key]" in text
    assert "canary" not in text
    files = [file for file in bench.folder.rglob("*") if file.is_file()]
    assert any(file.name.endswith("verdicts.jsonl") for file in files)
    assert not [file for file in files if b"canary" in file.read_bytes()]


def test_an_address_with_a_key_in_it_is_refused(bench: Bench) -> None:
    where = ["--answers", bench.answers, "--data", bench.folder, "--judge", "m"]
    for url in (f"http://me:{CANARY}@127.0.0.1/v1", f"http://127.0.0.1/v1?key={CANARY}", "localhost:8000", "http://"):
        outcome = bench.cli("score", "mmvet", *where, "--judge-base-url", url)
        assert (outcome.code, CANARY in outcome.err, "Traceback" in outcome.err) == (2, False, False)


def test_scoring_again_asks_nobody(bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("0.3"))
    first = bench.judge(server, "--json", "--judge-runs", 2)
    assert len(server.requests) == 8
    again = bench.judge(server, "--json", "--judge-runs", 2)
    assert len(server.requests) == 8
    assert again.json["metrics"] == first.json["metrics"]
    keys = {"sample", "judge", "prompt_sha256", "text", "model", "temperature", "max_tokens", "repeat", "time", "seconds"}
    assert all(row.keys() > keys and row["prompt_tokens"] == 700 for row in bench.verdicts)
    more = bench.judge(server, "--json", "--judge-runs", 3).json
    assert len(server.requests) == 12  # one more of each
    assert more["runs"] == [30.0, 30.0, 30.0]


def test_runs_have_a_mean_and_a_deviation(bench: Bench, serve: Serve) -> None:
    """Several runs ask the same, and each wants an answer of its own."""
    server = serve(lambda prompt, before: Say(["0.2", "0.4", "0.9"][before]))
    result = bench.judge(server, "--json", "--judge-runs", 3).json
    assert result["runs"] == [20.0, 40.0, 90.0]
    assert result["metrics"]["score[gpt-4-0613]"] == pytest.approx(50)
    assert result["std"] == pytest.approx(29.439, abs=0.001)  # of a population, as numpy's


def test_two_judges_do_not_share_a_column(bench: Bench, serve: Serve) -> None:
    kind, strict = serve(lambda prompt, before: Say("1")), serve(lambda prompt, before: Say("0"))
    one = bench.judge(kind, "--json", model="kind").json["metrics"]
    other = bench.judge(strict, "--json", model="strict").json["metrics"]
    assert one["score[kind]"] == 100
    assert other["score[strict]"] == 0
    assert not one.keys() & other.keys()


def test_a_budget_stops_and_is_gone_on_from(bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("0.5"))
    outcome = bench.judge(server, "--judge-budget", "3calls", "--json")
    assert (outcome.code, len(server.requests)) == (3, 3)
    assert "budget of 3 calls is spent" in outcome.err
    assert outcome.json["judge"]["pending"] == 1
    outcome = bench.judge(server, "--judge-budget", "3", "--json")
    assert (outcome.code, len(server.requests)) == (0, 4)


@pytest.mark.parametrize(("budget", "price"), [("1000 tokens", None), ("0.05usd", "30,60")])
def test_budgets_are_not_overdrawn(budget: str, price: str | None, bench: Bench, serve: Serve) -> None:
    """What is under way counts, by an estimate, before it is there; a call takes 703 tokens, or 2.1 cents."""
    server = serve(lambda prompt, before: Say("0.5", wait=0.05))
    outcome = bench.judge(server, "--judge-budget", budget, *(["--judge-price", price] if price else []), "--json")
    assert outcome.code == 3
    assert 1 <= len(server.requests) <= 2
    assert "is spent" in outcome.err
    nameless = bench.judge(server, "--judge-budget", "5usd", model="my-own")
    assert (nameless.code, "--judge-price" in nameless.err) == (2, True)


def test_another_server_under_the_same_name_is_told(bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("0.5"))
    assert bench.judge(server).code == 0
    where = ["--answers", bench.answers, "--data", bench.folder, "--judge", "gpt-4-0613"]
    outcome = bench.cli("score", "mmvet", *where, "--judge-base-url", "http://example.invalid/v1")
    assert (outcome.code, "must not be mixed" in outcome.err) == (2, True)


def test_models_that_refuse_parameters_are_asked_without(bench: Bench, serve: Serve) -> None:
    """OpenAI's later models want ``max_completion_tokens``, and no temperature."""
    server = serve(lambda prompt, before: refusing(server, prompt))

    def refusing(server: JudgeServer, prompt: str) -> Say:
        request = next(each for each in reversed(server.requests) if each["messages"][0]["content"] == prompt)
        for name in ("max_tokens", "temperature"):
            if name in request:
                return Say(f"Unsupported parameter: {name}", 400, param=name, code="unsupported_parameter")
        return Say("0.6")

    outcome = bench.judge(server, "--json")  # several at once are refused for the same
    assert (outcome.code, outcome.json["metrics"]["score[gpt-4-0613]"]) == (0, pytest.approx(60))
    assert server.requests[-1]["max_completion_tokens"] == 3


def test_a_judge_of_nothing_is_refused(cli: Cli, bench: Bench) -> None:
    run = ["run", "--tasks", "pope", "--limit", 2, "-o", bench.folder / "runs"]
    outcome = cli(*run, "--judge", "m", "--judge-base-url", "http://127.0.0.1:9/v1")
    assert (outcome.code, "no judge grades this" in outcome.err) == (2, True)
    outcome = cli(*run, "--judge-budget", "5")
    assert (outcome.code, "need --judge" in outcome.err) == (2, True)


def test_many_at_once_but_not_more(bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("0.5", wait=0.1))
    bench.judge(server, "--judge-concurrency", 3, "--judge-runs", 3)
    assert server.most_under_way == 3


def test_a_thousand_judgements(cli: Cli, bench: Bench, serve: Serve, tmp_path: Path) -> None:
    """Each is asked once, many under way at once; `bench/judging.py` takes the time."""
    rows = {
        f"v1_{place}": {"imagename": "a.png", "question": f"Question {place}?", "answer": "yes", "capability": ["rec"]}
        for place in range(1000)
    }
    (tmp_path / "mm-vet/mm-vet.json").write_text(json.dumps(rows))
    answers = write_jsonl(tmp_path / "many.jsonl", [{"question_id": place, "text": "yes"} for place in range(1000)])
    server = serve(lambda prompt, before: Say("0.5", wait=0.1))
    where = ["--answers", answers, "--data", tmp_path, "--judge", "m", "--judge-base-url", server.url]
    outcome = cli("score", "mmvet", *where, "--judge-concurrency", 32, "--json")
    assert (outcome.code, outcome.json["metrics"]["score[m]"]) == (0, 50)
    assert len(server.requests) == len(set(server.prompts)) == 1000
    assert 16 < server.most_under_way <= 32


def test_the_report_names_judge_and_failures(cli: Cli, bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("0.5") if len(prompt) % 2 else Say("bad", 400))
    run = ["run", "--tasks", "mmvet", "--limit", 12, "-o", bench.folder / "runs", "--judge", "m"]
    outcome = cli(*run, "--judge-base-url", server.url)
    report = next((bench.folder / "runs").glob("*/report.md")).read_text()
    failed = re.search(r"JUDGE FAILED (\d+)", outcome.out)
    assert failed is not None
    assert int(failed[1]) > 0
    assert f"JUDGE FAILED {failed[1]}" in report
    assert "score[m]" in report
    result = read_json(next((bench.folder / "runs").glob("*/mmvet@demo/result.json")))
    assert result["metrics"]["score[m]"] == 50
    assert result["judge"]["failed"] == int(failed[1])
