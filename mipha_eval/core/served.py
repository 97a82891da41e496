"""What a server says of an answer, beside the answer."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

from mipha_eval.core.record import Count

Money = Annotated[float, Meta(ge=0, le=1e12)]


class Served(Struct, frozen=True, omit_defaults=True):
    """Who answered, and what it took.

    Attributes:
        model, fingerprint: names that the server gives itself and its system.
        another: whether that is not the model that was asked for.
        prompt_tokens, completion_tokens: as it counted them, else as they were estimated.
        usd: None where no price is known.
        left_out: parameters that the model refuses, so that it was asked without them.
        ignored: what was asked for and was not in the reply, such as ``logprobs``.
        resized: pictures that were made smaller for it.
        said: the server's words where they are no answer, such as a refusal.
    """

    model: str = ""
    fingerprint: str = ""
    another: bool = False
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    usd: Money | None = None
    left_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    resized: Count = 0
    said: str = ""


def same_model(asked: str, served: str) -> bool:
    """Whether a server's name for a model is the one that was asked for, or a dated release of it, as OpenAI's names are."""
    if not served.startswith(asked):
        return False
    return re.fullmatch(r"(-\d[\d-]*)?(@.*)?", served.removeprefix(asked)) is not None
