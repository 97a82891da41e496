"""What a run would take, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.runs.plan import JudgePlan, TaskPlan


def plan_lines(plans: Sequence[TaskPlan], choice: JudgeChoice | None) -> Iterator[str]:
    """A line a task, one more where a judge has work, and the sum of all."""
    for plan in plans:
        images = f"{plan.images:,} images" if plan.images else "no images"
        yield f"{plan.task}: {plan.questions:,} questions, {plan.requests:,} distinct, {images}"
        if plan.judge is not None and choice is not None:
            yield f"  judge {choice.name}: {judge_text(plan.judge)}"
        elif choice is not None:
            yield "  no judge"
    most = [plan.judge.most_usd for plan in plans if plan.judge is not None]
    if len(most) > 1 and None not in most:
        yield f"all together at most {sum(filter(None, most)):.2f} USD"


def judge_text(plan: JudgePlan) -> str:
    """Calls, tokens and price: expected, and at most."""
    assumed = f" ({plan.assumed})" if plan.assumed else ""
    broken = f"; {plan.broken}" if plan.broken else ""
    if plan.at_least:
        least = f"at least {plan.calls or 0:,} calls and {plan.prompt_tokens or 0:,} tokens of prompts{_price(plan.usd)}"
        most = f"{plan.most_calls:,} calls at most, tokens and price unknown"
        return f"{least}; what follows depends on the replies, {most}{assumed}{broken}"
    most = f"{plan.most_calls:,} calls and {plan.most_tokens:,} tokens{_price(plan.most_usd)} at most"
    if plan.calls is None:
        return f"no call if rules can read every answer; {most}{assumed}"
    return f"{plan.calls:,} calls, about {plan.prompt_tokens:,} tokens of prompts{_price(plan.usd)}; {most}{assumed}"


def _price(usd: float | None) -> str:
    return ", price unknown (give IN,OUT, US dollars for a million tokens)" if usd is None else f", {usd:.2f} USD"
