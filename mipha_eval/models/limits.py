"""What a network can be asked: token ids that it has an embedding for, prompts that its positions hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mipha_eval.core.errors import RequestError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.forward_inputs import ForwardInputs, tensor_of

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from mipha_eval.models.generating_model import GeneratingModel


@dataclass(frozen=True)
class Limits:
    """Limits of a network.

    Attributes:
        rows: rows of its embedding of tokens.
        placeholders: token ids that stand for pictures, whose embeddings are never looked up.
        positions: tokens that a prompt may have; None where there is no such number.
        beside: of ids of a second tokenizer, by their name in a network's arguments: rows of their embedding, and positions.
        switch: tokens of prompt and answer beyond which a decoder turns positions by other angles; None where it does not.
        three_axes: whether a picture takes fewer positions than it has tokens (M-RoPE); then only a text's are counted.
    """

    rows: int
    placeholders: Collection[int]
    positions: int | None
    three_axes: bool = False
    switch: int | None = None
    beside: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: GeneratingModel) -> Limits:
        """Reads them from a model of transformers."""
        config, text = model.config, model.config.get_text_config(decoder=True)
        marks = (getattr(config, name, None) for name in ("image_token_id", "image_token_index", "video_token_id"))
        embedding = model.get_input_embeddings()
        rows = len(embedding.weight) + getattr(embedding, "num_additional_embeddings", 0)  # IDEFICS' marks lie apart
        three_axes = "mrope_section" in _rope(text)
        known = frozenset(mark for mark in marks if mark is not None)
        return cls(rows, known, positions(text), three_axes, switch(text), _beside(config))

    def switches(self, tokens: int) -> bool:
        """Whether a prompt with an answer of so many tokens may see both kinds of angles, so that it can share nothing."""
        return self.switch is not None and tokens > self.switch

    def describe(self) -> JsonObject:
        """For the manifest; nothing where there is no switch."""
        return {} if self.switch is None else {"shared_up_to_tokens": self.switch}

    def check(self, ids: Sequence[int]) -> None:
        """Raises RequestError for a prompt, its pictures' tokens among its ids, that the network cannot be asked."""
        self.check_ids(ids)
        self.check_length(sum(token not in self.placeholders for token in ids) if self.three_axes else len(ids))

    def check_ids(self, ids: Iterable[int]) -> None:
        """Raises RequestError for a token without an embedding; negative ids are placeholders of our own."""
        beyond = next((token for token in ids if token >= self.rows and token not in self.placeholders), None)
        if beyond is not None:
            what = f"token {beyond:,} of the prompt has no embedding"
            raise RequestError(f"{what}: the tokenizer knows more tokens than the model's {self.rows:,}")

    def check_length(self, tokens: int) -> None:
        """Raises RequestError for a prompt that is too long."""
        if self.positions is not None and tokens > self.positions:
            raise RequestError(f"the prompt has {tokens:,} tokens, the model has positions for {self.positions:,}")

    def check_inputs(self, inputs: ForwardInputs) -> None:
        """The same for arguments of a network's forward, padded prompts a row each; embedded ones were checked before."""
        ids, mask = tensor_of(inputs, "input_ids"), tensor_of(inputs, "attention_mask")
        if ids is not None:
            for row, kept in zip(ids.tolist(), (ids >= 0 if mask is None else mask).tolist(), strict=True):
                self.check([token for token, keep in zip(row, kept, strict=True) if keep])
        for name, (rows, most) in self.beside.items():
            given = tensor_of(inputs, name)
            if given is not None and given.shape[1] > most:
                raise RequestError(f"the question has {given.shape[1]:,} {name}, the model has positions for {most:,}")
            if given is not None and int(given.max()) >= rows:
                raise RequestError(f"{name} {int(given.max()):,} of the question has no embedding")


def _beside(config: PreTrainedConfig) -> dict[str, tuple[int, int]]:
    """Of parts that read a prompt through a tokenizer of their own, such as a Q-Former."""
    found: dict[str, tuple[int, int]] = {}
    for name in config.to_dict():
        part = getattr(config, name, None) if name.endswith("_config") else None
        rows, most = (getattr(part, size, None) for size in ("vocab_size", "max_position_embeddings"))
        if isinstance(rows, int) and isinstance(most, int):
            found[f"{name.removesuffix('_config')}_input_ids"] = rows, most
    return found


def positions(config: PreTrainedConfig) -> int | None:
    """Tokens that a decoder was made for: what its configuration says, times a factor by which its rotation is stretched.

    transformers reads longer prompts, if positions are computed and not learned, and only warns; what comes out is noise.
    """
    most = getattr(config, "max_position_embeddings", None)
    if not isinstance(most, int) or most <= 0 or getattr(config, "alibi", False):
        return None
    rope = _rope(config)
    factor, original = rope.get("factor") or 1.0, rope.get("original_max_position_embeddings")
    return max(most, int(factor * (original or most)))


def switch(config: PreTrainedConfig) -> int | None:
    """Tokens beyond which a stretched rotation is another, for all of a pass; of kinds that look at how long a prompt is."""
    rope: Mapping[str, object] = _rope(config)
    if rope.get("rope_type") not in ("longrope", "dynamic"):
        return None
    given = rope.get("original_max_position_embeddings") or getattr(config, "original_max_position_embeddings", None)
    return given if isinstance(given, int) else int(config.max_position_embeddings)


def _rope(config: PreTrainedConfig) -> Mapping[str, float]:
    """How positions are stretched; only numbers are looked up, beside which a name may stand."""
    return getattr(config, "rope_parameters", None) or {}
