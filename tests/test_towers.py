"""Vision towers against transformers' own models, for every layer; DINOv2's positions against an older transformers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    Dinov2Model,
    SiglipVisionConfig,
    SiglipVisionModel,
    ViTConfig,
    ViTModel,
)

from mipha_eval.models.llava_style.towers import TOWERS, tower_named
from mipha_eval.models.llava_style.towers.positions import interpolated
from mipha_eval.models.llava_style.towers.tower import TowerShape

COMMON: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_channels": 3,
    "patch_size": 7,
}
COMMON |= {"image_size": 28, "hidden_act": "gelu"}
FED = {"intermediate_size": 24, "layer_norm_eps": 1e-5}

#: configuration and model of transformers, and what only this family has
MODELS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "siglip": (SiglipVisionConfig, SiglipVisionModel, FED),
    "clip": (CLIPVisionConfig, CLIPVisionModel, {**FED, "hidden_act": "quick_gelu"}),
    "dinov2": (Dinov2Config, Dinov2Model, {"mlp_ratio": 2, "layerscale_value": 0.7}),
    "dinov2-giant": (Dinov2Config, Dinov2Model, {"mlp_ratio": 4, "layerscale_value": 0.7, "use_swiglu_ffn": True}),
    "vit": (ViTConfig, ViTModel, FED),
}

#: names of weights before transformers 5
OLD: dict[str, list[tuple[str, str]]] = {
    "dinov2": [
        (".attention.q_proj.", ".attention.attention.query."),
        (".attention.k_proj.", ".attention.attention.key."),
        (".attention.v_proj.", ".attention.attention.value."),
        (".attention.o_proj.", ".attention.output.dense."),
    ],
}
OLD["vit"] = [
    *OLD["dinov2"],
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
    ("layers.", "encoder.layer."),
]


def random_model(name: str) -> Any:
    configuration, owner, own = MODELS[name]
    torch.manual_seed(1)
    model = owner(configuration(**{**COMMON, **own})).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape) * 0.2)
    return model


def old_names(name: str, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    found = {}
    for key, weight in weights.items():
        changed = key
        for new, old in OLD.get(name.partition("-")[0], []):
            changed = changed.replace(new, old)
        found[changed] = weight
    return found


@pytest.mark.parametrize("rename", [old_names, lambda name, weights: weights], ids=["old names", "new names"])
@pytest.mark.parametrize("layers", range(4))
@pytest.mark.parametrize("name", MODELS)
def test_hidden_states(name: str, layers: int, rename: Callable[..., dict[str, torch.Tensor]]) -> None:
    model, kind = random_model(name), tower_named(name)
    config = {**model.config.to_dict(), "num_hidden_layers": 3}
    shape = TowerShape(config, layers, (28, 28), "sdpa")
    ours = kind.build(shape)
    ours.train(False)
    weights: dict[str, torch.Tensor] = {}
    for key, weight in rename(name, model.state_dict()).items():
        stored = key.removeprefix("vision_model.")
        if not kind.is_dead(stored, layers):
            weights |= {module: change(weight) for module, change in kind.pieces(stored, shape).items()}
    ours.load_state_dict(weights)
    pixels = torch.randn(2, 3, 28, 28)
    with torch.inference_mode():
        wanted = model(pixels, output_hidden_states=True).hidden_states[layers]
        assert torch.allclose(kind.read(ours, pixels), wanted, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_tower_is_known_by_its_weights(name: str) -> None:
    """Where the configuration gives it a name that says nothing; the marks of the others are not in it."""
    weights = [key for old in (old_names, lambda _, kept: kept) for key in old(name, random_model(name).state_dict())]
    assert tower_named("our-own", weights) is tower_named(name)
    assert sum(any(weight.endswith(tower.mark) for weight in weights) for tower in TOWERS) == 1


POSITIONS: dict[tuple[int, int], list[float]] = {
    (4, 4): [
        *(0.0, 0.89059, -0.36352, -0.77149, 0.67672, 0.05135, -0.98485, 0.4603, 0.63487, -0.91631, 0.00404, 0.98753),
        *(-0.46756, -0.36825, 0.91882, -0.08347, -0.75489),
    ],
    (3, 6): [
        *(0.0, 0.96752, 0.24256, -0.73069, -0.78075, 0.17109, 0.92173, -0.4245, -0.94419, -0.36955, 0.73413, 0.86961),
        *(-0.1106, -0.74711, 0.24725, 0.9222, 0.39977, -0.62211, -0.86415),
    ],
}


@pytest.mark.parametrize("grid", POSITIONS)
def test_positions_are_interpolated_as_before_transformers_5(grid: tuple[int, int]) -> None:
    """Numbers of ``Dinov2Embeddings.interpolate_pos_encoding`` in transformers 4.38.2, a feature a position."""
    old = torch.arange(26 * 4).reshape(1, 26, 4).float().mul(0.37).sin()
    made = interpolated(old, grid)
    assert made.shape == (1, 1 + grid[0] * grid[1], 4)
    assert made[0, :, 0].tolist() == pytest.approx(POSITIONS[grid], abs=2e-5)
