"""What a model answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import NoneType
from typing import TYPE_CHECKING

from mipha_eval.core.plugins.blame import foreign_parts
from mipha_eval.core.plugins.checks.refusal import ROUNDING, refusal, shown
from mipha_eval.core.served import Served
from mipha_eval.core.types import Request, Response

if TYPE_CHECKING:
    from mipha_eval.core.adapter import ModelAdapter

#: field of a response -> its types, and what is to be said of another
OF_TYPES = (
    ("tokens", (int,), "are no whole number"),
    ("served", (Served, NoneType), "is no Served"),
    ("worker", (int, NoneType), "is no number"),
)
UNUSABLE = Response.failure("the model gave a likelihood or a probability that is no number")


def listed_responses(adapter: ModelAdapter, batch: Sequence[Request], responses: object) -> Sequence[Response]:
    """As many as requests; whether each is one is not looked at here."""
    if isinstance(responses, list | tuple) and len(responses) == len(batch):
        return responses
    got = f"gave {shown(responses)}, no list of responses, to"
    if isinstance(responses, list | tuple):
        got = f"answered {len(responses)} of"
    raise refusal(type(adapter), method_for(adapter, batch[0]), f"model {adapter.name} {got} {len(batch)} requests")


def checked_responses(adapter: ModelAdapter, batch: Sequence[Request], responses: object) -> list[Response]:
    """A model's responses to a batch; one whose numbers are not finite is a failure of that request alone."""
    listed = listed_responses(adapter, batch, responses)
    for request, response in zip(batch, listed, strict=True):
        wrong = _wrong_response(request, response) or _unranked(adapter, request, response)
        if wrong:
            raise refusal(type(adapter), method_for(adapter, request), f"model {adapter.name} gave {wrong}")
    return [response if _is_finite(response) else UNUSABLE for response in listed]


def method_for(adapter: ModelAdapter, request: Request) -> str:
    """The method of a plugin's model that answers a request: one for mixed batches, where it has that of its own."""
    if any("respond" in vars(part) for part in foreign_parts(type(adapter))):
        return "respond"
    return "loglikelihood" if request.options else "generate"


def _wrong_response(request: Request, response: object) -> str:
    """What is wrong with a response; "" if nothing is."""
    if type(response) is not Response:
        return f"as response {shown(response)}"
    for name in ("text", "error", "finish"):
        if type(getattr(response, name)) is not str:
            return f"a response whose {name} is no text but {shown(getattr(response, name))}"
    for name, kinds, what in OF_TYPES:
        if type(getattr(response, name)) not in kinds:
            return f"a response whose {name} {what} but {shown(getattr(response, name))}"
    if not (response.likelihoods or response.option_tokens or response.probabilities or response.top):
        return ""
    if type(response.top) is not tuple or not all(_is_logit(pair) for pair in response.top):
        return f"a response whose top are no pairs of a token and a number but {shown(response.top)}"
    return _wrong_numbers(request, response)


def _unranked(adapter: ModelAdapter, request: Request, response: Response) -> str:
    """What is wrong with a text in place of likelihoods; a floor, which knows nothing, answers with one."""
    if not request.options or response.likelihoods or response.error or adapter.floor:
        return ""
    return f"no likelihoods to a question of which {len(request.options)} options are to be ranked"


def _wrong_numbers(request: Request, response: Response) -> str:
    for name, wanted in (
        ("likelihoods", request.options),
        ("option_tokens", request.options),
        ("probabilities", request.tracked),
    ):
        values = getattr(response, name)
        if type(values) is not tuple or not all(isinstance(value, int | float) for value in values):
            return f"a response whose {name} are no tuple of numbers but {shown(values)}"
        if values and len(values) != len(wanted):
            return f"a response with {len(values)} {name} for {len(wanted)} texts"
    if len(response.likelihoods) != len(response.option_tokens):
        return f"a response with {len(response.likelihoods)} likelihoods and {len(response.option_tokens)} option_tokens"
    if not all(type(count) is int and count > 0 for count in response.option_tokens):
        return f"a response whose option_tokens are not whole and above 0 but {shown(response.option_tokens)}"
    if any(value > ROUNDING for value in response.likelihoods):
        what = f"likelihoods are no logarithms of probabilities but {shown(response.likelihoods)}"
    # one that is no number at all is the request's failure, see `checked_responses`
    elif any(chance < -ROUNDING or chance > 1 + ROUNDING for chance in response.probabilities if math.isfinite(chance)):
        what = f"probabilities are not from 0 to 1 but {shown(response.probabilities)}"
    else:
        return ""
    return f"a response whose {what}"


def _is_logit(pair: object) -> bool:
    return type(pair) is tuple and len(pair) == 2 and type(pair[0]) is int and isinstance(pair[1], int | float)


def _is_finite(response: Response) -> bool:
    numbers = (*response.likelihoods, *response.probabilities)
    return all(map(math.isfinite, numbers)) and not any(math.isnan(logit) for _, logit in response.top)
