"""Does sharing give what a question gives alone, for this architecture? Asked at load time, about a made-up picture if any.

Questions that begin in many ways are read behind one prefix, beside one about another picture; the last, which has all the
others before it, is compared with the same question alone. It is as little as will do, since every run pays for it: every
run also makes some of its own answers again.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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

#: how far the logits of the first token may differ, as a part of the largest; what rounding makes of them
TOLERANCE = {"torch.float32": 1e-3, "torch.bfloat16": 0.05, "torch.float16": 0.02}

#: what a network raises that cannot be called as the shared path calls it
MISFITS = (
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(RequestError, DeviceMemoryError),
)


@dataclass(frozen=True)
class Sharing:
    """What questions about an image share; `text` says it with the reason, where it is not everything.

    Attributes:
        way: which of the ways that were tried it is.
    """

    level: str
    text: str
    way: str = field(default="", compare=False)


def prove(ways: Mapping[str, tuple[Way, Way]], dtype: str, *, pictures: bool = True) -> Sharing:
    """The first of `ways` that answers as each request is answered alone; ``none`` if there is no such way.

    Args:
        ways: by what they share, the level and perhaps more in brackets: how a batch is answered, and each request alone.
        pictures: whether the model is asked about one.

    Raises:
        UserError: the model cannot be asked at all.
    """
    reasons: list[str] = []
    known: dict[Way, tuple[list[Request], dict[int, Response]]] = {}
    found = ""
    for way, (together, alone) in ways.items():
        batch, expected = known.setdefault(alone, known.get(alone) or _alone(alone, pictures))
        level = way.partition(" ")[0]
        reason = difference(together, batch if level != "none" else [*batch[:2], batch[-1]], expected, dtype)
        if reason is None:
            found = way
            break
        reasons.append(f"{way} cannot be shared: {reason}" if level != "none" else f"each prompt alone: {reason}")
    sharing = Sharing(found.partition(" ")[0] or "none", "; ".join([found or "none", *reasons]), found)
    if reasons:
        logger.warning("questions about an image share %s; it is slower, the answers are the same", sharing.text)
    return sharing


def _alone(alone: Way, pictures: bool) -> tuple[list[Request], dict[int, Response]]:
    """A batch, and by their places in it the answers to its first, second and last, each asked alone.

    The first is short and about another picture, the second a likelihood, the last has all the others before it.
    """
    what = "a question about a picture" if pictures else "a question"
    # the second token is the first that is decoded one at a time
    images, others = (((made_up_image(number),) if pictures else ()) for number in range(2))
    batch = [Request(question, images, Decoding(2)) for question in QUESTIONS]
    first = [Request(QUESTIONS[1], others, Decoding(2)), Request(QUESTIONS[1], images, options=("Yes",))]
    try:
        (last,) = alone(batch[-1:])
        if last.error:  # a model with very few positions is asked the shortest
            batch = sorted(batch, key=lambda request: len(request.text), reverse=True)
            (last,) = alone(batch[-1:])
        expected = {0: alone(first[:1])[0], 1: alone(first[1:])[0], -1: last}
    except MISFITS as error:
        raise UserError(f"the model cannot answer {what}: {_line(error)}") from error
    if last.error:
        raise UserError(f"the model cannot answer {what}: {last.error}")
    return [*first, *batch], expected


def difference(way: Way, batch: Sequence[Request], expected: Mapping[int, Response], dtype: str) -> str | None:
    """Why a way's answers are not the expected ones, by their places in the batch; None if they are."""
    try:
        answers = way(batch)
    except MISFITS as error:
        return _line(error)
    reasons = (_difference(answers[place], wanted, dtype) for place, wanted in expected.items() if not wanted.error)
    return next((reason for reason in reasons if reason is not None), None)


def _difference(found: Response, expected: Response, dtype: str) -> str | None:
    if found.error:
        return found.error
    gap, largest = logit_gap(found, expected), max((abs(logit) for _, logit in expected.top), default=1.0)
    if expected.top and not gap <= TOLERANCE[dtype] * max(1.0, largest):
        return f"logits differ by {gap:.2g}"
    if not expected.top:
        gap = max(abs(one - other) for one, other in zip(found.likelihoods, expected.likelihoods, strict=True))
        if not gap <= 2 * TOLERANCE[dtype] * max(1.0, *map(abs, expected.likelihoods)):
            return f"likelihoods of an answer differ by {gap:.2g}"
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
