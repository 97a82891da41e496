"""One fact of a layout at a time is changed, and each change is noticed by a checkpoint of that layout."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mipha_eval.core.errors import UserError
from mipha_eval.models.llava_style import layouts
from tests.test_mipha_variants import Variant, adapter_of, faults, known

#: checkpoint, layout, field and wrong value
WRONG: dict[str, tuple[str, str, str, Any]] = {
    "LLaVA's tower that was not trained counts": ("llava_old_start_end", "LLaVA", "own_tower", lambda _: True),
    "LLaVA's trained tower does not count": ("llava_mistral", "LLaVA", "own_tower", lambda _: False),
    "MobileVLM's own tower counts": ("mobilevlm_ldpnet", "MobileVLM", "own_tower", lambda _: True),
    "MobileVLM V2's own tower does not count": ("mobilevlm_ldpnetv2", "MobileVLM", "own_tower", lambda _: False),
    "MoE-LLaVA's own tower counts": ("moe_llava_phi", "MoE-LLaVA", "own_tower", lambda _: True),
    "LLaVA's tokenizer is the fast one": ("llava15_native_tower_outside", "LLaVA", "slow_tokenizer", lambda _, __: False),
    "LLaVA's tokenizer on Mistral is the slow one": ("llava_mistral", "LLaVA", "slow_tokenizer", lambda _, __: True),
    "MobileVLM's tokenizer is the fast one": ("mobilevlm_ldpnet", "MobileVLM", "slow_tokenizer", lambda _, __: False),
    "rows behind the tokens stay": ("llava_qwen", "LLaVA-NeXT", "cuts_vocabulary", False),
    "MoE-LLaVA's rows behind the tokens stay": ("moe_llava_phi", "MoE-LLaVA", "cuts_vocabulary", False),
    "a penalty sees the prompt": ("llava_qwen", "LLaVA-NeXT", "seen", "prompt"),
    "Imp obeys what its scripts take back": ("imp_qwen2", "Imp", "says", ()),
}


def is_noticed(variant: Variant) -> bool:
    """Whether token ids, features, logits or texts are not the official ones, or nothing runs at all."""
    try:
        adapter = adapter_of(variant.folder / "checkpoint")
        if list(faults(adapter, variant)):
            return True
        texts = [response.text for response in adapter.respond(variant.requests())]
    except (RuntimeError, UserError):  # weights of another width, a setting that is refused
        return True
    return texts != [answer["text"] for answer in variant.answers]


@pytest.mark.parametrize("fact", WRONG)
def test_a_wrong_fact_is_noticed(fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, owner, field, value = WRONG[fact]
    variant = known(name)
    assert any(each.name == owner for each in layouts.LAYOUTS)
    assert not is_noticed(variant)
    changed = [dataclasses.replace(each, **{field: value}) if each.name == owner else each for each in layouts.LAYOUTS]
    monkeypatch.setattr(layouts, "LAYOUTS", tuple(changed))
    assert is_noticed(variant)
