"""Tokenizer and chat template of a checkpoint in its authors' layout as transformers' LLaVA has them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken
from tokenizers.pre_tokenizers import Metaspace

from mipha_eval.core.atomic import write_json, write_text
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.data.rows import list_of
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.samples import QUESTIONS
from mipha_eval.models.llava_style.prompt import IMAGE_END, IMAGE_MARK, IMAGE_START, IMAGE_TOKEN
from mipha_eval.models.settings import read_settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: the class that takes ``tokenizer.json`` as it is, under a name that versions before 5 know, too
AS_STORED = "PreTrainedTokenizerFast"

#: tokens with a part of their own
NAMED = ("bos_token", "eos_token", "unk_token", "pad_token")

TEMPLATE = (
    "{% if messages | length != 1 or messages[0]['role'] != 'user' %}"
    "{{ raise_exception('one question of a user is asked, without other turns') }}{% endif %}"
    "{% set content = messages[0]['content'] %}OPENING"
    "{% if content is string %}{{ content }}{% else %}"
    "{% for part in content if part['type'] == 'image' %}IMAGE{% endfor %}"
    "{% for part in content if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{% endif %}"
    "{% if add_generation_prompt %}CLOSING{% endif %}"
)


def with_image_token(source: LlavaSource) -> PreTrainedTokenizerBase:
    """The official tokenizer with a token for pieces of images.

    The official code tokenizes what stands before and behind an image each alone. A tokenizer of SentencePiece's kind begins
    each of these with a space, and may have to do so behind any token where the prompt is one text.
    """
    made = _with_token(source.tokenizer)
    begins: Any = made.backend_tokenizer.pre_tokenizer
    if isinstance(begins, Metaspace) and begins.prepend_scheme == "first" and not _agrees(source, made):
        begins.prepend_scheme = "always"
        made.backend_tokenizer.pre_tokenizer = begins
    return made


def _with_token(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    made = copy.deepcopy(tokenizer)
    made.add_tokens(AddedToken(IMAGE_MARK, special=True, normalized=False), special_tokens=True)
    return made


def _agrees(source: LlavaSource, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether it makes of whole prompts what the official code makes of their pieces."""
    image = tokenizer.get_vocab()[IMAGE_MARK]
    for question in QUESTIONS:
        whole = tokenizer(IMAGE_MARK.join(source.pieces(question, 1))).input_ids
        if whole != [image if token == IMAGE_TOKEN else token for token in source.ids(question, 1)]:
            return False
    return True


def with_single_bytes(tokenizer: JsonObject) -> JsonObject:
    """The tokenizer, in which a byte that is a letter of its own is decoded alone.

    The official code has SentencePiece decode, which replaces the bytes that are no UTF-8; ``tokenizers`` replaces a whole
    run of bytes with one such in it. No letter of several bytes has an ASCII one among them, so runs may end there.
    """
    decoder = tokenizer["decoder"]
    steps = list(list_of(decoder, "decoders")) if isinstance(decoder, Mapping) and "decoders" in decoder else []
    if {"type": "ByteFallback"} not in steps:
        return tokenizer
    place = steps.index({"type": "ByteFallback"})
    single: list[Json] = [
        {"type": "Replace", "pattern": {"String": f"<0x{byte:02X}>"}, "content": chr(byte)} for byte in range(128)
    ]
    return {**tokenizer, "decoder": {"type": "Sequence", "decoders": steps[:place] + single + steps[place:]}}


def chat_template(source: LlavaSource) -> str:
    """The checkpoint's conversation template as a template of transformers, for one question."""
    marks = source.parts.description.start_end
    image = f"{IMAGE_START}{IMAGE_MARK}{IMAGE_END}\n" if marks else f"{IMAGE_MARK}\n"
    pieces = {"OPENING": source.template.opening, "IMAGE": image, "CLOSING": source.template.closing}
    made = TEMPLATE
    for place, text in pieces.items():
        made = made.replace(place, f"{{{{ {json.dumps(text)} }}}}" if text else "")
    return made


def write_prompt(source: LlavaSource, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Writes ``tokenizer.json`` with its settings, and the chat template. Vocabularies lie there already."""
    made: JsonObject = json.loads(tokenizer.backend_tokenizer.to_str())
    write_json(folder / "tokenizer.json", with_single_bytes(made) if source.files.decodes_slowly else made)
    file = source.files.tokenizer_folder / "tokenizer_config.json"
    said: dict[str, Json] = dict(read_settings(file)) if file.is_file() else {}
    cleaned = bool(said.get("clean_up_tokenization_spaces", True))
    added: dict[str, Json] = {
        str(number): {
            "content": token.content,
            "lstrip": token.lstrip,
            "normalized": token.normalized,
            "rstrip": token.rstrip,
            "single_word": token.single_word,
            "special": token.special,
        }
        for number, token in sorted(tokenizer.added_tokens_decoder.items())
    }
    named = {name: str(token) for name in NAMED if (token := getattr(source.tokenizer, name)) is not None}
    own: dict[str, Json] = {
        "added_tokens_decoder": added,
        "clean_up_tokenization_spaces": cleaned,
        "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output": cleaned,
        "image_token": IMAGE_MARK,
        "padding_side": "left",
        "processor_class": "LlavaProcessor",
        "tokenizer_class": AS_STORED,
    }
    write_json(folder / "tokenizer_config.json", {**said, **named, **own})
    write_text(folder / "chat_template.jinja", chat_template(source))
