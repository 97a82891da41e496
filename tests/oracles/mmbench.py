"""MMBench: circular evaluation without a judge; an option that cannot be read from the text is wrong.

Follows vlmeval/utils/matching_util.py and vlmeval/dataset/utils/multiple_choice.py of open-compass/VLMEvalKit
(its exact matching); the options are all cells A to Z that pandas does not read as missing.
"""

import csv
import re
import string
import sys
from pathlib import Path

from .answer_file import read_answers
from .verdict import Verdict, percentage

SOURCE = "open-compass/VLMEvalKit@e8e78f05f308"
PROTOCOLS = ("dev", "cn-dev")

FILES = ("mmbench_dev_20230712.tsv", "mmbench_dev_20230712_no_images.tsv")
ROTATION = 1_000_000
# The cells that pandas reads as missing.
MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)
NO_ANSWER = "Failed to obtain answer via API"
PUNCTUATION = ".()[],:;!*#{}"
SENTENCE = re.compile(r"(?i)(?:correct\s+)?answer\s+is\s+\**([ABCD])\**")

Row = dict[str, str]


def read_rows(folder: Path) -> list[Row]:
    """The rows of the first file that exists; a missing cell has no entry."""
    path = next(folder / name for name in FILES if (folder / name).exists())
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [dict(row) for row in csv.DictReader(file, delimiter="\t")]
    return [{name: cell for name, cell in row.items() if cell is not None and cell not in MISSING} for row in rows]


def options_of(row: Row) -> dict[str, str]:
    """The options that are there."""
    return {letter: row[letter] for letter in string.ascii_uppercase if letter in row}


def letter_among_words(text: str, options: dict[str, str]) -> str | None:
    """A letter that stands as a word of its own, or after "answer is"; Z where the text refuses."""
    if NO_ANSWER in text:
        return None
    if any(refusal in text for refusal in REFUSALS):
        return "Z"
    spaced = "".join(" " if character in PUNCTUATION else character for character in text)
    words = spaced.split()
    standing = [letter for letter in options if letter in words]
    if len(standing) == 1 and words.index(standing[0]) > len(words) - 5:
        return standing[0]
    if not standing and "Z" in words:
        return "Z"
    found = SENTENCE.search(text)
    if found is not None and found.group(1).upper() in options:
        return found.group(1).upper()
    return None


def letter_of_wording(text: str, options: dict[str, str]) -> str | None:
    """The only option whose wording is in the text, if the text is not much longer than all options together."""
    lowered = text.lower()
    if len(lowered) > 2 * sum(len(wording) for wording in options.values()):
        return None
    contained = [letter for letter, wording in options.items() if wording.lower() in lowered]
    return contained[0] if len(contained) == 1 else None


def letter_of(text: str, options: dict[str, str]) -> str | None:
    """The letter that can be inferred from a text, if any."""
    return letter_among_words(text, options) or letter_of_wording(text, options)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are the indices of the rows, rotations included."""
    lines = read_answers(answers)
    text_of = {line.question_id: line.text for line in lines}
    rows = {int(row["index"]): row for row in read_rows(data / "mmbench")}
    worth: dict[int, float] = {}
    for index, row in rows.items():
        if str(index) in text_of:
            worth[index] = float(letter_of(text_of[str(index)], options_of(row)) == row["answer"])
    rotations: dict[int, list[float]] = {}
    for index, value in worth.items():
        rotations.setdefault(index % ROTATION, []).append(value)
    base = [index for index in worth if index < ROTATION]
    groups: dict[str, list[float]] = {"accuracy": [], "vanilla": [worth[index] for index in base]}
    for index in base:
        hit = min(rotations[index])
        groups["accuracy"].append(hit)
        for column, prefix in (("category", "category"), ("l2-category", "l2")):
            if column in rows[index]:
                groups.setdefault(f"{prefix}/{rows[index][column]}", []).append(hit)
    values = [worth[int(line.question_id)] for line in lines]
    return Verdict(values, {name: percentage(group) for name, group in groups.items()})
