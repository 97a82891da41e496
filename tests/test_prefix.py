"""Shared prefixes give what each question gives alone, on small random networks in float32."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, PhiConfig

from mipha_eval.core.types import Image
from mipha_eval.models.prefetch import KEPT, ReadAhead
from mipha_eval.models.prefix import Question
from mipha_eval.models.prefix_decoder import Decoder
from mipha_eval.models.prompt_groups import MOST_BEHIND, Prompt, cut, group_prompts
from mipha_eval.models.stop import Stop

ids = st.lists(st.integers(1, 4), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), ids), min_size=1, max_size=12))
def test_groups_share_exactly_the_common_run(rows: list[tuple[str, list[int]]]) -> None:
    prompts = [
        Prompt((0, *tail), (Image(name, name, lambda: b""),) if name else (), images_end=1 if name else 0)
        for name, tail in rows
    ]
    groups = group_prompts(dict(enumerate(prompts)))
    assert sorted(index for group in groups for index in group.members) == list(range(len(prompts)))
    for group in groups:
        members = [prompts[index] for index in group.members]
        assert len({prompt.images for prompt in members}) == 1
        assert len({prompt.ids[: group.shared] for prompt in members}) == 1
        assert all(group.shared < len(prompt.ids) for prompt in members), "something is left to ask"
        longest = min(len(prompt.ids) for prompt in members) - 1
        if group.shared < longest:
            assert len({prompt.ids[group.shared] for prompt in members}) > 1, "it could have been longer"


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=30))
def test_long_groups_are_cut_into_rows(lengths: list[int]) -> None:
    parts = list(cut(range(len(lengths)), lengths))
    assert [member for part in parts for member in part] == list(range(len(lengths)))
    assert all(len(part) == 1 or sum(lengths[member] for member in part) <= MOST_BEHIND for part in parts)
    sums = [sum(lengths[member] for member in part) for part in parts]
    assert all(total + lengths[other[0]] > MOST_BEHIND for total, other in zip(sums, parts[1:], strict=False)), (
        "as few as may be"
    )


def test_pictures_are_read_once_ahead_and_given_up_when_nobody_takes_them() -> None:
    read: list[str] = []

    def note(images: Sequence[Image]) -> str:
        read.append(images[0].name)
        return images[0].name.upper()

    ahead = ReadAhead(note)
    pictures = [(Image(name, name, lambda: b""),) for name in "abc"]
    ahead.prefetch([pictures[0], pictures[0], pictures[1], ()])
    assert [ahead.take(pictures[0]), ahead.take(pictures[1])] == ["A", "B"]
    assert sorted(read) == ["a", "b"]
    assert ahead.take(pictures[2]) == "C", "what was not expected is read now"
    ahead.prefetch([pictures[0]])
    for _ in range(KEPT + 1):
        ahead.prefetch([])
    assert not vars(ahead)["_futures"]


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    config = PhiConfig(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=None,
    )
    auto: Any = AutoModelForCausalLM
    network = auto.from_config(config).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(3)  # spread the logits, so that no two are equal up to rounding
    return network


def alone(model: Any, tokens: Sequence[int], limit: int, ends: set[int]) -> list[int]:
    """Greedy decoding from scratch for every token: slow, without any cache."""
    sequence, answer = list(tokens), list[int]()
    for _ in range(limit):
        with torch.inference_mode():
            answer.append(int(model(input_ids=torch.tensor([sequence + answer])).logits[0, -1].argmax()))
        if answer[-1] in ends:
            break
    return answer


tokens = st.lists(st.integers(1, 59), min_size=1, max_size=9)


def read(model: Any, prefixes: Sequence[list[int]], chunk: int = 7) -> tuple[Decoder, Any]:
    """Prefixes read a few tokens a pass, so that a batch has several passes."""
    decoder = Decoder(model, model.config, torch.device("cpu"), chunk)

    def inputs(first: int, last: int) -> dict[str, Any]:
        return {"input_ids": torch.tensor([[token for prefix in prefixes[first:last] for token in prefix]])}

    return decoder, decoder.prefill([len(prefix) for prefix in prefixes], 1, inputs)


def asked(groups: Sequence[Sequence[list[int]]]) -> list[Question]:
    return [Question(row, tuple(suffix)) for row, suffixes in enumerate(groups) for suffix in suffixes]


prefixes = st.lists(st.integers(1, 59), max_size=9)
layouts = st.lists(st.tuples(prefixes, st.lists(tokens, min_size=1, max_size=4)), min_size=1, max_size=5)


@given(layouts, st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_shared_equals_alone(model: Any, layout: list[tuple[list[int], list[list[int]]]], limit: int) -> None:
    """Prefixes, also empty ones, and questions of different length; answers that end at different times."""
    decoder, state = read(model, [prefix for prefix, _ in layout])
    questions = asked([suffixes for _, suffixes in layout])
    shared = [answer.ids for answer in decoder.decode(state, questions, Stop(frozenset({7, 9, 11}), limit))]
    assert shared == [alone(model, [*layout[each.row][0], *each.ids], limit, {7, 9, 11}) for each in questions]


def test_prefixes_can_be_resumed_twice(model: Any) -> None:
    decoder, state = read(model, [[1, 2, 3], [5, 6]])
    questions, stop = asked([[[4, 5], [6]], [[4, 5]]]), Stop(frozenset({0}), 30)
    first = decoder.decode(state, questions, stop)
    ranks = decoder.rank(state, questions, [[(1, 2), (3,)]] * 3)
    assert decoder.decode(state, questions, stop) == first
    assert decoder.rank(state, questions, [[(1, 2), (3,)]] * 3) == ranks


def test_first_tokens_chances_and_logits(model: Any) -> None:
    decoder, state = read(model, [[1, 2, 3]])
    (answer,) = decoder.decode(state, [Question(0, (4, 5), tracked=((7,), (30, 31, 8)))], Stop(frozenset({0}), 3))
    assert answer.ids == alone(model, [1, 2, 3, 4, 5], 3, {0})
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[1, 2, 3, 4, 5]])).logits[0, -1]
    assert answer.probabilities == pytest.approx(
        [float(logits.softmax(0)[7]), math.exp(likelihood(model, [1, 2, 3, 4, 5], [30, 31, 8]))], rel=1e-3
    )
    assert [token for token, _ in answer.best] == logits.topk(5).indices.tolist()
    assert [logit for _, logit in answer.best] == pytest.approx(logits.topk(5).values.tolist(), abs=1e-4)


ranked_layouts = st.lists(
    st.tuples(prefixes, st.lists(st.tuples(tokens, st.lists(tokens, min_size=1, max_size=4)), min_size=1, max_size=3)),
    min_size=1,
    max_size=3,
)


@given(ranked_layouts)
@settings(max_examples=40, deadline=None)
def test_ranks_as_token_by_token(
    model: Any, layout: list[tuple[list[int], list[tuple[list[int], list[list[int]]]]]]
) -> None:
    """Questions and options of different length behind shared prefixes, against one forward pass for every token."""
    decoder, state = read(model, [prefix for prefix, _ in layout])
    questions = asked([[suffix for suffix, _ in pairs] for _, pairs in layout])
    options = [[tuple(option) for option in own] for _, pairs in layout for _, own in pairs]
    for question, own, sums in zip(questions, options, decoder.rank(state, questions, options), strict=True):
        prompt = [*layout[question.row][0], *question.ids]
        assert sums == pytest.approx([likelihood(model, prompt, option) for option in own], abs=1e-4)


def likelihood(model: Any, prompt: list[int], option: Sequence[int]) -> float:
    """The log-probability of `option` after `prompt`, token by token, without a cache."""
    total = 0.0
    for place, token in enumerate(option):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([[*prompt, *option[:place]]])).logits[0, -1].double()
        total += float(logits[token] - logits.logsumexp(0))
    return total
