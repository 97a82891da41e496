"""The network: a vision tower, a projector and a causal decoder.

The tower stops at the layer that the official code reads (``mm_vision_select_layer``), so what is behind it does not exist
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from mipha_eval.data.rows import whole_of
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.projectors import build_projector
from mipha_eval.models.llava_style.towers.scales import read_scales

if TYPE_CHECKING:
    from mipha_eval.models.generating_model import GeneratingModel

#: where the weight of a head that is the embedding would stand
HEAD_WEIGHT, EMBEDDING = "decoder.lm_head.weight", "decoder.model.embed_tokens.weight"


class VisionLanguageNetwork(nn.Module):
    """Weights and the two halves of the forward pass; prompts, pixels and decoding live elsewhere.

    Args:
        attention: attention implementation of transformers, ``sdpa`` or ``eager``.

    Attributes:
        image_scale: what features of images are multiplied with on their way into the decoder.
    """

    def __init__(self, parts: Parts, attention: str = "sdpa") -> None:
        super().__init__()
        described, language_model = parts.description, parts.language_model
        self._read, self._scales = parts.tower.read, described.scales
        self._first = parts.first_token
        self.image_scale = language_model.image_scale(described.decoder)
        self.vision_tower = parts.tower.build(parts.shape(attention))
        ends = parts.tower_width, whole_of(described.decoder, "hidden_size")
        self.mm_projector = build_projector(described.projector, described.projector_widths or ends, ends)
        build: Callable[..., GeneratingModel] = AutoModelForCausalLM.from_config
        self.decoder = build(language_model.configure(described.decoder), attn_implementation=attention)
        if not language_model.head_bias:
            self.decoder.lm_head.register_parameter("bias", None)

    def image_features(self, pixels: Tensor) -> Tensor:
        """Maps pixels [images, 3, height, width] to features [images, tokens, hidden]."""
        features: Tensor = self.mm_projector(self.patch_features(pixels))
        return features

    def patch_features(self, pixels: Tensor) -> Tensor:
        """Maps pixels [images, 3, height, width] to the tower's output [images, tokens, width]."""
        if self._scales:
            return read_scales(lambda squares: self._read(self.vision_tower, squares), pixels, self._scales)
        return self._read(self.vision_tower, pixels)[:, self._first :]

    def image_inputs(self, features: Tensor) -> Tensor:
        """Maps features [..., hidden] to decoder inputs of the same shape."""
        return features if self.image_scale == 1 else features * features.new_tensor(self.image_scale)

    def text_features(self, ids: Tensor) -> Tensor:
        """Maps token ids [..., length] to decoder inputs [..., length, hidden]."""
        features: Tensor = self.decoder.get_input_embeddings()(ids)
        return features

    def cut_vocabulary(self, tokens: int) -> None:
        """Leaves the decoder no more than so many tokens; what is behind them can be neither asked nor answered."""
        head: nn.Linear = self.decoder.lm_head
        for module in (self.decoder.get_input_embeddings(), head):
            module.weight = nn.Parameter(module.weight[:tokens], requires_grad=False)
        if head.bias is not None:
            head.bias = nn.Parameter(head.bias[:tokens], requires_grad=False)
        self.decoder.config.vocab_size = min(tokens, self.decoder.config.vocab_size)

    def fill(self, weights: Mapping[str, Tensor], *, ties: bool) -> None:
        """Takes the weights as they are, without a copy; `ties` as in `Parts`."""
        head = {HEAD_WEIGHT: weights[EMBEDDING]} if ties else {}
        self.load_state_dict({**weights, **head}, assign=True)
        if ties:
            self.decoder.lm_head.weight = self.decoder.get_input_embeddings().weight
