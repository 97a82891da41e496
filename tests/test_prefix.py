"""Shared prefixes give what each question gives alone, on small random networks in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, PhiConfig

from mipha_eval.backends.hf import Stop, decode, prefill, rank
from mipha_eval.backends.prefix import Prompt, group_prompts
from mipha_eval.types import Image

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


@pytest.fixture(scope="module")
def decoder() -> Any:
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
    model = auto.from_config(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)  # spread the logits, so that no two are equal up to rounding
    return model


def alone(decoder: Any, tokens: Sequence[int], limit: int, end: int) -> list[int]:
    """Greedy decoding from scratch for every token: slow, without any cache."""
    sequence, answer = list(tokens), list[int]()
    for _ in range(limit):
        with torch.inference_mode():
            answer.append(int(decoder(input_ids=torch.tensor([sequence + answer])).logits[0, -1].argmax()))
        if answer[-1] == end:
            break
    return answer


tokens = st.lists(st.integers(1, 59), min_size=1, max_size=9)


@given(st.lists(st.tuples(tokens, st.lists(tokens, min_size=1, max_size=4)), min_size=1, max_size=4), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_shared_equals_alone(decoder: Any, layout: list[tuple[list[int], list[list[int]]]], limit: int) -> None:
    """Prefixes and suffixes of different length, several suffixes a prefix, answers that end at different times."""
    embed = decoder.get_input_embeddings()
    end = 7
    with torch.inference_mode():
        state = prefill(decoder, [embed(torch.tensor(prefix)) for prefix, _ in layout])
        rows = [row for row, (_, suffixes) in enumerate(layout) for _ in suffixes]
        suffixes = [suffix for _, group in layout for suffix in group]
        hidden = [embed(torch.tensor(suffix)) for suffix in suffixes]
    shared = decode(decoder, state, torch.tensor(rows), hidden, Stop(frozenset({end}), limit))
    expected = [alone(decoder, layout[row][0] + suffix, limit, end) for row, suffix in zip(rows, suffixes, strict=True)]
    assert shared == expected


def test_prefixes_can_be_resumed_twice(decoder: Any) -> None:
    embed = decoder.get_input_embeddings()
    with torch.inference_mode():
        state = prefill(decoder, [embed(torch.tensor([1, 2, 3]))])
        hidden = [embed(torch.tensor([4, 5]))]
    stop = Stop(frozenset({0}), 5)
    first = decode(decoder, state, torch.tensor([0]), hidden, stop)
    assert decode(decoder, state, torch.tensor([0]), hidden, stop) == first


@given(st.lists(st.tuples(tokens, st.lists(st.tuples(tokens, tokens), min_size=1, max_size=4)), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_ranks_as_token_by_token(decoder: Any, layout: list[tuple[list[int], list[tuple[list[int], list[int]]]]]) -> None:
    """Prompts and options of different length behind shared prefixes, against one forward pass for every token."""
    embed = decoder.get_input_embeddings()
    with torch.inference_mode():
        state = prefill(decoder, [embed(torch.tensor(prefix)) for prefix, _ in layout])
        rows = [row for row, (_, pairs) in enumerate(layout) for _ in pairs]
        pairs = [pair for _, group in layout for pair in group]
        hidden = [embed(torch.tensor(prompt + option)) for prompt, option in pairs]
    options = [torch.tensor(option) for _, option in pairs]
    found = rank(decoder, state, torch.tensor(rows), hidden, options)
    expected = [
        likelihood(decoder, layout[row][0] + prompt, option) for row, (prompt, option) in zip(rows, pairs, strict=True)
    ]
    assert found == pytest.approx(expected, abs=1e-4)


def likelihood(decoder: Any, prompt: list[int], option: list[int]) -> float:
    """The log-probability of `option` after `prompt`, token by token, without a cache."""
    total = 0.0
    for place, token in enumerate(option):
        with torch.inference_mode():
            logits = decoder(input_ids=torch.tensor([prompt + option[:place]])).logits[0, -1].double()
        total += float(logits[token] - logits.logsumexp(0))
    return total
