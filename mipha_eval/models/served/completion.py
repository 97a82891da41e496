"""What a server of OpenAI's chat completions sent: a reply, a reply that is none, or an error in its own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mipha_eval.core.json_value import Json
from mipha_eval.scoring.judging.dialogue import CUT, quoted

#: how servers call the end of a complete reply, and one at the limit of tokens, in lower case
WHOLE_ENDS = ("stop", "eos", "eos_token", "stop_sequence", "end_turn")
CUT_ENDS = (CUT, "max_tokens", "max_output_tokens", "model_length")

#: characters of a reply, of which the longest that anybody here is asked for has a few thousand
MOST_CHARACTERS = 100_000

#: tokens that a server may say a request took
MOST_TOKENS = 10_000_000

#: where servers put their own words on an error
WORDS = ("message", "detail", "error", "msg", "error_description", "errors")

#: what JSON holds; all else are numbers
KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a truth", type(None): "null"}
MOST_NAMES = 8

#: why a message is no reply
REFUSED, TOOLS, UNFINISHED = "refused", "a call of tools in place of a reply", "no complete reply"
THOUGHTS, LONG = "empty reply", "a reply of too many characters"


class NoCompletionError(Exception):
    """What a server sent is no chat completion; says what it is."""


@dataclass(frozen=True)
class Lack:
    """Why a message is no reply, and the words that came in place of one."""

    kind: str
    words: str

    def told(self, finish: str) -> str:
        """All of it, for a reason."""
        if self.kind == LONG:
            return f"a reply of {len(self.words):,} characters: {quoted(self.words)}"
        return (
            f"{self.kind}, finish_reason {finish}{', after thoughts' if self.kind == THOUGHTS else ''}: {quoted(self.words)}"
        )


@dataclass(frozen=True)
class Completion:
    """A reply, or what came in place of one.

    Attributes:
        text: empty where `lack` says that the message is no reply.
        null: whether the content was null, and no empty text.
        model, fingerprint: names that the server gives itself and its system.
        prompt_tokens, completion_tokens: as the server counted them; None where it did not, or not in earnest.
        finish: ``stop``, ``length`` at the limit, or what a server calls another end.
        likeliest: (token, log-probability) of the likeliest first tokens; None where the server tells none.
    """

    text: str
    null: bool
    model: str
    fingerprint: str
    prompt_tokens: int | None
    completion_tokens: int | None
    finish: str
    lack: Lack | None
    likeliest: tuple[tuple[str, float], ...] | None = None


def read_completion(body: bytes, limit: int, safe: Callable[[str], str]) -> Completion:
    """The reply in a chat completion; one that is none (refused, filtered, a call of tools, thoughts) says so.

    Args:
        limit: the most tokens that were asked for.
        safe: takes what must not be told out of a text.

    Raises:
        NoCompletionError: there is none.
    """
    try:
        completion = json.loads(body)  # counts of tokens may be anything, and are looked at where they are read
    except (ValueError, RecursionError) as error:
        raise NoCompletionError(_no_json(body) or f"no JSON: {error}") from error
    try:
        choice = completion["choices"][0]
        message, told = choice["message"], choice.get("finish_reason")
        text = "" if message.get("content") is None else message["content"]
        usage, names = completion.get("usage"), [completion.get(name) for name in ("model", "system_fingerprint")]
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise NoCompletionError(f"no chat completion{_told_instead(completion)}") from error
    if not isinstance(text, str):
        raise NoCompletionError(f"no chat completion, its content is no text but {KINDS.get(type(text), 'a number')}")
    text, tokens = safe(text), _count(usage, "completion_tokens")
    finish = safe(_finish(told, tokens, limit))[:40]
    lack = _lack(message, text, finish, safe)
    model, fingerprint = (safe(str(name or "")) for name in names)
    return Completion(
        text="" if lack else text,
        null=message.get("content") is None,
        model=model,
        fingerprint=fingerprint,
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=tokens,
        finish=finish,
        lack=lack,
        likeliest=_likeliest(choice.get("logprobs")),
    )


def _no_json(body: bytes) -> str:
    """What else a server sent; empty where nobody knows it."""
    begins = body[:1000].strip().lower()
    if not begins:
        return "empty"
    if begins.startswith((b"data:", b"event:", b":")):
        return "a stream of pieces, which was not asked for; the server must be able to send whole replies"
    return "a web page; is the address that of the API, ending in /v1?" if begins.startswith(b"<") else ""


def _told_instead(sent: object) -> str:
    """A server's own words, or else of what form the JSON is that it sent: the same for all that differ in an id alone."""
    if words := _words(sent):
        return f": {words}"
    if isinstance(sent, dict):
        return f" but an object with {', '.join(sorted(sent)[:MOST_NAMES]) or 'nothing in it'}"
    return f" but {KINDS.get(type(sent), 'a number')}"


def _finish(told: object, tokens: int | None, limit: int) -> str:
    """How a reply ended; where a server does not say, a reply of as many tokens as it may have was cut."""
    if told is None or told == "":
        return CUT if tokens is not None and tokens >= limit else "stop"
    plain = str(told).lower()
    return "stop" if plain in WHOLE_ENDS else CUT if plain in CUT_ENDS else str(told)


def _lack(message: Mapping[str, Json], text: str, finish: str, safe: Callable[[str], str]) -> Lack | None:
    """Why a message is no reply; None if it may be one."""
    refusal, thoughts = (safe(str(message.get(name) or "")) for name in ("refusal", "reasoning_content"))
    thoughts = thoughts or safe(str(message.get("reasoning") or ""))
    if refusal:
        return Lack(REFUSED, refusal)
    if message.get("tool_calls") or message.get("function_call"):
        return Lack(TOOLS, text)
    if finish not in ("stop", CUT):
        return Lack(UNFINISHED, text)
    if not text.strip() and thoughts:
        return Lack(THOUGHTS, thoughts)
    return Lack(LONG, text) if len(text) > MOST_CHARACTERS else None


def _likeliest(told: object) -> tuple[tuple[str, float], ...] | None:
    """The likeliest first tokens of ``logprobs``, in which every field may be missing or null."""
    tokens = told.get("content") if isinstance(told, Mapping) else None
    first = tokens[0] if isinstance(tokens, list) and tokens else None
    top = first.get("top_logprobs") if isinstance(first, Mapping) else None
    if not isinstance(top, list) or not top:
        return None
    pairs = [(each.get("token"), each.get("logprob")) for each in top if isinstance(each, Mapping)]
    # which nan is not, either; a logarithm that is a little above 0 was rounded
    return tuple((str(token), float(value)) for token, value in pairs if isinstance(value, int | float) and value < 0.01)


def _count(usage: object, name: str) -> int | None:
    """Tokens as a server counted them; None where it did not, or not in earnest."""
    counted = usage.get(name) if isinstance(usage, Mapping) else None
    return counted if type(counted) is int and 0 <= counted <= MOST_TOKENS else None


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
