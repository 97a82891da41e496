"""Image-text models of transformers, asked through their own chat template: LLaVA, Qwen2.5-VL, SmolVLM and others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import torch
from PIL import Image as Pillow
from torch import Tensor
from transformers import AutoModelForImageTextToText

from mipha_eval.core.adapter import Cost
from mipha_eval.core.errors import RequestError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.models.chat import Chat, Head
from mipha_eval.models.device import pinned
from mipha_eval.models.end_tokens import report_ends, unheeded_end
from mipha_eval.models.forward_inputs import ForwardInputs, ImageFeatures
from mipha_eval.models.generator import generates_itself
from mipha_eval.models.generic_model import GenericModel
from mipha_eval.models.image_text import embedded, has_three_axes, head_positions
from mipha_eval.models.image_text_adapter import ImageTextAdapter
from mipha_eval.models.load_chat import load_chat
from mipha_eval.models.loaded import Loaded
from mipha_eval.models.prefix import Prefix
from mipha_eval.models.prompt_groups import Prompt
from mipha_eval.models.square import Square, cropped, padded
from mipha_eval.models.template import Template
from mipha_eval.models.wording import Wording

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HfChat(ImageTextAdapter):
    """Options: `path` is a folder or hub id of what `AutoModelForImageTextToText` loads, `revision` a commit there;
    `template` is a conversation template's name, or Jinja, in place of the checkpoint's own, and `system` a system text in
    it; `image` is how a picture becomes a square before the processor sees it: ``pad`` (on its mean colour), ``crop`` (its
    middle) or ``processor`` (not at all). `device_map` and `tp`: see `GenericAdapter`.
    """

    name: ClassVar[str] = "hf-chat"
    ways: ClassVar[tuple[str, ...]] = ("template", "system", "image")
    added: ClassVar[frozenset[str]] = ImageTextAdapter.spreading | frozenset(ways)

    template: str = ""
    system: str | None = None
    image: Square | None = None

    @cached_property
    def known(self) -> GenericModel:
        return GenericModel.of(self.folder, AutoModelForImageTextToText, pickled=self.allow_bin)

    @cached_property
    def chat(self) -> Chat:
        chat = load_chat(self.known, Wording.of(self.template, self.system))
        _ = chat.mean if self.image == "pad" else None
        return chat

    @cached_property
    def _chats(self) -> dict[str, Chat]:
        """By template."""
        return {"": self.chat}

    def chat_with(self, template: str) -> Chat:
        if template not in self._chats:
            self._chats[template] = self.chat.worded(Wording.of(template, self.system))
        return self._chats[template]

    @cached_property
    def loaded(self) -> Loaded:
        return self.together("loaded", self._load_rest)

    def _load_rest(self) -> Loaded:
        return Loaded.greedily(self.network, self.chat.tokenizer, end=self.own_end, stop=self.chat.stop)

    @cached_property
    def surroundings(self) -> Template:
        """What stands around a question."""
        return Template(self.chat.has_template, lambda question: self.chat.render(question, 0))

    def prompt_end(self, question: str) -> str:
        return self.surroundings.end(question)

    @property
    def sharing(self) -> bool:
        return self.proved.level == "prefix"

    @property
    def reads_ahead(self) -> bool:
        return self.proved.level != "none"

    def load(self) -> None:
        _ = self.before, self.known, self.chat  # before a weight is read
        self.look_ahead()
        _ = self.digest, self.network, self.loaded
        self.generation.report(self.folder)
        self.surroundings.report(self.folder)
        report_ends(self.folder, self.ends, self.tokenizer)
        _ = self.proved

    def describe(self) -> JsonObject:
        own: JsonObject = {
            "sharing": self.proved.text,
            "template": self.surroundings.given,
            "left_out": self.generation.left_out,
        }
        unheeded = unheeded_end(self.ends, self.tokenizer)
        return {**super().describe(), **own, **({"unheeded_end": unheeded} if unheeded else {})}

    @cached_property
    def image_tokens(self) -> int:
        """Tokens of a prompt about a picture of COCO's usual size; others may have more or fewer."""
        return self.chat.image_tokens(Pillow.new("RGB", (640, 480)))

    def cost(self, request: Request) -> Cost:
        return self.cost_beside(self.image_tokens * len(request.images), request)

    def prompt(self, request: Request, pixels: Head | None) -> Prompt | None:
        self.refuse_blind([request])
        ids = self.chat.ids(request.text, pixels)
        if ids is None:
            return None
        self.limits.check(ids)
        return Prompt(ids, request.images, len(pixels.ids) if pixels else 0)

    def read_images(self, images: Sequence[Image]) -> Head | None:
        if not images:
            return None
        head = self.chat.head(self.opened(images))
        return replace(head, inputs={name: pinned(value, self.place[0]) for name, value in head.inputs.items()})

    def opened(self, images: Sequence[Image]) -> list[Pillow.Image]:
        if self.chat.pads and not all(image.padded for image in images):
            raise RequestError("the protocol wants pictures unpadded, and this model's processor pads them")
        return [self._squared(open_image(image), image.padded) for image in images]

    def _squared(self, picture: Pillow.Image, may_pad: bool) -> Pillow.Image:
        if self.image == "pad":
            return padded(picture, self.chat.mean) if may_pad else picture
        return cropped(picture) if self.image == "crop" else picture

    def prepare(self, requests: Sequence[Request], pixels: Head | None) -> None:
        if pixels and self.sharing:
            self.chat.prepare([request.text for request in requests], pixels)

    def prefix_length(self, prefix: Prefix[Head | None]) -> int:
        return len(prefix.ids)

    def prefix_inputs(self, prefixes: Sequence[Prefix[Head | None]]) -> ForwardInputs:
        heads = [prefix.pixels for prefix in prefixes if prefix.pixels]
        ids = [token for prefix in prefixes for token in prefix.ids]
        there = torch.tensor([ids], device=self.place[0])
        features = self.features([head.inputs for head in heads]) if heads else None
        if not generates_itself(type(self.model)):  # hands embeddings to its language model
            return {"inputs_embeds": embedded(self.model, there, features, self.chat.image_token)}
        inputs: dict[str, Tensor | ImageFeatures] = {"input_ids": there}
        if features:
            inputs["mm_encoder_outputs"] = features
        if has_three_axes(self.decoder.config):
            inputs["position_ids"] = torch.cat([self._positions(prefix) for prefix in prefixes], dim=1)
        return inputs

    def _positions(self, prefix: Prefix[Head | None]) -> Tensor:
        """Positions [3, tokens]: the head's own, then counting on behind the largest."""
        head = head_positions(self.model, prefix.pixels) if prefix.pixels else torch.empty(3, 0, dtype=torch.long)
        begin = int(head.max()) + 1 if head.numel() else 0
        rest = torch.arange(begin, begin + len(prefix.ids) - head.shape[1])
        return torch.cat([head, rest.expand(3, -1)], dim=1)
