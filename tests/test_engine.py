"""Planning, sharing of equal requests, and order of answers."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.adapter import ModelAdapter
from mipha_eval.engine.engine import Engine
from mipha_eval.engine.plan import plan_batches
from mipha_eval.types import Decoding, Image, Request, Response


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


@given(layouts, st.integers(1, 200), st.one_of(st.none(), st.integers(1, 7)))
@settings(max_examples=200, deadline=None)
def test_batches_keep_to_budget_size_and_decoding(requests: list[Request], budget: int, size: int | None) -> None:
    def cost(request: Request) -> int:
        return len(request.text)

    batches = list(plan_batches(requests, cost, budget, size))
    for batch in batches:
        assert len(batch) == 1 or sum(map(cost, batch)) <= budget
        assert size is None or len(batch) <= size
        assert len({request.decoding for request in batch}) == 1
    whole = {(request.decoding, request.images): 0 for request in requests}
    for request in requests:
        whole[request.decoding, request.images] += cost(request)
    counts = Counter((request.decoding, request.images) for request in requests)
    for place, tokens in whole.items():
        if tokens <= budget and (size is None or counts[place] <= size):
            owners = [batch for batch in batches if any((one.decoding, one.images) == place for one in batch)]
            assert len(owners) == 1, "questions about one image are not split if a batch can hold them"
    order = [(request.decoding, request.images) for batch in batches for request in batch]
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes == max(0, len(set(order)) - 1), "requests about one image travel together"


def test_pictures_with_one_name_are_not_mixed_up() -> None:
    """Two benchmarks may call different pictures 0001.png."""
    one, other = Image("0001.png", "/a/0001.png", lambda: b""), Image("0001.png", "/b/0001.png", lambda: b"")
    echo = Echo()
    list(Engine(echo).run([Request("q", (one,)), Request("q", (other,))]))
    assert sum(map(len, echo.batches)) == 2


def test_failures_are_not_remembered() -> None:
    echo = Echo(fail="q1")
    engine = Engine(echo)
    list(engine.run([Request("q1"), Request("q2")]))
    list(engine.run([Request("q1"), Request("q2")]))
    assert [request.text for batch in echo.batches for request in batch] == ["q1", "q2", "q1"]


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
    plan = list(plan_batches(requests, lambda request: len(request.text), 100))
    assert plan == list(plan_batches(list(requests), lambda request: len(request.text), 100))
    shuffled = list(requests)
    random.Random(0).shuffle(shuffled)
    names = [request.images[0].name for batch in plan_batches(shuffled, lambda _: 1, 1000) for request in batch]
    assert names == sorted(names, key=names.index)
