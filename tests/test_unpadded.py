"""MM-Vet as Mipha's own script asks it: pictures that nobody pads, answers that no stopping word ends."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from transformers import AutoImageProcessor

from mipha_eval.core.errors import RequestError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.data.parse_source import parse_source
from tests.image_text_checkpoints import llava
from tests.test_hf_chat import picture as drawn
from tests.test_mipha_variants import adapter_of, known, picture


def asked(protocol: str) -> Request:
    owner, _ = Registry().load("tasks", "mmvet")
    task = owner(data=parse_source("demo", {}, None), protocol=protocol)
    request: Request = task.request(next(iter(task.samples())))
    return request


def test_the_protocol_asks_for_it() -> None:
    usual, own = asked("v1"), asked("v1-mipha")
    assert [image.padded for image in usual.images + own.images] == [True, False]
    assert (usual.decoding.stop_word, own.decoding.stop_word) == (True, False)
    assert usual.identity != own.identity
    assert usual.key != own.key
    again = dataclasses.replace(usual, images=own.images)
    assert len({usual.key, own.key, again.key}) == 3


@pytest.mark.parametrize("name", ["clip_phi2", "siglip_phi2_control"])
def test_pixels_are_the_image_processors(name: str) -> None:
    """A checkpoint that pads; transformers' own image processor does not."""
    folder = known(name).folder / "checkpoint"
    adapter = adapter_of(folder)
    image = picture("images/china.png")
    bare = dataclasses.replace(image, padded=False)
    owner: Any = AutoImageProcessor
    processor = owner.from_pretrained(folder)
    wanted = processor(open_image(image), return_tensors="pt").pixel_values[0]
    padded, unpadded = adapter.read_images([image, bare])
    assert (unpadded - wanted).abs().max() < 1e-6
    assert (padded - wanted).abs().max() > 0.1


def test_both_in_one_batch_are_as_each_alone() -> None:
    adapter = adapter_of(known("siglip_phi2_control").folder / "checkpoint")
    image = picture("images/china.png")
    shown = [image, dataclasses.replace(image, padded=False)]
    batch = [Request(text, (each,), Decoding(6)) for text in ("What is this?", "Where?") for each in shown]
    together = adapter.respond(batch)
    alone = [adapter.respond([request])[0] for request in batch]
    assert [each.text for each in together] == [each.text for each in alone]
    assert together[0].top[0][1] != pytest.approx(together[1].top[0][1], abs=1e-3)


def test_a_stopping_word_does_not_end_an_answer() -> None:
    """One that the model is made to say first; the end token still ends an answer."""
    adapter = adapter_of(known("siglip_phi2_control").folder / "checkpoint")
    request = Request("What is this?", (picture("images/china.png"),), Decoding(6))
    first = adapter.respond([request])[0].top[0][0]
    loaded = adapter.loaded
    adapter.__dict__["loaded"] = dataclasses.replace(loaded, ends=loaded.ends | {first}, stop_words=frozenset({first}))
    free = dataclasses.replace(request, decoding=Decoding(6, stop_word=False))
    for ask in (adapter.respond, adapter.reference):
        tokens = [each.tokens for each in ask([request, free])]
        assert tokens[0] == 1 < tokens[1]


def test_a_processor_that_pads_refuses(tmp_path: Any) -> None:
    owner, _ = Registry().load("model_adapters", "hf-chat")
    adapter = owner(path=str(llava(tmp_path / "llava")), device="cpu", dtype="float32")
    image: Image = dataclasses.replace(drawn(0), padded=False)
    assert adapter.read_images([image]).inputs["pixel_values"].shape[0] == 1
    adapter.chat._processor.image_processor.do_pad = True
    with pytest.raises(RequestError, match="unpadded"):
        adapter.read_images([image])
