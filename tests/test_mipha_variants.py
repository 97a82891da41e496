"""Every language model, tower, projector and prompt of the official code against what it answered, in float32 on the CPU.

The folders hold small checkpoints that the official code (zhuyiche/llava-phi at 21dafbf, transformers 4.38.2) saved, and the
token ids, features, logits and texts that it computed from them.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.models.llava_style import tokenizer
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.towers import siglip
from mipha_eval.models.llava_style.weight_piece import cut
from tests.conftest import SHARED, read_json

VARIABLE = "MIPHA_EVAL_PARITY_VARIANTS"
ROOT = Path(os.environ.get(VARIABLE) or SHARED / "fixtures/mipha_variants")


RELATIVES = Path(__file__).parent / "fixtures/relatives"

#: variants' folders by name
FOLDERS = {file.parts[-3]: file.parents[1] for root in (ROOT, RELATIVES) for file in root.glob("*/checkpoint/config.json")}
VARIANTS = sorted(FOLDERS)


@dataclass(frozen=True)
class Variant:
    """A checkpoint and what the official code makes of it."""

    folder: Path
    answers: list[dict[str, Any]]
    tensors: dict[str, torch.Tensor]
    featured: list[int]

    @classmethod
    def of(cls, folder: Path) -> Variant:
        expected, tensors = read_json(folder / "expected.json"), load_file(folder / "expected.safetensors")
        answers = expected["answers"]
        return cls(folder, answers, tensors, expected.get("image_features_of", list(range(len(answers)))))

    def requests(self) -> list[Request]:
        return [Request(each["question"], (picture(each["image"]),), Decoding(24)) for each in self.answers]


def picture(name: str) -> Image:
    path = ROOT / name
    return Image(path.name, str(path), path.read_bytes)


def adapter_of(path: Path, **options: Any) -> Any:
    """The checkpoint of a variant, with what lies beside it."""
    kind = read_json(path / "config.json")["model_type"]
    owner, _ = Registry().load("model_adapters", "mipha" if kind.startswith("mipha") else "llava")
    beside = {name: path.parent / folder for name, folder in (("vision_tower", "tower"), ("base", "base"))}
    found = {name: str(folder) for name, folder in beside.items() if folder.is_dir()}
    pickled = any(path.glob("*.bin"))
    expected = path.parent / "expected.json"
    mode = str(read_json(expected).get("conv_mode", "")) if expected.is_file() else ""
    template = mode if mode.startswith("llava_") else ""
    given = {"template": template, **found, **options}
    return owner(path=str(path), device="cpu", dtype="float32", allow_bin=pickled, **given)


@pytest.fixture(scope="module", params=VARIANTS or [""])
def variant(request: pytest.FixtureRequest) -> Variant:
    if not request.param:
        pytest.skip(f"real files are not here: {ROOT} (set {VARIABLE})")
    return Variant.of(FOLDERS[request.param])


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
        if list(adapter.encode(request).ids) != answer["input_ids"]:
            yield f"{number}: token ids"
        if number in variant.featured:
            wanted = variant.tensors["image_features"][variant.featured.index(number)]
            found = features_of(adapter, request)
            if found.shape != wanted.shape or (found - wanted).abs().max() > 1e-4 * max(1, float(wanted.abs().max())):
                yield f"{number}: features"
        if (logits_of(adapter, request) - variant.tensors["first_logits"][number]).abs().max() > 1e-3:
            yield f"{number}: logits"


def generated(adapter: Any, answer: dict[str, Any]) -> list[int]:
    """Ids of an answer; where the official code hands over embeddings, ``generate`` puts a BOS before them."""
    ids: list[int] = answer["generated_ids"]
    return ids[ids[0] == adapter.tokenizer.bos_token_id :] if adapter.files.layout.seen == "bos" else ids


def test_numbers(adapter: Any, variant: Variant) -> None:
    assert not list(faults(adapter, variant))
    assert adapter.patches == variant.tensors["image_features"].shape[1]
    assert adapter.describe()["weights"]


def test_texts_one_at_a_time(adapter: Any, variant: Variant) -> None:
    for answer, request in zip(variant.answers, variant.requests(), strict=True):
        for (response,) in (adapter.generate([request]), adapter.reference([request])):
            assert (response.text, response.tokens) == (answer["text"], len(generated(adapter, answer)))


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
            assert lists[id(response)] == generated(adapter, answer)
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


def known(name: str) -> Variant:
    if name not in VARIANTS:
        pytest.skip(f"real files are not here: {ROOT / name} (set {VARIABLE})")
    return Variant.of(FOLDERS[name])


def language(parts: Parts, **changes: Any) -> Parts:
    changed = dataclasses.replace(parts.language_model, **changes)
    return dataclasses.replace(parts, kind=dataclasses.replace(parts.kind, language_model=changed))


def tower(parts: Parts, **changes: Any) -> Parts:
    return dataclasses.replace(parts, tower=dataclasses.replace(parts.tower, **changes))


def tower_entry(parts: Parts, **changes: Any) -> Parts:
    return dataclasses.replace(parts, tower_config={**parts.tower_config, **changes})


def tanh_for_gelu(parts: Parts) -> Parts:
    """What transformers makes of Gemma's configuration today."""
    return language(
        parts, configure=lambda config: parts.language_model.configure({**config, "hidden_act": "gelu_pytorch_tanh"})
    )


def fused_one_after_the_other(name: str, _config: Any) -> Any:
    """Phi-1.5's weights as if all queries came first, as in Phi-3."""
    names = [name.replace("query_key_value", each) for each in ("q_proj", "k_proj", "v_proj")]
    return cut(names) if names[0] != name else {name: lambda weight: weight}


#: the fixture that shows it, and one fact that is wrong
WRONG: dict[str, tuple[str, Callable[[Parts], Parts]]] = {
    "Gemma's features are not scaled": ("siglip_gemma", lambda parts: language(parts, image_scale=lambda _: 1.0)),
    "Gemma's GELU is the tanh form": ("siglip_gemma", tanh_for_gelu),
    "CLIP's GELU is the exact one": ("clip_phi2", lambda parts: tower_entry(parts, hidden_act="gelu")),
    "SigLIP's GELU is the exact one": ("siglip_phi2_control", lambda parts: tower_entry(parts, hidden_act="gelu")),
    "a layer more": ("siglip_phi2_control", lambda parts: dataclasses.replace(parts, select_layer=parts.select_layer + 1)),
    "a layer less": ("clip_phi2_layer_last", lambda parts: dataclasses.replace(parts, select_layer=parts.select_layer - 1)),
    "query, key, value in turn": ("siglip_phi15", lambda parts: language(parts, pieces=fused_one_after_the_other)),
    "CLIP without its first norm": ("clip_phi2", lambda parts: tower(parts, read=siglip.read)),
    "the class token stays": (
        "clip_phi2",
        lambda parts: dataclasses.replace(
            parts, description=dataclasses.replace(parts.description, select_feature="cls_patch")
        ),
    ),
}


@pytest.mark.parametrize("fact", WRONG)
def test_a_wrong_fact_is_noticed(fact: str) -> None:
    name, change = WRONG[fact]
    variant = known(name)
    adapter = adapter_of(variant.folder / "checkpoint")
    adapter.__dict__["parts"] = change(adapter.parts)
    assert any("features" in fault or "logits" in fault for fault in faults(adapter, variant))


def test_a_second_bos_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    variant = known("siglip_gemma")
    adapter = adapter_of(variant.folder / "checkpoint")
    monkeypatch.setattr(tokenizer, "tokenize_prompt", pieces_with_bos)
    assert any("token ids" in fault for fault in faults(adapter, variant))


def pieces_with_bos(pieces: Any, tokenize: Any, _begin: Any) -> list[int]:
    return [*tokenize(pieces[0]), -200, *tokenize(pieces[1])]


@pytest.mark.parametrize("name", ["clip_phi2", "clip_phi2_square", "siglip_phi2_control", "siglip_phi2_gpt2tok_square"])
def test_another_aspect_is_noticed(name: str) -> None:
    variant = known(name)
    adapter = adapter_of(variant.folder / "checkpoint")
    adapter.__dict__["preprocessor"] = dataclasses.replace(adapter.preprocessor, pad=not adapter.preprocessor.pad)
    assert any("features" in fault for fault in faults(adapter, variant))


def without_tower(variant: Variant, folder: Path, text_model: bool) -> tuple[Path, Path]:
    """The checkpoint without its tower, and the tower as transformers saves it, perhaps with the text model it came with."""
    weights = load_file(variant.folder / "checkpoint/model.safetensors")
    prefix = "model.vision_tower."
    checkpoint, beside = folder / "checkpoint", folder / "beside"
    for made in (checkpoint, beside):
        made.mkdir(parents=True)
    own = {key: value for key, value in weights.items() if not key.startswith(prefix)}
    other = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
    other |= {"text_model.final_layer_norm.bias": torch.zeros(4), "logit_scale": torch.ones(())} if text_model else {}
    save_file(own, checkpoint / "model.safetensors")
    save_file(other, beside / "model.safetensors")
    (beside / "config.json").write_text(json.dumps({"model_type": "clip_vision_model"}))
    for file in (variant.folder / "checkpoint").iterdir():
        if file.suffix != ".safetensors":
            place = beside if file.name == "preprocessor_config.json" else checkpoint
            (place / file.name).write_bytes(file.read_bytes())
    return checkpoint, beside


@pytest.mark.parametrize("text_model", [False, True])
def test_a_tower_beside_the_checkpoint(text_model: bool, tmp_path: Path) -> None:
    variant = known("clip_phi2")
    checkpoint, beside = without_tower(variant, tmp_path, text_model)
    adapter = adapter_of(checkpoint, vision_tower=str(beside))
    assert not list(faults(adapter, variant))
    assert adapter.describe()["vision_tower"]
    with pytest.raises(UserError, match="no vision tower among its weights"):
        adapter_of(checkpoint).load()


def test_the_checkpoints_own_tower_wins(tmp_path: Path) -> None:
    variant = known("clip_phi2")
    _, beside = without_tower(variant, tmp_path, text_model=False)
    broken = {key: torch.zeros_like(value) for key, value in load_file(beside / "model.safetensors").items()}
    save_file(broken, beside / "model.safetensors")
    adapter = adapter_of(variant.folder / "checkpoint", vision_tower=str(beside))
    assert not list(faults(adapter, variant))
    assert "vision_tower" not in adapter.describe()


def test_another_template() -> None:
    """The one that Gemma's own chat has, which the official code holds under no name."""
    adapter = adapter_of(known("siglip_gemma").folder / "checkpoint", template="gemma-turns")
    text = adapter.tokenizer.decode([token for token in adapter.encode(Request("Who?")).ids if token >= 0])
    assert text.endswith("<start_of_turn>user\nWho?<end_of_turn>\n<start_of_turn>model\n")
    with pytest.raises(UserError, match="there is no template 'x'; there are v0, phi, gemma"):
        adapter_of(known("siglip_gemma").folder / "checkpoint", template="x").load()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vision_model_name_or_path": "facebook/convnext"}, "supported: CLIP, SigLIP, DINOv2, ViT"),
        ({"mm_vision_select_layer": 9}, "outside the tower's 4 layers"),
        ({"mm_vision_select_feature": "cls"}, "is neither patch nor cls_patch"),
        ({"vision_model_name_or_path": "facebook/dinov2-large"}, "config.json"),
    ],
)
def test_what_cannot_run_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    source = known("siglip_phi2_control").folder / "checkpoint"
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = read_json(source / "config.json")
    config["vision_config"]["vision_tower"].update(change)
    (tmp_path / "config.json").write_text(json.dumps(config))
    weights = {key: value for key, value in load_file(source / "model.safetensors").items() if "patch_embedding" not in key}
    if "convnext" in str(change):
        save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=words):
        adapter_of(tmp_path).load()
