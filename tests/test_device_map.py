"""Models spread over devices answer as on one, and what cannot be spread is refused before a weight is read."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Request, Response
from mipha_eval.models.device_map import GIB, DeviceMap, layers_by_device
from mipha_eval.models.generic_model import GenericModel
from tests.image_text_checkpoints import llava, qwen2_5_vl
from tests.made_up_devices import FIRST, SECOND, two_devices
from tests.test_whole_prompts import picture
from tests.text_checkpoint import text_model

TEXTS = [Request(text, (), Decoding(5)) for text in ("Who is it?", "7 dogs?", " is it day?", "Who was it?")]
RANKED = Request("Is it day?", (), options=("Yes", "No", "Maybe it is"))
TRACKED = Request("Is it?", (), Decoding(3), tracked=("Yes", "No"))
PICTURES = [Request(each.text, (picture(number % 2),), each.decoding) for number, each in enumerate(TEXTS)]
PICTURES += [Request(RANKED.text, (picture(1),), options=RANKED.options)]

#: of the text model: its first layer and what is before lies on one device, all else on the other
PARTS = {"model.embed_tokens": FIRST, "model.rotary_emb": FIRST, "model.layers.0": FIRST}
PARTS |= dict.fromkeys(("model.layers.1", "model.layers.2", "model.norm", "lm_head"), SECOND)

NOT_READ = "a weight was read"


@pytest.fixture(scope="module")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return text_model(tmp_path_factory.mktemp("device-map") / "text")


def made(name: str, folder: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", name)
    return owner(path=str(folder), dtype="float32", **options)


def on_one(name: str, folder: Path) -> Any:
    adapter = made(name, folder, device="cpu")
    adapter.load()
    return adapter


def spread(name: str, folder: Path, parts: dict[str, torch.device], **options: Any) -> Any:
    """An adapter whose parts lie on made-up devices."""
    adapter = made(name, folder, device_map="auto", **options)
    vars(adapter)["spread"] = DeviceMap(parts, FIRST)
    adapter.load()
    return adapter


def same(found: Sequence[Response], wanted: Sequence[Response]) -> None:
    assert [each.text for each in found] == [each.text for each in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.likelihoods == pytest.approx(other.likelihoods, abs=1e-4)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
        assert dict(one.top) == pytest.approx(dict(other.top), abs=1e-4)


def test_the_made_up_devices_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_devices(monkeypatch):
        one, other = torch.ones(3, device=FIRST), torch.tensor([0, 1, 2], device=SECOND)
        for second in (other, torch.ones(3)):
            with pytest.raises(RuntimeError, match="device"):
                _ = one + second
        with pytest.raises(RuntimeError, match="device"):
            _ = one[other]
        assert (one + other.to(FIRST)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("share", [True, False])
def test_a_text_model_on_two_devices_answers_as_on_one(
    text_folder: Path, share: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [*TEXTS, RANKED, TRACKED]
    wanted = on_one("hf-text", text_folder).respond(batch)
    with two_devices(monkeypatch):
        adapter = spread("hf-text", text_folder, PARTS, share=share)
        assert adapter.proved.level == ("prefix" if share else "none"), adapter.proved
        assert {weight.device for weight in adapter.network.parameters()} == {FIRST, SECOND}
        same(adapter.respond(batch), wanted)
        same(adapter.reference(batch[:2]), wanted[:2])
        assert adapter.describe()["device"] == "2 x maia"


def test_keys_and_values_lie_where_their_layer_does(text_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with two_devices(monkeypatch):
        adapter = spread("hf-text", text_folder, PARTS)
        with torch.inference_mode():
            state = adapter.decoder.prefill([3], 4, lambda *_: {"input_ids": torch.tensor([[5, 6, 7]], device=FIRST)})
        assert [keys.device for keys, _ in state.cache.layers] == [FIRST, SECOND, SECOND]
        assert layers_by_device(adapter.network) == {FIRST: 1 / 3, SECOND: 2 / 3}


@pytest.mark.parametrize("build", [llava, qwen2_5_vl])
def test_a_model_with_pictures_on_two_devices(build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tower and the embedding lie on the first, a layer of the decoder and the head on the second."""
    folder = build(tmp_path / "pictures")
    one = on_one("hf-chat", folder)
    wanted = one.respond(PICTURES)
    last = next(name for name, _ in one.network.named_modules() if name.endswith("language_model.layers.1"))
    known = {name for name, _ in one.network.named_modules()}
    parts = dict.fromkeys(leaves(known, {last, "lm_head"}), FIRST) | {last: SECOND, "lm_head": SECOND}
    with two_devices(monkeypatch):
        adapter = spread("hf-chat", folder, parts)
        assert adapter.proved.level == one.proved.level, adapter.proved
        same(adapter.respond(PICTURES), wanted)


def leaves(names: set[str], apart: set[str]) -> set[str]:
    """The fewest names that cover all modules but some."""
    around = {name[:end] for name in apart for end in range(len(name)) if name[end] == "."} | {"", *apart}
    inside = {name for name in names if any(name.startswith(f"{each}.") for each in apart)}
    free = names - around - inside
    return {name for name in free if name.rpartition(".")[0] in around}


def test_the_map_keeps_layers_whole(text_folder: Path) -> None:
    known = GenericModel.of(text_folder, AutoModelForCausalLM)
    config = copy.deepcopy(known.config)
    config.num_hidden_layers = 12
    known = replace(known, config=config)
    total = sum(weight.numel() * 4 for weight in known.empty().parameters())
    for kind in ("auto", "balanced", "sequential"):
        found = DeviceMap.spread(known, kind, torch.float32, {0: int(total * 0.75), 1: int(total * 0.75)})
        assert [device.index for device in found.devices] == [0, 1], found
        assert found.main == found.parts["model.embed_tokens"]
        layers = [name for name in found.parts if name.startswith("model.layers")]
        assert layers == [f"model.layers.{number}" for number in range(12)], "none is cut"
        assert {found.parts[name].index for name in layers} == {0, 1}


def test_smaller_numbers_need_less_room(text_folder: Path) -> None:
    known = GenericModel.of(text_folder, AutoModelForCausalLM)
    total = sum(weight.numel() * 4 for weight in known.empty().parameters())
    half = DeviceMap.spread(known, "sequential", torch.bfloat16, {0: int(total * 0.7)})
    assert half.parts == {"": torch.device("cuda:0")}


def test_what_would_lie_on_disk_is_refused(text_folder: Path) -> None:
    known = GenericModel.of(text_folder, AutoModelForCausalLM)
    with pytest.raises(UserError, match=r"GiB of weights, and there are 0.0 GiB for weights on 2 devices: \d+ of its parts"):
        DeviceMap.spread(known, "auto", torch.float32, {0: 60_000, 1: 60_000, "cpu": 8 * GIB})


def test_main_memory_counts_only_where_there_is_nothing_else(text_folder: Path) -> None:
    known = GenericModel.of(text_folder, AutoModelForCausalLM)
    found = DeviceMap.spread(known, "auto", torch.float32, {"cpu": GIB})
    assert found.devices == (torch.device("cpu"),)


def test_auto_on_a_machine_without_gpus(text_folder: Path) -> None:
    wanted = on_one("hf-text", text_folder).respond(TEXTS)
    adapter = made("hf-text", text_folder, device_map="auto")
    adapter.load()
    assert adapter.respond(TEXTS) == wanted
    assert adapter.describe()["device"] == "cpu"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device_map": "everywhere"}, "device_map 'everywhere' is unknown; there are auto, balanced, sequential"),
        ({"device_map": "auto", "device": "cpu"}, "device_map says where weights lie; leave out the device"),
        ({"device_map": "auto", "tp": 2}, "device_map and tp are two ways to spread a model; leave one of them out"),
    ],
)
def test_what_cannot_be_is_said_before_weights_are_read(
    options: dict[str, Any], message: str, text_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GenericModel, "load", lambda *_, **__: pytest.fail(NOT_READ))
    with pytest.raises(UserError) as error:
        made("hf-text", text_folder, **options).load()
    assert str(error.value) == message


def test_quantized_weights_are_not_spread(text_folder: Path) -> None:
    known = GenericModel.of(text_folder, AutoModelForCausalLM)
    with pytest.raises(UserError, match="device_map cannot spread quantized weights"):
        DeviceMap.spread(replace(known, quantized=True), "auto", torch.float32)


def test_earlier_runs_are_found_again() -> None:
    """At their defaults the options are no part of a run's identity."""
    for name in ("hf-text", "hf-chat"):
        owner, _ = Registry().load("model_adapters", name)
        assert {"device_map", "tp"} <= owner.added


def test_models_of_llavas_own_layouts_have_no_such_option(cli: Any) -> None:
    outcome = cli("run", "--model", "mipha", "-a", "path=nowhere", "-a", "device_map=auto", "--tasks", "pope")
    assert outcome.code == 2
    assert "device_map" in outcome.err
