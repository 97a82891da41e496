"""What kind of questions a table has, by its first rows."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.scoring.answers.vqa import HUMANS
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.scorers import USUAL
from mipha_eval.scoring.stock.stock_task import QuestionKind

YES_NO = {"yes", "no"}
#: words of an answer that is no whole sentence
SHORT = 5


def kind_of(questions: Sequence[Question]) -> QuestionKind:
    """What questions ask for.

    Options make a choice, labels of yes and no a yes/no question, no question a caption, labels of a few words a short
    answer, all else an open one.
    """
    answers = [answer for question in questions for answer in question.answers]
    if any(question.choices for question in questions):
        return "choice"
    if answers and {answer.strip().lower() for answer in answers} <= YES_NO:
        return "yesno"
    if not any(question.text.strip() for question in questions):
        return "caption"
    return "short" if all(len(answer.split()) <= SHORT for answer in answers) else "open"


def usual_scorer(kind: QuestionKind, questions: Sequence[Question]) -> str:
    """The scorer where nobody names one: that of the kind, and VQA's where ten people answered every question."""
    if kind == "short" and questions and all(len(question.answers) == HUMANS for question in questions):
        return "vqa"
    return USUAL[kind]
