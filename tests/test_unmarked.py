"""Models whose processors place pictures themselves: against transformers alone, each asked as its documentation asks it."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from transformers import AutoModelForImageTextToText, AutoProcessor

from docs.generate_models import ARCHITECTURES
from mipha_eval.core.types import Decoding, Image, Request, Response
from mipha_eval.models.image_text_adapter import PREFIX, TOWER, TOWER_ALONE
from tests.test_whole_prompts import ODD, load
from tests.unmarked_checkpoints import UNMARKED

AUTO: Any = AutoModelForImageTextToText
PROCESSORS: Any = AutoProcessor

#: what they share: the prefix, or what the tower makes, each prompt by itself where no network could be padded for
APART = dict.fromkeys(("kosmos2", "blip"), TOWER_ALONE)
WAYS = {**dict.fromkeys(UNMARKED, TOWER), "blip2-opt": PREFIX, **APART}

#: those that are asked without a picture, too; the others' own `generate` refuses
BLIND = {"idefics", "idefics-resampler", "git", "florence2"}


def picture(number: int) -> Image:
    """Large squares of colour, which small random towers tell apart."""
    values = np.random.default_rng(number).integers(256, size=(4, 4, 3)).astype(np.uint8)
    data = io.BytesIO()
    Pillow.fromarray(values).resize([(70, 50), (40, 90), (64, 64), (200, 60)][number % 4], 0).save(data, "PNG")
    return Image(f"{number}.png", f"/made-up/squares-{number}.png", data.getvalue)


def pixels(image: Image) -> Pillow.Image:
    return Pillow.open(io.BytesIO(image.read())).convert("RGB")


def inputs_of(name: str, processor: Any, request: Request) -> dict[str, Any]:
    """What `generate` is called with, by the examples of each architecture's documentation."""
    pictures = [pixels(image) for image in request.images]
    if name.startswith("idefics"):  # prompts in parts
        return dict(processor(text=[[*pictures, request.text]], return_tensors="pt"))
    shown = {"images": pictures[0]} if pictures else {}
    if name == "git":  # the example of visual question answering: no separator behind the question
        ids = processor.tokenizer(request.text, add_special_tokens=False).input_ids
        ids = torch.tensor([[processor.tokenizer.cls_token_id, *ids]])
        made = dict(processor.image_processor(**shown, return_tensors="pt")) if pictures else {}
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), **made}
    return dict(processor(text=request.text, **shown, return_tensors="pt"))


#: what goes with tokens of a prompt, and what it is for those of an answer; all else stays
GROWING: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "attention_mask": lambda value: torch.ones_like(value[:, -1:]),
    "image_attention_mask": lambda value: value[:, -1:],  # an answer looks at what the prompt's end looks at
    "image_embeds_position_mask": lambda value: torch.zeros_like(value[:, -1:]),  # no place for a picture
}


@dataclass(frozen=True)
class Official:
    name: str
    model: Any
    processor: Any

    @property
    def encodes(self) -> bool:
        return self.name.endswith("t5") or self.name == "florence2"

    def answer(self, request: Request) -> tuple[str, torch.Tensor]:
        """The text, and the logits [vocabulary] of its first token."""
        inputs = inputs_of(self.name, self.processor, request)
        settings = {"do_sample": False, "return_dict_in_generate": True, "output_logits": True}
        made = self.model.generate(**inputs, max_new_tokens=request.decoding.max_new_tokens, **settings)
        before = 1 if self.encodes else inputs["input_ids"].shape[1] - (self.name == "blip")
        text = self.processor.tokenizer.decode(made.sequences[0, before:], skip_special_tokens=True).strip()
        return text, made.logits[0][0]

    @torch.inference_mode()
    def likelihood(self, request: Request, text: str, *, ends: bool) -> float:
        """Of a text as the answer, or what one begins with, by one plain forward pass."""
        tokenizer, inputs = self.processor.tokenizer, inputs_of(self.name, self.processor, request)
        lead = "" if self.encodes or request.text[-1:] == "\n" else " "
        ids = tokenizer(lead + text, add_special_tokens=False).input_ids
        option = torch.tensor(
            [[*ids, tokenizer.sep_token_id if self.name in ("git", "blip") else tokenizer.eos_token_id][: len(ids) + ends]]
        )
        if self.encodes:
            start = self.model.config.text_config.decoder_start_token_id
            inputs["decoder_input_ids"] = torch.cat([torch.tensor([[start]]), option], dim=1)
        else:
            for name, value in inputs.items():
                if name in GROWING:
                    inputs[name] = torch.cat([value, *[GROWING[name](value)] * option.shape[1]], dim=1)
            if self.name == "blip":  # what its `generate` makes of a prompt
                inputs["input_ids"][:, 0] = self.model.config.text_config.bos_token_id
                inputs = {**inputs, **{name: inputs[name][:, :-1] for name in ("input_ids", "attention_mask")}}
            inputs["input_ids"] = torch.cat([inputs["input_ids"], option], dim=1)
        logits = self.model(**inputs).logits[0, -option.shape[1] - 1 : -1].double()
        return float(logits.log_softmax(dim=-1).gather(1, option[0][:, None]).sum())


@dataclass(frozen=True)
class Family:
    name: str
    adapter: Any
    plain: Any
    official: Official


@pytest.fixture(scope="module", params=list(UNMARKED))
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    torch.manual_seed(3)
    name = request.param
    folder: Path = UNMARKED[name](tmp_path_factory.mktemp(name))
    official = Official(name, AUTO.from_pretrained(folder, dtype=torch.float32).eval(), PROCESSORS.from_pretrained(folder))
    return Family(name, load(folder), load(folder, share=False), official)


def mixed(family: Family) -> list[Request]:
    """25 prompts, long beside short, about five pictures in turn; some without one where the model answers them."""
    asked = [
        Request(question, (picture(number % 5),), Decoding(3 + number % 2))
        for number, question in enumerate((*ODD, *ODD[::-1]))
    ]
    return [*asked, *(Request(question, (picture(1),) * (family.name not in BLIND), Decoding(4)) for question in ODD[:5])]


def test_texts_in_mixed_batches(family: Family) -> None:
    """Shared, each alone, and with `--no-share`."""
    asked = mixed(family)
    answers = [family.official.answer(request) for request in asked]
    one, other = (family.official.answer(Request("Who?", (picture(number),)))[1] for number in range(2))
    assert not torch.allclose(one, other, atol=5e-3), "pictures are told apart"
    for way in (family.adapter.respond, family.adapter.reference, family.plain.respond):
        for request, response, (text, logits) in zip(asked, way(asked), answers, strict=True):
            assert (response.text, response.error) == (text, ""), request
            for token, logit in response.top:
                assert logit == pytest.approx(float(logits[token]), abs=1e-3 * max(1.0, float(logits.abs().max())))


def test_what_is_shared_and_padded(family: Family) -> None:
    assert family.adapter.proved.way == WAYS[family.name]
    assert bool(family.plain.proved.way) == (family.name not in APART)


def test_the_documentation_says_what_is_shared(family: Family) -> None:
    names = {"blip2": "blip-2", "kosmos2": "kosmos-2"}
    kind = family.name.partition("-")[0]
    assert family.adapter.proved.level in ARCHITECTURES["tested_apart"][names.get(kind, kind)]


def test_likelihoods_are_those_of_plain_forward_passes(family: Family) -> None:
    options, tracked = ("a dog", "red", "a very large sign"), ("Yes", "No way")
    asked = [Request(question, (picture(number),), options=options) for number in (0, 3) for question in ODD[:6:5]]
    watching = [Request(request.text, request.images, Decoding(1), tracked=tracked) for request in asked[:3]]
    for way in (family.adapter.respond, family.adapter.reference, family.plain.respond):
        found: list[Response] = way([*asked, *watching])
        assert [response.error for response in found] == [""] * len(found)
        for request, response in zip(asked, found, strict=False):
            wanted = [family.official.likelihood(request, option, ends=True) for option in options]
            assert response.likelihoods == pytest.approx(wanted, rel=1e-4, abs=1e-3)
        for request, response in zip(watching, found[len(asked) :], strict=True):
            begun = [math.exp(family.official.likelihood(request, answer, ends=False)) for answer in tracked]
            assert response.probabilities == pytest.approx(begun, rel=1e-2)
