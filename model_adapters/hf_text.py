"""Text-only language models of transformers, asked through their own chat template: local judges, and blind baselines."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import torch
from transformers import AutoModelForCausalLM

from mipha_eval.core.adapter import Cost
from mipha_eval.core.asking import ASKING
from mipha_eval.core.errors import RequestError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Image, Request
from mipha_eval.models.device import moved
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.forward_inputs import ForwardInputs
from mipha_eval.models.generic_adapter import GenericAdapter
from mipha_eval.models.generic_model import GenericModel
from mipha_eval.models.loaded import Loaded
from mipha_eval.models.prefix import Prefix
from mipha_eval.models.prompt_groups import Prompt
from mipha_eval.models.sharing_check import Sharing, prove
from mipha_eval.models.template import ANY_QUESTION, Template
from mipha_eval.models.tokenizers import load_tokenizer
from mipha_eval.models.wording import Message, Wording

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HfText(GenericAdapter[None]):
    """Options: `path` is a folder or hub id of what `AutoModelForCausalLM` loads, `revision` a commit there; `template` and
    `system` as for hf-chat, `device_map` and `tp` too.

    Never sees a picture: asked about one, it answers the question alone. What many prompts begin with is read once.
    """

    name: ClassVar[str] = "hf-text"
    reads_images: ClassVar[bool] = False
    heeds: ClassVar[frozenset[str]] = ASKING - {"template", "image"}
    ways: ClassVar[tuple[str, ...]] = ("template", "system")
    added: ClassVar[frozenset[str]] = GenericAdapter.spreading | frozenset(ways)

    template: str = ""
    system: str | None = None

    @cached_property
    def known(self) -> GenericModel:
        """The model without its weights."""
        return GenericModel.of(self.folder, AutoModelForCausalLM, pickled=self.allow_bin)

    @cached_property
    def words(self) -> PreTrainedTokenizerBase:
        """The tokenizer, with an end token. Raises UserError."""
        tokenizer = load_tokenizer(self.folder)
        end_ids(self.known.generation.eos_token_id, tokenizer)
        return tokenizer

    @cached_property
    def loaded(self) -> Loaded:
        return self.together("loaded", self._load_rest)

    def _load_rest(self) -> Loaded:
        return Loaded.greedily(self.network, self.words, stop=self.wording.named.stop if self.wording.named else "")

    @cached_property
    def wording(self) -> Wording:
        """What stands around a question in place of the checkpoint's own template. Raises UserError."""
        return Wording.of(self.template, self.system)

    @property
    def jinja(self) -> str | None:
        """The chat template in force; None where there is none, or a conversation template in its place."""
        return self.wording.jinja(self.words.chat_template)

    @cached_property
    def surroundings(self) -> Template:
        """What stands around a question."""
        return Template(bool(self.wording.named or self.jinja), self._render)

    def prompt_end(self, question: str) -> str:
        return self.surroundings.end(question)

    @cached_property
    def proved(self) -> Sharing:
        return self.together("proved", self._prove) if self.share else Sharing("none", "none, as asked")

    def _prove(self) -> Sharing:
        return prove({"prefix": (self.shared_as_whole, self.reference)}, str(self.place[1]), pictures=False)

    @property
    def sharing(self) -> bool:
        return self.proved.level == "prefix"

    @property
    def reads_ahead(self) -> bool:
        return False

    def load(self) -> None:
        _ = self.before, self.known, self.words, self.opening  # before a weight is read
        self.look_ahead()
        _ = self.digest, self.network, self.loaded
        self.generation.report(self.folder)
        self.surroundings.report(self.folder)
        self.refuse_unaskable(Request("?"))
        _ = self.proved

    def describe(self) -> JsonObject:
        own: JsonObject = {
            "sharing": self.proved.text,
            "template": self.surroundings.given,
            "left_out": self.generation.left_out,
        }
        return {**super().describe(), **own}

    def cost(self, request: Request) -> Cost:
        return self.cost_beside(0, request)

    def prompt(self, request: Request, pixels: None) -> Prompt:
        return Prompt(self._ids(self._render(request.text)), (), 0)

    def read_images(self, images: Sequence[Image]) -> None:
        return None

    def prefix_length(self, prefix: Prefix[None]) -> int:
        return len(prefix.ids)

    def prefix_inputs(self, prefixes: Sequence[Prefix[None]]) -> ForwardInputs:
        ids = [token for prefix in prefixes for token in prefix.ids]
        return {"input_ids": torch.tensor([ids], device=self.place[0])}

    def whole_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        rows = [{"input_ids": list(self._ids(self._render(request.text)))} for request in batch]
        made = self.tokenizer.pad(rows, padding_side="left", return_tensors="pt")
        return {name: moved(value, *self.place) for name, value in made.items()}

    def plain_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        return self.whole_inputs(batch)

    def _render(self, question: str) -> str:
        if self.wording.named:
            return self.wording.named.around(question, 0, "")
        return self._filled(self.opening, question)

    @cached_property
    def opening(self) -> Sequence[Message]:
        """What stands before the user's message. Raises UserError for a template without place for a system text."""
        found = self.wording.opening(lambda before: self._filled(before, ANY_QUESTION))
        self.wording.check(lambda question: self._filled(found, question))
        return found

    def _filled(self, before: Sequence[Message], question: str) -> str:
        if not self.jinja:
            return question
        messages = [*before, {"role": "user", "content": question}]
        try:
            made = self.words.apply_chat_template(
                messages, chat_template=self.jinja, add_generation_prompt=True, tokenize=False
            )
            return str(made)
        except Exception as error:  # a template is a program
            raise RequestError(f"the chat template cannot be filled in: {error}") from error

    def _ids(self, text: str) -> tuple[int, ...]:
        try:  # a template writes all special tokens itself
            ids = self.tokenizer(text, add_special_tokens=not self.jinja).input_ids
        except TypeError as error:  # how a tokenizer takes a lone surrogate
            raise RequestError(f"the question cannot be tokenized: {error}") from error
        if not ids:
            raise RequestError("the prompt has no tokens")
        self.limits.check(ids)
        return tuple(ids)
