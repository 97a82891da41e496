"""The tokenizer of a LLaVA of transformers without what was added for images, as its authors' layout has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from mipha_eval.core.atomic import write_json
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.rows import whole_of
from mipha_eval.models.conversion.native_prompt import NAMED
from mipha_eval.models.conversion.native_source import NativeSource
from mipha_eval.models.llava_style.prompt import IMAGE_PATCH
from mipha_eval.models.settings import read_settings

#: files that list tokens
LISTS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")

#: entries with many tokens, in a list or by numbers or names
TABLES = ("added_tokens_decoder", "added_tokens", "extra_special_tokens", "additional_special_tokens")

#: entries of transformers' processor and of this program
OTHERS = frozenset({"image_token", "image_token_id", "processor_class", "chat_template", "is_local", "local_files_only"})


def kept_rows(source: NativeSource) -> tuple[int, frozenset[str]]:
    """How many rows of the embedding were there before some were added for images, and which tokens were.

    What was made of an official checkpoint says it. Else these are the image's token and what stands behind it, where
    that is a token for padding or none.
    """
    tokens: Mapping[str, int] = source.chat.tokenizer.get_vocab()
    image, rows = source.config.image_token_index, whole_of(source.text.to_dict(), "vocab_size")
    mark = next((token for token, number in tokens.items() if number == image), "")
    if source.kept:
        before = min(rows, whole_of(source.kept, "vocab_size"))
        return before, frozenset({mark} if source.kept.get("image_token_added") else ())
    behind = frozenset(token for token, number in tokens.items() if number >= image)
    if behind <= {mark, str(source.chat.tokenizer.pad_token), IMAGE_PATCH}:
        return min(image, rows), behind
    return rows, frozenset()


def write_words(source: NativeSource, added: Collection[str], folder: Path) -> None:
    """Writes the lists of tokens without those that were added. Vocabularies lie there already.

    Where there is a vocabulary of SentencePiece, which the official code reads, it is the one that counts.
    """
    for name in LISTS:
        file = source.folder / name
        if file.is_file() and not (name == "tokenizer.json" and (source.folder / "tokenizer.model").is_file()):
            write_json(folder / name, _without(read_settings(file), added))
    file = folder / "tokenizer_config.json"
    if file.is_file():
        said: dict[str, Json] = {name: value for name, value in read_settings(file).items() if name not in OTHERS}
        own = source.kept.get("tokenizer_class")
        named: JsonObject = {"tokenizer_class": own} if own else {}
        write_json(file, {**_unsaid(source), **said, **named, **_padding(said, source)})


def _unsaid(source: NativeSource) -> JsonObject:
    """Where a SentencePiece tokenizer begins, and that it is today's, which transformers 5 leaves out where it saves one."""
    if not (source.folder / "tokenizer.model").is_file():
        return {}
    words = source.chat.tokenizer
    return {"add_bos_token": words.bos_token_id in words("?").input_ids[:1], "add_eos_token": False, "legacy": False}


def _padding(said: JsonObject, source: NativeSource) -> JsonObject:
    """A token for padding, where it was taken away: the one that LLaVA pads with."""
    if said.get("pad_token") is not None or not source.chat.tokenizer.unk_token:
        return {}
    return {"pad_token": str(source.chat.tokenizer.unk_token)}


def _without(said: JsonObject, added: Collection[str]) -> dict[str, Json]:
    """A list of tokens in any of the forms in which transformers and tokenizers store them."""
    made: dict[str, Json] = {}
    for name, value in said.items():
        if name in added or (name in NAMED and _content(value) in added):
            continue
        made[name] = _thinned(value, added) if name in TABLES else value
    return made


def _thinned(value: Json, added: Collection[str]) -> Json:
    if isinstance(value, Mapping):
        return {name: token for name, token in value.items() if _content(token) not in added}
    return [token for token in value if _content(token) not in added] if isinstance(value, list) else value


def _content(token: Json) -> str:
    return str(token.get("content")) if isinstance(token, Mapping) else str(token)
