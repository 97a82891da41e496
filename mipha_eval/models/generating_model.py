"""A model of transformers that generates: what is used of it beside what all its models have, for type checkers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel
    from transformers.utils.generic import ModelOutput

    from mipha_eval.models.forward_inputs import ImageFeatures

    class GeneratingModel(PreTrainedModel):  # type: ignore[no-untyped-call]
        """What all auto classes used here load; no class of that name exists when the program runs."""

        def eval(self) -> Self:
            """Without what only training does."""

        def get_input_embeddings(self) -> nn.Embedding:
            """The embedding of tokens."""

        def generate(self, **arguments: object) -> Generated:
            """Answers to prompts that are padded on the left."""

        def _update_model_kwargs_for_generation(
            self, outputs: ModelOutput, model_kwargs: Mapping[str, object], *, is_encoder_decoder: bool
        ) -> dict[str, Tensor | ImageFeatures]:
            """The arguments of the next step."""


class Generated(Protocol):
    """What `generate` gives; `sequences` are ids [prompts, tokens]."""

    sequences: Tensor
