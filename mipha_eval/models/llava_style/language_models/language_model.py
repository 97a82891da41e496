"""What a kind of language model is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.weight_piece import Pieces, whole

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: entries of a config.json that do not configure the decoder
NOT_DECODER_FIELDS = ("architectures", "model_type", "torch_dtype", "dtype", "transformers_version", "vision_config")


def as_stored(name: str, _config: JsonObject) -> Pieces:
    """As `LanguageModel.pieces`, where the modules of transformers have the official names."""
    return whole(name)


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """A kind of language model.

    Attributes:
        name: as people write it.
        mark: a part of a weight's name by which it is told from others with its model type; "" where it needs none.
        configure: its configuration in transformers.
        head_bias: whether the head has a bias, if it has one in transformers.
        ties: whether the head is the embedding of tokens.
        image_scale: what projected features are multiplied with before the first layer.
        pieces: what becomes of a weight of that official name.
    """

    name: str
    mark: str = ""
    configure: Callable[[JsonObject], PreTrainedConfig]
    head_bias: bool = True
    ties: Callable[[JsonObject], bool] = lambda _config: False
    image_scale: Callable[[JsonObject], float] = lambda _config: 1.0
    pieces: Callable[[str, JsonObject], Pieces] = as_stored


def decoder_fields(config: JsonObject) -> JsonObject:
    """The entries of an official ``config.json`` that configure the decoder."""
    return {key: value for key, value in config.items() if key not in NOT_DECODER_FIELDS and value is not None}


def tied_if_said(config: JsonObject) -> bool:
    """As `LanguageModel.ties`, where the head is the embedding only if ``config.json`` says so."""
    return bool(config.get("tie_word_embeddings", False))


def configuration(make: Callable[..., PreTrainedConfig]) -> Callable[[JsonObject], PreTrainedConfig]:
    """As `LanguageModel.configure`, where a class of transformers takes the official entries as they are."""
    return lambda config: make(**decoder_fields(config))
