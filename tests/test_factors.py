"""What a checkpoint's configuration says of how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mipha_eval.models.factors import checkpoint_factors, trained_parts
from tests.conftest import Cli, read_json, shared_folder


def nested(**keys: Any) -> dict[str, Any]:
    """As Mipha's and LLaVA-Phi's trainers write it."""
    tower = {"vision_model_name_or_path": "google/siglip-so400m-patch14-384", "image_size": 384}
    return {"vision_config": {"vision_tower": tower, "mm_projector": {"mm_projector_type": "mlp2x_gelu"}}, **keys}


#: keys that a trainer writes -> what it trained, by reading its code
TRAINED: list[tuple[dict[str, Any], dict[str, str], str]] = [
    # zhuyiche/llava-phi: scripts/mipha/finetune.sh; freeze_backbone is not written
    (
        nested(freeze_vision_tower=False, tune_mm_mlp_adapter=True),
        {"tower": "full", "projector": "full"},
        "tower, projector, language model?",
    ),
    (
        nested(freeze_vision_tower=True, tune_mm_mlp_adapter=True),
        {"tower": "frozen", "projector": "full"},
        "projector, language model?",
    ),
    (
        nested(freeze_vision_tower=True, tune_mm_mlp_adapter=False),
        {"tower": "frozen", "projector": "frozen"},
        "language model?",
    ),
    (
        nested(freeze_vision_tower=True, tune_mm_mlp_adapter=True, freeze_backbone=True),
        {"tower": "frozen", "projector": "full", "language model": "frozen"},
        "projector",
    ),
    (
        nested(freeze_vision_tower=False, tune_mm_mlp_adapter=True, freeze_backbone=False),
        {"tower": "full", "projector": "full", "language model": "full"},
        "all",
    ),
    # haotian-liu/LLaVA: the same key stands for the projector alone
    (
        {"tune_mm_mlp_adapter": True, "freeze_mm_mlp_adapter": False, "unfreeze_mm_vision_tower": False},
        {"tower": "frozen", "projector": "full", "language model": "frozen"},
        "projector",
    ),
    (
        {"tune_mm_mlp_adapter": False, "freeze_mm_mlp_adapter": False, "unfreeze_mm_vision_tower": False},
        {"tower": "frozen", "projector": "full", "language model": "full"},
        "projector, language model",
    ),
    (
        {"tune_mm_mlp_adapter": False, "freeze_mm_mlp_adapter": True},
        {"projector": "frozen", "language model": "full"},
        "tower?, language model",
    ),
    # BAAI-DCAI/Bunny
    (
        {"tune_mm_mlp_adapter": False, "freeze_mm_mlp_adapter": False, "unfreeze_vision_tower": True},
        {"tower": "full", "projector": "full", "language model": "full"},
        "all",
    ),
    # LLaVA-NeXT
    (
        {"mm_tunable_parts": "mm_vision_tower,mm_mlp_adapter,mm_language_model", "tune_mm_mlp_adapter": True},
        {"tower": "full", "projector": "full", "language model": "full"},
        "all",
    ),
    (
        {"mm_tunable_parts": "mm_mlp_adapter"},
        {"tower": "frozen", "projector": "full", "language model": "frozen"},
        "projector",
    ),
    # TinyLLaVA Factory
    (
        {"tune_type_llm": "lora", "tune_type_vision_tower": "partially-tune", "tune_type_connector": "full"},
        {"tower": "partly", "projector": "full", "language model": "LoRA"},
        "tower (partly), projector, language model (LoRA)",
    ),
    (
        {"tune_type_llm": "frozen", "tune_type_vision_tower": "frozen", "tune_type_connector": "frozen"},
        {"tower": "frozen", "projector": "frozen", "language model": "frozen"},
        "none",
    ),
]


@pytest.mark.parametrize(("config", "parts", "told"), TRAINED)
def test_trained_parts(config: dict[str, Any], parts: dict[str, str], told: str) -> None:
    assert trained_parts(config) == parts
    found = checkpoint_factors(config)
    assert found["trained"] == told
    assert {key: state for key, state in found.items() if key.endswith("_tuning")} == {
        f"{part.replace(' ', '_')}_tuning": state for part, state in parts.items()
    }


def test_lora() -> None:
    """The adapter's own file says the rank; without one there is no LoRA in the checkpoint."""
    config = nested(freeze_vision_tower=True, tune_mm_mlp_adapter=True)
    found = checkpoint_factors(config, {"r": 64, "lora_alpha": 16})
    assert (found["lora_rank"], found["language_model_tuning"]) == ("64", "LoRA")
    assert found["trained"] == "projector, language model (LoRA)"
    assert checkpoint_factors(config)["lora_rank"] == "none"
    assert checkpoint_factors({**config, "lora_enable": True, "lora_r": 8})["lora_rank"] == "8"
    assert "lora_rank" not in checkpoint_factors({**config, "lora_enable": True})


def test_names_of_parts() -> None:
    found = checkpoint_factors(nested(image_aspect_ratio="pad"))
    assert found["tower_name"] == "siglip-so400m-patch14-384"
    assert (found["resolution"], found["projector"], found["aspect"]) == ("384", "mlp2x_gelu", "pad")
    flat: dict[str, Any] = {"mm_vision_tower": "/ckpts/openai/clip-vit-large-patch14-336/", "mm_vision_select_layer": -2}
    found = checkpoint_factors({**flat, "mm_projector_type": "mlp2x_gelu"})
    assert (found["tower_name"], found["select_layer"]) == ("clip-vit-large-patch14-336", "-2")
    assert "resolution" not in found


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"hidden_size": 8},
        {"vision_config": None, "mm_vision_tower": None},
        {"vision_config": {"vision_tower": "x", "mm_projector": 3}, "tune_mm_mlp_adapter": "yes"},
        {"mm_tunable_parts": "", "tune_type_llm": 3, "freeze_vision_tower": None},
    ],
)
def test_what_is_not_told_is_not_there(config: dict[str, Any]) -> None:
    assert checkpoint_factors(config) == {}


@pytest.mark.parametrize(
    ("variant", "made"),
    [
        ("clip_phi2", {"tower": "CLIP", "language_model": "Phi-2", "tower_name": "clip-vit-large-patch14-336"}),
        ("siglip_gemma", {"tower": "SigLIP", "language_model": "Gemma", "projector": "mlp2x_gelu"}),
        ("siglip_phi15", {"tower": "SigLIP", "language_model": "Phi-1.5", "trained": "tower, projector, language model?"}),
        ("siglip_phi2_layer_pos2_mlp3", {"projector": "mlp3x_gelu", "select_layer": "2", "language_model": "Phi-2"}),
        ("siglip_phi2_gpt2tok_square", {"aspect": "square", "resolution": "56", "image_tokens": "16"}),
    ],
)
def test_a_run_stores_the_factors_of_its_checkpoint(variant: str, made: dict[str, str], tmp_path: Path, cli: Cli) -> None:
    checkpoint = shared_folder("fixtures/mipha_variants", "MIPHA_EVAL_PARITY_VARIANTS") / variant / "checkpoint"
    run = ("run", "--model", "mipha", "-a", f"path={checkpoint}", "--tasks", "pope", "--data", "demo", "--limit", 2)
    cli(*run, "--output", tmp_path)  # random weights: most answers are unparsed
    (manifest,) = tmp_path.glob("*/manifest.json")
    about = read_json(manifest)["about"]
    assert {key: about[key] for key in made} == made
