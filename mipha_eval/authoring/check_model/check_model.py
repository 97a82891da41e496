"""All points of a model, in their order."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence

from mipha_eval.authoring.check_model.answers import check_answers, first_answers
from mipha_eval.authoring.check_model.candidate import Candidate, TroubleError, in_a_line
from mipha_eval.authoring.check_model.effort import check_effort, held_bytes
from mipha_eval.authoring.check_model.prompt import check_prompt
from mipha_eval.authoring.check_model.questions import pick_questions
from mipha_eval.authoring.finding import Finding
from mipha_eval.core.plugins.checks.models import checked_budget, model_facts
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response


def check_model(model: Model, task: Task) -> Iterator[Finding]:
    """Looks at a model with a few questions of a benchmark; a finding a point, as they are found.

    A model that cannot be read or answers nothing has one fault, and what could not be looked at is named.

    Raises:
        UserError: the benchmark's questions cannot be read, or will not do.
    """
    candidate = Candidate(model, pick_questions(task, model))
    before = held_bytes()
    try:
        yield from _findings(candidate, before)
    finally:
        with contextlib.suppress(TroubleError), in_a_line():
            model.adapter.close()


def _findings(candidate: Candidate, before: int) -> Iterator[Finding]:
    loaded = loads(candidate)
    yield loaded
    if loaded.level == "fault":
        yield from _prompt(candidate, (), why=True)
        yield Finding("answers", "note", "not asked anything, since it does not load")
        return
    found, first = first_answers(candidate)
    yield found
    yield from _prompt(candidate, first, why=found.level == "fault")
    if not first:
        yield Finding(
            "batch", "note", "determinism, batches, order and sharing were not looked at, since it does not answer"
        )
        return
    yield from check_answers(candidate, first)
    yield from check_effort(candidate, before)


def loads(candidate: Candidate) -> Finding:
    """Reads the weights, and what the model says of itself."""
    adapter = candidate.adapter
    try:
        with in_a_line():
            adapter.load()
            facts = {**model_facts(adapter, "about"), **model_facts(adapter, "describe")}
            budget = checked_budget(adapter)
            for question in candidate.questions.batch:
                adapter.cost(question.request)
    except TroubleError as error:
        return Finding("loads", "fault", str(error))
    size = facts.get("parameters")
    told = [f"{size:.3g} billion parameters"] if isinstance(size, float) else []
    told += [f"{name} {facts[name]}" for name in ("dtype", "device") if facts.get(name)]
    told += ["batches of any size" if budget == sys.maxsize else f"batches of up to {budget:,} tokens"]
    return Finding("loads", "ok", ", ".join(told))


def _prompt(candidate: Candidate, first: Sequence[Response], *, why: bool) -> Iterator[Finding]:
    """What can be told of the prompt; where the model has failed already, only what may be `why`."""
    found: list[Finding] = []
    try:
        for each in check_prompt(candidate, first):
            found.append(each)  # noqa: PERF402 - what was found before it fails counts
    except TroubleError as error:
        found += [] if why else [Finding("prompt", "fault", str(error))]
    yield from (each for each in found if not why or each.level == "fault" or each.name == "prompt")
