"""Scoring an answer depends on nothing but question and answer, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mipha_eval.authoring.check_task.answers import REFUSAL, read_one, saying
from mipha_eval.authoring.check_task.point import Said
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.types import Response, Sample

MOST = 500  # questions


def score_is_pure(under: TaskUnderCheck) -> Iterator[Said]:
    """Answers scored twice, in another order and by a new task object score the same; nothing is changed by it."""
    cases = [case for sample in under.tried[:MOST] for case in _cases(under, sample)]
    kept = [replace(response) for _, response in cases]
    place = place_of(type(under.task), "score")
    first = [read_one(under.task, *case) for case in cases]
    if not under.unchanged or [response for _, response in cases] != kept:
        yield "fault", f"score changes the question or the answer that it is given ({place})"
        return
    for how, task, order in (
        ("scored once more", under.task, cases),
        ("scored in another order", under.task, cases[::-1]),
        ("scored by a new task object", under.recipe.build(), cases),
    ):
        again = [read_one(task, *case) for case in order]
        again = again[::-1] if order is not cases else again
        differs = next((case for case, a, b in zip(cases, first, again, strict=True) if a != b), None)
        if differs is not None:
            yield "fault", f"{how}, an answer to question {differs[0].id} scores otherwise; score must be pure ({place})"
            return
    yield "ok", f"score is pure: {len(cases):,} answers score the same twice, in any order, and nothing is changed"


def _cases(under: TaskUnderCheck, sample: Sample) -> Iterator[tuple[Sample, Response]]:
    """A question with answers: its label, a label of another, nothing, and a refusal."""
    others = (under.best[sample.id][0], under.tried[-1].target[0], "", REFUSAL)
    yield from ((sample, saying(under.task, sample, text)) for text in dict.fromkeys(others))
