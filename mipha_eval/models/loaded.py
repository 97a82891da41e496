"""What was read from a checkpoint beside its network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.generation import Generation, plain_greedy

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from mipha_eval.models.generating_model import GeneratingModel


@dataclass(frozen=True)
class Loaded:
    """A model of transformers that generates, and what decides its answers.

    Attributes:
        model: what generates, the network or its decoder.
        ends: the token ids that end an answer.
        generation: what becomes of the checkpoint's generation settings.
        end_text: what a decoded answer may end with that the model's own code takes off.
    """

    model: GeneratingModel
    tokenizer: PreTrainedTokenizerBase
    ends: frozenset[int]
    generation: Generation
    end_text: str = ""

    @classmethod
    def greedily(cls, model: GeneratingModel, tokenizer: PreTrainedTokenizerBase) -> Loaded:
        """A model that decodes greedily, ended by what its generation settings say, else by what its tokenizer says."""
        return cls(model, tokenizer, end_ids(model.generation_config.eos_token_id, tokenizer), plain_greedy(model))
