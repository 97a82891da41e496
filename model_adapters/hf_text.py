"""Text-only language models of transformers, asked through their own chat template: local judges, and blind baselines."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from transformers import AutoModelForCausalLM

from mipha_eval.core.adapter import Cost
from mipha_eval.core.errors import RequestError
from mipha_eval.core.types import Image, Request
from mipha_eval.models.device import moved
from mipha_eval.models.generation import Generation, Manner, plain_greedy
from mipha_eval.models.image_text import end_tokens, load_model
from mipha_eval.models.prefix import Prefix, Prompt
from mipha_eval.models.prefix_decoder import PrefixInputs
from mipha_eval.models.sharing_check import Sharing, prove
from mipha_eval.models.tokenizers import load_tokenizer
from mipha_eval.models.transformers_adapter import TransformersAdapter

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HfText(TransformersAdapter):
    """Options: `path` is a folder or hub id of what `AutoModelForCausalLM` loads, `revision` a commit there.

    Never sees a picture: asked about one, it answers the question alone. What many prompts begin with is read once.
    """

    name: ClassVar[str] = "hf-text"
    reads_images: ClassVar[bool] = False

    @cached_property
    def network(self) -> Any:
        return load_model(self.folder, *self.place, AutoModelForCausalLM)

    @property
    def model(self) -> Any:
        return self.network

    @cached_property
    def tokenizer(self) -> Any:
        return load_tokenizer(self.folder)

    def prompt_end(self, question: str) -> str:
        # behind a template's end, questions are as good as one another
        return self.template_end if self.tokenizer.chat_template else question or " "

    @cached_property
    def template_end(self) -> str:
        return self._render("?")[-40:] or " "

    @cached_property
    def ends(self) -> frozenset[int]:
        return end_tokens(self.model, self.tokenizer)

    @cached_property
    def generation(self) -> Generation:
        return plain_greedy(self.model)

    def manner(self, batch: Sequence[Request]) -> Manner:
        return self.generation.manner(self.ends, batch[0].decoding)

    @cached_property
    def proved(self) -> Sharing:
        if not self.share:
            return Sharing("none", "none, as asked")
        return prove({"prefix": self.shared_as_whole}, self.reference, str(self.place[1]), pictures=False)

    @property
    def sharing(self) -> bool:
        return self.proved.level == "prefix"

    @property
    def reads_ahead(self) -> bool:
        return False

    def load(self) -> None:
        _ = self.digest, self.network, self.tokenizer, self.ends
        self.generation.report(self.folder)
        if not self.tokenizer.chat_template:
            logger.warning("%s has no chat template; it is asked the bare question", self.folder)
        self.refuse_unaskable(Request("?"))
        _ = self.proved

    def describe(self) -> Mapping[str, Any]:
        template, left_out = bool(self.tokenizer.chat_template), self.generation.left_out
        own = {"sharing": self.proved.text, "template": template, "left_out": left_out}
        return {**super().describe(), **own}

    def cost(self, request: Request) -> Cost:
        return Cost(0, self.own_cost(request))

    def prompt(self, request: Request, pixels: None) -> Prompt:
        return Prompt(self._ids(self._render(request.text)), (), 0)

    def read_images(self, images: Sequence[Image]) -> None:
        return None

    def prefix_length(self, prefix: Prefix) -> int:
        return len(prefix.ids)

    def prefix_inputs(self, prefixes: Sequence[Prefix]) -> PrefixInputs:
        return lambda first, last: {
            "input_ids": torch.tensor(
                [[token for prefix in prefixes[first:last] for token in prefix.ids]], device=self.place[0]
            )
        }

    def whole_inputs(self, batch: Sequence[Request]) -> Mapping[str, Any]:
        rows = [{"input_ids": list(self._ids(self._render(request.text)))} for request in batch]
        made = self.tokenizer.pad(rows, padding_side="left", return_tensors="pt")
        return {name: moved(value, *self.place) for name, value in made.items()}

    def plain_inputs(self, batch: Sequence[Request]) -> Mapping[str, Any]:
        return self.whole_inputs(batch)

    def clean(self, text: str) -> str:
        return text.strip()

    def _render(self, question: str) -> str:
        if not self.tokenizer.chat_template:
            return question
        try:
            text: str = self.tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], add_generation_prompt=True, tokenize=False
            )
        except Exception as error:  # a template is a program
            raise RequestError(f"the chat template cannot be filled in: {error}") from error
        return text

    def _ids(self, text: str) -> tuple[int, ...]:
        try:  # a template writes all special tokens itself
            ids = self.tokenizer(text, add_special_tokens=not self.tokenizer.chat_template).input_ids
        except TypeError as error:  # how a tokenizer takes a lone surrogate
            raise RequestError(f"the question cannot be tokenized: {error}") from error
        if not ids:
            raise RequestError("the prompt has no tokens")
        self.limits.check(ids)
        return tuple(ids)
