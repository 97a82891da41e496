"""A model of transformers: its architecture, sizes and prompt, as far as headers and configurations give them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image as Pillow
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.models.chat import Chat
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.generation import greedy
from mipha_eval.models.generic_model import GenericModel
from mipha_eval.models.inspection.files import dtypes, file_bytes, numbers
from mipha_eval.models.inspection.inspection import Step
from mipha_eval.models.inspection.language_model import decoder_facts, generation_facts
from mipha_eval.models.inspection.llava_style import QUESTION
from mipha_eval.models.inspection.memory import MemoryNeed
from mipha_eval.models.load_chat import load_chat
from mipha_eval.models.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: how parts of models are called in weights' names; what is neither is the language model's
PARTS = {
    "tower": re.compile(r"(^|\.)(vision_tower|vision_model|visual|vision_encoder|image_encoder|vision)\."),
    "projector": re.compile(r"(projector|connector|merger|mm_proj|image_newline|resampler)"),
}

#: width and height of the picture whose tokens are counted
SIZE = (640, 480)


@dataclass(frozen=True)
class GenericFacts:
    """What the headers and settings of a checkpoint tell; sections raise UserError where one cannot be read.

    Attributes:
        sees: whether it is asked about pictures.
    """

    folder: Path
    sees: bool
    pickled: bool
    place: tuple[torch.device, torch.dtype]

    def steps(self) -> Iterable[Step]:
        """The sections in the order in which a run comes to what may be wrong with them."""
        yield "checkpoint", self._checkpoint
        yield "language_model", lambda: decoder_facts(self._known.config.get_text_config(decoder=True))
        if self.sees:
            yield "tower", self._tower
        yield "weights", self._weights
        yield "prompt", self._prompt
        yield "generation", lambda: generation_facts(greedy(self._known.generation))
        yield "memory", self._memory

    @cached_property
    def _known(self) -> GenericModel:
        auto = AutoModelForImageTextToText if self.sees else AutoModelForCausalLM
        return GenericModel.of(self.folder, auto, pickled=self.pickled)

    @cached_property
    def _chat(self) -> Chat:
        return load_chat(self._known)

    @cached_property
    def _tokenizer(self) -> PreTrainedTokenizerBase:
        return self._chat.tokenizer if self.sees else load_tokenizer(self.folder)

    def _checkpoint(self) -> JsonObject:
        config = self._known.config
        method = getattr(config, "quantization_config", None)
        return {
            "architecture": ", ".join(config.architectures or ()) or None,
            "model_type": config.model_type,
            "quantized": str(method.get("quant_method")) if isinstance(method, dict) else None,
        }

    def _tower(self) -> JsonObject:
        vision = getattr(self._known.config, "vision_config", None)
        fields = ("model_type", "num_hidden_layers", "depth", "hidden_size", "image_size", "patch_size")
        found: dict[str, Json] = {name: getattr(vision, name, None) for name in fields}
        return {name: value for name, value in found.items() if value is not None}

    def _weights(self) -> JsonObject:
        stored = self._known.stored
        parts = {
            part: numbers(header for name, header in stored.items() if _part(name) == part)
            for part in (*PARTS, "language_model")
        }
        return {
            "files": len({header.file for header in stored.values()}),
            "bytes": file_bytes(header.file for header in stored.values()),
            "stored_as": dtypes(stored),
            "stored_numbers": {**parts, "total": sum(parts.values())},
        }

    def _prompt(self) -> JsonObject:
        ends = end_ids(self._known.generation.eos_token_id, self._tokenizer)
        named: JsonObject = {"end_tokens": [str(self._tokenizer.convert_ids_to_tokens(token)) for token in sorted(ends)]}
        if not self.sees:
            has, text = bool(self._tokenizer.chat_template), QUESTION
            if has:
                message = [{"role": "user", "content": QUESTION}]
                text = str(self._tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=False))
            ids = self._tokenizer(text, add_special_tokens=not has).input_ids
            return {"template": "its own" if has else None, "text": text, "tokens": len(ids), **named}
        ids = self._chat.whole([QUESTION], [[Pillow.new("RGB", SIZE)]])["input_ids"][0].tolist()
        mark = getattr(self._known.config, "image_token_id", None)
        return {
            "template": "its own" if self._chat.has_template else None,
            "text": self._chat.render(QUESTION, 1),
            "tokens": len(ids),
            "picture_tokens": ids.count(mark) or None,
            "picture": "{} x {}".format(*SIZE),
            **named,
        }

    def _memory(self) -> JsonObject:
        device, dtype = self.place
        tokens = self._prompt()["tokens"]
        stored = self._known.stored.values()
        quantized = self._known.quantized
        size = file_bytes(each.file for each in stored) if quantized else numbers(stored) * dtype.itemsize
        decoder = self._known.config.get_text_config(decoder=True)
        return MemoryNeed(size, decoder, tokens if isinstance(tokens, int) else 0).facts(device, dtype)


def _part(name: str) -> str:
    return next((part for part in ("projector", "tower") if PARTS[part].search(name)), "language_model")
