"""Run folders: written line by line while a run goes on, read again to resume, to score and to report."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from mipha_eval.core.atomic import errors_naming, write_json, write_lines
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.data.jsonl import read_jsonl
from mipha_eval.store import migrations
from mipha_eval.store.journal import Appender, read_stored
from mipha_eval.store.records import (
    Checks,
    Manifest,
    ResponseNumbers,
    StoredResult,
    TaskRecord,
    TaskStatus,
    checked,
    samples_of,
    scores_of,
)
from mipha_eval.store.run_log import RunLog

AGAIN = "the same run writes it anew"
BEGUN = ("samples.jsonl", "task.json", "responses.jsonl", "scores.jsonl", "result.json")  # of a task that has begun

# names of fields and how to get all their values; dataclasses.asdict would copy every value deeply first
SCORE, RESPONSE = (tuple(entry.name for entry in dataclasses.fields(kind)) for kind in (Score, Response))
values_of_score, values_of_response = attrgetter(*SCORE), attrgetter(*RESPONSE)


class RunFolder:
    """One run: ``manifest.json``, ``status.json``, and a folder for each task."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = RunLog(path / "log.txt")

    @classmethod
    def create(cls, parent: Path, model: str, manifest: Mapping[str, Any]) -> RunFolder:
        """Makes ``<model>__<date-time>__<id>`` under `parent` with its manifest."""
        run = cls(parent / f"{plain_name(model)}__{time.strftime('%Y%m%d-%H%M%S')}__{secrets.token_hex(3)}")
        with errors_naming(run.path):
            run.path.mkdir(parents=True)
            write_json(run.path / "manifest.json", {"schema": migrations.FORMAT, **manifest})
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Raises UserError if `path` is no run, or one of a newer version."""
        run = cls(path)
        if run.manifest().get("schema", 0) > migrations.FORMAT:
            raise UserError(f"{path} was written by a newer mipha-eval; update this one")
        return run

    @classmethod
    def find(cls, parent: Path, identity: str) -> RunFolder | None:
        """The newest run under `parent` with the same model, options and data."""
        same = []
        for path in parent.glob("*/manifest.json"):
            with contextlib.suppress(UserError):  # a broken manifest is no run to go on with
                if cls(path.parent).manifest().get("identity") == identity:
                    same.append(cls(path.parent))
        return max(same, key=lambda run: run.path.name.split("__")[-2:], default=None)

    def manifest(self) -> dict[str, Any]:
        """Raises UserError if it is missing or damaged."""
        path = self.path / "manifest.json"
        found = read_object(path, "is this a run folder?")
        checked(Manifest, found, str(path))
        return found

    def task(self, label: str) -> TaskFolder:
        return TaskFolder(self.path / label)

    def tasks(self) -> list[str]:
        """Labels of the tasks that the run has begun, as the status says it, or a file of theirs."""
        begun = {label for label, task in self.status().items() if task.state != "pending"}
        return sorted(begun | {path.parent.name for name in BEGUN for path in self.path.glob(f"*/{name}")})

    def status(self) -> dict[str, TaskStatus]:
        """Where each task is. Raises UserError if the file is damaged."""
        path = self.path / "status.json"
        hint = "remove it to go on"
        return checked(dict[str, TaskStatus], read_object(path, hint), str(path), hint) if path.exists() else {}

    def results_of(self, label: str) -> list[dict[str, Any]]:
        """The run's own result of a task, then those that further judges led to; none before the task is finished.

        Raises:
            UserError: one is damaged, or the task is finished and its result is missing.
        """
        found = self.task(label).results()
        task = self.status().get(label)
        if not found and task is not None and task.state == "done":
            raise UserError(f"{self.path / label / 'result.json'} is missing, though the task is finished; {AGAIN}")
        return found

    def check_whole(self, labels: Iterable[str]) -> None:
        """Raises UserError if a file that this run has written is not there any more."""
        files = [self.path / "manifest.json", *(self.path / label / name for label in labels for name in BEGUN)]
        gone = [file for file in files if not file.is_file()]
        if gone:
            raise UserError(f"{gone[0]} was removed while the run went on; the same command writes it anew")

    def results(self) -> list[dict[str, Any]]:
        """The results of all tasks that have one, and those that further judges led to."""
        return [read_result(path) for path in sorted(self.path.glob("*/result*.json"))]

    def equivalence(self) -> list[dict[str, Any]]:
        """What ``equivalence.json`` has on answers that were made again alone; nothing if it is not there."""
        path, hint = self.path / "equivalence.json", "remove it to go on"
        if not path.exists():
            return []
        found = read_object(path, hint)
        if isinstance(found.get("samples"), list):
            found = {**found, "samples": [migrations.renamed(row, migrations.CHECK) for row in found["samples"]]}
        checked(Checks, found, str(path), hint)
        rows: list[dict[str, Any]] = found["samples"]
        return rows

    def write_equivalence(self, found: Mapping[str, Any]) -> None:
        write_json(self.path / "equivalence.json", found)

    def set_status(self, label: str, state: str, **facts: int | str) -> None:
        """Notes where a task is: pending, infer, score, judge, done or failed, with counts, and if it failed the reason."""
        path = self.path / "status.json"
        status = read_object(path) if path.exists() else {}
        write_json(path, {**status, label: {"state": state, **facts}})


def plain_name(text: str) -> str:
    """A text as part of a file name, of at most 60 letters; texts that look alike then stay apart."""
    plain = "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in text[:50])
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


class TaskFolder:
    """One task of a run: ``samples.jsonl``, ``responses.jsonl``, ``scores.jsonl``, ``result.json``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write_samples(self, samples: Iterable[Sample]) -> None:
        """Writes what is asked, for people and viewers; images by name and place."""
        rows = (
            {
                "id": sample.id,
                "question_id": sample.question_id,
                "prompt": sample.prompt,
                "target": sample.target,
                "category": sample.category,
                "group": sample.group,
                "tags": sample.tags,
                "question": sample.question,
                "choices": sample.choices,
                "images": [{"name": image.name, "location": image.location} for image in sample.images],
            }
            for sample in samples
        )
        write_lines(self.path / "samples.jsonl", rows)

    def samples(self) -> list[Sample]:
        """The stored questions; their images can no longer be read. Raises UserError if one is damaged."""
        path = self.path / "samples.jsonl"
        found = list(samples_of(read_jsonl(path), path))
        if not found:
            raise UserError(f"{path} is damaged: it has no questions; {AGAIN}")
        return found

    def responses(self) -> dict[str, Stored]:
        """Stored responses by sample id; of several for one sample the last."""
        rows = read_stored(
            self.path / "responses.jsonl", {"sample": str, "key": str, "images": list, "text": str, "error": str}
        )
        return {
            row["sample"]: Stored(row["key"], tuple(row["images"]), response_of(row))
            for row in (migrations.renamed(each, migrations.RESPONSE) for each in rows)
            if numbers_fit(row)
        }

    def append_responses(self) -> Appender:
        return Appender(self.path / "responses.jsonl")

    def write_scores(self, scores: Iterable[Score]) -> None:
        write_lines(self.path / "scores.jsonl", (dict(zip(SCORE, values_of_score(score), strict=True)) for score in scores))

    def scores(self) -> list[Score]:
        """The stored scores. Raises UserError if one is damaged."""
        path = self.path / "scores.jsonl"
        return list(scores_of(read_jsonl(path), path))

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Writes the result of the run; one that another judge led to before is kept beside it."""
        before, judge = self._judge_of_result(), (result.get("judge") or {}).get("name")
        if before and before != judge:
            (self.path / "result.json").replace(self._result_of(before))
        write_json(self.path / "result.json", result)
        if judge:
            self._result_of(judge).unlink(missing_ok=True)

    def write_judged(self, judge: str, result: Mapping[str, Any]) -> None:
        """Keeps the result that a further judge led to beside that of the run."""
        write_json(self.path / "result.json" if self._judge_of_result() == judge else self._result_of(judge), result)

    def _judge_of_result(self) -> str:
        path = self.path / "result.json"
        return (read_result(path).get("judge") or {}).get("name", "") if path.exists() else ""

    def _result_of(self, judge: str) -> Path:
        return self.path / f"result.{plain_name(judge)}.json"

    def results(self) -> list[dict[str, Any]]:
        """The run's own result, then those that further judges led to; none before the task is finished."""
        own = self.path / "result.json"
        return [read_result(path) for path in (own, *sorted(self.path.glob("result.*.json"))) if path.exists()]

    def effort(self) -> dict[str, Any]:
        """Seconds that answers took, and how many these were (``timed``), as the run's result has them; if there is one."""
        with contextlib.suppress(UserError):
            own = next(iter(self.results()), {})
            # results of before commands were added up have only what the last one generated
            seconds, timed = own.get("seconds"), own.get("timed", own.get("generated"))
            if isinstance(seconds, int | float) and isinstance(timed, int) and timed:
                return {"seconds": seconds, "timed": timed}
        return {"seconds": 0.0, "timed": 0}

    def write_task(self, task: Mapping[str, Any]) -> None:
        """Writes what is needed to build the task again."""
        write_json(self.path / "task.json", task)

    def read_task(self) -> dict[str, Any]:
        """Raises UserError if it is missing or damaged."""
        path = self.path / "task.json"
        found: dict[str, Any] = migrations.renamed(read_object(path, AGAIN), migrations.TASK)
        checked(TaskRecord, found, str(path), AGAIN)
        return found


def read_result(path: Path) -> dict[str, Any]:
    """The result of a task. Raises UserError if it is missing or damaged."""
    return checked_result(read_object(path, AGAIN), path)


def checked_result(content: Any, path: Path) -> dict[str, Any]:
    """The content of a result. Raises UserError if it is damaged."""
    content = migrations.renamed(content, migrations.RESULT)
    stored = checked(StoredResult, content, str(path), "give a run folder, or a result that was printed as JSON")
    unknown = stored.metrics.keys() - stored.units.keys() if stored.units else set()
    if unknown or not stored.intervals.keys() <= stored.metrics.keys():
        raise UserError(f"{path} is damaged: metrics, intervals and units are not about the same")
    found: dict[str, Any] = content
    return found


@dataclass(frozen=True, slots=True)
class Stored:
    """A response as it was stored: the key of its request and digests of the images that the model saw."""

    key: str
    images: tuple[str, ...]
    response: Response


def numbers_fit(row: Mapping[str, Any]) -> bool:
    """Whether what a record says of likelihoods and logits, if anything, can be used; if not, the request is asked again."""
    try:
        numbers = checked(ResponseNumbers, row, "a response")
    except UserError:
        return False
    return len(numbers.likelihoods) == len(numbers.option_tokens)


def response_row(response: Response) -> dict[str, Any]:
    """A response as it is stored."""
    row = dict(zip(RESPONSE, values_of_response(response), strict=True))
    for name in ("top", "probabilities"):
        if not row[name]:
            del row[name]
    return row


def response_of(row: Mapping[str, Any]) -> Response:
    """The response in a stored record."""
    known: dict[str, Any] = {name: row[name] for name in RESPONSE if name in row}
    known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    known["top"] = tuple((token, logit) for token, logit in known.get("top", ()))
    return Response(**known)
