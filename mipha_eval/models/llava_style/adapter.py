"""What all models of a vision tower, a projector and a causal decoder have in common, whoever's checkpoint it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from mipha_eval.core.adapter import Cost
from mipha_eval.core.from_files import FromFiles
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.models.checkpoint_folder import local_files, locate_checkpoint
from mipha_eval.models.collate import collate
from mipha_eval.models.device import moved, pinned
from mipha_eval.models.factors import checkpoint_factors
from mipha_eval.models.forward_inputs import ForwardInputs
from mipha_eval.models.limits import Limits
from mipha_eval.models.llava_style.checkpoint import check_weights, load_network
from mipha_eval.models.llava_style.files import CheckpointFiles, Places
from mipha_eval.models.llava_style.network import VisionLanguageNetwork
from mipha_eval.models.llava_style.official_generation import official_ends, official_generation
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.pixels import Preprocessor
from mipha_eval.models.llava_style.prompt import IMAGE_TOKEN, prompt_pieces
from mipha_eval.models.llava_style.templates import Template, template_named
from mipha_eval.models.llava_style.tokenizer import official_tokenizer, stopping, token_ids
from mipha_eval.models.loaded import Loaded
from mipha_eval.models.prefix import Prefix
from mipha_eval.models.prompt_groups import Prompt
from mipha_eval.models.slow_decoding import slow_decoder
from mipha_eval.models.square import Square
from mipha_eval.models.transformers_adapter import TransformersAdapter
from mipha_eval.models.wording import Wording, conversation_of


@dataclass(frozen=True, kw_only=True)
class LlavaStyleAdapter(TransformersAdapter[Tensor], FromFiles):
    """Options: `path` is a checkpoint folder or a hub id, `revision` a commit or tag there; `base` is the same for the model
    that a LoRA adapter, or a projector alone, was trained on; `vision_tower` for a checkpoint that has no tower among its
    weights; `template` is a conversation template's name, or Jinja, where it should be another than the checkpoint's own,
    and `system` another system text in it; `image` is how a picture becomes a square: ``pad``, ``crop`` (its middle) or
    ``processor`` (as the image processor does it), where not as the checkpoint says.
    """

    ways: ClassVar[tuple[str, ...]] = ("template", "system", "image")
    added: ClassVar[frozenset[str]] = frozenset({"system", "image"})

    base: str = ""
    vision_tower: str = ""
    template: str = ""
    system: str | None = None
    image: Square | None = None

    @cached_property
    def places(self) -> Places:
        """The folders that are read."""
        base = locate_checkpoint(self.base, pickled=self.allow_bin) if self.base else None
        return Places(self.folder, base, self.vision_tower, self.allow_bin)

    @cached_property
    def files(self) -> CheckpointFiles:
        """What the checkpoint holds, and what comes from its base and its tower's folder."""
        return CheckpointFiles.of(self.places, self.name)

    def read_files(self) -> list[Path]:
        return self.files.read_files()

    def deciding_files(self) -> list[Path]:
        return [] if self._other_digests else local_files(self.path, self.before)

    @cached_property
    def parts(self) -> Parts:
        """What the network is made of, for pictures as the preprocessor makes them."""
        made = self.preprocessor
        return dataclasses.replace(self.files.parts(), pixels=(made.height, made.width))

    @cached_property
    def conversation(self) -> Template:
        """What stands around a question."""
        return conversation_of(Wording.of(self.template, self.system), lambda: template_named(self.template_name))

    def as_usual(self, way: str) -> bool:
        if way == "image":
            return self.preprocessor == self.files.preprocessor(self.files.parts())
        own = template_named(self.files.named_template or self.parts.kind.template)
        return way == "template" and own == conversation_of(Wording.of(self.template, None), lambda: own)

    @property
    def template_name(self) -> str:
        """The one that is asked for, else the checkpoint's."""
        return self.template or self.files.named_template or self.parts.kind.template

    @cached_property
    def network(self) -> VisionLanguageNetwork:
        tokens = len(self.outline.tokenizer)  # what cannot run is refused here, before a weight is read
        network = load_network(self.files, self.parts, *self.place)
        if self.files.layout.cuts_vocabulary:
            network.cut_vocabulary(tokens)
        return network

    @cached_property
    def loaded(self) -> Loaded:
        return dataclasses.replace(self.outline, model=self.network.decoder)

    @cached_property
    def outline(self) -> Loaded:
        """What is loaded, but for the weights: its model has their names and shapes alone.

        Raises:
            UserError: the checkpoint cannot run.
        """
        return self.with_network(check_weights(self.files, self.parts))

    def with_network(self, network: VisionLanguageNetwork) -> Loaded:
        """A network with all else that decides answers. Raises UserError."""
        files = self.files
        tokenizer = official_tokenizer(files.tokenizer_folder, self.parts.description, network.decoder.config)
        if files.layout.cuts_vocabulary:
            network.cut_vocabulary(len(tokenizer))
        ends = official_ends(files, tokenizer, network.decoder.config)
        stops, stop_text = stopping(tokenizer, self.conversation.stop, files.layout.stop_words)
        return Loaded(
            model=network.decoder,
            tokenizer=tokenizer,
            ends=ends | stops,
            generation=official_generation(files, ends),
            stop_words=stops - ends,
            stop_text=stop_text,
            end_text=self.conversation.end_text,
            decoding=slow_decoder(files.tokenizer_folder, tokenizer) if files.decodes_slowly else None,
        )

    @cached_property
    def outlined_limits(self) -> Limits:
        """What the network can be asked, known before it is read."""
        return Limits.of(self.outline.model)

    @cached_property
    def preprocessor(self) -> Preprocessor:
        made = self.files.preprocessor(self.files.parts(), "square" if self.image in ("crop", "processor") else self.image)
        return dataclasses.replace(made, crop=self.image == "crop")

    def describe(self) -> JsonObject:
        return {**super().describe(), **self._other_digests}

    @cached_property
    def _other_digests(self) -> JsonObject:
        """Identifies what is read from other folders than the checkpoint's."""
        return self.files.digests()

    def about(self) -> Mapping[str, str | float]:
        parts, adapter = self.parts, self.files.adapter
        told = checkpoint_factors(self.files.config, adapter.settings if adapter else None)
        name = parts.description.tower_name.rstrip("/").rpartition("/")[2]
        own = {
            "language_model": parts.language_model.name,
            "tower": parts.tower.name,
            "resolution": str(parts.pixels[0]),
            "image_tokens": str(self.patches),
            "projector": parts.description.projector,
            **({"tower_name": name} if name else {}),
        }
        return {**super().about(), **told, **own}

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
        return self.conversation.closing.lstrip() or self.conversation.closing

    def load(self) -> None:
        _ = self.before  # the files as they are now
        self.refuse_unaskable(Request("?", (Image("any", "any", bytes),)))  # before a weight is read
        _ = self.digest, self.network, self.loaded  # read now, used later
        self.generation.report(self.folder)

    def cost(self, request: Request) -> Cost:
        return self.cost_beside(48 + self.patches * len(request.images), request)

    def pieces(self, request: Request) -> list[str]:
        """The prompt's text, cut where the pictures stand. Raises RequestError."""
        marks, strips = self.parts.description.start_end, self.parts.layout.strips_question
        text = request.text.strip() if strips and request.images else request.text
        return prompt_pieces(text, len(request.images), self.conversation, marks=marks)

    def encode(self, request: Request) -> Prompt:
        ids = token_ids(self.pieces(request), self.outline.tokenizer)
        self.outlined_limits.check_ids(ids)
        self.outlined_limits.check_length(self._tokens_of(ids))
        images_end = max((place + 1 for place, token in enumerate(ids) if token == IMAGE_TOKEN), default=0)
        return Prompt(tuple(ids), request.images, images_end)

    def prompt(self, request: Request, pixels: Tensor | None) -> Prompt:
        return self.encode(request)

    def read_images(self, images: Sequence[Image]) -> Tensor:
        """Pixels [images, 3, height, width]."""
        pixels = [torch.from_numpy(self.preprocessor(open_image(image), image.padded)) for image in images]
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
