"""Grades that a judge gave before, in the file that MM-Vet's script writes, replayed as a judge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mipha_eval.data.jsonl import read_json
from mipha_eval.errors import UserError
from mipha_eval.judge.judge import Judge
from mipha_eval.printable import printable
from mipha_eval.types import Query, Verdict


class RecordedGrades(Judge):
    """Replies to whatever is asked about a sample with the grade of the file, for each run its own.

    Attributes:
        runs: how many grades every sample has.

    Raises:
        UserError: the file is missing, broken, or its grades are not 0 to 1 and of equally many runs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        stored = read_json(path)
        try:
            if any(isinstance(entry["score"], str) for entry in stored.values()):
                raise TypeError("score must be a list")
            self._grades = {name: [float(grade) for grade in entry["score"]] for name, entry in stored.items()}
            models = [str(model) for entry in stored.values() for model in entry.get("model", ())]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} is no grade file of MM-Vet's script: {error!r}") from error
        uneven = len({len(runs) for runs in self._grades.values()}) > 1
        if uneven or not all(0 <= grade <= 1 for runs in self._grades.values() for grade in runs):
            raise UserError(f"{path}: grades must be 0 to 1, of equally many runs for every question")
        self.name = printable("+".join(dict.fromkeys(models))).strip() or "recorded"
        self.runs = max([1, *map(len, self._grades.values())])

    def describe(self) -> Mapping[str, Any]:
        return {"model": self.name, "recorded": self._path.name}

    def grades_of(self, sample: str) -> list[float]:
        """A grade of each run. Raises UserError if there is none."""
        grades = self._grades.get(sample)
        if not grades:
            raise UserError(f"{self._path} has no grade for {sample}; are they grades of other answers?")
        return grades

    async def ask(self, query: Query, sample: str) -> Verdict:
        return Verdict(repr(self.grades_of(sample)[query.repeat]), self.name)
