"""What may be spent is spent, and no more: budgets against servers that count little, much and unevenly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.judge_server import JudgeServer, Say, Serve
from tests.mmvet_files import SmallMmvet


@pytest.fixture
def bench(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallMmvet:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    return SmallMmvet.write(cli, tmp_path, [f"answer {place}" for place in range(60)])


def counting(serve: Serve, prompts: list[int], reply: int = 3) -> JudgeServer:
    """A server that counts its prompts so, one after the other, whatever they are."""
    counts = iter(prompts)

    def script(prompt: str, before: int) -> Say:
        usage = {"prompt_tokens": next(counts, prompts[-1]), "completion_tokens": reply}
        return Say("0.5", wait=0.01, usage=usage)

    return serve(script)


def test_a_budget_is_spent_as_the_server_counts(bench: SmallMmvet, serve: Serve) -> None:
    """Sixty queries of eleven tokens are 660, although one is taken to be about 700, by its length, before the first."""
    server = counting(serve, [8])
    outcome = bench.judge(server, "--judge-budget", "2000tokens", "--json")
    assert (outcome.code, len(server.requests), outcome.json["judge"]["prompt_tokens"]) == (0, 60, 480)
    other = counting(serve, [8])
    outcome = bench.judge(other, "--judge-budget", "720tokens", "--json", model="other")
    assert (outcome.code, len(other.requests)) == (0, 60)


def test_a_budget_stops_when_it_is_spent(bench: SmallMmvet, serve: Serve) -> None:
    """Queries of 103 tokens: 19 of them are 1,957, and the next would be too much."""
    server = counting(serve, [100])
    outcome = bench.judge(server, "--judge-budget", "2000tokens", "--json")
    assert (outcome.code, len(server.requests)) == (3, 19)
    assert "its budget of 2,000 tokens is spent: 1,957 are used, and the next query takes about 10" in outcome.err
    assert outcome.json["judge"]["pending"] == 41
    assert server.most_under_way > 1  # side by side as long as there is room for all of them


def test_money_is_spent_as_the_server_counts(bench: SmallMmvet, serve: Serve) -> None:
    """A query of 100 and 3 tokens at 10 and 20 dollars a million is 0.00106 dollars."""
    server = counting(serve, [100])
    outcome = bench.judge(server, "--judge-budget", "0.02usd", "--judge-price", "10,20", "--json")
    assert (outcome.code, len(server.requests)) == (3, 18)
    assert "its budget of 0.02 usd is spent" in outcome.err


@pytest.mark.parametrize("first", [1, 10, 100, 700, 1500])
def test_a_budget_is_overdrawn_by_a_single_query_at_most(first: int, bench: SmallMmvet, serve: Serve) -> None:
    """Even of a server whose first count is no measure for the others."""
    server = counting(serve, [first, 1000])
    outcome = bench.judge(server, "--judge-budget", "5000tokens", "--json")
    assert outcome.code == 3
    spent = outcome.json["judge"]["prompt_tokens"] + outcome.json["judge"]["completion_tokens"]
    assert 3000 < spent <= 5000 + 1003


def test_a_budget_smaller_than_any_query_asks_nothing(bench: SmallMmvet, serve: Serve) -> None:
    server = counting(serve, [700])
    outcome = bench.judge(server, "--judge-budget", "100tokens", "--json")
    assert (outcome.code, server.requests, outcome.json["judge"]["pending"]) == (3, [], 60)
    assert "its budget of 100 tokens does not hold a single query, which takes about" in outcome.err


def test_replies_that_do_not_count_are_paid_for(bench: SmallMmvet, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say(None, usage={"prompt_tokens": 100, "completion_tokens": 3}))
    outcome = bench.judge(server, "--judge-budget", "1000tokens", "--json")
    assert (outcome.code, len(server.requests)) == (3, 9)
    assert outcome.json["judge"]["prompt_tokens"] == 900


def test_a_failing_server_frees_what_was_reserved(bench: SmallMmvet, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("bad", 400) if "Question 3?" in prompt else Say("0.5"))
    outcome = bench.judge(server, "--judge-budget", "1e6tokens", "--json")
    assert (outcome.code, outcome.json["judge"]["failed"], outcome.json["judge"]["pending"]) == (3, 1, 0)


def test_a_judge_of_nothing_but_useless_replies_is_stopped(bench: SmallMmvet, serve: Serve) -> None:
    """They cost as much as others do."""
    server = serve(lambda prompt, before: Say("The grade is 0.5"))
    outcome = bench.judge(server, "--json", "--judge-concurrency", 4)
    assert outcome.code == 3
    assert "8 answers in a row could not be judged, the last: no grade could be read" in outcome.err
    assert 40 <= len(server.requests) <= 60
    assert outcome.json["judge"]["unreadable"] + outcome.json["judge"]["pending"] == 60
