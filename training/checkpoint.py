"""Mipha-Tiny's configuration, and writing a network as an official Mipha checkpoint (fp16 safetensors)."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from mipha_eval.core.json_value import Json
from mipha_eval.demo.scenes import SIZE
from mipha_eval.models.llava_style.layouts.mipha import MIPHA
from mipha_eval.models.llava_style.network import VisionLanguageNetwork
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.templates import END_OF_TEXT


def tiny_config(vocabulary: int) -> dict[str, Json]:
    """The official ``config.json`` of a Mipha with 3.1 million weights that are alive."""
    tower: dict[str, Json] = {
        "model_type": "mipha_vision_model",
        "vision_model_name_or_path": "mipha-tiny-siglip",
        "hidden_size": 128,
        "intermediate_size": 512,
        "num_hidden_layers": 5,
        "num_attention_heads": 4,
        "num_channels": 3,
        "image_size": SIZE,
        "patch_size": 16,
        "hidden_act": "gelu_pytorch_tanh",
        "layer_norm_eps": 1e-6,
        "attention_dropout": 0.0,
        "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch",
    }
    projector: dict[str, Json] = {
        "model_type": "mipha_projector",
        "mm_projector_type": "mlp2x_gelu",
        "mm_hidden_size": 128,
        "hidden_size": 192,
    }
    return {
        "architectures": ["MiphaPhiForCausalLM"],
        "model_type": "mipha_phi",
        "hidden_size": 192,
        "intermediate_size": 768,
        "num_hidden_layers": 4,
        "num_attention_heads": 6,
        "num_key_value_heads": 6,
        "hidden_act": "gelu_new",
        "layer_norm_eps": 1e-5,
        "partial_rotary_factor": 0.5,
        "rope_theta": 10000.0,
        "max_position_embeddings": 2048,
        "vocab_size": vocabulary,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "tie_word_embeddings": False,
        "image_aspect_ratio": "pad",
        "mm_use_im_start_end": False,
        "mm_use_im_patch_token": False,
        "torch_dtype": "float16",
        "vision_config": {"vision_tower": tower, "mm_projector": projector},
    }


def save_checkpoint(network: VisionLanguageNetwork, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes weights, configuration, tokenizer and preprocessor settings.

    The parts of the tower that no answer depends on (last layer, final norm, pooling head) are not written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = Parts.of(MIPHA, tiny_config(tokenizer.get_vocab_size()))
    weights = {parts.official(name): value.half().contiguous() for name, value in network.state_dict().items()}
    broken = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if broken:
        raise ValueError(f"weights are not finite: {', '.join(broken[:3])}")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    texts = {
        "config.json": tiny_config(tokenizer.get_vocab_size()),
        "preprocessor_config.json": PREPROCESSOR,
        "tokenizer_config.json": TOKENIZER_SETTINGS,
        "special_tokens_map.json": dict.fromkeys(("bos_token", "eos_token", "unk_token"), END_OF_TEXT),
    }
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


PREPROCESSOR = {
    "image_processor_type": "SiglipImageProcessor",
    "do_resize": True,
    "size": {"height": SIZE, "width": SIZE},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
TOKENIZER_SETTINGS = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": END_OF_TEXT,
    "eos_token": END_OF_TEXT,
    "unk_token": END_OF_TEXT,
    "pad_token": None,
    "model_max_length": 2048,
    "clean_up_tokenization_spaces": False,
}
