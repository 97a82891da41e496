"""Which requests are asked: against brute force, whatever is equal to what."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

import pytest

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Image, Request, Response
from mipha_eval.engine.distinct import Distinct
from tests.scripted_cluster import Far


@dataclass(frozen=True)
class Blind(Far):
    """Takes requests for equal whatever they show."""

    name: ClassVar[str] = "blind"

    def identity(self, request: Request) -> Hashable:
        return request.text


def made(seed: int, count: int = 60) -> list[Request]:
    """Questions of few words about few pictures, in no order."""
    chance = random.Random(seed)
    names = [f"{number}.png" for number in range(1 + seed % 7)]
    images = [Image(name, f"/pictures/{name}", bytes) for name in chance.choices(names, k=count)]
    return [Request(f"question {chance.randrange(9)}", (image,)) for image in images]


@pytest.mark.parametrize("adapter", [Far(), Blind()])
@pytest.mark.parametrize("seed", range(20))
def test_each_is_asked_once(adapter: ModelAdapter, seed: int) -> None:
    requests = made(seed)
    identities = [adapter.identity(request) for request in requests]
    known = {identities[0]: Response("known")} if seed % 2 else {}
    distinct = Distinct(adapter, requests, known)
    groups = list(distinct.groups())
    asked = [place for group in groups for place in group]
    assert Counter(identities[place] for place in asked) == Counter(set(identities) - known.keys())
    for group in groups:
        assert len({requests[place].images for place in group}) == 1
    assert len({requests[group[0]].images for group in groups}) == len(groups)
    told = distinct.ready + distinct.spread([(place, Response(str(identities[place]))) for place in asked])
    assert sorted(place for place, _ in told) == list(range(len(requests)))
    for place, response in told:
        assert response.text == ("known" if identities[place] in known else str(identities[place]))


def test_the_first_do_not_wait_for_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = made(6, 1000)
    looked_at: list[Request] = []

    def identity(self: ModelAdapter, request: Request) -> Hashable:
        looked_at.append(request)
        return request.identity

    monkeypatch.setattr(ModelAdapter, "identity", identity)
    first = next(Distinct(Far(), requests, {}).groups())
    assert 0 < len(looked_at) < 300
    assert {requests[place].images for place in first} == {looked_at[0].images}
