"""Planning, sharing of equal requests, and order of answers."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.core.adapter import Cost, ModelAdapter
from mipha_eval.core.errors import DeviceMemoryError
from mipha_eval.core.types import Decoding, Image, Request, Response
from mipha_eval.engine.engine import Engine
from mipha_eval.engine.plan import Limits, halves, plan_batches, price
from tests.conftest import Said


def image(name: str) -> Image:
    return Image(name, f"/pictures/{name}", lambda: b"")


@dataclass(frozen=True)
class Echo(ModelAdapter):
    """Answers with what it was asked, and remembers its batches."""

    name: ClassVar[str] = "echo"
    batches: list[list[Request]] = field(default_factory=list)
    fail: str = ""

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        self.batches.append(list(batch))
        return [
            Response.failure("asked to") if request.text == self.fail else Response(f"{request.text} {len(request.images)}")
            for request in batch
        ]


layouts = st.lists(
    st.tuples(
        st.sampled_from(["q1", "q2", "q3 is longer", "q4"]), st.sampled_from(["", "a", "b", "ab"]), st.sampled_from([4, 8])
    ),
    max_size=40,
).map(lambda rows: [Request(text, tuple(image(name) for name in names), Decoding(limit)) for text, names, limit in rows])


@given(layouts, st.integers(1, 200), st.one_of(st.none(), st.integers(1, 7)))
@settings(max_examples=200, deadline=None)
def test_every_request_is_answered_once_and_right(requests: list[Request], budget: int, size: int | None) -> None:
    echo = Echo()
    answered: dict[int, Response] = {}
    for batch in Engine(echo, size, budget).run(requests):
        for index, response in batch:
            assert index not in answered
            answered[index] = response
    assert [answered[index].text for index in range(len(requests))] == [
        f"{request.text} {len(request.images)}" for request in requests
    ]
    generated = [request.identity for batch in echo.batches for request in batch]
    assert len(generated) == len(set(generated)) == len({request.identity for request in requests})


def plan(requests: Sequence[Request], cost: Callable[[Request], Cost], limits: Limits) -> list[list[Request]]:
    return [[requests[place] for place in places] for places in plan_batches(requests, cost, limits)]


def tokens_of(batch: Sequence[Request], cost: Callable[[Request], Cost]) -> int:
    """Tokens of a batch, what is shared about an image counted once."""
    shared = {request.images: cost(request).shared for request in batch}
    return sum(shared.values()) + sum(cost(request).own for request in batch)


@given(layouts, st.integers(1, 200), st.one_of(st.none(), st.integers(1, 7)), st.integers(0, 30))
@settings(max_examples=200, deadline=None)
def test_batches_keep_to_budget_and_size(requests: list[Request], budget: int, size: int | None, tokens: int) -> None:
    def cost(request: Request) -> Cost:
        return Cost(tokens * len(request.images), len(request.text))

    batches = plan(requests, cost, Limits(budget, size))
    assert Counter(map(id, itertools.chain(*batches))) == Counter(map(id, requests))
    for batch in batches:
        assert len(batch) == 1 or tokens_of(batch, cost) <= budget
        assert price(batch, cost) == tokens_of(batch, cost)
        assert size is None or len(batch) <= size
    for images in {request.images for request in requests}:
        group = [request for request in requests if request.images == images]
        if tokens_of(group, cost) <= budget and (size is None or len(group) <= size):
            owners = [batch for batch in batches if any(one.images == images for one in batch)]
            assert len(owners) == 1, "questions about one image are not split if a batch can hold them"
    order = [request.images for batch in batches for request in batch]
    assert list(dict.fromkeys(order)) == list(dict.fromkeys(request.images for request in requests))
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes == max(0, len(set(order)) - 1), "requests about one image travel together, whatever their decoding"
    for images in set(order):
        owns = [len(request.text) for batch in batches for request in batch if request.images == images]
        assert owns == sorted(owns, reverse=True), "the costliest first"


def test_what_an_image_costs_is_counted_once_a_batch() -> None:
    requests = [Request(f"q{number}", (image("a"),)) for number in range(18)]
    assert [len(batch) for batch in plan(requests, lambda _: Cost(729, 100), Limits(729 + 1800))] == [18]
    assert [len(batch) for batch in plan(requests, lambda _: Cost(729, 100), Limits(729 + 900))] == [9, 9]


@given(layouts, st.lists(st.booleans(), min_size=40, max_size=40))
@settings(max_examples=100, deadline=None)
def test_calls_have_one_decoding_and_one_manner(requests: list[Request], ranked: list[bool]) -> None:
    """An adapter that only defines generate and loglikelihood never sees what it would have to take apart."""
    calls: list[tuple[str, list[Request]]] = []

    @dataclass(frozen=True)
    class Ranking(Echo):
        def generate(self, batch: Sequence[Request]) -> list[Response]:
            calls.append(("generate", list(batch)))
            return [Response(request.text) for request in batch]

        def loglikelihood(self, batch: Sequence[Request]) -> list[Response]:
            calls.append(("rank", list(batch)))
            return [Response(f"{request.text} ranked") for request in batch]

    mixed = [replace(one, options=("A", "B")) if rank else one for one, rank in zip(requests, ranked, strict=False)]
    texts = [response.text for response in Ranking().respond(mixed)]
    assert texts == [f"{request.text} ranked" if request.options else request.text for request in mixed]
    for name, batch in calls:
        assert {bool(request.options) for request in batch} == {name == "rank"}
        assert len({request.decoding for request in batch}) == 1


def test_pictures_with_one_name_are_not_mixed_up() -> None:
    """Two benchmarks may call different pictures 0001.png."""
    one, other = Image("0001.png", "/a/0001.png", lambda: b""), Image("0001.png", "/b/0001.png", lambda: b"")
    echo = Echo()
    list(Engine(echo).run([Request("q", (one,)), Request("q", (other,))]))
    assert sum(map(len, echo.batches)) == 2


def test_failures_reach_all_and_what_is_known_is_not_asked() -> None:
    echo = Echo(fail="q1")
    known = {Request("q2").identity: Response("from before")}
    answered = [pair for batch in Engine(echo, known=known).run([Request(f"q{n}") for n in (1, 2, 1)]) for pair in batch]
    assert [
        (place, response.text, bool(response.error)) for place, response in sorted(answered, key=lambda pair: pair[0])
    ] == [
        (0, "", True),
        (1, "from before", False),
        (2, "", True),
    ]
    assert [request.text for batch in echo.batches for request in batch] == ["q1"]


@dataclass(frozen=True)
class Small(Echo):
    """A device that holds `capacity` tokens."""

    capacity: int = 100
    tokens: int = 0
    expected: list[list[Request]] = field(default_factory=list)

    def cost(self, request: Request) -> Cost:
        return Cost(self.tokens * len(request.images), len(request.text))

    def prefetch(self, batch: Sequence[Request]) -> None:
        self.expected.append(list(batch))

    def respond(self, batch: Sequence[Request]) -> list[Response]:
        if tokens_of(batch, self.cost) > self.capacity:
            raise DeviceMemoryError(f"{tokens_of(batch, self.cost)} tokens")
        return super().respond(batch)


@given(layouts, st.integers(1, 400), st.integers(1, 60), st.integers(0, 20), st.one_of(st.none(), st.integers(1, 7)))
@settings(max_examples=300, deadline=None)
def test_a_small_device_loses_nothing(
    requests: list[Request], budget: int, capacity: int, tokens: int, size: int | None
) -> None:
    """Whatever fits alone is answered, once and right; whatever does not says why."""
    small = Small(capacity=capacity, tokens=tokens)
    answered: dict[int, Response] = {}
    for batch in Engine(small, size, budget).run(requests):
        for index, response in batch:
            assert index not in answered
            answered[index] = response
    assert sorted(answered) == list(range(len(requests)))
    for index, request in enumerate(requests):
        if tokens_of([request], small.cost) > capacity:
            assert answered[index].error.startswith("out of memory: ")
            assert not answered[index].text
        else:
            assert answered[index].text == f"{request.text} {len(request.images)}"
    generated = [request.identity for batch in small.batches for request in batch]
    assert len(generated) == len(set(generated))


def test_a_lowered_budget_makes_the_later_batches_smaller(said: Said) -> None:
    """Two batches were announced before the first was refused; what is planned later fits at once."""
    requests = [Request(f"{number:010}", (image(str(number // 4)),)) for number in range(400)]
    small = Small(capacity=100, tokens=10)
    list(Engine(small, budget=400).run(requests))
    assert {len({request.images for request in batch}) for batch in small.batches} == {2}, "cut between images"
    late = small.batches[20:]
    assert all(tokens_of(batch, small.cost) == 100 for batch in late[:-1])
    assert said().count("the device's memory") == 1


def test_the_next_two_batches_are_announced() -> None:
    small = Small(capacity=1000)
    batches = Engine(small, batch_size=2).run([Request(f"q{number}") for number in range(20)])
    seen = [(len(small.batches), len(small.expected)) for _ in batches]
    assert seen == [(number, min(number + 2, 10)) for number in range(1, 11)]
    assert small.expected == small.batches, "in the order in which they are asked for"


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=12))
def test_halves_cut_between_images(names: list[str]) -> None:
    batch = [Request("q", (image(name),)) for name in sorted(names)]
    first, second = halves(batch)
    assert [*first, *second] == batch
    assert first
    assert second
    if len(set(names)) > 1:
        assert not {request.images for request in first} & {request.images for request in second}
    else:
        assert abs(len(first) - len(second)) <= 1


def test_an_adapter_that_loses_answers_is_a_bug() -> None:
    @dataclass(frozen=True)
    class Lossy(Echo):
        def generate(self, batch: Sequence[Request]) -> list[Response]:
            return []

    with pytest.raises(RuntimeError, match="answered 0 of 1"):
        list(Engine(Lossy()).run([Request("q")]))


def test_stopping_between_batches() -> None:
    echo = Echo()
    answered = list(Engine(echo, batch_size=1, stop=lambda: len(echo.batches) >= 2).run([Request(text) for text in "abcd"]))
    assert len(answered) == 2


def test_planning_is_stable() -> None:
    """The same requests in the same order make the same batches; others only change the order of whole images."""
    requests = [Request(f"question {number % 7}", (image(str(number % 5)),)) for number in range(60)]
    first = plan(requests, lambda request: Cost(0, len(request.text)), Limits(100))
    assert first == plan(list(requests), lambda request: Cost(0, len(request.text)), Limits(100))
    shuffled = list(requests)
    random.Random(0).shuffle(shuffled)
    names = [request.images[0].name for batch in plan(shuffled, lambda _: Cost(0, 1), Limits(1000)) for request in batch]
    assert names == sorted(names, key=names.index)
