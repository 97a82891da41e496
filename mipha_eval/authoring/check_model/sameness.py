"""Whether two ways of asking the same questions have the same answers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.authoring.check_model.questions import Question
from mipha_eval.core.types import Response

#: letters of a text in a line
SHOWN = 40


@dataclass(frozen=True)
class Comparison:
    """How answers compare.

    Attributes:
        differ: places of those that are others.
        gap: the largest difference of a logit that both of two answers begin with; None where there is none to compare.
        rounding: whether all that differs may be rounding: the precision is a low one, and logits are near each other.
        example: the first that differs; empty where none does.
    """

    differ: tuple[int, ...]
    gap: float | None
    rounding: bool
    example: str

    @property
    def logits(self) -> str:
        """The gap in words; empty where there is none."""
        return "" if self.gap is None else f"; first logits differ by at most {self.gap:.1e}"


def compare(questions: Sequence[Question], ones: Sequence[Response], others: Sequence[Response], dtype: str) -> Comparison:
    """Compares answers to the same questions in text, and by a precision's tolerance in the logits that they begin with."""
    pairs = list(zip(ones, others, strict=True))
    differ = tuple(place for place, (one, other) in enumerate(pairs) if not same(one, other, dtype))
    gaps = [gap for one, other in pairs if (gap := logit_gap(one, other)) is not None]
    example = ""
    if differ:
        one, other = pairs[differ[0]]
        example = f"to {shown(questions[differ[0]].request.text)} {answer(one)}, then {answer(other)}"
        apart = logit_gap(one, other)
        example += "" if apart is None else f", their first logits {apart:.2g} apart"
    low = dtype in ("torch.bfloat16", "torch.float16")
    near = all(near_logits(*pairs[place], dtype) for place in differ)
    return Comparison(differ, max(gaps, default=None), low and near, example)


def same(one: Response, other: Response, dtype: str) -> bool:
    """Whether two answers are one: text, failure or none, and logits, these by a tolerance."""
    logits = logit_gap(one, other) is None or near_logits(one, other, dtype)
    return one.text == other.text and bool(one.error) == bool(other.error) and logits


def near_logits(one: Response, other: Response, dtype: str) -> bool:
    """Whether both begin with logits, and these are as near as rounding makes them."""
    from mipha_eval.models.sharing_check import TOLERANCE

    gap, largest = logit_gap(one, other), max((abs(logit) for _, logit in one.top), default=1.0)
    return gap is not None and gap <= TOLERANCE.get(dtype, TOLERANCE["torch.float32"]) * max(1.0, largest)


def logit_gap(one: Response, other: Response) -> float | None:
    """The largest difference of logits of tokens that are among the likeliest of both; None where one has none.

    Infinite where no token is.
    """
    if not one.top or not other.top:
        return None
    logits, others = dict(one.top), dict(other.top)
    return max((abs(logits[token] - others[token]) for token in logits.keys() & others.keys()), default=math.inf)


def another_order(expected: Sequence[Response], given: Sequence[Response], dtype: str) -> tuple[int, ...]:
    """The order in which all answers are the expected ones; empty where there is none but as they were asked."""
    for order in itertools.permutations(range(len(expected))):
        pairs = zip(given, order, strict=True)
        if list(order) != sorted(order) and all(same(each, expected[place], dtype) for each, place in pairs):
            return order
    return ()


def shown(text: str) -> str:
    """A text in a line, cut."""
    plain = " ".join(text.split())
    return repr(f"{plain[:SHOWN]}..." if len(plain) > SHOWN else plain)


def answer(response: Response) -> str:
    """An answer, or why there is none, in a line."""
    return f"a failure ({' '.join(response.error.split())[:200]})" if response.error else shown(response.text)
