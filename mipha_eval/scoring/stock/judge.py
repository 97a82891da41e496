"""Open answers that a judge grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import NOT_JUDGED
from mipha_eval.core.types import Answer, Dialogue, Response, Sample, Score
from mipha_eval.scoring.judging.dialogue import NoReplyError, about
from mipha_eval.scoring.judging.prompts import grade, is_correct
from mipha_eval.scoring.stock.options import right_letter
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.ruled import accepted
from mipha_eval.scoring.stock.stock_task import QuestionKind, StockTask


@dataclass(frozen=True)
class JudgeTask(StockTask, JudgedTask):
    """A judge (``--judge``) says of each answer whether it means the same as an accepted one, or grades it.

    Option: `grades`, ``correct`` for yes or no, or ``scale`` for MM-Vet's grades from 0 to 1 by its own prompt and examples,
    where accepted answers are alternatives and one may hold parts that are all needed, joined by ``<AND>``.

    Without a judge no answer has a score. A blank answer is wrong without asking. Of a question with options the right
    letter and its text are accepted.

    Sources: this project's prompt, ``scoring/judging/prompts/correctness.txt``; ``mm-vet_evaluator.py`` of
    yuweihao/MM-Vet at 7d717c2.
    """

    grades: Literal["correct", "scale"] = "correct"

    scorer: ClassVar[str] = "judge"
    kinds: ClassVar[Sequence[QuestionKind]] = ("open", "short", "yesno", "choice")
    max_new_tokens: ClassVar[int] = 1024
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    def target(self, question: Question) -> tuple[str, ...]:
        if not question.choices:
            return accepted(question)
        letter = right_letter(question)
        return letter, question.choices[LETTERS.index(letter)]

    def main_metrics(self) -> Sequence[Metric]:
        return self.metrics if self.grades == "correct" else (share("score"),)

    def score(self, sample: Sample, response: Response) -> Score:
        return self.scored(sample, Reading("", NOT_JUDGED), 0)

    def grade(self, answers: Sequence[Answer], runs: int) -> Dialogue[Sequence[Score]]:
        scores: list[Score] = []
        for answer in answers:
            scores += [(yield from about(answer.sample.id, self._graded(answer, runs)))]
        return scores

    def _graded(self, answer: Answer, runs: int) -> Dialogue[Score]:
        sample, text = answer.sample, answer.text
        if not text.strip():
            return self.scored(sample, Reading("", "blank", parsed=False), 0)
        question = sample.question or self.core(sample.prompt)
        given: list[float] = []
        while len(given) < runs:
            if self.grades == "scale":
                given.append((yield from grade(question, "<OR>".join(sample.target), text, repeat=len(given))))
                continue
            opinion = yield from is_correct(question, sample.target, text, repeat=len(given), runs=runs)
            if opinion is None:
                raise NoReplyError("its words are neither yes nor no", whole=True)
            given.append(float(opinion))
        return self.scored(sample, Reading(text, "judge-grade"), sum(given) / runs, grades=given)
