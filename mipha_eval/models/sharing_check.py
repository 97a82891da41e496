"""Does sharing give what a question gives alone, for this architecture? Asked at load time, about a made-up picture if any.

Questions that begin in many ways are read behind one prefix, beside one about another picture. Two are compared with the
same questions alone: the last, which has all the others before it, and the shortest, which is padded most where prompts are
padded. It is as little as will do, since every run pays for it: every run also makes some of its own answers again.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from mipha_eval.core.errors import DeviceMemoryError, RequestError, UserError
from mipha_eval.core.types import Decoding, Image, Request, Response

logger = logging.getLogger(__name__)

Way = Callable[[Sequence[Request]], list[Response]]

SIZES = ((96, 64), (64, 112))  # width and height

#: beginnings that processors and tokenizers treat differently behind an image, in few words and in many
QUESTIONS = (
    "Is there a dog in the picture?",
    "7",
    '"Stop" or "go"?',
    "(a) red, (b) blue, (c) neither of the two",
    " is it day?",
    "\nWhich one?",
    "<b>bold</b>?",
    "图中有什么？",
    "🐕?",
    "'t is",
    "What is written on the large sign, if anything?",
)

#: places of the two that are compared, behind the one about another picture
SHORTEST, LONGEST = 2, len(QUESTIONS)

#: how far the logits of the first token may differ, as a part of the largest; what rounding makes of them
TOLERANCE = {"torch.float32": 1e-3, "torch.bfloat16": 0.05, "torch.float16": 0.02}

#: what a network raises that cannot be called as the shared path calls it
MISFITS = (
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(RequestError, DeviceMemoryError),
)


@dataclass(frozen=True)
class Sharing:
    """What questions about an image share; `text` says it with the reason, where it is not everything."""

    level: str
    text: str


def prove(ways: Mapping[str, Way], alone: Way, dtype: str, *, pictures: bool = True) -> Sharing:
    """The first of `ways` that answers as `reference` does; ``none`` if there is no such way.

    Args:
        pictures: whether the model is asked about one.

    Raises:
        UserError: the model cannot be asked at all.
    """
    what = "a question about a picture" if pictures else "a question"
    batch = _batch(pictures=pictures)
    try:
        expected = {LONGEST: alone([batch[LONGEST]])[0]}
        if expected[LONGEST].error:  # a model with very few positions is asked the shortest
            batch = sorted(batch, key=lambda request: len(request.text), reverse=True)
            expected = {LONGEST: alone([batch[LONGEST]])[0]}
        else:
            expected |= {SHORTEST: alone([batch[SHORTEST]])[0]}
    except MISFITS as error:
        raise UserError(f"the model cannot answer {what}: {_line(error)}") from error
    if expected[LONGEST].error:
        raise UserError(f"the model cannot answer {what}: {expected[LONGEST].error}")
    reasons: list[str] = []
    for level, way in ways.items():
        reason = difference(way, batch, expected, dtype)
        if reason is None:
            return Sharing(level, "; ".join([level, *reasons]))
        reasons.append(f"{level} cannot be shared: {reason}")
        logger.warning("%s; it will be slower, the answers are the same", reasons[-1])
    return Sharing("none", "; ".join(["none", *reasons]))


def prove_padding(together: Way, alone: Way, dtype: str) -> bool:
    """Whether prompts about pictures that are padded to be read together are answered as each is alone."""
    batch = _batch(pictures=True)[: SHORTEST + 1]
    expected = dict(enumerate(alone(batch)))
    if any(response.error for response in expected.values()):
        return False
    reason = difference(together, batch, expected, dtype)
    if reason:
        logger.warning("prompts cannot be padded: %s; each is read alone, which is slower", reason)
    return reason is None


def _batch(*, pictures: bool) -> list[Request]:
    """Questions about a picture behind one about another, in the order of `QUESTIONS`."""
    images, others = (((made_up_image(number),) if pictures else ()) for number in range(2))
    # the second token is the first that is decoded one at a time
    batch = [Request(question, images, Decoding(2)) for question in QUESTIONS]
    return [Request(QUESTIONS[1], others, Decoding(2)), *batch]


def difference(way: Way, batch: Sequence[Request], expected: Mapping[int, Response], dtype: str) -> str | None:
    """Why a way's answers to some requests, by their places, are not the expected ones; None if they are."""
    try:
        found = way(batch)
    except MISFITS as error:
        return _line(error)
    reasons = (_difference(found[place], response, dtype) for place, response in expected.items())
    return next(filter(None, reasons), None)


def _difference(found: Response, expected: Response, dtype: str) -> str | None:
    if found.error:
        return found.error
    gap, largest = logit_gap(found, expected), max(abs(logit) for _, logit in expected.top)
    if not gap <= TOLERANCE[dtype] * max(1.0, largest):
        return f"logits of the first token differ by {gap:.2g}"
    if dtype == "torch.float32" and found.text != expected.text:
        return f"{found.text!r} is not {expected.text!r}"
    return None


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def logit_gap(one: Response, other: Response) -> float:
    """The largest difference of the logits that two answers begin with; infinite if no token is among the best of both."""
    first, second = dict(one.top), dict(other.top)
    return max((abs(first[token] - second[token]) for token in first.keys() & second.keys()), default=float("inf"))


@cache
def made_up_image(number: int = 0) -> Image:
    """Coloured noise of one of `SIZES`, always the same."""
    from PIL import Image as Pillow

    values = np.random.default_rng(number).integers(256, size=(*reversed(SIZES[number]), 3))
    data = io.BytesIO()
    Pillow.fromarray(values.astype(np.uint8)).save(data, "PNG")
    return Image(f"noise{number}.png", f"made-up:noise{number}.png", data.getvalue)
