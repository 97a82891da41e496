"""Stopping words of several tokens, against LLaVA's rule written out, and in a decoder."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mipha_eval.core.types import Decoding, Request
from mipha_eval.models.stop import Stop, StopText
from tests.test_mipha_variants import adapter_of, known, picture

PIECES = ["a", "</", "s", ">", "</s", "x</", "s>"]


def decode(ids: Any) -> str:
    return "".join(PIECES[each] for each in ids)


def ends_at(ids: list[int], text: str, length: int) -> int:
    """How many tokens an answer has: the rule asked after every token, of the tokens that came last."""
    for count in range(1, len(ids) + 1):
        if text in decode(ids[max(0, count - length) : count]):
            return count
    return len(ids)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12))
def test_a_text_ends_where_it_is_written(ids: list[int]) -> None:
    stop = Stop(frozenset(), 12, StopText("</s>", (1, 2, 3), decode))
    found = next((count for count in range(1, len(ids) + 1) if stop.ended(ids[:count])), len(ids))
    assert found == ends_at(ids, "</s>", 3)


def test_all_paths_end_there() -> None:
    """Behind shared prefixes, without sharing, and alone: the answer without the rule, cut where its third token ends."""
    adapter = adapter_of(known("siglip_phi2_control").folder / "checkpoint")
    request = Request("What is this?", (picture("images/coffee.png"),), Decoding(12))
    other = dataclasses.replace(request, text="Describe it.")
    decoded = adapter.tokenizer.decode
    free = adapter.respond([request])[0]
    assert free.tokens > 4
    ids = tuple(adapter.tokenizer(free.text, add_special_tokens=False).input_ids)[1:3]
    text = decoded(list(ids))
    assert text in free.text
    loaded = adapter.loaded
    adapter.__dict__["loaded"] = dataclasses.replace(loaded, stop_text=StopText(text, ids, lambda each: decoded(list(each))))
    found = [ask([request, other])[0] for ask in (adapter.respond, adapter.plain, adapter.reference)]
    assert {each.text for each in found} == {found[0].text}
    assert found[0].text.endswith(text.strip())
    assert found[0].tokens < free.tokens
    assert {each.finish for each in found} == {"stop"}
    untouched = dataclasses.replace(request, decoding=Decoding(12, stop_word=False))
    assert adapter.respond([untouched])[0].text == free.text
