"""Answers of one category whose ids may count that of any other: refused, since every number of them may be a wrong one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mipha_eval.core.errors import UserError
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample

#: where a count begins
FIRST = (0, 1)


def check_category(place: str, task: Task, samples: Sequence[Sample], answered: Collection[str]) -> None:
    """For answers that nothing but their ids tells the questions of.

    Args:
        answered: ids of the samples that are answered.

    Raises:
        UserError: they are all to the category that the ids begin with, and other categories have as many questions.
    """
    found = {sample.category for sample in samples if sample.id in answered}
    if len(found) != 1:
        return
    (category,) = found
    ids = [sample.question_id for sample in samples if sample.category == category]
    numbers = {number for number in ids if isinstance(number, int)}
    if len(numbers) < len(ids) or min(numbers) not in FIRST or max(numbers) - min(numbers) + 1 != len(numbers):
        return
    others = sorted({sample.category for sample in samples} - {category, ""})
    fitting = [name for name in others if sum(sample.category == name for sample in samples) >= len(answered)]
    if fitting:
        raise UserError(
            f"{place} has the ids of {task.name}'s {category} questions and no question, and where ids begin anew in each "
            f"category its answers may as well be to {' or '.join(fitting)}; add to each line its question as prompt"
        )
