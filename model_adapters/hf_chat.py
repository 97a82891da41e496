"""Image-text models of transformers, asked through their own chat template: LLaVA, Qwen2.5-VL, SmolVLM and others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from PIL import Image as Pillow
from torch import Tensor
from transformers import AutoModelForImageTextToText

from mipha_eval.core.adapter import Cost
from mipha_eval.core.errors import RequestError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.models.chat import Chat, Head, collate
from mipha_eval.models.device import moved, pinned
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.fingerprint import read_files
from mipha_eval.models.forward_inputs import ForwardInputs, ImageFeatures
from mipha_eval.models.generic_model import GenericModel
from mipha_eval.models.image_text import (
    has_three_axes,
    head_positions,
    image_features,
    joined_features,
    load_processor,
)
from mipha_eval.models.loaded import Loaded
from mipha_eval.models.prefix import Prefix
from mipha_eval.models.prompt_groups import Prompt
from mipha_eval.models.sharing_check import Sharing, prove, prove_padding
from mipha_eval.models.template import Template
from mipha_eval.models.transformers_adapter import TransformersAdapter

if TYPE_CHECKING:
    from mipha_eval.models.generating_model import GeneratingModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HfChat(TransformersAdapter[Head | None]):
    """Options: `path` is a folder or hub id of what `AutoModelForImageTextToText` loads, `revision` a commit there."""

    name: ClassVar[str] = "hf-chat"

    @cached_property
    def network(self) -> GeneratingModel:
        return self.known.load(*self.place)

    @cached_property
    def known(self) -> GenericModel:
        """The model without its weights."""
        return GenericModel.of(self.folder, AutoModelForImageTextToText, pickled=self.allow_bin)

    @cached_property
    def chat(self) -> Chat:
        """How it is asked. Raises UserError if it has no usable processor, or no end token."""
        chat = Chat(load_processor(self.folder), getattr(self.known.config, "image_token_id", None))
        end_ids(self.known.generation.eos_token_id, chat.tokenizer)
        return chat

    @cached_property
    def loaded(self) -> Loaded:
        return Loaded.greedily(self.network, self.chat.tokenizer)

    @cached_property
    def template(self) -> Template:
        return Template(self.chat.has_template, lambda question: self.chat.render(question, 0))

    def prompt_end(self, question: str) -> str:
        return self.template.end(question)

    @cached_property
    def proved(self) -> Sharing:
        """What may be shared: everything behind a prefix, or what the vision tower made of an image, or nothing."""
        if not self.share:
            return Sharing("none", "none, as asked")
        ways = {
            "prefix": self.shared_as_whole,
            "features": lambda batch: self.generated(batch, self.feature_inputs, pads=super(HfChat, self).pads),
        }
        return prove(ways, self.reference, str(self.place[1]))

    @property
    def pads(self) -> bool:
        return super().pads and (self.proved.level == "features" or self._pads_whole_prompts)

    @cached_property
    def _pads_whole_prompts(self) -> bool:
        """Asked where something is not shared; some processors and models count places from the left."""
        together = partial(self.generated, inputs_of=self.whole_inputs, pads=True)
        return prove_padding(together, self.reference, str(self.place[1]))

    @property
    def sharing(self) -> bool:
        return self.proved.level == "prefix"

    @property
    def reads_ahead(self) -> bool:
        return self.proved.level != "none"

    def read_files(self) -> list[Path]:
        return read_files(self.folder, pickled=self.allow_bin)

    def load(self) -> None:
        _ = self.before, self.known, self.chat  # before a weight is read
        _ = self.digest, self.network, self.loaded
        self.generation.report(self.folder)
        self.template.report(self.folder)
        if self.proved.level == "none":
            _ = self.pads

    def describe(self) -> JsonObject:
        apart = self.proved.level == "none" and not self.pads
        own: JsonObject = {
            "sharing": f"{self.proved.text}; each prompt is read alone" if apart else self.proved.text,
            "template": self.template.given,
            "left_out": self.generation.left_out,
        }
        return {**super().describe(), **own}

    @cached_property
    def image_tokens(self) -> int:
        """Tokens of a prompt about a picture of COCO's usual size; others may have more or fewer."""
        return self.chat.image_tokens(Pillow.new("RGB", (640, 480)))

    def cost(self, request: Request) -> Cost:
        shared = self.image_tokens * len(request.images)
        own = self.own_cost(request)
        return Cost(shared, own) if self.sharing else Cost(0, shared + own)

    def prompt(self, request: Request, pixels: Head | None) -> Prompt | None:
        ids = self.chat.ids(request.text, pixels)
        if ids is None:
            return None
        self.limits.check(ids)
        return Prompt(ids, request.images, len(pixels.ids) if pixels else 0)

    def read_images(self, images: Sequence[Image]) -> Head | None:
        if not images:
            return None
        head = self.chat.head(self._opened(images))
        return replace(head, inputs={name: pinned(value, self.place[0]) for name, value in head.inputs.items()})

    def _opened(self, images: Sequence[Image]) -> list[Pillow.Image]:
        if self.chat.pads and not all(image.padded for image in images):
            raise RequestError("the protocol wants pictures unpadded, and this model's processor pads them")
        return [open_image(image) for image in images]

    def prepare(self, requests: Sequence[Request], pixels: Head | None) -> None:
        if pixels and self.sharing:
            self.chat.prepare([request.text for request in requests], pixels)

    def prefix_length(self, prefix: Prefix[Head | None]) -> int:
        return len(prefix.ids)

    def prefix_inputs(self, prefixes: Sequence[Prefix[Head | None]]) -> ForwardInputs:
        heads = [prefix.pixels for prefix in prefixes if prefix.pixels]
        ids = [token for prefix in prefixes for token in prefix.ids]
        inputs: dict[str, Tensor | ImageFeatures] = {"input_ids": torch.tensor([ids], device=self.place[0])}
        if heads:
            inputs["mm_encoder_outputs"] = self._features([head.inputs for head in heads])
        if has_three_axes(self.decoder.config):
            inputs["position_ids"] = torch.cat([self._positions(prefix) for prefix in prefixes], dim=1)
        return inputs

    def _features(self, inputs: Sequence[Mapping[str, Tensor]]) -> ImageFeatures:
        there = [{name: moved(value, *self.place) for name, value in each.items()} for each in inputs]
        return image_features(self.model, collate(there))

    def _positions(self, prefix: Prefix[Head | None]) -> Tensor:
        """Positions [3, tokens]: the head's own, then counting on behind the largest."""
        head = head_positions(self.model, prefix.pixels) if prefix.pixels else torch.empty(3, 0, dtype=torch.long)
        begin = int(head.max()) + 1 if head.numel() else 0
        rest = torch.arange(begin, begin + len(prefix.ids) - head.shape[1])
        return torch.cat([head, rest.expand(3, -1)], dim=1)

    def whole_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        pictures = [self._opened(request.images) for request in batch]
        made = self.chat.whole([request.text for request in batch], pictures)
        return {name: moved(value, *self.place) for name, value in made.items()}

    @torch.inference_mode()
    def feature_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        """As `whole_inputs`, but what is the same about an image is done once."""
        heads = {images: self.pixels_of(images) for images in dict.fromkeys(request.images for request in batch)}
        texts = [self.chat.text_inputs(request.text, heads[request.images]) for request in batch]
        inputs: dict[str, Tensor | ImageFeatures] = dict(collate(texts, left=True))
        asked = [request.images for request in batch if request.images]
        if asked:
            features = {images: self._features([head.inputs]) for images, head in heads.items() if head}
            inputs |= collate([_beside_pixels(head.inputs) for images in asked if (head := heads[images])])
            inputs["mm_encoder_outputs"] = joined_features([features[images] for images in asked])
        return {name: moved(value, *self.place) if isinstance(value, Tensor) else value for name, value in inputs.items()}

    def plain_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        return self.feature_inputs(batch) if self.proved.level == "features" else self.whole_inputs(batch)


def _beside_pixels(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in inputs.items() if not name.startswith("pixel_")}
