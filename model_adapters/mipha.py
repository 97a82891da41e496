"""Mipha: a vision tower, a projector and a small language model, from the official checkpoint format."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from mipha_eval.core.adapter import Cost
from mipha_eval.core.errors import RequestError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.models.chat import collate
from mipha_eval.models.device import moved, pinned
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.factors import checkpoint_factors
from mipha_eval.models.fingerprint import fingerprint
from mipha_eval.models.forward_inputs import ForwardInputs
from mipha_eval.models.loaded import Loaded
from mipha_eval.models.mipha import MiphaNetwork, Parts
from mipha_eval.models.mipha_checkpoint import MiphaFiles, load_network, locate_checkpoint
from mipha_eval.models.mipha_generation import official_generation
from mipha_eval.models.mipha_prompt import IMAGE_TOKEN, Template, prompt_pieces, template_named, tokenize_prompt
from mipha_eval.models.mipha_tokenizer import official_tokenizer, stop_ids
from mipha_eval.models.pixels import Preprocessor
from mipha_eval.models.prefix import Prefix
from mipha_eval.models.prompt_groups import Prompt
from mipha_eval.models.transformers_adapter import TransformersAdapter


@dataclass(frozen=True, kw_only=True)
class Mipha(TransformersAdapter[Tensor]):
    """Options: `path` is a checkpoint folder or a hub id such as zhumj34/Mipha-3B, `revision` a commit or tag there;
    `vision_tower` is the same for a checkpoint that has no tower among its weights; `template` is v0, gemma, gemma-turns or
    phi3 where it should be another than the language model's own.
    """

    name: ClassVar[str] = "mipha"

    vision_tower: str = ""
    template: str = ""

    @cached_property
    def files(self) -> MiphaFiles:
        """What the checkpoint holds, and the tower beside it if that is needed."""
        tower = locate_checkpoint(self.vision_tower, None) if self.vision_tower else None
        return MiphaFiles.of(self.folder, tower)

    @cached_property
    def parts(self) -> Parts:
        """What the network is made of, for pictures as the preprocessor makes them."""
        made = self.preprocessor
        return self.files.parts((made.height, made.width))

    @cached_property
    def conversation(self) -> Template:
        """What stands around a question."""
        return template_named(self.template or self.parts.language_model.template)

    @cached_property
    def network(self) -> MiphaNetwork:
        return load_network(self.files, self.parts, *self.place)

    @cached_property
    def loaded(self) -> Loaded:
        decoder = self.network.decoder
        tokenizer = official_tokenizer(self.folder, self.files.config, decoder.config)
        ends, stops = end_ids(None, tokenizer), stop_ids(tokenizer, self.conversation.stop)
        generation = official_generation(self.folder, ends)
        return Loaded(decoder, tokenizer, ends | stops, generation, self.conversation.end_text)

    @cached_property
    def preprocessor(self) -> Preprocessor:
        return self.files.preprocessor()

    def describe(self) -> JsonObject:
        return {**super().describe(), **self._tower_digest}

    @cached_property
    def _tower_digest(self) -> JsonObject:
        """Identifies the weights of a tower that the checkpoint does not have."""
        beside = self.files.tower_folder
        return {"vision_tower": fingerprint(beside)} if beside else {}

    def about(self) -> Mapping[str, str | float]:
        parts = {"language_model": self.parts.language_model.name, "tower": self.parts.tower.name}
        seen = {"resolution": str(self.parts.pixels[0]), "image_tokens": str(self.patches)}
        return {**super().about(), **checkpoint_factors(self.files.config), **parts, **seen}

    @property
    def patches(self) -> int:
        """Tokens of a picture."""
        return self.parts.image_tokens

    @property
    def sharing(self) -> bool:
        return self.share and not self.generation.obeyed

    @property
    def reads_ahead(self) -> bool:
        return True

    def prompt_end(self, question: str) -> str:
        return self.conversation.closing.lstrip()

    def load(self) -> None:
        _ = self.digest, self.parts, self.conversation, self.network, self.loaded  # read now, used later
        self.refuse_unaskable(Request("?", (Image("any", "any", bytes),)))
        self.generation.report(self.folder)

    def cost(self, request: Request) -> Cost:
        shared, own = 48 + self.patches * len(request.images), self.own_cost(request)
        return Cost(shared, own) if self.sharing else Cost(0, shared + own)

    def encode(self, request: Request) -> Prompt:
        marks = bool(self.files.config.get("mm_use_im_start_end"))
        pieces = prompt_pieces(request.text, len(request.images), self.conversation, marks=marks)
        try:
            ids = tokenize_prompt(pieces, lambda text: self.tokenizer(text).input_ids, self.tokenizer.bos_token_id)
        except TypeError as error:  # how the tokenizer takes a lone surrogate
            raise RequestError(f"the question cannot be tokenized: {error}") from error
        self.limits.check_ids(ids)
        self.limits.check_length(self._tokens_of(ids))
        images_end = max((place + 1 for place, token in enumerate(ids) if token == IMAGE_TOKEN), default=0)
        return Prompt(tuple(ids), request.images, images_end)

    def prompt(self, request: Request, pixels: Tensor | None) -> Prompt:
        return self.encode(request)

    def read_images(self, images: Sequence[Image]) -> Tensor:
        """Pixels [images, 3, height, width]."""
        pixels = [torch.from_numpy(self.preprocessor(open_image(image))) for image in images]
        side = self.preprocessor
        return pinned(torch.stack(pixels) if pixels else torch.empty(0, 3, side.height, side.width), self.place[0])

    def prefix_length(self, prefix: Prefix[Tensor]) -> int:
        return self._tokens_of(prefix.ids)

    def _tokens_of(self, ids: Sequence[int]) -> int:
        return len(ids) + (self.patches - 1) * ids.count(IMAGE_TOKEN)

    def prefix_inputs(self, prefixes: Sequence[Prefix[Tensor]]) -> ForwardInputs:
        return {"inputs_embeds": torch.cat(self._embedded(prefixes))[None]}

    def _embedded(self, prefixes: Sequence[Prefix[Tensor]]) -> list[Tensor]:
        """Decoder inputs [tokens, hidden] of each prefix."""
        features = self._features([prefix.pixels for prefix in prefixes])
        return [self._embed(prefix.ids, iter(own)) for prefix, own in zip(prefixes, features, strict=True)]

    def _features(self, pixels: Sequence[Tensor]) -> Sequence[Sequence[Tensor]]:
        """Decoder inputs [patches, hidden] of each image of each prompt, from [images, 3, height, width] of each prompt."""
        together = torch.cat([moved(each, *self.place) for each in pixels])
        features = iter(self.network.image_features(together) if len(together) else ())
        return [[next(features) for _ in each] for each in pixels]

    def _embed(self, ids: Sequence[int], features: Iterator[Tensor]) -> Tensor:
        """Decoder inputs [tokens, hidden]; each placeholder takes the next image's features."""
        device, _ = self.place
        parts, start = [], 0
        for place in [place for place, token in enumerate(ids) if token == IMAGE_TOKEN] + [len(ids)]:
            parts.append(self.network.text_features(torch.tensor(ids[start:place], dtype=torch.long, device=device)))
            if place < len(ids):
                parts.append(self.network.image_inputs(next(features)))
            start = place + 1
        return torch.cat(parts)

    def whole_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        return self._padded(batch, range(len(batch)))

    def plain_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        return self._padded(batch, [request.images for request in batch]) if self.share else self.whole_inputs(batch)

    @torch.inference_mode()
    def _padded(self, batch: Sequence[Request], keys: Sequence[Hashable]) -> ForwardInputs:
        """Prompts with equal keys are about the same images, which are encoded once."""
        prompts = [self.encode(request) for request in batch]
        about = {key: prompt.images for key, prompt in zip(keys, prompts, strict=True)}
        pixels = {key: self.pixels_of(images) for key, images in about.items()}
        features = dict(zip(pixels, self._features(list(pixels.values())), strict=True))
        embedded = [self._embed(prompt.ids, iter(features[key]))[None] for key, prompt in zip(keys, prompts, strict=True)]
        ones = [each.new_ones(each.shape[:2], dtype=torch.long) for each in embedded]
        rows = zip(embedded, ones, strict=True)
        return collate([{"inputs_embeds": each, "attention_mask": one} for each, one in rows], left=True)
