"""Loading takes the memory of the weights and little more, whatever files they are in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import read_json
from tests.test_mipha_variants import known

#: runs in a process of its own: bytes that were taken beyond what the program itself takes, and bytes of the weights
MEASURE = """
import json, resource, sys
from mipha_eval.core.plugins.registry import Registry
owner, _ = Registry().load("model_adapters", "mipha")
adapter = owner(path=sys.argv[1], device="cpu", dtype=sys.argv[2], allow_bin=True, **json.loads(sys.argv[3]))
_ = adapter.outline
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
network = adapter.network
print(json.dumps([peak() - before, sum(each.numel() * each.element_size() for each in network.parameters())]))
"""

#: what an allocator may keep beside what it was asked for
SLACK = 24 << 20

WIDE = {"hidden_size": 512, "intermediate_size": 2048, "vocab_size": 24000, "num_hidden_layers": 4}


def large(folder: Path) -> dict[str, torch.Tensor]:
    """A checkpoint of some 80 MB in half precision: a small one's settings, wider."""
    source = known("siglip_phi2_control").folder / "checkpoint"
    folder.mkdir()
    for file in source.iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    config = {**read_json(source / "config.json"), **WIDE}
    config["vision_config"]["mm_projector"]["hidden_size"] = WIDE["hidden_size"]
    (folder / "config.json").write_text(json.dumps(config))
    small = load_file(source / "model.safetensors")
    sizes = {48: 512, 96: 2048, 960: 24000}
    weights = {}
    for name, weight in small.items():
        decoder = "vision_tower" not in name
        shape = [sizes.get(length, length) if decoder and not (length == 48 and "0.weight" in name and place) else length
                 for place, length in enumerate(weight.shape)]  # fmt: skip
        if name == "model.mm_projector.0.weight":
            shape = [512, 32]
        weights[name] = torch.full(shape, 0.01, dtype=torch.float16)
    layer = {name: weight for name, weight in weights.items() if "model.layers.2." in name}
    weights |= {name.replace("layers.2.", "layers.3."): weight.clone() for name, weight in layer.items()}
    return weights


def measured(folder: Path, dtype: str, **options: str) -> tuple[int, int]:
    command = [sys.executable, "-c", MEASURE, str(folder), dtype, json.dumps(options)]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    taken, weights = json.loads(made.stdout.splitlines()[-1])
    return taken, weights


def one_file(weights: dict[str, torch.Tensor], folder: Path) -> None:
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def shards(weights: dict[str, torch.Tensor], folder: Path) -> None:
    names = sorted(weights)
    named: dict[str, str] = {}
    for number in range(3):
        own = {name: weights[name] for name in names[number::3]}
        save_file(own, folder / f"model-{number}.safetensors", metadata={"format": "pt"})
        named |= dict.fromkeys(own, f"model-{number}.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": named}))


def pickled(weights: dict[str, torch.Tensor], folder: Path) -> None:
    torch.save(weights, folder / "pytorch_model.bin")


@pytest.mark.parametrize(("form", "dtype"), [(one_file, "float16"), (shards, "float32"), (pickled, "float16")])
def test_no_more_than_the_weights_and_a_tenth(form: Any, dtype: str, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    form(large(folder), folder)
    taken, weights = measured(folder, dtype)
    assert weights > 70e6
    assert taken <= 1.1 * weights + SLACK
