"""TextVQA: soft accuracy over ten answers, both sides normalised by EvalAI's rule.

Follows llava/eval/eval_textvqa.py and llava/eval/m4c_evaluator.py of haotian-liu/LLaVA.
"""

import re
from collections.abc import Callable
from pathlib import Path

from .answer_file import read_answers, read_json
from .verdict import Verdict, percentage
from .vqa_text import leave_one_out, normalise_evalai

SOURCE = "haotian-liu/LLaVA@c121f0432da2"
PROTOCOLS = ("llava-ocr", "plain")

ANSWERS_FOR_EACH_QUESTION = 10


def question_in(prompt: str) -> str:
    """The question that a prompt holds, in lower case."""
    lines = prompt.split("\n")
    if prompt.startswith("OCR tokens: "):
        found = re.search(r"Question: (.*?) Short answer:", prompt, re.DOTALL)
        if found is None:
            raise ValueError("no question in the prompt")
        return found.group(1).lower()
    if len(lines) == 3 and "Reference OCR token: " in prompt:
        place = 1 if prompt.startswith("Reference OCR token:") else 0
        return lines[place].lower()
    if len(lines) == 2:
        return lines[0].lower()
    raise ValueError("a prompt that the official script does not know")


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are image ids."""
    return score_with(data, answers, normalise_evalai)


def score_with(data: Path, answers: Path, normalise: Callable[[str], str]) -> Verdict:
    """The same with another implementation of the normalisation."""
    rows = read_json(data / "textvqa" / "TextVQA_0.5.1_val.json")["data"]
    references = {(str(row["image_id"]), row["question"].lower()): row["answers"] for row in rows}
    values = []
    for line in read_answers(answers):
        known = references[line.question_id, question_in(line.prompt)]
        if len(known) != ANSWERS_FOR_EACH_QUESTION:
            raise ValueError("a question of TextVQA has ten answers")
        values.append(leave_one_out(normalise(line.text), [normalise(one) for one in known]))
    return Verdict(values, {"accuracy": percentage(values)})
