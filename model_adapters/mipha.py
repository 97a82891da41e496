"""Mipha: SigLIP, an MLP projector and Phi-2, from the official checkpoint format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
import transformers
from torch import Tensor

from mipha_eval.adapter import Cost
from mipha_eval.backends import hf
from mipha_eval.backends.checkpoint import fingerprint, load_network, locate_checkpoint, read_config, read_settings
from mipha_eval.backends.mipha import MiphaNetwork
from mipha_eval.backends.mipha_prompt import END_OF_TEXT, IMAGE_TOKEN, prompt_pieces, tokenize_prompt
from mipha_eval.backends.pixels import Preprocessor
from mipha_eval.backends.prefix import Prefix, PrefixAdapter, Prompt
from mipha_eval.data.images import open_image
from mipha_eval.errors import RequestError, UserError
from mipha_eval.types import Decoding, Image, Request, Response


@dataclass(frozen=True)
class Mipha(PrefixAdapter):
    """Options: `path` is a checkpoint folder or a hub id such as zhumj34/Mipha-3B, `revision` a commit or tag there."""

    name: ClassVar[str] = "mipha"

    path: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"

    @cached_property
    def folder(self) -> Path:
        return locate_checkpoint(self.path, self.revision)

    @cached_property
    def network(self) -> MiphaNetwork:
        device = hf.choose_device(self.device)
        return load_network(self.folder, device, hf.choose_dtype(self.dtype, device))

    @cached_property
    def tokenizer(self) -> Any:
        cleaned = read_settings(self.folder / "tokenizer_config.json").get("clean_up_tokenization_spaces", True)
        try:
            return transformers.AutoTokenizer.from_pretrained(
                self.folder,
                config=self.network.decoder.config,  # else it reads config.json, whose model_type it does not know
                trust_remote_code=False,
                clean_up_tokenization_spaces=cleaned,
                # the official code's version of transformers did it by default, and answers depend on it
                clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output=cleaned,
            )
        except Exception as error:  # whatever a broken tokenizer file leads to
            raise UserError(f"{self.folder} has no usable tokenizer: {error!r}") from error

    @cached_property
    def preprocessor(self) -> Preprocessor:
        config = read_config(self.folder)
        made = Preprocessor.from_settings(
            read_settings(self.folder / "preprocessor_config.json"), config.get("image_aspect_ratio")
        )
        side = config["vision_config"]["vision_tower"]["image_size"]
        if (made.width, made.height) != (side, side):
            raise UserError(f"{self.folder}: preprocessor makes {made.width} x {made.height} pixels, the tower takes {side}")
        return made

    @property
    def _place(self) -> tuple[torch.device, torch.dtype]:
        weight = next(self.network.parameters())
        return weight.device, weight.dtype

    def load(self) -> None:
        _ = self.network, self.tokenizer, self.preprocessor  # read now, used later

    def describe(self) -> Mapping[str, Any]:
        device, dtype = self._place
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return {"weights": fingerprint(self.folder), "device": name, "dtype": str(dtype), "attention": "sdpa"}

    def cost(self, request: Request) -> Cost:
        return Cost(self.patches * len(request.images), (64 + len(request.text) // 4) * max(1, len(request.options)))

    @cached_property
    def patches(self) -> int:
        tower = read_config(self.folder)["vision_config"]["vision_tower"]
        return int((tower["image_size"] // tower["patch_size"]) ** 2)

    def encode(self, request: Request) -> Prompt:
        pieces = prompt_pieces(request.text, len(request.images))
        try:
            ids = tokenize_prompt(pieces, lambda text: self.tokenizer(text).input_ids)
        except TypeError as error:  # how the tokenizer takes a lone surrogate
            raise RequestError(f"the question cannot be tokenized: {error}") from error
        images_end = max((place + 1 for place, token in enumerate(ids) if token == IMAGE_TOKEN), default=0)
        return Prompt(tuple(ids), request.images, images_end)

    def read_images(self, images: Sequence[Image]) -> Tensor:
        """Pixels [images, 3, height, width]."""
        pixels = [torch.from_numpy(self.preprocessor(open_image(image))) for image in images]
        return torch.stack(pixels) if pixels else torch.empty(0, 3, self.preprocessor.height, self.preprocessor.width)

    def prefill(self, prefixes: Sequence[Prefix]) -> hf.PrefixState:
        device, dtype = self._place
        pixels = torch.cat([prefix.pixels for prefix in prefixes])
        with torch.inference_mode():
            features = iter(self.network.image_features(pixels.to(device, dtype)) if len(pixels) else ())
            embedded = [self._embed(prefix.ids, features) for prefix in prefixes]
        return hf.prefill(self.network.decoder, embedded)

    def _embed(self, ids: Sequence[int], features: Any) -> Tensor:
        """Decoder inputs [tokens, hidden]; each placeholder takes the next image's features."""
        device, _ = self._place
        parts, start = [], 0
        for place in [place for place, token in enumerate(ids) if token == IMAGE_TOKEN] + [len(ids)]:
            parts.append(self.network.text_features(torch.tensor(ids[start:place], dtype=torch.long, device=device)))
            if place < len(ids):
                parts.append(next(features))
            start = place + 1
        return torch.cat(parts)

    def resume(
        self, state: hf.PrefixState, rows: Sequence[int], suffixes: Sequence[tuple[int, ...]], decoding: Decoding
    ) -> list[Response]:
        device, _ = self._place
        end = self.tokenizer.eos_token_id
        with torch.inference_mode():
            embedded = [self._embed(suffix, iter(())) for suffix in suffixes]
        stop = hf.Stop(frozenset({end}), decoding.max_new_tokens)
        answers = hf.decode(self.network.decoder, state, torch.tensor(rows, device=device), embedded, stop)
        return [self._response(ids, end) for ids in answers]

    def encode_option(self, option: str) -> tuple[int, ...]:
        try:
            return (*self.tokenizer(f" {option}").input_ids, self.tokenizer.eos_token_id)
        except TypeError as error:
            raise RequestError(f"the option cannot be tokenized: {error}") from error

    def rank(
        self, state: hf.PrefixState, rows: Sequence[int], suffixes: Sequence[tuple[int, ...]], ends: Sequence[int]
    ) -> list[float]:
        device, _ = self._place
        with torch.inference_mode():
            embedded = [self._embed(suffix, iter(())) for suffix in suffixes]
        options = [torch.tensor(suffix[-end:], device=device) for suffix, end in zip(suffixes, ends, strict=True)]
        return hf.rank(self.network.decoder, state, torch.tensor(rows, device=device), embedded, options)

    def _response(self, ids: list[int], end: int) -> Response:
        text = self.tokenizer.decode(ids, skip_special_tokens=True).strip().removesuffix(END_OF_TEXT).strip()
        return Response(text, tokens=len(ids), finish="stop" if ids[-1] == end else "length")
