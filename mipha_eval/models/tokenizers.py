"""Tokenizers of transformers from a checkpoint's folder, and what is wrong with one that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import transformers
from transformers import AutoTokenizer

from mipha_eval.core.errors import UserError
from mipha_eval.models.error_line import reason
from mipha_eval.models.settings import read_settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: what a tokenizer may be made from, the first of them by all that were saved in the last years
SOURCES = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "vocab.txt", "spiece.model", "*.tiktoken")


def load_tokenizer(folder: Path, **settings: object) -> PreTrainedTokenizerBase:
    """The tokenizer, able to pad; `settings` are handed on to transformers. Raises UserError if there is no usable one."""
    try:
        tokenizer: PreTrainedTokenizerBase = _reader(folder)(folder, trust_remote_code=False, **settings)
    except Exception as error:  # whatever broken files lead to
        raise tokenizer_fault(folder, error) from error
    make_padding(tokenizer)
    return tokenizer


def _reader(folder: Path) -> Callable[..., PreTrainedTokenizerBase]:
    """What makes a tokenizer from a folder.

    Where there is nothing but a vocabulary, only the class that the settings name knows what to make of it; transformers'
    automatic choice goes by the model.
    """
    settings = folder / "tokenizer_config.json"
    if (folder / SOURCES[0]).is_file() or not settings.is_file():
        return AutoTokenizer.from_pretrained
    name = str(read_settings(settings).get("tokenizer_class", "")).removesuffix("Fast")
    owner = getattr(transformers, name, None)
    found: Callable[..., PreTrainedTokenizerBase] = getattr(owner, "from_pretrained", AutoTokenizer.from_pretrained)
    return found


def make_padding(tokenizer: PreTrainedTokenizerBase) -> None:
    """Gives a tokenizer something to pad with where it has nothing; padding is masked, whatever it is."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)


def tokenizer_fault(folder: Path, error: Exception) -> UserError:
    """What is wrong with a folder that no tokenizer can be read from, as an error to raise."""
    if not any(file for pattern in SOURCES for file in folder.glob(pattern)):
        found = f"{folder} has no tokenizer.json (nor {', '.join(SOURCES[1:4])})"
        return UserError(f"{found}; copy the tokenizer's files from the model that it was trained from")
    try:
        read_settings(folder / SOURCES[0])
    except UserError as damage:
        if (folder / SOURCES[0]).exists():
            return damage
    return UserError(f"{folder} has no usable tokenizer: {reason(error)}")
