"""What was read from a checkpoint beside its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mipha_eval.core.types import Decoding
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.generation import Generation, plain_greedy
from mipha_eval.models.generator import generator_of
from mipha_eval.models.stop import Stop, StopText

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from mipha_eval.models.generating_model import GeneratingModel
    from mipha_eval.models.slow_decoding import Decode


@dataclass(frozen=True)
class Loaded:
    """A model of transformers that generates, and what decides its answers.

    Attributes:
        model: what generates, the network or its decoder.
        ends: the token ids that end an answer.
        stop_words: those of them that a conversation template adds.
        stop_text: the same, where it is several tokens.
        generation: what becomes of the checkpoint's generation settings.
        decoding: from token ids to text, where it is not the tokenizer's own way.
        end_text: what a decoded answer may end with that the model's own code takes off.
    """

    model: GeneratingModel
    tokenizer: PreTrainedTokenizerBase
    ends: frozenset[int]
    generation: Generation
    end_text: str = ""
    decoding: Decode | None = None
    stop_words: frozenset[int] = frozenset()
    stop_text: StopText | None = None

    def stop(self, decoding: Decoding) -> Stop:
        """When an answer to a request ends."""
        if not decoding.stop_word:
            return Stop(self.ends - self.stop_words, decoding.max_new_tokens)
        return Stop(self.ends, decoding.max_new_tokens, self.stop_text)

    def text_of(self, ids: Sequence[int]) -> str:
        """An answer's text."""
        found = self.decoding(ids) if self.decoding else str(self.tokenizer.decode(list(ids), skip_special_tokens=True))
        return found.strip().removesuffix(self.end_text).strip()

    @classmethod
    def greedily(
        cls, model: GeneratingModel, tokenizer: PreTrainedTokenizerBase, *, end: object = None, stop: str = ""
    ) -> Loaded:
        """A model that decodes greedily, ended by what its generation settings say, else by what its tokenizer says.

        Args:
            end: what its own `generate` says in place of its settings, if it does.
            stop: a conversation template's stopping word, which ends an answer, too, where it is one token; "" for none.
        """
        generator = generator_of(model)
        settings = generator.generation_config
        ends = end_ids(settings.eos_token_id if end is None else end, tokenizer)
        word = tokenizer(stop, add_special_tokens=False).input_ids if stop else []
        stops = frozenset(word if len(word) == 1 else ()) - ends
        return cls(model, tokenizer, ends | stops, plain_greedy(generator), stop_words=stops)
