"""What a result says of the server that answered."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from mipha_eval.core.record import Count, Finite
from mipha_eval.core.types import Response

#: how `Response.finish` says that an answer was cut at the limit of tokens
CUT = "length"


class ServedCounts(Struct, frozen=True, kw_only=True):
    """Who answered, and what it took; equal requests are asked once, and count once.

    Attributes:
        served: names that the server gave itself; `served_as_another` has those that are not the model's that was asked for.
        fingerprints: that it gave its system; with several the answers are of several systems.
        truncated: answers that were cut at the limit of tokens.
        prompt_tokens, completion_tokens: of all answers and of what came in place of some.
        usd: as far as prices are known.
        left_out: parameters that the model refuses, so that it was asked without them.
        ignored: what was asked for and was in no reply, or not in all -> in how many it was not.
        resized: answers to pictures that were made smaller.
    """

    served: tuple[str, ...] = ()
    served_as_another: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    truncated: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    usd: Finite = 0.0
    left_out: tuple[str, ...] = ()
    ignored: dict[str, Count] = {}
    resized: Count = 0


def served_counts(responses: Iterable[Response]) -> ServedCounts | None:
    """What servers said of these responses; None where none did."""
    answers = [(each, each.served) for each in responses if each.served is not None]
    found = [served for _, served in answers]
    if not found:
        return None
    ignored = [name for served in found for name in served.ignored]
    return ServedCounts(
        served=tuple(sorted({each.model for each in found if each.model})),
        served_as_another=tuple(sorted({each.model for each in found if each.another})),
        fingerprints=tuple(sorted({each.fingerprint for each in found if each.fingerprint})),
        truncated=sum(response.finish == CUT and not response.error for response, _ in answers),
        prompt_tokens=sum(each.prompt_tokens for each in found),
        completion_tokens=sum(each.completion_tokens for each in found),
        usd=round(sum(each.usd or 0.0 for each in found), 6),
        left_out=tuple(sorted({name for each in found for name in each.left_out})),
        ignored={name: ignored.count(name) for name in sorted(set(ignored))},
        resized=sum(bool(each.resized) for each in found),
    )
