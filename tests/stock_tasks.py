"""Stock tasks for tests: of given questions, and a plugin file with questions of many options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.scoring.result import score_responses
from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.scorers import scorer_class
from mipha_eval.scoring.stock.stock_task import StockTask

PLUGIN = '''
"""Things, by four rules."""

from dataclasses import dataclass
from string import ascii_uppercase
from typing import ClassVar

from mipha_eval.scoring.stock.choice import ChoiceTask
from mipha_eval.scoring.stock.circular import CircularTask
from mipha_eval.scoring.stock.judge import JudgeTask
from mipha_eval.scoring.stock.likelihood import LikelihoodTask
from mipha_eval.scoring.stock.question import Question


def things(task):
    image = task.data.images("things", "pictures").image("one.png")
    options = tuple(f"thing {number:02}" for number in range(task.count))
    last = ascii_uppercase[task.count - 1]
    yield Question("Which one is it?", (last,), (image,), options, id="last", category="accuracy")
    yield Question("Which is the other?", (options[0],), (image,), options, id="first", category="odd")
'''
CLASS = """

@dataclass(frozen=True)
class {owner}Things({owner}Task):
    count: int = 6

    name: ClassVar = "{name}"
    protocols: ClassVar = {{"v1": "two questions"}}
    own_data: ClassVar = True
    questions = things
"""
RULES = {"choice": "Choice", "circular": "Circular", "likelihood": "Likelihood", "judge": "Judge"}


def things_plugin(folder: Path) -> Path:
    """A plugin with a task of each of four rules, and its picture beside it."""
    (folder / "pictures").mkdir(parents=True)
    Image.new("RGB", (32, 32), "red").save(folder / "pictures/one.png")
    file = folder / "things.py"
    file.write_text(PLUGIN.lstrip() + "".join(CLASS.format(owner=owner, name=name) for name, owner in RULES.items()))
    return file


def stock_task(scorer: str, questions: Iterable[Question], **options: Any) -> StockTask:
    """A task with these questions, scored by a stock rule."""
    listed = list(questions)
    own = {"name": "quiz", "protocols": {"v1": "for tests"}, "questions": lambda _: listed}
    owner: type[StockTask] = type("Quiz", (scorer_class(scorer),), own)
    return owner("v1", DataSource("folder"), **options)


def one_sample(task: StockTask) -> Sample:
    (sample,) = task.samples()
    return sample


def scored(scorer: str, text: str, answers: Sequence[str], choices: Sequence[str] = (), **options: Any) -> Score:
    """The score of an answer to one question."""
    task = stock_task(scorer, [Question("What?", tuple(answers), choices=tuple(choices))], **options)
    return task.score(one_sample(task), Response(text))


def summary(task: StockTask, texts: Mapping[str, str]) -> ResultRecord:
    """The result of answers by sample id."""
    responses = {name: Response(text) for name, text in texts.items()}
    return score_responses(task, list(task.samples()), responses).summary
