"""What identifies a checkpoint: a digest over the bytes of every file that is read from it, and of no other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.models.weights import index_file, weight_files

#: files beside the weights that transformers looks for: configurations, and what tokenizers of any family are read from;
#: those with a version in their name, such as ``config.5.0.json``, where the one without it asks for them
SETTINGS = (
    *("config.json", "config.[0-9]*.json", "generation_config.json"),
    *("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json", "audio_tokenizer_config.json"),
    *("chat_template.json", "chat_template.jinja", "additional_chat_templates/*.jinja"),
    *("tokenizer.json", "tokenizer.[0-9]*.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *(
        "*vocab*.json",
        "*vocab*.txt",
        "merges.txt",
        "dict.txt",
        "*.model",
        "*.spm",
        "tokenizer.model.*",
        "*.tiktoken",
        "tekken.json",
    ),
    *("bpe.codes", "byte_maps.json", "prophetnet.tokenizer", "emoji.json", "normalizer.json"),
    *("word_shape.json", "word_pronunciation.json"),
)

#: what is fetched of a hub repository
WANTED_FILES = (*SETTINGS, "adapter_config.json", "*.safetensors", "*.safetensors.index.json")

#: device, inode, size and time of change of a file, by which it is seen whether it was written or replaced
Stamp = tuple[int, int, int, int]


def read_files(folder: Path, *, pickled: bool = False) -> list[Path]:
    """All files of a checkpoint that are read. Raises UserError where its weights are not all there."""
    index = index_file(folder, pickled=pickled)
    weights = set(weight_files(folder, pickled=pickled))
    return sorted(settings_files(folder) | weights | ({index} if index else set()))


def settings_files(folder: Path) -> set[Path]:
    """Files beside the weights that are read."""
    return {file for pattern in SETTINGS for file in folder.glob(pattern) if file.is_file()}


def fingerprint(folder: Path, files: Iterable[Path] | None = None) -> str:
    """Identifies a checkpoint by all that decides its answers: configuration, tokenizer, preprocessor and every weight."""
    digest = hashlib.sha256()
    for file in read_files(folder) if files is None else files:
        try:
            digest.update(f"{file.relative_to(folder).as_posix()}:{file.stat().st_size}".encode())
            with file.open("rb") as content:
                while part := content.read(1 << 22):
                    digest.update(part)
        except OSError as error:
            raise UserError(f"cannot read {file}: {error.strerror}") from error
    return digest.hexdigest()[:16]


def stamps(files: Iterable[Path]) -> dict[Path, Stamp]:
    """By which it is seen later whether a file was written or replaced meanwhile."""
    return {file: stamp for file in files if (stamp := _stamp(file))}


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:  # taken away since it was listed
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def check_unchanged(files: Iterable[Path], before: Mapping[Path, Stamp]) -> None:
    """Raises UserError if a file was written, replaced, added or taken away since `before`."""
    now = stamps(files)
    changed = sorted(file for file in now.keys() | before.keys() if now.get(file) != before.get(file))
    if changed:
        what = f"{changed[0]} changed while the model was loaded"
        raise UserError(f"{what}; wait until the checkpoint is complete, then run again")
