"""A server's reply as a response: an answer, or a counted failure of its own kind."""

from __future__ import annotations

from dataclasses import replace

from mipha_eval.core.served import Served, same_model
from mipha_eval.core.types import Request, Response
from mipha_eval.models.served.client import FILTERED, FailedError, Reply
from mipha_eval.models.served.completion import LONG, MOST_CHARACTERS, REFUSED, THOUGHTS, TOOLS, Completion
from mipha_eval.models.served.first_token import answer_probabilities
from mipha_eval.models.served.spending import estimated_tokens
from mipha_eval.scoring.judging.dialogue import beginning

#: why there is no answer: the same words for all of a kind, so that they are counted together
CONTENT_FILTER = "content filter"


def answer(request: Request, reply: Reply, asked: str, estimate: int) -> Response:
    """The response that a reply comes to.

    Args:
        asked: the model's name that was asked for.
        estimate: tokens of the prompt, where the server counts none.
    """
    found = reply.completion
    tokens = estimated_tokens(found.text) if found.completion_tokens is None else found.completion_tokens
    silent = bool(request.tracked) and found.likeliest is None and "logprobs" not in reply.left_out
    served = Served(
        model=found.model,
        fingerprint=found.fingerprint,
        another=bool(found.model) and not same_model(asked, found.model),
        prompt_tokens=estimate if found.prompt_tokens is None else found.prompt_tokens,
        completion_tokens=tokens,
        left_out=reply.left_out,
        ignored=("logprobs",) if silent else (),
        said=beginning(found.lack.words) if found.lack else "",
    )
    reason = why_none(found)
    if reason:
        return replace(Response.failure(reason), served=served)
    likely = answer_probabilities(found.likeliest or (), request.tracked)
    return Response(found.text.strip(), tokens, found.finish, probabilities=likely, served=served)


def why_none(found: Completion) -> str:
    """Why a completion is no answer; empty if it is one. One that was cut at the limit of tokens is."""
    content = "null content" if found.null else "empty content"
    if found.lack is None:
        return "" if found.text.strip() else f"{content}, finish_reason {found.finish}"
    if found.finish == "content_filter":
        return CONTENT_FILTER
    known = {
        REFUSED: "refused by the model",
        TOOLS: "a call of tools in place of an answer",
        LONG: f"an answer of more than {MOST_CHARACTERS:,} characters",
        THOUGHTS: f"{content} after thoughts, finish_reason {found.finish}",
    }
    return known.get(found.lack.kind, f"no complete answer, finish_reason {found.finish}")


def failure(error: FailedError) -> Response:
    """The response to a request that has no reply."""
    return Response.failure(CONTENT_FILTER if error.code in FILTERED else str(error))
