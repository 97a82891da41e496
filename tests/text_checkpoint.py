"""A small random text model in transformers' own format, and small changes to checkpoints of any kind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tests.image_text_checkpoints import TEXT, tokenizer

transformers: Any = import_module("transformers")

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def text_model(folder: Path) -> Path:
    """A Llama of two small layers with the embedded model's tokenizer and a chat template."""
    torch.manual_seed(3)
    words = tokenizer()
    words.chat_template = "{% for message in messages %}USER: {{ message['content'] }}{% endfor %} ASSISTANT:"
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**TEXT, vocab_size=len(words)))
    model.generation_config.eos_token_id = 0
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def copied(source: Path, folder: Path) -> Path:
    """A copy that a test may change, whatever may be done to the source."""
    shutil.copytree(source, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Changes what ``model.safetensors`` holds."""
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


def noise(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Other weights of the same names and shapes."""
    generator = torch.Generator().manual_seed(5)
    return {
        name: (torch.randn(weight.shape, generator=generator) * 0.2).to(weight.dtype) for name, weight in weights.items()
    }


def add_shards(folder: Path, weights: dict[str, torch.Tensor], count: int = 2) -> list[Path]:
    """Writes `weights` as shards with an index beside whatever is there."""
    names = [f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)]
    places = {name: names[place % count] for place, name in enumerate(sorted(weights))}
    for file in names:
        save_file({name: weights[name] for name in places if places[name] == file}, folder / file, metadata={"format": "pt"})
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return [folder / file for file in names]
