"""A Mipha of the official size with random weights answers two pictures' questions: ``python -m bench.real_size``.

Shows that the real thing fits: seconds and peak memory of ``mipha-eval predict`` as a whole process, loading included. The
answers mean nothing, and end only at the limit of tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from bench.scoring import apart, measure
from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.plugins.registry import PACKAGE

TINY = PACKAGE / "demo/tiny"

TOWER = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "num_channels": 3,
    "image_size": 384,
    "patch_size": 14,
    "hidden_act": "gelu_pytorch_tanh",
    "layer_norm_eps": 1e-6,
    "mm_vision_select_layer": -2,
    "mm_vision_select_feature": "patch",
    "vision_model_name_or_path": "siglip-so400m-patch14-384",
}
PROJECTOR = {"mm_projector_type": "mlp2x_gelu", "mm_hidden_size": 1152, "hidden_size": 2560}
CONFIG: dict[str, Any] = {
    "model_type": "mipha_phi",
    "vision_config": {"vision_tower": TOWER, "mm_projector": PROJECTOR},
    "image_aspect_ratio": "pad",
    "vocab_size": 51200,
    "hidden_size": 2560,
    "intermediate_size": 10240,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
    "partial_rotary_factor": 0.4,
    "hidden_act": "gelu_new",
    "eos_token_id": 50256,
    "bos_token_id": 50256,
}
PIXELS = {
    "size": {"height": 384, "width": 384},
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
    "rescale_factor": 1 / 255,
    "resample": 3,
}
QUESTIONS = ("Is there a dog?", "Is it raining?", "Is there a car?", "Is a person there?", "Is it night?", "Is there a cup?")


def build(folder: Path, tokenizer: Path, dtype: str) -> None:
    """Writes a checkpoint in the official format, in shards, as the real one comes."""
    import torch
    from accelerate import init_empty_weights
    from huggingface_hub import save_torch_state_dict

    from mipha_eval.models.llava_style.layouts.mipha import MIPHA
    from mipha_eval.models.llava_style.network import VisionLanguageNetwork
    from mipha_eval.models.llava_style.parts import Parts

    parts = Parts.of(MIPHA, CONFIG)
    with init_empty_weights(include_buffers=False):
        shapes = {parts.official(name): each.shape for name, each in VisionLanguageNetwork(parts).state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in shapes.items():
        weight = torch.empty(shape, dtype=getattr(torch, dtype))
        if len(shape) > 1:
            weight.normal_(std=0.02, generator=generator)
        else:
            weight.fill_(float("norm" in name and name.endswith("weight")))
        weights[name] = weight
    folder.mkdir(parents=True)
    save_torch_state_dict(weights, folder, max_shard_size="2GB")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "preprocessor_config.json").write_text(json.dumps(PIXELS))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tokenizer / name).read_bytes())


def write_questions(folder: Path) -> None:
    """Two pictures with six questions each, in LLaVA's form."""
    from PIL import Image

    rows = []
    for number, colour in enumerate(("white", "navy")):
        Image.new("RGB", (640, 480), colour).save(folder / f"{number}.png")
        rows += [
            {"question_id": f"{number}-{place}", "image": f"{number}.png", "text": f"{question}\n{SHORT_ANSWER}"}
            for place, question in enumerate(QUESTIONS)
        ]
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="folder for the checkpoint, which stays there; else it is temporary")
    parser.add_argument(
        "--tokenizer", type=Path, default=TINY, help="folder with a tokenizer; Phi-2's gives real prompt lengths"
    )
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--max-new-tokens", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = (given.work or folder) / f"mipha-{given.dtype}"
        if not checkpoint.is_dir():
            apart(build, checkpoint, given.tokenizer, given.dtype)
        write_questions(folder)
        files: list[str | Path] = [
            "--questions",
            folder / "questions.jsonl",
            "--image-folder",
            folder,
            "--answers",
            folder / "answers.jsonl",
        ]
        model = ["--model", "mipha", "-a", f"path={checkpoint}", "--dtype", given.dtype, "--device", "cpu"]
        limits = ["--max-new-tokens", str(given.max_new_tokens), "--threads", str(given.threads)]
        measure(f"predict, 2 pictures x 6 questions, {given.dtype}", ["predict", *files, *model, *limits])


if __name__ == "__main__":
    main()
