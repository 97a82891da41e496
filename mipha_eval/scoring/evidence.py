"""Whether an answer of a file can be one to a question: words, picture, category and right answer compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import question_core
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.core.wording import words
from mipha_eval.data.images import stem
from mipha_eval.data.suite_files.given import GivenAnswer
from mipha_eval.scoring.matching import Others, contradiction, image_stems

#: words of a right answer that is compared; longer ones are written in many ways
SHORT_LABEL = 6


class Fit(NamedTuple):
    """Whether an answer can be to a question.

    Attributes:
        holds: whether nothing contradicts.
        proven: whether its words or its picture say so, and not only nothing to the contrary.
    """

    holds: bool
    proven: bool = False


class Evidence:
    """What is known of a task's questions, for comparing answers with them."""

    def __init__(self, task: Task, samples: Sequence[Sample]) -> None:
        self.task, self.samples = task, samples
        self._pictures = Counter(name for sample in samples for name in image_stems(sample))
        self.categories = {sample.category.lower() for sample in samples} - {""}
        self._others = Others(task, samples)

    @cached_property
    def words(self) -> dict[str, tuple[str, ...]]:
        """The words of each question, by sample."""
        return {sample.id: words(self.task.core(sample.prompt)) for sample in self.samples}

    @cached_property
    def telling(self) -> bool:
        """Whether questions differ at all; captions are all asked for in the same words."""
        return len(set(self.words.values())) > 1 or len(self.samples) == 1

    def knows_picture(self, answer: GivenAnswer) -> bool:
        return bool(answer.picture) and stem(answer.picture) in self._pictures

    def knows_categories(self, answer: GivenAnswer) -> bool:
        """Whether all categories that a file names are the task's."""
        return bool(answer.categories) and {name.lower() for name in answer.categories} <= self.categories

    def fit(self, answer: GivenAnswer, sample: Sample) -> Fit:
        """Whether an answer can be to a question; what says nothing about it contradicts nothing."""
        if self._other_picture(answer, sample) or self._other_category(answer, sample) or self._other_label(answer, sample):
            return Fit(holds=False)
        about = self._asks(answer, sample)
        if about is False:
            return Fit(holds=False)
        alone = self.knows_picture(answer) and self._pictures[stem(answer.picture)] == 1
        return Fit(holds=True, proven=alone or (bool(about) and self.telling))

    def why(self, answer: GivenAnswer, sample: Sample) -> str:
        """What contradicts where `fit` does not hold."""
        number = sample.question_id
        if self._asks(answer, sample) is False:
            return contradiction(answer.place, self.task, sample, answer.asked)
        if self._other_picture(answer, sample):
            return f"{answer.place} is about {answer.picture}, but question_id {number} is about another picture"
        if self._other_category(answer, sample):
            named = ",".join(answer.categories)
            return f"{answer.place} is of category {named}, but question_id {number} is of {sample.category}"
        return (
            f"{answer.place} has {answer.right[:40]!r} as the right answer, but that of question_id {number} "
            f"is {sample.target[0][:40]!r}"
        )

    def _asks(self, answer: GivenAnswer, sample: Sample) -> bool | None:
        """Whether the answer's words ask the question; None if nobody knows."""
        if not answer.asked:
            return None
        about = self.task.is_about(sample, answer.asked)
        return False if about and self._others.is_one(answer.asked, sample) else about

    def _other_picture(self, answer: GivenAnswer, sample: Sample) -> bool:
        return self.knows_picture(answer) and stem(answer.picture) not in image_stems(sample)

    def _other_category(self, answer: GivenAnswer, sample: Sample) -> bool:
        return self.knows_categories(answer) and sample.category.lower() not in {name.lower() for name in answer.categories}

    def check_prompt(self, answer: GivenAnswer) -> None:
        """Raises UserError for a whole prompt that only another protocol uses; a bare question says nothing of that."""
        if answer.asked and question_core(answer.asked) != answer.asked.strip():
            try:
                self.task.check_prompt(answer.asked)
            except UserError as error:
                raise UserError(f"{answer.place}: {error}") from error

    def _other_label(self, answer: GivenAnswer, sample: Sample) -> bool:
        """Whether the right answers of both are short, and not the same in any way of writing them."""
        right, known = words(answer.right), [words(text) for text in sample.target[:1]]
        if not right or len(sample.target) != 1 or not known[0] or max(len(right), len(known[0])) > SHORT_LABEL:
            return False
        if not self.task.lettered:
            return right != known[0]
        if len(right) == 1 and right[0].isdecimal() and len(right[0]) < len(LETTERS):
            return False  # counted from 0 or from 1, nobody knows
        if answer.right.strip().upper() == sample.target[0]:
            return False
        options = {words(option): letter for letter, option in zip(LETTERS, sample.choices, strict=False)}
        letter = options.get(right, answer.right.strip().upper())
        return letter in LETTERS and letter != sample.target[0]
