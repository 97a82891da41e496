"""Answers that a benchmark's script rewrites before they are scored: said where a file may hold them in the other form."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample

logger = logging.getLogger(__name__)


def tell_conversion(
    path: Path, task: Task, samples: Sequence[Sample], responses: Mapping[str, Response], *, verbatim: bool | None
) -> None:
    """Says how many answers the benchmark's script would write otherwise, and what the other way of reading would give.

    Args:
        verbatim: whether the answers are an upload's, scored as they stand; else they are a model's words, and converted.
            None where the form leaves no doubt, so that nothing is said.
    """
    if verbatim is None:
        return
    answered = [(sample, responses[sample.id]) for sample in samples if sample.id in responses]
    answered = [(sample, response) for sample, response in answered if sample.target and not response.error]
    changed = [(sample, response) for sample, response in answered if task.converted(response.text) != response.text]
    if not changed:
        return
    values = [task.score(sample, replace(response, verbatim=not verbatim)).value for sample, response in answered]
    first = changed[0][1].text
    counts, other = f"{len(changed):,} of {len(answered):,} answers", f"{100 * sum(values) / len(values):.2f}"
    example = f"{first[:60]!r} for {task.converted(first)[:60]!r}"
    if verbatim:
        logger.warning(
            "%s: %s are not as %s's converter writes them (%s); an upload is scored as it is, converted they would give %s",
            *(path, counts, task.name, example, other),
        )
    else:
        logger.info(
            "%s: %s are converted as %s's script does before an upload (%s); unconverted they would give %s",
            *(path, counts, task.name, example, other),
        )
