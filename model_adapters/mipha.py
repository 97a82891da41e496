"""Mipha: SigLIP, an MLP projector and Phi-2, from the official checkpoint format."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from mipha_eval.core.adapter import Cost
from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.types import Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.data.rows import whole_of
from mipha_eval.models.chat import collate
from mipha_eval.models.device import moved, pinned
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.forward_inputs import ForwardInputs
from mipha_eval.models.loaded import Loaded
from mipha_eval.models.mipha import MiphaNetwork, tower_of
from mipha_eval.models.mipha_checkpoint import load_network, read_config
from mipha_eval.models.mipha_generation import official_generation
from mipha_eval.models.mipha_prompt import END_OF_TEXT, IMAGE_TOKEN, prompt_pieces, tokenize_prompt
from mipha_eval.models.pixels import Preprocessor
from mipha_eval.models.prefix import Prefix
from mipha_eval.models.prompt_groups import Prompt
from mipha_eval.models.settings import read_settings
from mipha_eval.models.tokenizers import load_tokenizer
from mipha_eval.models.transformers_adapter import TransformersAdapter


@dataclass(frozen=True, kw_only=True)
class Mipha(TransformersAdapter[Tensor]):
    """Options: `path` is a checkpoint folder or a hub id such as zhumj34/Mipha-3B, `revision` a commit or tag there."""

    name: ClassVar[str] = "mipha"
    end_text: ClassVar[str] = END_OF_TEXT

    @cached_property
    def network(self) -> MiphaNetwork:
        return load_network(self.folder, *self.place)

    @cached_property
    def loaded(self) -> Loaded:
        decoder = self.network.decoder
        cleaned = read_settings(self.folder / "tokenizer_config.json").get("clean_up_tokenization_spaces", True)
        tokenizer = load_tokenizer(
            self.folder,
            config=decoder.config,  # else it reads config.json, whose model_type it does not know
            clean_up_tokenization_spaces=cleaned,
            # the official code's version of transformers did it by default, and answers depend on it
            clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output=cleaned,
        )

        ends = end_ids(None, tokenizer)
        return Loaded(decoder, tokenizer, ends, official_generation(self.folder, ends))

    @cached_property
    def preprocessor(self) -> Preprocessor:
        config = read_config(self.folder)
        made = Preprocessor.from_settings(
            read_settings(self.folder / "preprocessor_config.json"), config.get("image_aspect_ratio")
        )
        side = whole_of(tower_of(config), "image_size")
        if (made.width, made.height) != (side, side):
            raise UserError(f"{self.folder}: preprocessor makes {made.width} x {made.height} pixels, the tower takes {side}")
        return made

    def about(self) -> Mapping[str, str | float]:
        tower = tower_of(read_config(self.folder))
        name = str(tower.get("vision_model_name_or_path", "")).rpartition("/")[2]
        return {**super().about(), "resolution": str(tower["image_size"]), **({"vision": name} if name else {})}

    @cached_property
    def patches(self) -> int:
        tower = tower_of(read_config(self.folder))
        return int((whole_of(tower, "image_size") // whole_of(tower, "patch_size")) ** 2)

    @property
    def sharing(self) -> bool:
        return self.share and not self.generation.obeyed

    @property
    def reads_ahead(self) -> bool:
        return True

    def prompt_end(self, question: str) -> str:
        return "ASSISTANT:"

    def load(self) -> None:
        _ = self.digest, self.network, self.loaded, self.preprocessor, self.patches  # read now, used later
        self.refuse_unaskable(Request("?", (Image("any", "any", bytes),)))
        self.generation.report(self.folder)

    def cost(self, request: Request) -> Cost:
        shared, own = 48 + self.patches * len(request.images), self.own_cost(request)
        return Cost(shared, own) if self.sharing else Cost(0, shared + own)

    def encode(self, request: Request) -> Prompt:
        pieces = prompt_pieces(request.text, len(request.images))
        try:
            ids = tokenize_prompt(pieces, lambda text: self.tokenizer(text).input_ids)
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
                parts.append(next(features))
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
