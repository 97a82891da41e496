"""How a project's code stores its checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.language_models.language_model import LanguageModel

#: the network's modules, and what stands before the names of their weights
TOWER, PROJECTOR, DECODER, HEAD = "vision_tower.", "mm_projector.", "decoder.model.", "decoder.lm_head."


@dataclass(frozen=True)
class Kind:
    """A language model in a layout.

    Attributes:
        model_type: of ``config.json``.
        template: the name of its prompt, in `templates.TEMPLATES`.
        text_type: of the language model's own configuration, where one model type stands for several; else "".
    """

    model_type: str
    language_model: LanguageModel
    template: str
    text_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A project's checkpoints.

    Attributes:
        name: of the project's models.
        model: the name of the adapter that runs them.
        source: of the facts, a repository and its commit.
        kinds: those with a mark before others of their model type.
        fits: whether a ``config.json`` with such a model type is of this project.
        describe: what a ``config.json`` says.
        prefixes: what stands before the names of weights, and before the same in the network; the first that fits counts.
        named: templates that its code takes for a model whose name holds such a word, instead of the kind's.
        processor: whose ``preprocessor_config.json`` is read, where both the checkpoint and its tower may have one.
        fills_tower: whether its ``config.json`` leaves out of the tower's part what transformers takes anyway.
        strips_question: whether a question about a picture loses the white space around it.
        ends: who says which token ends an answer: the tokenizer, the generation settings, or the language model's part of
            ``config.json``, which then also has the other generation settings.
        own_tower: whether a tower among a checkpoint's weights counts; elsewhere its code reads the one that is named.
        stop_words: whether a conversation template's stopping word ends an answer, too: where it is one token, also where it
            is several, or never.
        slow_tokenizer: whether answers are decoded as tokenizers in Python did it; the second argument is whether there is a
            base model.
        cuts_vocabulary: whether its code leaves the decoder no more tokens than the tokenizer has.
        says: generation settings that its scripts set to nothing, whatever a checkpoint says.
        seen: what the official ``generate`` sees of a prompt's ids, on which some generation settings depend.
    """

    name: str
    model: str
    source: str
    kinds: tuple[Kind, ...]
    fits: Callable[[JsonObject], bool]
    describe: Callable[[JsonObject], Description]
    prefixes: tuple[tuple[str, str], ...]
    named: tuple[tuple[str, str], ...] = ()
    processor: Literal["checkpoint", "tower"] = "checkpoint"
    fills_tower: bool = False
    strips_question: bool = False
    ends: Literal["tokenizer", "generation", "decoder"] = "tokenizer"
    own_tower: Callable[[JsonObject], bool] = lambda _config: True
    stop_words: Literal["token", "text", "never"] = "token"
    slow_tokenizer: Callable[[JsonObject, bool], bool] = lambda _config, _base: False
    cuts_vocabulary: bool = False
    says: tuple[str, ...] = ()
    seen: Literal["prompt", "bos", "nothing"] = "prompt"

    @property
    def model_types(self) -> tuple[str, ...]:
        """Those of its checkpoints."""
        return tuple(dict.fromkeys(kind.model_type for kind in self.kinds))

    @property
    def tower_prefix(self) -> str:
        """What stands before the names of the tower's weights."""
        return next(prefix for prefix, module in self.prefixes if module == TOWER)

    def kind(self, config: JsonObject, decoder: JsonObject, weights: Collection[str]) -> Kind:
        """The kind with a configuration's model type whose mark is in a weight's name.

        Args:
            decoder: the language model's part of the configuration.

        Raises:
            UserError: there is none.
        """
        alike = [each for each in self.kinds if each.model_type == config.get("model_type")]
        texts = [each.text_type for each in alike]
        if any(texts) and decoder.get("model_type") not in texts:
            raise UserError(f"language model {decoder.get('model_type')!r} is not supported; supported: {', '.join(texts)}")
        alike = [each for each in alike if each.text_type in ("", decoder.get("model_type"))]
        marks = [(each, each.language_model.mark) for each in alike]
        return next(each for each, mark in marks if not mark or any(mark in weight for weight in weights))

    def module_name(self, key: str) -> str:
        """The network's name of a stored weight; "" for one of another model."""
        return next((module + key[len(prefix) :] for prefix, module in self.prefixes if key.startswith(prefix)), "")

    def stored_name(self, name: str) -> str:
        """The stored name of a weight of the network, where its modules have the project's names."""
        return next(prefix + name[len(module) :] for prefix, module in self.prefixes if name.startswith(module))
