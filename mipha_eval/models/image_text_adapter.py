"""Image-text models behind no shared prefix: by transformers' own generation, a picture's work done once where it can be."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mipha_eval.core.errors import RequestError
from mipha_eval.core.types import Decoding, Image, Request, Response
from mipha_eval.models import reference
from mipha_eval.models.answer_tokens import answer_tokens
from mipha_eval.models.chat import Chat, Head
from mipha_eval.models.collate import collate
from mipha_eval.models.device import moved
from mipha_eval.models.error_line import reason
from mipha_eval.models.forward_inputs import ForwardInputs, ImageFeatures, InputsOf
from mipha_eval.models.generator import is_encoded, own_end
from mipha_eval.models.generic_adapter import GenericAdapter
from mipha_eval.models.image_text import image_features, joined_features, takes_features
from mipha_eval.models.packed import NotShareableError
from mipha_eval.models.sharing_check import MISFITS, Sharing, Way, made_up_image, prove
from mipha_eval.models.stop import Stop
from mipha_eval.models.template import ANY_QUESTION
from mipha_eval.models.tower_memory import TowerMemory, find_tower

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


#: ways to answer that are tried, by what they share
PREFIX, FEATURES, TOGETHER = "prefix", "features", "none"
TOWER = "features (of the tower alone)"  # where the network takes nothing in place of pixels
TOWER_ALONE = "features (of the tower alone, each prompt read by itself)"


@dataclass(frozen=True, kw_only=True)
class ImageTextAdapter(GenericAdapter[Head | None]):
    """A model that is asked through a processor.

    Which way is right for its architecture is not assumed: `proved` is the first of them that answers as each prompt is
    answered alone.
    """

    @property
    @abstractmethod
    def chat(self) -> Chat:
        """How it is asked."""

    @abstractmethod
    def chat_with(self, template: str) -> Chat:
        """How it is asked with another template than its own; "" is its own. Raises UserError for one that is none."""

    @abstractmethod
    def opened(self, images: Sequence[Image]) -> list[Picture]:
        """Decodes the images of a prompt. Raises RequestError."""

    @cached_property
    def own_end(self) -> object:
        """What the model's own `generate` says of the end of answers; None where its generation settings do."""
        if self.known.generates_itself:
            return None
        try:
            inputs = self.chat.whole([ANY_QUESTION], [self.opened([made_up_image()])])
            return own_end(self.network, self._there(inputs))
        except MISFITS:  # said of the first question
            return None

    @cached_property
    def proved(self) -> Sharing:
        """What may be shared: everything behind a prefix, or what was made of an image, or nothing."""
        return self.together("proved", self._prove)

    def _prove(self) -> Sharing:
        alone = partial(self._each, self.whole_inputs, step=-1)
        whole = {TOGETHER: (partial(self.generated, inputs_of=self.whole_inputs, step=-1), alone)}
        dtype = str(self.place[1])
        if not self.share:
            found = prove(whole, dtype)
            return replace(found, text=found.text.replace("none", "none, as asked", 1))
        ways: dict[str, tuple[Way, Way]] = {PREFIX: (self.shared_as_whole, self.reference)}
        if takes_features(self.model):
            ways[FEATURES] = partial(self.generated, inputs_of=self.feature_inputs, step=-1), alone
        ways[TOWER] = partial(self.remembered, step=-1), alone
        ways[TOWER_ALONE] = partial(self.remembered, step=-1, apart=True), alone
        return prove({**ways, **whole}, dtype)

    def shared_as_whole(self, batch: Sequence[Request]) -> list[Response]:
        if is_encoded(self.known.config):
            raise NotShareableError("an encoder reads each prompt as a whole")
        return super().shared_as_whole(batch)

    def plain(self, batch: Sequence[Request]) -> list[Response]:
        way = self.proved.way
        if way in (TOWER, TOWER_ALONE):
            return self.remembered(batch, apart=way == TOWER_ALONE)
        with self._reading_once():
            return super().plain(batch) if way else self.reference(batch)

    def plain_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        return self.feature_inputs(batch) if self.proved.way == FEATURES else self.whole_inputs(batch)

    def remembered(self, batch: Sequence[Request], step: int = 0, *, apart: bool = False) -> list[Response]:
        """Answers by transformers' own generation; the vision tower is asked once about each image.

        Args:
            apart: whether each prompt is generated behind by itself; for networks that prompts cannot be padded for.
        """
        with self._reading_once(), self._tower.remembering():
            if apart:
                return self._each(self.pixel_inputs, batch, step)
            return self.generated(batch, self.pixel_inputs, step)

    def _each(self, inputs_of: InputsOf, batch: Sequence[Request], step: int = 0) -> list[Response]:
        return [response for request in batch for response in self.generated([request], inputs_of, step)]

    @cached_property
    def _tower(self) -> TowerMemory:
        request = Request(ANY_QUESTION, (made_up_image(),), Decoding(1))
        head = self.read_images(request.images)
        return TowerMemory(
            find_tower(self.model, self._there(head.inputs if head else {}), lambda: self.reference([request]))
        )

    @cached_property
    def _heads(self) -> dict[tuple[Image, ...], Head | None]:
        """What was read of the images of the batch that is being answered."""
        return {}

    @cached_property
    def _made(self) -> dict[tuple[Image, ...], ImageFeatures]:
        """What the tower made of them."""
        return {}

    @contextlib.contextmanager
    def _reading_once(self) -> Iterator[None]:
        """While it lasts the images of prompts are kept, for the passes over options as for those that generate."""
        try:
            yield
        finally:
            self._heads.clear()
            self._made.clear()

    def _head(self, images: tuple[Image, ...]) -> Head | None:
        if images not in self._heads:
            self._heads[images] = self.pixels_of(images)
        return self._heads[images]

    def _features_of(self, images: tuple[Image, ...], head: Head) -> ImageFeatures:
        if images not in self._made:
            self._made[images] = self.features([head.inputs])
        return self._made[images]

    def whole_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        self.refuse_blind(batch)
        pictures = [self.opened(request.images) for request in batch]
        return self._there(self._chat(batch).whole([request.text for request in batch], pictures))

    def _chat(self, batch: Sequence[Request]) -> Chat:
        """Of requests that have one template."""
        return self.chat_with(batch[0].template) if batch else self.chat

    @torch.inference_mode()
    def feature_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        """As `whole_inputs`, but what is the same about an image is done once."""
        heads, texts = self._read(batch)
        there = [(request.images, head) for request, head in zip(batch, heads, strict=True) if head]
        if not there:
            return self._there(texts)
        beside = collate([_beside_pixels(head.inputs) for _, head in there])
        features = joined_features([self._features_of(images, head) for images, head in there])
        return {**self._there({**texts, **beside}), "mm_encoder_outputs": features}

    def pixel_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        """As `whole_inputs`, but each image is read once."""
        heads, texts = self._read(batch)
        return self._there({**texts, **collate([head.inputs for head in heads if head])})

    def _read(self, batch: Sequence[Request]) -> tuple[list[Head | None], dict[str, Tensor]]:
        """What was made of the images of each prompt, and of their texts together."""
        self.refuse_blind(batch)
        heads = [self._head(request.images) for request in batch]
        chat = self._chat(batch)
        texts = [chat.text_inputs(request.text, head) for request, head in zip(batch, heads, strict=True)]
        return heads, chat.together(texts)

    def _there(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: moved(value, *self.place) for name, value in inputs.items()}

    def features(self, inputs: Sequence[Mapping[str, Tensor]]) -> ImageFeatures:
        """What the tower makes of what the processor made of images."""
        return image_features(self.model, collate([self._there(each) for each in inputs]))

    def encode_beginning(self, answer: str, question: str = ANY_QUESTION) -> tuple[int, ...]:
        if not is_encoded(self.known.config):
            return super().encode_beginning(answer, question)
        ids = answer_tokens(self.tokenizer, answer)  # a decoder behind an encoder begins a text
        self.limits.check_ids(ids)
        return ids

    def refuse_blind(self, batch: Sequence[Request]) -> None:
        """Raises RequestError where a prompt has no image and the model cannot do without."""
        if not all(request.images for request in batch) and self._needs_images:
            raise RequestError(f"the model cannot be asked without an image: {self._needs_images}")

    @cached_property
    def _needs_images(self) -> str:
        """Why it cannot be asked without an image; empty where it can. Found out by asking, when it is first needed."""
        if self.chat.marks.written:
            return ""
        try:
            inputs = self._there(self.chat.whole([ANY_QUESTION], [()]))
            reference.generate(self.model, inputs, self.generation.manner(Stop(self.ends, 1)), [[]])
        except MISFITS as error:
            return reason(error)
        return ""


def _beside_pixels(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in inputs.items() if not name.startswith("pixel_")}
