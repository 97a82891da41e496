"""``mipha-eval inspect``: what it tells of a checkpoint is what the loaded model has, and no weight is read for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from mipha_eval.models.weight_reader import WeightReader
from tests.conftest import Cli, read_json
from tests.image_text_checkpoints import llava
from tests.test_mipha_variants import FOLDERS, adapter_of, known
from tests.text_checkpoint import text_model

VARIANTS = sorted(FOLDERS)


def inspect(cli: Cli, folder: Path, *options: object) -> tuple[int, dict[str, Any], str]:
    beside = {"vision_tower": folder.parent / "tower", "base": folder.parent / "base"}
    given = [f"-a{name}={path}" for name, path in beside.items() if path.is_dir()]
    outcome = cli("inspect", folder, *given, *options, "--device", "cpu", "--allow-bin", "--json")
    return outcome.code, json.loads(outcome.out), outcome.err


@pytest.mark.parametrize("name", VARIANTS or [""])
def test_what_is_told_is_what_is_loaded(name: str, cli: Cli) -> None:
    variant = known(name)
    folder = variant.folder / "checkpoint"
    adapter = adapter_of(folder)
    code, found, _ = inspect(cli, folder, *([f"-atemplate={adapter.template}"] if adapter.template else []))
    assert (code, found["runs"], found["refused"]) == (0, True, None)
    assert found["model"] == adapter.name
    assert found["picture"]["tokens"] == adapter.patches
    assert found["digests"]["weights"] == adapter.describe()["weights"]
    alive = sum(weight.numel() for weight in adapter.network.parameters())
    if not adapter.files.layout.cuts_vocabulary:
        assert found["weights"]["parameters"]["total"] == alive
    if found["prompt"]["template"] in ("v0", "phi", "vicuna_v1", "gemma", "bunny", "llava_v1"):
        assert found["prompt"]["text"] == variant.answers[0]["prompt"].replace(
            variant.answers[0]["question"], "What is in the picture?"
        )


def test_no_weight_is_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = known("siglip_phi2_control").folder / "checkpoint"

    def fail(*_: object) -> None:
        raise AssertionError("a weight was read")

    monkeypatch.setattr(WeightReader, "read", fail)
    assert inspect(cli, folder)[1]["runs"]


def test_missing_and_left_over_weights(cli: Cli, tmp_path: Path) -> None:
    source = known("siglip_phi2_control").folder / "checkpoint"
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(source / "model.safetensors")
    gone = ["lm_head.bias", "model.mm_projector.0.weight"]
    changed = {name: weight for name, weight in weights.items() if name not in gone}
    save_file({**changed, "model.layers.9.mlp.fc1.bias": weights["lm_head.bias"].clone()}, tmp_path / "model.safetensors")
    code, found, error = inspect(cli, tmp_path, "--no-digest")
    assert code == 2
    assert found["weights"]["missing"]["count"] == 2
    assert found["weights"]["left_over"]["count"] == 1
    assert found["refused"] in error
    assert error.count("error: ") == 1
    assert found["picture"]["tokens"] == 16, "what can be told is told"


def test_models_of_transformers(cli: Cli, tmp_path: Path) -> None:
    code, found, _ = inspect(cli, llava(tmp_path / "llava"))
    assert (code, found["model"]) == (0, "hf-chat")
    assert found["prompt"]["picture_tokens"] == 16
    assert found["weights"]["stored_numbers"]["tower"] > 0
    code, found, _ = inspect(cli, text_model(tmp_path / "text"))
    assert (code, found["model"]) == (0, "hf-text")
    stored = load_file(tmp_path / "text/model.safetensors")
    assert found["weights"]["stored_numbers"]["total"] == sum(weight.numel() for weight in stored.values())


def test_lines_for_people(cli: Cli) -> None:
    outcome = cli("inspect", known("siglip_gemma").folder / "checkpoint", "--device", "cpu")
    assert outcome.code == 0
    assert "the model mipha runs it" in outcome.out
    assert "mipha-eval run --tasks mme --model mipha -a path=" in outcome.out


#: what a key of config.json may be by mistake
ODD = ["", "x", -1, 0, 10**9, 0.5, [], {}, None, True]


@pytest.mark.parametrize("name", ["llava15_native_tower_outside", "siglip_phi2_control"])
def test_odd_settings_are_one_line(name: str, cli: Cli, tmp_path: Path) -> None:
    """Every key of config.json gone, or another thing: it can be told, or it is refused in a line."""
    source = known(name).folder / "checkpoint"
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = read_json(source / "config.json")
    tower = [f"-avision_tower={source.parent / 'tower'}"] if (source.parent / "tower").is_dir() else []
    for number, key in enumerate(config):
        for value in (..., ODD[number % len(ODD)], ODD[(number + 3) % len(ODD)]):
            changed = {other: each for other, each in config.items() if other != key}
            (tmp_path / "config.json").write_text(json.dumps(changed if value is ... else {**changed, key: value}))
            outcome = cli("inspect", tmp_path, *tower, "--device", "cpu", "--no-digest", "--json")
            assert outcome.code in (0, 2), (key, value, outcome.err)
            assert "Traceback" not in outcome.err, (key, value)
            if outcome.code == 2:
                assert outcome.err.strip().splitlines()[-1].startswith("error: "), (key, value)
