"""What an author subclasses whose benchmark a published rule scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from mipha_eval.core.alphabet import lettered
from mipha_eval.core.metrics import Metric, Totals, share
from mipha_eval.core.plugins.checks.refusal import refusal
from mipha_eval.core.prompt_pattern import Pattern
from mipha_eval.core.question_parts import QuestionParts
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.data.rows import row_at
from mipha_eval.scoring.stock.question import Question, wrong_question

#: what questions ask for: yes or no, one of their options, a word or a few, a caption, or any text that a judge reads
QuestionKind = Literal["yesno", "choice", "short", "caption", "open"]


@dataclass(frozen=True)
class StockTask(Task):
    """A benchmark whose rule is there already; `questions` says where its questions are.

    Class attributes:
        scorer: the name of the rule.
        kinds: of questions that the rule can score, the usual one first.
        format_line: says in which form to answer.
        pattern: of the prompt, see `Pattern`; empty for hint, question, options and format line, a line each.
    """

    scorer: ClassVar[str]
    kinds: ClassVar[Sequence[QuestionKind]]
    format_line: ClassVar[str] = ""
    pattern: ClassVar[str] = ""

    @abstractmethod
    def questions(self) -> Iterable[Question]:
        """The questions in the benchmark's own order. Raises UserError for files that are missing or broken."""

    def samples(self) -> Iterator[Sample]:
        for number, question in enumerate(self.questions(), start=1):
            if wrong := wrong_question(question):
                raise refusal(type(self), "questions", f"question {number} of {self.label}: {wrong}")
            with row_at(question.place or f"question {question.id or number}"):
                yield from self.asked(question, question.id or str(number))

    def asked(self, question: Question, name: str) -> Iterable[Sample]:
        """What a question becomes: one sample, but for rules that ask it in several ways.

        Args:
            name: its id.

        Raises:
            ValueError: the rule cannot read its label.
        """
        return [self.sample(question, name, self.target(question))]

    @abstractmethod
    def target(self, question: Question) -> tuple[str, ...]:
        """The label as the rule reads it. Raises ValueError for one that it cannot read."""

    def sample(self, question: Question, name: str, target: tuple[str, ...], *, shown: bool = True) -> Sample:
        """A question in the task's form of a prompt.

        Args:
            shown: whether the prompt has the options.
        """
        return Sample(
            id=name,
            prompt=self.prompt_of(question, shown=shown),
            target=target,
            images=question.images,
            question_id=name,
            category=question.category,
            group=question.group,
            question=question.text,
            choices=question.choices,
        )

    def prompt_of(self, question: Question, *, shown: bool = True) -> str:
        """The text that a model is asked."""
        listed = [f"{letter}. {option}" for letter, option in lettered(question.choices) if option] if shown else []
        options = "\n".join(listed)
        whole = "\n".join(filter(None, (question.hint, question.text, options)))
        if not self.pattern:
            return "\n".join(filter(None, (whole, self.format_line)))
        return Pattern(self.pattern).filled(QuestionParts(whole, question.text, question.hint, options, self.format_line))

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        """`metrics`, and the share of right answers in each category."""
        asked = sorted(name.removesuffix("/asked") for name in totals.names() if name.endswith("/asked"))
        return [*self.metrics, *(share(category, category) for category in asked)]
