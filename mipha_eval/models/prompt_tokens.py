"""A prompt as the network reads it: its tokens, and what stands for pictures among them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mipha_eval.core.errors import RequestError
from mipha_eval.core.types import Request
from mipha_eval.models.forward_inputs import tensor_of
from mipha_eval.models.image_text_adapter import ImageTextAdapter
from mipha_eval.models.llava_style.prompt import IMAGE_MARK
from mipha_eval.models.prefix import Prefix
from mipha_eval.models.template import ANY_QUESTION
from mipha_eval.models.transformers_adapter import TransformersAdapter

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: whatever its pictures are made to
AnyAdapter: TypeAlias = TransformersAdapter[Any]

#: spaces between a template's parts, at most
BETWEEN = 4


@dataclass(frozen=True)
class PromptTokens:
    """A prompt about pictures.

    Attributes:
        ids: in order, what stands for pictures among them.
        texts: of each id what it says.
        pictures: those of the ids that stand for pictures; empty where the network puts pictures in by itself.
        length: positions that it takes, those of pictures among them.
    """

    ids: tuple[int, ...]
    texts: tuple[str, ...]
    pictures: frozenset[int]
    length: int

    @property
    def picture_places(self) -> list[int]:
        """Where the ids are that stand for pictures."""
        return [place for place, token in enumerate(self.ids) if token in self.pictures]


@dataclass(frozen=True)
class TokenFacts:
    """What a model's tokenizer, template and settings say of every prompt.

    Attributes:
        begin: the token that a text begins with; None for none.
        adds_begin: whether the tokenizer puts it before a text by itself.
        writes_begin: whether the chat template writes it.
        ends: the tokens that end an answer, as texts by their ids.
        turn_end: the special token, with its text, that the template writes behind an answer; None where it writes none, or
            nobody can tell.
        marks: how many marks of pictures the template writes for one; None where it writes none or nobody can tell.
        positions: tokens that a prompt and its answer may have; None where there is no such number.
    """

    begin: int | None
    adds_begin: bool
    writes_begin: bool
    ends: dict[int, str]
    turn_end: tuple[int, str] | None
    marks: int | None
    positions: int | None


def prompt_tokens(adapter: AnyAdapter, request: Request) -> PromptTokens:
    """The prompt of a request. Reads its pictures, and the weights if they are not read yet.

    Raises:
        RequestError: it cannot be made, or goes in as embeddings alone.
    """
    pixels = adapter.read_images(request.images)
    prompt = adapter.prompt(request, pixels) if not request.template else None
    if prompt is None:  # of which ids and pictures do not say everything
        made = tensor_of(adapter.whole_inputs([request]), "input_ids")
        if made is None:
            raise RequestError("the prompt goes in as embeddings, without ids")
        ids = tuple(made[0].tolist())
    else:
        ids = prompt.ids
    pictures = frozenset(token for token in ids if token < 0 or token in _placeholders(adapter))
    read = sum(token not in pictures for token in ids) if adapter.limits.three_axes else None
    length = adapter.prefix_length(Prefix(ids, pixels, 0)) if read is None else read
    texts = tuple(IMAGE_MARK if token < 0 else str(adapter.tokenizer.decode([token])) for token in ids)
    return PromptTokens(ids, texts, pictures, length)


def token_facts(adapter: AnyAdapter) -> TokenFacts:
    """What is the same for every prompt; reads the weights if they are not read yet."""
    tokenizer = adapter.tokenizer
    chat = adapter.chat if isinstance(adapter, ImageTextAdapter) else None
    begin = tokenizer.bos_token_id
    text = chat.render(ANY_QUESTION, 1) if chat else ""
    return TokenFacts(
        begin=begin,
        adds_begin=begin is not None and list(tokenizer(ANY_QUESTION).input_ids[:1]) == [begin],
        writes_begin=begin is not None and text.startswith(str(tokenizer.bos_token)),
        ends={token: str(tokenizer.convert_ids_to_tokens(token)) for token in sorted(adapter.ends)},
        turn_end=_special(tokenizer, chat.behind_answer()) if chat else None,
        marks=text.count(chat.marks.mark) if chat and chat.marks.written else None,
        positions=adapter.limits.positions,
    )


def _placeholders(adapter: AnyAdapter) -> Collection[int]:
    own = {adapter.chat.image_token} if isinstance(adapter, ImageTextAdapter) else set[int]()
    return {*adapter.limits.placeholders, *own}


def _special(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[int, str] | None:
    """The token that a text begins with, spaces aside, if it is none of the words."""
    ids = list(tokenizer(text, add_special_tokens=False).input_ids[:BETWEEN]) if text else []
    token = next((token for token in ids if str(tokenizer.decode([token])).strip()), None)
    added = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    return (token, str(tokenizer.convert_ids_to_tokens(token))) if token in added and token is not None else None
