"""Which questions of a task are of one type, by what the task itself says."""

from __future__ import annotations

from dataclasses import dataclass

from mipha_eval.core.format_lines import format_lines_of
from mipha_eval.core.plugins.checks.questions import choices_of
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample


@dataclass(frozen=True)
class QuestionType:
    """What questions of a type have in common.

    Attributes:
        answers: the possible answers in the task's order, such as Yes and No, or the letters of the options that are there;
            none where any text may be one.
        format: the format lines of the prompt.
        category: the benchmark's; "" for a wider type, of all categories.
    """

    answers: tuple[str, ...]
    format: tuple[str, ...]
    category: str = ""

    @property
    def wider(self) -> QuestionType:
        """The same of all categories."""
        return QuestionType(self.answers, self.format)


def question_type(task: Task, sample: Sample) -> QuestionType:
    return QuestionType(tuple(choices_of(task, sample)), format_lines_of(sample.prompt), sample.category)
