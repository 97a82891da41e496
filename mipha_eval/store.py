"""Run folders: written line by line while a run goes on, read again to resume, to score and to report."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, TextIO

from mipha_eval.data.jsonl import read_jsonl
from mipha_eval.errors import UserError
from mipha_eval.journal import Appender, naming, read_stored, to_json
from mipha_eval.records import sample_of, score_of
from mipha_eval.types import Response, Sample, Score

SCHEMA = 1
CHECKED = {"task", "sample", "identical"}  # what every record of equivalence.json has

# names of fields and how to get all their values; dataclasses.asdict would copy every value deeply first
SCORE, RESPONSE = (tuple(entry.name for entry in dataclasses.fields(kind)) for kind in (Score, Response))
values_of_score, values_of_response = attrgetter(*SCORE), attrgetter(*RESPONSE)


class RunFolder:
    """One run: ``manifest.json``, ``status.json``, and a folder for each task."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, parent: Path, model: str, manifest: Mapping[str, Any]) -> RunFolder:
        """Makes ``<model>__<date-time>__<id>`` under `parent` with its manifest."""
        run = cls(parent / f"{plain_name(model)}__{time.strftime('%Y%m%d-%H%M%S')}__{secrets.token_hex(3)}")
        with naming(run.path):
            run.path.mkdir(parents=True)
            write_json(run.path / "manifest.json", {"schema": SCHEMA, **manifest})
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Raises UserError if `path` is no run, or one of a newer version."""
        run = cls(path)
        if run.manifest().get("schema", 0) > SCHEMA:
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
        return read_json(self.path / "manifest.json", "is this a run folder?")

    def task(self, label: str) -> TaskFolder:
        return TaskFolder(self.path / label)

    def tasks(self) -> list[str]:
        """Labels of the tasks that the run has begun."""
        return sorted(path.parent.name for path in self.path.glob("*/samples.jsonl"))

    def log(self, event: str) -> None:
        """Appends a line with the time to ``log.txt``."""
        with naming(self.path / "log.txt"), (self.path / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {event}\n")

    def results(self) -> list[dict[str, Any]]:
        """The results of all tasks that have one, and those that further judges led to."""
        return [read_json(path) for path in sorted(self.path.glob("*/result*.json"))]

    def equivalence(self) -> list[dict[str, Any]]:
        """What ``equivalence.json`` has on answers that were made again alone; nothing if it is not there."""
        path = self.path / "equivalence.json"
        rows = read_json(path, "remove it to go on").get("samples") if path.exists() else []
        if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= CHECKED for row in rows):
            raise UserError(f"{path} is damaged; remove it to go on")
        return rows

    def write_equivalence(self, found: Mapping[str, Any]) -> None:
        write_json(self.path / "equivalence.json", found)

    def set_status(self, label: str, state: str, **facts: int | str) -> None:
        """Notes where a task is: pending, infer, score, judge, done or failed, with counts, and if it failed the reason."""
        path = self.path / "status.json"
        status = read_json(path) if path.exists() else {}
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
                "question": sample.question,
                "references": sample.references,
                "category": sample.category,
                "group": sample.group,
                "parts": sample.parts,
                "bare": sample.bare,
                "images": [{"name": image.name, "location": image.location} for image in sample.images],
            }
            for sample in samples
        )
        write_lines(self.path / "samples.jsonl", rows)

    def samples(self) -> list[Sample]:
        """The stored questions; their images can no longer be read. Raises UserError if one is damaged."""
        path = self.path / "samples.jsonl"
        try:
            return [sample_of(row) for row in read_jsonl(path)]
        except (KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged: {error!r}; the same run writes it anew") from error

    def responses(self) -> dict[str, Stored]:
        """Stored responses by sample id; of several for one sample the last."""
        rows = read_stored(
            self.path / "responses.jsonl", {"sample": str, "key": str, "images": list, "text": str, "error": str}
        )
        return {
            row["sample"]: Stored(row["key"], tuple(row["images"]), response_of(row)) for row in rows if numbers_fit(row)
        }

    def append_responses(self) -> Appender:
        return Appender(self.path / "responses.jsonl")

    def write_scores(self, scores: Iterable[Score]) -> None:
        write_lines(self.path / "scores.jsonl", (dict(zip(SCORE, values_of_score(score), strict=True)) for score in scores))

    def scores(self) -> list[Score]:
        """The stored scores. Raises UserError if one is damaged."""
        path = self.path / "scores.jsonl"
        try:
            return [score_of(row) for row in read_jsonl(path)]
        except (KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged: {error!r}; the same run writes it anew") from error

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
        return (read_json(path).get("judge") or {}).get("name", "") if path.exists() else ""

    def _result_of(self, judge: str) -> Path:
        return self.path / f"result.{plain_name(judge)}.json"

    def results(self) -> list[dict[str, Any]]:
        """The run's own result, then those that further judges led to; none before the task is finished."""
        own = self.path / "result.json"
        return [read_json(path) for path in (own, *sorted(self.path.glob("result.*.json"))) if path.exists()]

    def write_task(self, task: Mapping[str, Any]) -> None:
        """Writes what is needed to build the task again."""
        write_json(self.path / "task.json", task)

    def read_task(self) -> dict[str, Any]:
        return read_json(self.path / "task.json", "has the task begun?")


@dataclass(frozen=True, slots=True)
class Stored:
    """A response as it was stored: the key of its request and digests of the images that the model saw."""

    key: str
    images: tuple[str, ...]
    response: Response


def numbers_fit(row: Mapping[str, Any]) -> bool:
    """Whether what a record says of likelihoods and logits, if anything, can be used; if not, the request is asked again."""
    likelihoods, tokens, top = (row.get(name, []) for name in ("likelihoods", "option_tokens", "top"))
    return (
        isinstance(likelihoods, list)
        and isinstance(tokens, list)
        and len(likelihoods) == len(tokens)
        and all(isinstance(value, float) for value in likelihoods)
        and all(isinstance(count, int) and count > 0 for count in tokens)
        and isinstance(top, list)
        and all(isinstance(pair, list) and [type(value) for value in pair] == [int, float] for pair in top)
    )


def response_row(response: Response) -> dict[str, Any]:
    """A response as it is stored."""
    row = dict(zip(RESPONSE, values_of_response(response), strict=True))
    for name in ("top", "chances"):
        if not row[name]:
            del row[name]
    return row


def response_of(row: Mapping[str, Any]) -> Response:
    """The response in a stored record."""
    known: dict[str, Any] = {name: row[name] for name in RESPONSE if name in row}
    known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    known["top"] = tuple((token, logit) for token, logit in known.get("top", ()))
    return Response(**known)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from writing the same results while entered. Raises UserError if one is at it."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:  # an OSError, too
        raise UserError(f"another process is writing {path}; wait for it, or give another output") from error
    except OSError as error:
        raise UserError(f"cannot write beside {path}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Writes a JSONL file as a whole: it is there complete or not at all."""
    _replace(path, lambda file: file.writelines(to_json(record) + "\n" for record in records))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    _replace(path, lambda file: file.write(json.dumps(value, indent=2) + "\n"))


def write_text(path: Path, text: str) -> None:
    _replace(path, lambda file: file.write(text))


def read_json(path: Path, hint: str = "") -> dict[str, Any]:
    """Raises UserError if the file is missing or broken."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}{'; ' + hint if hint else ''}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged: it is no JSON object")
    return value


def _replace(path: Path, write: Callable[[TextIO], object]) -> None:
    temporary = path.with_name(path.name + ".new")
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8") as file:
                write(file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
