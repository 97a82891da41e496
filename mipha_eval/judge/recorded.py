"""Grades that a judge gave before, in the file that MM-Vet's script writes, replayed as a judge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_json
from mipha_eval.core.json_value import Json
from mipha_eval.core.printable import printable
from mipha_eval.core.types import Query, Verdict
from mipha_eval.judge.judge import Judge

#: what grades say where yes or no is asked for
WORDS = {1.0: "yes", 0.0: "no"}


class RecordedGrades(Judge):
    """Replies to whatever is asked about a sample with the grade of the file, for each run its own.

    Attributes:
        path: of the file.
        runs: how many grades every sample has.

    Raises:
        UserError: the file is missing, broken, or its grades are not 0 to 1 and of equally many runs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        stored = read_json(path)
        if not isinstance(stored, dict):
            raise UserError(
                f"{path} is no grade file of MM-Vet's script: expected an object with an entry for each question"
            )
        entries = {name: _entry(path, name, entry) for name, entry in stored.items()}
        self._grades = {name: runs for name, (runs, _) in entries.items()}
        models = [model for _, named in entries.values() for model in named]
        if len({len(runs) for runs in self._grades.values()}) > 1:
            raise UserError(f"{path}: grades must be of equally many runs for every question")
        self.name = printable("+".join(dict.fromkeys(models))).strip() or "recorded"
        self.runs = max([1, *map(len, self._grades.values())])

    def describe(self) -> Mapping[str, Json]:
        return {"model": self.name, "recorded": self.path.name}

    def grades_of(self, sample: str) -> list[float]:
        """A grade of each run. Raises UserError if there is none."""
        grades = self._grades.get(sample)
        if not grades:
            raise UserError(f"{self.path} has no grade for {sample}; are they grades of other answers?")
        return grades

    async def ask(self, query: Query, sample: str) -> Verdict:
        """The grade, or yes for 1 and no for 0 where the query reads no grades."""
        grade = self.grades_of(query.about or sample)[query.repeat]
        said = repr(grade)
        if query.reads and not query.reads(said, False) and grade in WORDS:
            said = WORDS[grade]
        return Verdict(said, self.name, finish="stop")


def _entry(path: Path, name: str, entry: object) -> tuple[list[float], list[str]]:
    """Grades of each run of a question, and the judges' names. Raises UserError where something else stands."""
    place = f"{path}, {printable(name)[:80]}"
    scores, models = (entry.get(key, []) for key in ("score", "model")) if isinstance(entry, dict) else (None, None)
    if not isinstance(scores, list) or not isinstance(models, list):
        raise UserError(f"{place}: no entry of MM-Vet's script, which has lists as score and model")
    for grade in scores:  # true is no 1 here, and a number of 400 digits is out of range before it is a float
        if type(grade) not in (int, float) or not 0 <= grade <= 1:
            raise UserError(f"{place}: grades must be numbers from 0 to 1, not {printable(repr(grade)[:40])}")
    return [float(grade) for grade in scores], [str(model) for model in models]
