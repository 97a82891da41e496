"""Floating-point operations that a run over a LLaVA-shaped model cannot avoid, two for each multiplication with addition.

Counted: matrix products, each once. Every distinct picture goes through the vision layers that are read and the projector;
what the questions about a picture begin with goes through the decoder once; so do each question's rest and each generated
token but the last. Of the decoder's last layer only keys and values are needed where no logits are read. Causal attention
counts the positions that a token sees, so about half of the square.

Not counted: norms, activations, softmax, rotary embeddings, biases, look-ups; preprocessing; the vision tower's unread last
layers and pooling head.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GATED_MLP = 3  # matrices, as in Llama and its kin
PLAIN_MLP = {"phi": 2}


@dataclass(frozen=True)
class VisionShape:
    """`layers` are those that are read, `inputs` the numbers of a patch's pixels."""

    width: int
    mlp: int
    layers: int
    patches: int
    inputs: int

    @property
    def flops(self) -> int:
        """Of one picture, without the projector."""
        linear = 2 * self.patches * (4 * self.width**2 + 2 * self.width * self.mlp)
        attention = 4 * self.patches**2 * self.width
        return 2 * self.patches * self.inputs * self.width + self.layers * (linear + attention)


@dataclass(frozen=True)
class TextShape:
    """`queries` and `keys` are the widths of all heads' queries and of all heads' keys; `mlp` is (width, matrices)."""

    width: int
    queries: int
    keys: int
    mlp: tuple[int, int]
    layers: int
    vocabulary: int

    @property
    def keys_and_values(self) -> int:
        """Of one token in one layer."""
        return 2 * 2 * self.width * self.keys

    @property
    def rest(self) -> int:
        """What one token needs in one layer beside keys, values and attention."""
        width, matrices = self.mlp
        return 2 * (2 * self.width * self.queries) + 2 * matrices * self.width * width

    @property
    def logits(self) -> int:
        return 2 * self.width * self.vocabulary

    def tokens(self, count: int, behind: int, read: int) -> int:
        """`count` tokens behind `behind` others, of which the last `read` get logits."""
        seen = count * behind + count * (count + 1) // 2
        seen_by_read = seen - (count - read) * behind - (count - read) * (count - read + 1) // 2
        attention = 4 * self.queries * ((self.layers - 1) * seen + seen_by_read)
        linear = self.layers * count * self.keys_and_values + ((self.layers - 1) * count + read) * self.rest
        return attention + linear + read * self.logits


@dataclass(frozen=True)
class Shape:
    """A model, and the token that stands for its pictures in prompts, if it is one of the vocabulary."""

    vision: VisionShape
    text: TextShape
    image_token: int | None = None

    @property
    def image(self) -> int:
        """Of one picture; the projector is two layers."""
        projector = 2 * self.vision.patches * self.text.width * (self.vision.width + self.text.width)
        return self.vision.flops + projector


@dataclass(frozen=True)
class Group:
    """Prompts with one beginning: its tokens, its pictures, and for each prompt (tokens behind the beginning, generated)."""

    prefix: int
    images: int
    suffixes: tuple[tuple[int, int], ...]


def read_shape(folder: Path) -> Shape:
    """From ``config.json`` of a checkpoint of transformers' LLaVA or of Mipha."""
    config = json.loads((folder / "config.json").read_text())
    if config["model_type"].startswith("mipha"):
        from transformers import PhiConfig

        tower = config["vision_config"]["vision_tower"]
        fields = {key: config[key] for key in ("hidden_size", "intermediate_size", "vocab_size")}
        heads = {key: config.get(key) for key in ("num_hidden_layers", "num_attention_heads", "num_key_value_heads")}
        return Shape(vision_shape(tower, tower.get("mm_vision_select_layer", -2)), text_shape(PhiConfig(**fields, **heads)))
    from transformers import AutoConfig

    full = AutoConfig.from_pretrained(folder)
    return Shape(
        vision_shape(full.vision_config.to_dict(), full.vision_feature_layer),
        text_shape(full.text_config),
        full.image_token_id,
    )


def vision_shape(tower: Mapping[str, Any], read: int) -> VisionShape:
    """`read` is a place in hidden_states, which has one entry more than there are layers."""
    return VisionShape(
        width=tower["hidden_size"],
        mlp=tower["intermediate_size"],
        layers=read % (tower["num_hidden_layers"] + 1),
        patches=(tower["image_size"] // tower["patch_size"]) ** 2,
        inputs=tower.get("num_channels", 3) * tower["patch_size"] ** 2,
    )


def text_shape(config: Any) -> TextShape:
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return TextShape(
        width=config.hidden_size,
        queries=config.num_attention_heads * head,
        keys=(config.num_key_value_heads or config.num_attention_heads) * head,
        mlp=(config.intermediate_size, PLAIN_MLP.get(config.model_type, GATED_MLP)),
        layers=config.num_hidden_layers,
        vocabulary=config.vocab_size,
    )


def group(prompts: Iterable[tuple[Sequence[int], Sequence[str], int]], shape: Shape) -> list[Group]:
    """From (ids, pictures, generated) of prompts; in ids, pictures are negative or the image token, once or once a patch."""
    alike: dict[tuple[str, ...], list[tuple[tuple[int, ...], int]]] = {}
    for ids, images, generated in prompts:
        alike.setdefault(tuple(images), []).append((tuple(ids), generated))
    groups = []
    for images, members in alike.items():
        # the last token of a prompt has to be read for its answer, shared or not
        common = common_length([ids[:-1] for ids, _ in members])
        text = sum(token >= 0 and token != shape.image_token for token in members[0][0][:common])
        suffixes = tuple((len(ids) - common, generated) for ids, generated in members)
        groups.append(Group(text + len(images) * shape.vision.patches, len(images), suffixes))
    return groups


def common_length(rows: Sequence[Sequence[int]]) -> int:
    return sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, zip(*rows, strict=False)))


def count(groups: Iterable[Group], shape: Shape) -> dict[str, int]:
    """Operations by part of the run."""
    parts = {"vision": 0, "prefix": 0, "suffix": 0, "decode": 0}
    for one in groups:
        parts["vision"] += one.images * shape.image
        parts["prefix"] += shape.text.tokens(one.prefix, 0, read=0)
        for length, generated in one.suffixes:
            parts["suffix"] += shape.text.tokens(length, one.prefix, read=1)
            parts["decode"] += shape.text.tokens(generated - 1, one.prefix + length, read=generated - 1)
    return parts
