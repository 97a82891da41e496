"""What memory a model will need: its weights, a question's keys and values, and what one pass makes beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.token_budget import cache_bytes, chunk_tokens, free_bytes, pass_bytes

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: tokens of an answer, as `predict` has it
ANSWER = 128

#: what loading may take beside the weights, as a part of them
LOADING = 0.1


@dataclass(frozen=True)
class MemoryNeed:
    """What is known of a model's size.

    Attributes:
        weights: bytes of its weights once they are loaded.
        decoder: the configuration of its language model.
        prompt: tokens of a prompt, a picture's among them.
    """

    weights: int
    decoder: PreTrainedConfig
    prompt: int

    def facts(self, device: torch.device, dtype: torch.dtype) -> JsonObject:
        """The least that is needed there, one question at a time, and whether it is free now."""
        token = cache_bytes(self.decoder, dtype)
        question = token * (self.prompt + ANSWER)
        one_pass = pass_bytes(self.decoder, min(self.prompt, chunk_tokens(device)), dtype)
        needed = self.weights + max(question + one_pass, int(LOADING * self.weights))
        free = free_bytes(device)
        return {
            "device": str(device),
            "dtype": str(dtype).removeprefix("torch."),
            "weights_bytes": self.weights,
            "cache_a_token_bytes": token,
            "cache_a_question_bytes": question,
            "one_pass_bytes": one_pass,
            "needed_bytes": needed,
            "free_bytes": free,
            "fits": needed <= free,
        }
