"""The folder of a task of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Sample, Score
from mipha_eval.scoring.result_record import Effort, ResultRecord
from mipha_eval.store.effort import measured, measured_of_all
from mipha_eval.store.journal import Appender
from mipha_eval.store.plain_name import plain_name
from mipha_eval.store.responses import Stored, read_responses
from mipha_eval.store.results import read_result, write_result
from mipha_eval.store.samples import StoredSample, read_samples, read_stored_samples, write_samples
from mipha_eval.store.scores import read_scores, write_scores
from mipha_eval.store.seal import is_sealed, write_seal
from mipha_eval.store.task_record import TaskRecord, read_task_record, write_task_record


class TaskFolder:
    """One task of a run: ``samples.jsonl``, ``responses.jsonl``, ``scores.jsonl``, ``result.json``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write_samples(self, samples: Iterable[Sample], keys: Sequence[str] = ()) -> None:
        """Writes what is asked, for people and viewers; images by name and place."""
        write_samples(self.path / "samples.jsonl", samples, keys)

    def stored_samples(self) -> list[StoredSample]:
        """The questions with the keys of what was asked of them."""
        return read_stored_samples(self.path / "samples.jsonl")

    def samples(self) -> list[Sample]:
        """The stored questions; their images can no longer be read. Raises UserError if one is damaged."""
        return read_samples(self.path / "samples.jsonl")

    def responses(self) -> dict[str, Stored]:
        """Stored responses by sample id; of several for one sample the last."""
        return read_responses(self.path / "responses.jsonl")

    def append_responses(self) -> Appender:
        return Appender(self.path / "responses.jsonl")

    def write_scores(self, scores: Iterable[Score]) -> None:
        write_scores(self.path / "scores.jsonl", scores)

    def scores(self) -> list[Score]:
        """The stored scores. Raises UserError if one is damaged."""
        return read_scores(self.path / "scores.jsonl")

    def write_result(self, result: ResultRecord) -> None:
        """Writes the result of the run; one that another judge led to before is kept beside it."""
        before, judge = self._judge_of_result(), result.judged_by
        if before and before != judge:
            (self.path / "result.json").replace(self._result_of(before))
        write_result(self.path / "result.json", result)
        if judge:
            self._result_of(judge).unlink(missing_ok=True)

    def write_seal(self, inputs: str) -> None:
        """Notes what scores and result were made of."""
        write_seal(self.path, inputs)

    def is_sealed(self, inputs: str) -> bool:
        """Whether scores and result were made of this, and are as they were written."""
        return is_sealed(self.path, inputs)

    def write_judged(self, judge: str, result: ResultRecord) -> None:
        """Keeps the result that a further judge led to beside that of the run."""
        write_result(self.path / "result.json" if self._judge_of_result() == judge else self._result_of(judge), result)

    def _judge_of_result(self) -> str:
        path = self.path / "result.json"
        with contextlib.suppress(UserError):  # a damaged one is nobody's, and written anew
            return read_result(path).judged_by if path.exists() else ""
        return ""

    def _result_of(self, judge: str) -> Path:
        return self.path / f"result.{plain_name(judge)}.json"

    def results(self) -> list[ResultRecord]:
        """The run's own result, then those that further judges led to; none before the task is finished."""
        return list(map(read_result, self.result_files()))

    def result_files(self) -> list[Path]:
        """Where these stand, in the same order."""
        own = self.path / "result.json"
        return [path for path in (own, *sorted(self.path.glob("result.*.json"))) if path.exists()]

    def effort(self) -> Effort:
        """What answers took, as the run's result has it, see `measured`."""
        own = self._own_result()
        return measured(own) if own else Effort()

    def effort_of_all(self) -> Effort:
        """The same, see `measured_of_all`."""
        own = self._own_result()
        return measured_of_all(own) if own else Effort()

    def _own_result(self) -> ResultRecord | None:
        with contextlib.suppress(UserError):
            return next(iter(self.results()), None)
        return None

    def write_task(self, task: TaskRecord) -> None:
        """Writes what is needed to build the task again."""
        write_task_record(self.path / "task.json", task)

    def read_task(self) -> TaskRecord:
        """Raises UserError if it is missing or damaged."""
        return read_task_record(self.path / "task.json")
