"""What a server of OpenAI's chat completions sent: a reply, a reply that is none, or an error in its own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from mipha_eval.core.json_value import Json
from mipha_eval.core.types import Query, Verdict
from mipha_eval.judge.spending import estimated_tokens
from mipha_eval.scoring.judging.dialogue import CUT, quoted

#: how servers call the end of a complete reply, and one at the limit of tokens, in lower case
WHOLE_ENDS = ("stop", "eos", "eos_token", "stop_sequence", "end_turn")
CUT_ENDS = (CUT, "max_tokens", "max_output_tokens", "model_length")

#: characters of a reply, of which the longest that any judge here is asked for has a few thousand
MOST_CHARACTERS = 100_000

#: tokens that a server may say a query took
MOST_TOKENS = 10_000_000

#: where servers put their own words on an error
WORDS = ("message", "detail", "error", "msg", "error_description", "errors")


class NoCompletionError(Exception):
    """What a server sent is no chat completion; says what it is."""


def read_completion(body: bytes, query: Query, safe: Callable[[str], str]) -> Verdict:
    """The reply in a chat completion; one that is none (refused, filtered, a call of tools, thoughts) carries an error.

    Args:
        safe: takes what must not be told out of a text.

    Raises:
        NoCompletionError: there is none.
    """
    try:
        completion = json.loads(body)  # counts of tokens may be anything, and are looked at where they are read
    except (ValueError, RecursionError) as error:
        raise NoCompletionError(f"no JSON: {error}") from error
    try:
        choice = completion["choices"][0]
        message, told = choice["message"], choice.get("finish_reason")
        text = "" if message.get("content") is None else message["content"]
        usage, model = completion.get("usage"), completion.get("model")
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise NoCompletionError(f"no chat completion: {own_words(body)}") from error
    if not isinstance(text, str):
        raise NoCompletionError(f"no chat completion, its content is no text: {own_words(body)}")
    text, reply_tokens = safe(text), _count(usage, "completion_tokens")
    finish = safe(_finish(told, reply_tokens, query))[:40]
    lacking = _why_none(message, text, finish, safe)
    return Verdict(
        text="" if lacking else text,
        model=safe(str(model or "")),
        prompt_tokens=_or_estimate(_count(usage, "prompt_tokens"), query.prompt),
        completion_tokens=_or_estimate(reply_tokens, text),
        finish=finish,
        error=lacking,
    )


def _finish(told: object, tokens: int | None, query: Query) -> str:
    """How a reply ended; where a server does not say, a reply of as many tokens as it may have was cut."""
    if told is None or told == "":
        return CUT if tokens is not None and tokens >= query.max_tokens else "stop"
    plain = str(told).lower()
    return "stop" if plain in WHOLE_ENDS else CUT if plain in CUT_ENDS else str(told)


def _why_none(message: Mapping[str, Json], text: str, finish: str, safe: Callable[[str], str]) -> str:
    """Why a message is no reply; empty if it may be one."""
    refusal, thoughts = (safe(str(message.get(name) or "")) for name in ("refusal", "reasoning_content"))
    thoughts = thoughts or safe(str(message.get("reasoning") or ""))
    if refusal:
        return f"refused, finish_reason {finish}: {quoted(refusal)}"
    if message.get("tool_calls") or message.get("function_call"):
        return f"a call of tools in place of a reply, finish_reason {finish}: {quoted(text)}"
    if finish not in ("stop", CUT):
        return f"no complete reply, finish_reason {finish}: {quoted(text)}"
    if not text.strip() and thoughts:
        return f"empty reply, finish_reason {finish}, after thoughts: {quoted(thoughts)}"
    if len(text) > MOST_CHARACTERS:
        return f"a reply of {len(text):,} characters: {quoted(text)}"
    return ""


def _count(usage: object, name: str) -> int | None:
    """Tokens as a server counted them; None where it did not, or not in earnest."""
    counted = usage.get(name) if isinstance(usage, Mapping) else None
    return counted if type(counted) is int and 0 <= counted <= MOST_TOKENS else None


def _or_estimate(counted: int | None, text: str) -> int:
    return estimated_tokens(text) if counted is None else counted


def own_words(body: bytes) -> str:
    """A server's own message on an error: what stands in ``error.message``, ``detail`` or the like, else the whole text."""
    text = body.decode(errors="replace")
    try:
        told = _words(json.loads(text))
    except (ValueError, RecursionError):
        told = ""
    return told or text


def _words(body: object, depth: int = 0) -> str:
    if isinstance(body, str):
        return body
    if depth < 4 and isinstance(body, list):
        return "; ".join(filter(None, (_words(each, depth + 1) for each in body[:5])))
    if depth < 4 and isinstance(body, Mapping):
        return next(filter(None, (_words(body[name], depth + 1) for name in WORDS if name in body)), "")
    return ""
