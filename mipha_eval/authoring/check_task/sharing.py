"""Pictures stand first, so that the work on them is shared."""

from __future__ import annotations

from collections.abc import Iterator

from mipha_eval.authoring.check_task.point import Said, quoted
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.adapter import Cost
from mipha_eval.core.types import Request
from mipha_eval.engine.plan import Limits, plan_batches, price
from mipha_eval.models.served.spending import estimated_tokens

IMAGE_TOKENS = 576  # of a picture of 336 pixels in patches of 14, as LLaVA-1.5 has it
MARK = "<image>"
ENOUGH = 1 << 60


def pictures_come_first(under: TaskUnderCheck) -> Iterator[Said]:
    """Nothing of the question stands before a picture; says what sharing saves."""
    requests = list({request.identity: request for request in under.requests}.values())
    pictured = [request for request in requests if request.images]
    if not pictured:
        yield "ok", "there are no pictures whose work could be shared"
        return
    batches = plan_batches(pictured, cost, Limits(ENOUGH))
    shared = sum(price([pictured[place] for place in batch], cost) for batch in batches)
    alone = sum(cost(request).shared + cost(request).own for request in pictured)
    about = len({tuple(image.view for image in request.images) for request in pictured})
    told = f"{len(pictured) / about:.1f} distinct questions a picture: sharing saves {1 - shared / alone:.0%} of the tokens"
    before = {request.text.partition(MARK)[0] for request in pictured if MARK in request.text}
    if len(before) > 1:
        first = quoted(max(before, key=len))
        yield (
            "note",
            f"what stands before {MARK} differs between questions ({first}), so that work on pictures is not shared",
        )
    else:
        yield "ok", f"pictures come first; {told}"


def cost(request: Request) -> Cost:
    """About how many tokens pictures and text have."""
    return Cost(IMAGE_TOKENS * len(request.images), estimated_tokens(request.text))
