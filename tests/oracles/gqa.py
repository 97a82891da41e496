"""GQA: exact match of the lower-cased text without full stops at its end.

Follows evaluation/eval.py of dorarad/gqa (accuracy, binary, open), after LLaVA's scripts/convert_gqa_for_eval.py.
"""

from pathlib import Path

from .answer_file import read_answers, read_json
from .verdict import Verdict, percentage

SOURCE = "dorarad/gqa@ffb265df2575"
PROTOCOLS = ("testdev",)


def prediction(text: str) -> str:
    """What LLaVA's converter makes of a text."""
    return text.rstrip(".").lower()


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file; only balanced questions count for the metrics, an empty group has 0 as in the script."""
    questions = read_json(data / "gqa" / "data" / "testdev_balanced_questions.json")
    lines = read_answers(answers)
    values = [float(prediction(line.text) == questions[line.question_id]["answer"]) for line in lines]
    worth = {line.question_id: value for line, value in zip(lines, values, strict=True)}
    groups: dict[str, list[float]] = {"accuracy": [], "binary": [], "open": []}
    for question_id, question in questions.items():
        if question["isBalanced"]:
            kind = "open" if question["types"]["structural"] == "query" else "binary"
            groups["accuracy"].append(worth[question_id])
            groups[kind].append(worth[question_id])
    return Verdict(values, {name: percentage(group) if group else 0.0 for name, group in groups.items()})
