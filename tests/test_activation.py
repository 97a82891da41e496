"""Our GELU against transformers' two forms of it, in double precision and where it stands in a model."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoModel, SiglipVisionConfig
from transformers.activations import GELUTanh, NewGELUActivation

from mipha_eval.models.activation import TanhGelu, replace_activations


@pytest.mark.parametrize("shape", [(1001,), (3, 7), (2, 130, 50), (1, 1, 1)])
def test_equals_both_forms(shape: tuple[int, ...]) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 5
    values = values if values.ndim > 1 else values[:, None]
    with torch.inference_mode():
        exact = torch.nn.functional.gelu(values.double(), approximate="tanh")
        for form in (TanhGelu(), NewGELUActivation(), GELUTanh()):
            assert (form(values) - exact).abs().max() < 2e-6


def test_extremes_are_finite() -> None:
    values = torch.tensor([[0.0, -0.0, 1e-30, 80.0, -80.0, 1e4, -1e4]])
    with torch.inference_mode():
        assert TanhGelu()(values).tolist() == [[0.0, 0.0, pytest.approx(5e-31), 80.0, 0.0, 1e4, 0.0]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_types_are_torchs_own(dtype: torch.dtype) -> None:
    values = torch.linspace(-6, 6, 99).to(dtype)[None]
    assert torch.equal(TanhGelu()(values), torch.nn.functional.gelu(values, approximate="tanh"))


def test_all_of_a_model_are_replaced() -> None:
    config = SiglipVisionConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2)
    auto: Any = AutoModel
    model = auto.from_config(config)
    replace_activations(model)
    kinds = [type(module) for module in model.modules() if "gelu" in type(module).__name__.lower()]
    assert kinds
    assert set(kinds) == {TanhGelu}
