"""Reading of answer files (one JSON object a line: question_id, prompt, text) and of JSON data files."""

import json
from pathlib import Path
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """One line of an answer file; the question id is kept as text, whether the file has a number or a string."""

    question_id: str
    prompt: str
    text: str


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    with path.open(encoding="utf-8") as file:
        return json.load(file)


def read_json_lines(path: Path) -> list[Any]:
    """The objects of a JSON-lines file; only a line feed ends a line, lines without content are passed over."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_answers(path: Path) -> list[Answer]:
    """The lines of an answer file, in its order."""
    return [Answer(str(row["question_id"]), row["prompt"], row["text"]) for row in read_json_lines(path)]
