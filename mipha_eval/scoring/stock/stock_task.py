"""What an author subclasses whose benchmark a published rule scores."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from mipha_eval.core.alphabet import LETTERS, lettered
from mipha_eval.core.metrics import Metric, Tally, Totals, share
from mipha_eval.core.plugins.checks.refusal import refusal
from mipha_eval.core.prompt_pattern import Pattern
from mipha_eval.core.question_parts import QuestionParts
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample, Score
from mipha_eval.data.rows import row_at
from mipha_eval.scoring.stock.question import Question, wrong_question

#: what questions ask for: yes or no, one of their options, a word or a few, a caption, or any text that a judge reads
QuestionKind = Literal["yesno", "choice", "short", "caption", "open"]

#: what of a task decides numbers, so that a certificate of its scorer is about it only if it is the scorer's own
DECIDING = (
    *("score", "read", "target", "label_of", "asked", "tally", "main_metrics", "metrics_for", "metrics", "finish"),
    *("score_missing", "scorer", "scored"),
)
#: fields of a task that are no options
NO_OPTIONS = ("protocol", "data")

#: what the counts of a category begin with, and the name of a category that is called like a metric of the rule's
CATEGORY = "category/"
GROUPS = "group_accuracy"


@dataclass(frozen=True)
class StockTask(Task):
    """A benchmark whose rule is there already; `questions` says where its questions are.

    Results have the rule's own metrics, `group_accuracy` where questions are in groups (the share of groups all of whose
    questions are right), and the first metric of each category under the category's name. A category that is called like
    another metric, or begins with ``category/``, has ``category/`` before its name.

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
                if len(question.choices) > len(LETTERS):
                    raise ValueError(
                        f"it has {len(question.choices)} options, but only {len(LETTERS)} letters can name them"
                    )
                yield from self.asked(question, question.id or str(number))

    def asked(self, question: Question, name: str) -> Iterable[Sample]:
        """What a question becomes: one sample, but for rules that ask it in several ways.

        Args:
            name: its id.

        Raises:
            ValueError: the rule cannot read its label.
        """
        return [self.sample(question, name, self.label_of(question))]

    def label_of(self, question: Question) -> tuple[str, ...]:
        """The label as the rule reads it; empty where labels are not public. Raises ValueError as `target` does."""
        return self.target(question) if question.answers else ()

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

    def possible_answers(self, sample: Sample) -> Mapping[str, bool]:
        return super().possible_answers(sample) if self.lettered else {}

    def tally(self, scores: Sequence[Score]) -> Tally:
        """Right and asked: of all, of each category, and of the group if it is one."""
        counts = {"right": sum(score.value for score in scores), "asked": float(len(scores))}
        for score in scores:
            for part in (score.category, *score.tags):
                if part:
                    for name, count in (("right", score.value), ("asked", 1.0)):
                        counts[f"{CATEGORY}{part}/{name}"] = counts.get(f"{CATEGORY}{part}/{name}", 0.0) + count
        if scores[0].group:
            counts |= {f"{GROUPS}/right": float(all(score.value == 1 for score in scores)), f"{GROUPS}/asked": 1.0}
        return counts

    def main_metrics(self) -> Sequence[Metric]:
        """Those of the rule itself, the headline first."""
        return self.metrics

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        """The rule's own metrics, that of groups, and one of each category."""
        asked = {name.removesuffix("/asked") for name in totals.names() if name.endswith("/asked")}
        own = [*self.main_metrics(), *([share(GROUPS, GROUPS)] if GROUPS in asked else [])]
        taken = {*(metric.plain for metric in own), GROUPS}
        parts = sorted(part for part in asked if part.startswith(CATEGORY))
        return [*own, *(share(category_name(part.removeprefix(CATEGORY), taken), part) for part in parts)]

    def scored_by(self) -> tuple[str, type[Task]]:
        """The stock scorer, ``stock-SCORER``, unless this task scores by a rule or options of its own."""
        stock = next(owner for owner in type(self).__mro__ if owner.__module__.startswith(f"{__package__}."))
        options = [entry for entry in dataclasses.fields(stock) if entry.name not in NO_OPTIONS]
        usual = all(getattr(self, entry.name) == entry.default for entry in options)
        same = all(getattr(type(self), name, None) is getattr(stock, name, None) for name in DECIDING)
        return (f"stock-{self.scorer}", stock) if usual and same else super().scored_by()


def category_name(category: str, taken: Iterable[str]) -> str:
    """What the metric of a category is called, where these names are another metric's."""
    return f"{CATEGORY}{category}" if category in set(taken) or category.startswith(CATEGORY) else category
