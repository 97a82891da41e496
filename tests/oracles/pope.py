"""POPE as LLaVA scores it, per category and as the mean of the three categories.

Follows llava/eval/eval_pope.py of haotian-liu/LLaVA (the same rule as evaluate.py of AoiDragon/POPE).
"""

from pathlib import Path
from typing import NamedTuple

from .answer_file import read_answers, read_json_lines
from .verdict import Verdict, mean

SOURCE = "haotian-liu/LLaVA@c121f0432da2"
PROTOCOLS = ("llava", "official")

OFFSETS = {"adversarial": 0, "random": 10_000_000, "popular": 20_000_000}
MEASURES = ("f1", "accuracy", "precision", "recall", "yes_ratio")


class Judged(NamedTuple):
    """One question: what the text was read as, and what the label says."""

    says_yes: bool
    is_yes: bool


def says_yes(text: str) -> bool:
    """Everything counts as "yes" unless a word before the first full stop is exactly No, not or no."""
    first_sentence = text.split(".", maxsplit=1)[0]
    words = first_sentence.replace(",", "").split(" ")
    return not ("No" in words or "not" in words or "no" in words)


def ratio(part: float, whole: float) -> float:
    """A quotient that is 0 where the official script would divide by zero."""
    return part / whole if whole else 0.0


def measure(judged: list[Judged]) -> dict[str, float]:
    """F1, accuracy, precision, recall (positive: yes) and the share of answers read as yes, in percent."""
    true_yes = sum(1 for one in judged if one.says_yes and one.is_yes)
    false_yes = sum(1 for one in judged if one.says_yes and not one.is_yes)
    true_no = sum(1 for one in judged if not one.says_yes and not one.is_yes)
    false_no = sum(1 for one in judged if not one.says_yes and one.is_yes)
    precision = ratio(true_yes, true_yes + false_yes)
    recall = ratio(true_yes, true_yes + false_no)
    fractions = {
        "f1": ratio(2 * precision * recall, precision + recall),
        "accuracy": ratio(true_yes + true_no, len(judged)),
        "precision": precision,
        "recall": recall,
        "yes_ratio": ratio(true_yes + false_yes, len(judged)),
    }
    return {name: 100.0 * value for name, value in fractions.items()}


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are the label ids plus the offset of the category."""
    lines = read_answers(answers)
    text_of = {line.question_id: line.text for line in lines}
    worth: dict[str, float] = {}
    metrics: dict[str, float] = {}
    for category, offset in OFFSETS.items():
        judged = []
        for row in read_json_lines(data / "pope" / "coco" / f"coco_pope_{category}.json"):
            question_id = str(int(row["question_id"]) + offset)
            one = Judged(says_yes(text_of[question_id]), row["label"] != "no")
            judged.append(one)
            worth[question_id] = float(one.says_yes == one.is_yes)
        for name, value in measure(judged).items():
            metrics[f"{category}/{name}"] = value
    for name in MEASURES:
        metrics[name] = mean([metrics[f"{category}/{name}"] for category in OFFSETS])
    return Verdict([worth[line.question_id] for line in lines], metrics)
