"""ScienceQA: the option letter as LLaVA reads it, over all test problems and over those with an image.

Follows llava/eval/eval_science_qa.py of haotian-liu/LLaVA.
"""

import re
import string
from pathlib import Path

from .answer_file import read_answers, read_json
from .verdict import Verdict, percentage

SOURCE = "haotian-liu/LLaVA@c121f0432da2"
PROTOCOLS = ("llava",)

LETTERS = ("A", "B", "C", "D", "E")  # the default of the script's --options
# The last full stop stands for any character but a line break.
SENTENCE = re.compile(r"The answer is ([A-Z]).")


def letters_for(choices: int) -> tuple[str, ...]:
    """The script's option letters; a problem with more choices needs more of them on its command line."""
    return LETTERS if choices <= len(LETTERS) else tuple(string.ascii_uppercase[:choices])


def letter_in(text: str, letters: tuple[str, ...]) -> str | None:
    """The letter that a text gives; it may be one that is no option."""
    if text in letters:
        return text
    if len(text) >= 3 and text[0] in letters and text[1:3] == ". ":
        return text[0]
    found: list[str] = SENTENCE.findall(text)
    return found[0] if len(found) == 1 else None


def is_right(text: str, choices: int, answer: int) -> bool:
    """Whether a text gives the letter of the answer, which is counted from 0."""
    letters = letters_for(choices)
    letter = letter_in(text, letters)
    offered = letters[:choices]
    return letter in offered and offered.index(str(letter)) == answer


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file; a problem has an image where LLaVA's prompt file has one, which puts <image> first."""
    folder = data / "scienceqa"
    problems = read_json(folder / "problems.json")
    lines = read_answers(answers)
    values = []
    for line in lines:
        problem = problems[line.question_id]
        values.append(float(is_right(line.text, len(problem["choices"]), problem["answer"])))
    worth = {line.question_id: value for line, value in zip(lines, values, strict=True)}
    with_image = {str(entry["id"]) for entry in read_json(folder / "llava_test_CQM-A.json") if "image" in entry}
    test = [str(problem_id) for problem_id in read_json(folder / "pid_splits.json")["test"]]
    metrics = {"all": percentage([worth.get(problem_id, 0.0) for problem_id in test])}
    pictured = [worth[problem_id] for problem_id in test if problem_id in with_image and problem_id in worth]
    if pictured:
        metrics["img"] = percentage(pictured)
    return Verdict(values, metrics)
