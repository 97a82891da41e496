"""What a run will take, foretold from a few measured batches: times by a clock of the test's own, never by the machine's."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.types import Image, Request, Response
from mipha_eval.engine.engine import Engine
from mipha_eval.engine.plan import Limits
from mipha_eval.engine.speed import Measured, Speed, fit, spread
from mipha_eval.engine.workload import Workload
from mipha_eval.runs import probe as probing
from mipha_eval.runs.probe_lines import in_words
from tests.conftest import Cli, Outcome

PLUGIN = Path(__file__).with_name("timed_adapter.py")


def measured(*pairs: tuple[int, float]) -> list[Measured]:
    return [Measured(tokens, 1, seconds) for tokens, seconds in pairs]


def test_a_line_is_found() -> None:
    batches = measured(*((tokens, 0.5 + 0.25 * tokens) for tokens in (4, 10, 80)))
    speed = fit(batches)
    assert (speed.batch, speed.token) == pytest.approx((0.5, 0.25))
    assert speed.residual(batches) == pytest.approx(0, abs=1e-9)


def test_no_part_of_a_line_is_below_0() -> None:
    """Where the best line would be: larger batches that are faster, small ones that take next to nothing."""
    falling = fit(measured((10, 3.0), (20, 1.0)))
    assert (falling.batch, falling.token) == pytest.approx((2.0, 0.0))
    steep = fit(measured((10, 1.0), (20, 4.0)))
    assert (steep.batch, steep.token) == pytest.approx((0.0, 90 / 500))


def test_batches_of_one_size() -> None:
    assert fit(measured((10, 2.0), (10, 4.0))).seconds(5) == pytest.approx(1.5)
    assert fit(measured((0, 2.0), (0, 4.0))).seconds(0) == pytest.approx(3)


def test_the_largest_residual() -> None:
    assert Speed(1.0, 0.5).residual(measured((2, 2.5), (4, 3.0), (6, 5.0))) == pytest.approx(0.2)


def test_batches_of_all_costs_are_measured() -> None:
    rng = random.Random(0)
    tokens = [1000] * 50 + [rng.randrange(100, 900) for _ in range(20)]
    rng.shuffle(tokens)
    found = spread(tokens, 10)
    costs = [tokens[place] for place in found]
    assert len(set(found)) == 10
    assert costs == sorted(costs, reverse=True)
    assert (costs[0], costs[-1]) == (max(tokens), min(tokens))
    assert sum(cost == 1000 for cost in costs) >= 3
    assert sum(300 < cost < 800 for cost in costs) >= 3
    assert spread([3, 5, 4], 10) == [1, 2, 0]
    assert len(set(spread([7] * 30, 10))) == 10


@dataclass(frozen=True)
class Noting(ModelAdapter):
    """Notes the batches that it is asked."""

    name: ClassVar[str] = "noting"
    batches: list[list[str]] = field(default_factory=list)

    def cost(self, request: Request) -> Cost:
        return Cost(10 * len(request.images), len(request.text))

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        self.batches.append([request.text for request in batch])
        return [Response("Yes") for _ in batch]


def some_requests(count: int) -> list[Request]:
    rng = random.Random(count)
    images = [Image(name, name, lambda: b"") for name in "abcdefgh"]
    return [Request(f"{number:0{rng.randrange(2, 9)}}", (rng.choice(images),)) for number in range(count)]


def test_one_worker_gets_what_a_run_in_one_process_asks() -> None:
    requests, adapter = some_requests(60), Noting()
    list(Engine(adapter, budget=50).run(requests))
    found = Workload(requests, [adapter.cost(each) for each in requests], Limits(50)).batches(1)
    assert [[requests[place].text for place in places] for places in found.places] == adapter.batches
    assert not found.extra


@pytest.mark.parametrize("workers", [1, 2, 5, 20])
def test_what_workers_get_is_everything_once(workers: int) -> None:
    requests, adapter = some_requests(60), Noting()
    work = Workload(requests, [adapter.cost(each) for each in requests], Limits(60))
    found = work.batches(workers)
    assert sorted(place for places in found.places for place in places) == list(range(60))
    for places in found.places:
        batch = [requests[place] for place in places]
        assert work.tokens(places) == sum(len(each.text) for each in batch) + 10 * len({each.images for each in batch})


@pytest.fixture
def timed(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """`plan --probe` with the plugin, by whose clock is measured."""
    clock = tmp_path / "clock"
    clock.write_text("0.0")
    monkeypatch.setattr(probing, "probe", functools.partial(probing.probe, clock=lambda: float(clock.read_text())))

    def call(*arguments: object, tasks: str = "pope,mme") -> Outcome:
        clock.with_suffix(".batches").unlink(missing_ok=True)
        model = ("--plugin", PLUGIN, "--model", "timed", "-a", f"clock={clock}")
        return cli("plan", "--data", "demo", "--tasks", tasks, "--probe", *model, *arguments)

    return call


def sizes(folder: Path) -> list[int]:
    """Tokens of the batches that were asked."""
    return [int(line) for line in (folder / "clock.batches").read_text().split()]


def test_foretold_times_are_those_of_the_model(timed: Cli, tmp_path: Path) -> None:
    """By arithmetic: half a second a batch, a quarter for each token, 3 s for loading and 7 for the first batch."""
    done = timed("--json", "--workers", "1,3")
    assert done.code == 0, done.err
    found, asked = done.json["probe"], sizes(tmp_path)
    assert len(asked) == 10
    assert asked[0] == max(asked) > min(asked)
    assert [each["tokens"] for each in found["measured"]] == asked[1:]
    assert [each["seconds"] for each in found["measured"]] == pytest.approx([0.5 + 0.25 * size for size in asked[1:]])
    assert (found["seconds_a_batch"], found["seconds_a_token"]) == pytest.approx((0.5, 0.25))
    assert (found["loading"], found["warming_up"]) == pytest.approx((3, 7))
    assert found["largest_residual"] == pytest.approx(0, abs=1e-9)
    assert (found["questions"], found["distinct"]) == (1552, 874)
    one, three = done.json["forecasts"]
    tokens = 874 + 10 * sum(each["images"] for each in done.json["tasks"])
    assert one["seconds"] == pytest.approx(10 + 0.5 * one["batches"] + 0.25 * tokens)
    assert (one["workers"], one["efficiency"], one["extra"]) == (1, pytest.approx(1), 0)
    assert one["questions_per_second"] == pytest.approx(1552 / one["seconds"])
    assert three["worker_hours"] == pytest.approx(3 * three["seconds"] / 3600)
    assert three["efficiency"] == pytest.approx(one["seconds"] / 3 / three["seconds"])
    busy = 0.5 * three["batches"] + 0.25 * tokens * (1 + three["extra"])
    assert busy / 3 <= three["seconds"] - 10 <= busy / 3 + 0.5 + 0.25 * 44


def test_with_many_workers_groups_are_split(timed: Cli) -> None:
    """The pictures of POPE have several questions each, and there are more workers than pictures."""
    done = timed("--json", "--workers", "500", "-a", "most=100", tasks="pope")
    (many,) = done.json["forecasts"]
    assert many["extra"] > 0
    extra = many["extra"] * (done.json["probe"]["distinct"] + 10 * 60)
    assert extra == pytest.approx(10 * round(extra / 10))  # whole pictures
    assert many["splitting"] == pytest.approx(0.25 * extra)


def test_lines(timed: Cli) -> None:
    done = timed("--workers", "1,8")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines[:6]] == [
        "pope@demo",
        "mme@demo",
        "model timed",
        "measured",
        "1 worker",
        "8 workers",
    ]
    assert "loaded in 3.0 s, warm-up 7.0 s" in lines[2]
    assert "9 batches" in lines[3]
    assert "0.5 s a batch + 250 s for 1,000 tokens, off by at most 0 %" in lines[3]
    assert "100 % of linear" in lines[4]
    assert all(word in done.out for word in ("this machine's speed", "scoring", "judge", "stored already"))


def test_failed_answers_are_told_and_no_answer_at_all_is_no_speed(timed: Cli) -> None:
    some = timed("--json", "-a", "fails=red")
    assert sum(each["failed"] for each in some.json["probe"]["measured"]) > 0
    assert "without an answer" in timed("-a", "fails=red").out
    none = timed("-a", "fails= ")
    assert (none.code, none.err.count("\n")) == (2, 2)  # how many batches are asked, and the error
    assert "has no answer, so that its time says nothing of the model's speed: no" in none.err


def test_batches_that_the_device_does_not_hold_are_none_of_the_run(timed: Cli, tmp_path: Path) -> None:
    done = timed("--json", "-a", "room=30")
    found, asked = done.json["probe"], sizes(tmp_path)
    assert "batches are made smaller" in done.err
    assert max(each["tokens"] for each in found["measured"]) <= 22
    assert [each["tokens"] for each in found["measured"]] == asked[-len(found["measured"]) :]
    assert (found["seconds_a_batch"], found["seconds_a_token"]) == pytest.approx((0.5, 0.25))


def test_a_batch_size_is_kept(timed: Cli) -> None:
    done = timed("--json", "-b", "2")
    assert max(each["questions"] for each in done.json["probe"]["measured"]) == 2
    assert done.json["forecasts"][0]["batches"] >= 874 / 2


def test_a_single_batch(timed: Cli, tmp_path: Path) -> None:
    """It is asked once to warm up, and once more."""
    done = timed("--json", "-L", "2", "-a", "most=100000", tasks="pope")
    assert done.code == 0, done.err
    assert len(set(sizes(tmp_path))) == 1
    assert len(sizes(tmp_path)) == 2
    assert done.json["probe"]["warming_up"] == pytest.approx(7)


def test_a_real_model(cli: Cli) -> None:
    done = cli("plan", "--tasks", "pope,mme", "--probe", "--limit", 24, "--workers", "2,1", "--json")
    assert done.code == 0, done.err
    found, (two, one) = done.json["probe"], done.json["forecasts"]
    assert (found["model"], found["device"]) == ("mipha-tiny", "cpu")
    assert found["loading"] > 0
    assert not any(each["failed"] for each in found["measured"])
    begin = found["loading"] + found["warming_up"]
    assert one["seconds"] > begin + one["batches"] * found["seconds_a_batch"]
    assert two["efficiency"] == pytest.approx(one["seconds"] / 2 / two["seconds"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--workers", "8"), "--workers is about batches that are measured, and without --probe none is; add --probe"),
        (("--no-share",), "--no-share is about"),
        (("-m", "mipha-tiny"), "--model is about"),
        (("--probe", "--workers", "1,none"), "--workers 1,none: expected positive numbers"),
        (("--probe", "--workers", "0"), "--workers 0: expected positive numbers"),
        (("--probe", "--workers", ""), "--workers : expected positive numbers"),
        (("--probe", "-m", "majority"), "model majority computes nothing"),
        (("--probe", "-m", "openai-api", "-a", "model=some", "-a", "base_url=http://localhost:1/v1"), "on a server"),
        (("--probe", "-m", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_measured(cli: Cli, arguments: Sequence[str], told: str) -> None:
    done = cli("plan", "--tasks", "pope", "--data", "demo", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3599.7, "1 h"),
        (7799, "2 h 10 min"),
        (86400 * 2 + 3600, "2 d 1 h"),
    ],
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
