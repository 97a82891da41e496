"""Every language model, tower, projector and prompt of the official code against what it answered, in float32 on the CPU.

The folders hold small checkpoints that the official code (zhuyiche/llava-phi at 21dafbf, transformers 4.38.2) saved, and the
token ids, features, logits and texts that it computed from them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request
from tests.conftest import SHARED, read_json

VARIABLE = "MIPHA_EVAL_PARITY_VARIANTS"
ROOT = Path(os.environ.get(VARIABLE) or SHARED / "fixtures/mipha_variants")


def loadable(folder: Path) -> bool:
    """Whether a folder holds a whole checkpoint in Mipha's own layout."""
    config, weights = (folder / "checkpoint" / name for name in ("config.json", "model.safetensors"))
    return config.is_file() and weights.is_file() and read_json(config)["model_type"].startswith("mipha_")


VARIANTS = sorted(folder.name for folder in ROOT.iterdir() if loadable(folder)) if ROOT.is_dir() else []


@dataclass(frozen=True)
class Variant:
    """A checkpoint and what the official code makes of it."""

    folder: Path
    answers: list[dict[str, Any]]
    tensors: dict[str, torch.Tensor]

    @classmethod
    def of(cls, folder: Path) -> Variant:
        return cls(folder, read_json(folder / "expected.json")["answers"], load_file(folder / "expected.safetensors"))

    def requests(self) -> list[Request]:
        return [Request(each["question"], (picture(each["image"]),), Decoding(24)) for each in self.answers]


def picture(name: str) -> Image:
    path = ROOT / name
    return Image(path.name, str(path), path.read_bytes)


def adapter_of(path: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", "mipha")
    return owner(path=str(path), device="cpu", dtype="float32", **options)


@pytest.fixture(scope="module", params=VARIANTS or [""])
def variant(request: pytest.FixtureRequest) -> Variant:
    if not request.param:
        pytest.skip(f"real files are not here: {ROOT} (set {VARIABLE})")
    return Variant.of(ROOT / request.param)


@pytest.fixture(scope="module")
def adapter(variant: Variant) -> Any:
    loaded = adapter_of(variant.folder / "checkpoint")
    loaded.load()
    return loaded


def features_of(adapter: Any, request: Request) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = adapter.network.image_features(adapter.read_images(request.images))[0]
    return found


def logits_of(adapter: Any, request: Request) -> torch.Tensor:
    with torch.inference_mode():
        hidden = adapter._embed(adapter.encode(request).ids, iter([features_of(adapter, request)]))
        found: torch.Tensor = adapter.network.decoder(inputs_embeds=hidden[None]).logits[0, -1]
    return found


def faults(adapter: Any, variant: Variant) -> Iterator[str]:
    """What is not as the official code computes it: features, token ids, logits of the first token."""
    for number, (answer, request) in enumerate(zip(variant.answers, variant.requests(), strict=True)):
        wanted, logits = (variant.tensors[name][number] for name in ("image_features", "first_logits"))
        found = features_of(adapter, request)
        if list(adapter.encode(request).ids) != answer["input_ids"]:
            yield f"{number}: token ids"
        if found.shape != wanted.shape or (found - wanted).abs().max() > 1e-4 * max(1, float(wanted.abs().max())):
            yield f"{number}: features"
        elif (logits_of(adapter, request) - logits).abs().max() > 1e-3:
            yield f"{number}: logits"


def test_numbers(adapter: Any, variant: Variant) -> None:
    assert not list(faults(adapter, variant))
    assert adapter.patches == variant.tensors["image_features"].shape[1]


def test_texts_one_at_a_time(adapter: Any, variant: Variant) -> None:
    for answer, request in zip(variant.answers, variant.requests(), strict=True):
        for (response,) in (adapter.generate([request]), adapter.reference([request])):
            assert (response.text, response.tokens) == (answer["text"], len(answer["generated_ids"]))


def test_generated_tokens_in_mixed_batches(adapter: Any, variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shuffled batches of several images, questions without one among them; every id is the official one."""
    lists: dict[int, list[int]] = {}
    original = type(adapter)._response

    def note(self: Any, answer: Any) -> Any:
        response = original(self, answer)
        lists[id(response)] = list(answer.ids)
        return response

    monkeypatch.setattr(type(adapter), "_response", note)
    generator = random.Random(7)
    cases = list(zip(variant.answers, variant.requests(), strict=True))
    generator.shuffle(cases)
    while cases:
        size = generator.randint(1, 6)
        batch, cases = cases[:size], cases[size:]
        responses = adapter.generate([request for _, request in batch] + [Request("Who?", (), Decoding(3))])
        for (answer, _), response in zip(batch, responses, strict=False):
            assert lists[id(response)] == answer["generated_ids"]
            assert response.text == answer["text"]


def test_texts_without_sharing(variant: Variant) -> None:
    plain = adapter_of(variant.folder / "checkpoint", share=False)
    asked = variant.requests()
    texts = [response.text for start in range(0, 10, 5) for response in plain.respond(asked[start : start + 5])]
    assert texts == [answer["text"] for answer in variant.answers]


def test_shared_equals_alone(adapter: Any, variant: Variant) -> None:
    """Probabilities, options to be ranked, two pictures, none, behind shared prefixes and each by itself."""
    first, second, *_ = variant.requests()
    batch = [
        Request(first.text, first.images, Decoding(5), tracked=("Yes", "No way")),
        Request("Which?", first.images, options=("red", "a large brown dog")),
        Request("Which is darker?", first.images + second.images, Decoding(4)),
        Request(" ".join(["very long"] * 60), first.images, Decoding(3)),
        Request("Who?", (), Decoding(4)),
    ]
    for one, other in zip(adapter.respond(batch), adapter.reference(batch), strict=True):
        assert (one.text, one.tokens, one.finish, one.error) == (other.text, other.tokens, other.finish, "")
        assert one.likelihoods == pytest.approx(other.likelihoods, abs=1e-3)
        assert one.probabilities == pytest.approx(other.probabilities, rel=1e-3)
