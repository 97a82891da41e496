"""VizWiz: soft accuracy over the crowd's answers, both sides normalised by EvalAI's rule once.

Follows the vizwiz_vqa task of EvolvingLMMs-Lab/lmms-eval (the server's own code is not public).
"""

from collections.abc import Callable
from pathlib import Path

from .answer_file import read_answers, read_json
from .verdict import Verdict, percentage
from .vqa_text import leave_one_out, normalise_evalai

SOURCE = "EvolvingLMMs-Lab/lmms-eval@75571cfe0fa3"
PROTOCOLS = ("val",)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are row numbers, counted from 0."""
    return score_with(data, answers, normalise_evalai)


def score_with(data: Path, answers: Path, normalise: Callable[[str], str]) -> Verdict:
    """The same with another implementation of the normalisation."""
    rows = read_json(data / "vizwiz" / "val.json")
    values: list[float] = []
    by_type: dict[str, list[float]] = {}
    for line in read_answers(answers):
        row = rows[int(line.question_id)]
        references = [normalise(record["answer"]) for record in row["answers"]]
        values.append(leave_one_out(normalise(line.text), references))
        by_type.setdefault(row["answer_type"], []).append(values[-1])
    metrics = {"accuracy": percentage(values)}
    for answer_type, numbers in by_type.items():
        metrics[answer_type] = percentage(numbers)
    return Verdict(values, metrics)
