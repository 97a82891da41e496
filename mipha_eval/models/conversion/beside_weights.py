"""The files of a checkpoint beside its weights."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.models.fingerprint import settings_files

#: weights in any format, what a training goes on from, and what is half written
LEFT = frozenset(
    {".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".pb", ".npz", ".npy"}
    | {".pkl", ".pickle", ".distcp", ".lock", ".tmp", ".incomplete"}
)


def beside_weights(folder: Path) -> set[Path]:
    """What is copied: configurations, vocabularies, texts; of folders in it, only what transformers looks for."""
    own = {file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")}
    kept = {file for file in own if file.suffix not in LEFT and not file.name.endswith(".index.json")}
    return kept | settings_files(folder)
