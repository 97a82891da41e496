"""Verdicts on disk: a JSONL file a task, appended as they come, for all judges."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit

from mipha_eval.core.atomic import locked, write_json
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.json_line import to_json
from mipha_eval.core.json_value import Json
from mipha_eval.core.record import checked
from mipha_eval.core.served import same_model
from mipha_eval.core.types import Query, Verdict
from mipha_eval.judge.verdict_row import VerdictRow, read_rows, row_json, row_of
from mipha_eval.scoring.judging.judge_notes import JudgeNotes, judge_notes
from mipha_eval.store.journal import Appender


class Replies(NamedTuple):
    """What a judge's replies took; as `JudgeCounts` has it."""

    replies: int
    failed_queries: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    left_out: tuple[str, ...]
    served: tuple[str, ...]
    served_as_another: tuple[str, ...]


class Verdicts:
    """What one judge has replied about one task's answers, read from and appended to ``verdicts.jsonl``.

    A reply to equal queries is shared by all samples, except for recorded grades, which belong to a sample. A failed query
    keeps its reason until it is answered.

    Attributes:
        judge: the judge's name.
        notes: on the judge and how it is used; stand in ``judges.json`` beside the verdicts, so that they can be used again.
    """

    def __init__(self, folder: Path | None, judge: str, notes: Mapping[str, Json], prefix: str = "") -> None:
        """Reads what is stored in `folder`; without one nothing is kept on disk. `prefix` begins the files' names."""
        self.judge, self.notes = judge, notes
        self._known = judge_notes(notes, f"what is noted of judge {judge}")
        self._folder, self._prefix = folder, prefix
        self._found: dict[tuple[str, str], Verdict] = {}
        self._file: Appender | None = None
        self._held = ExitStack()
        for row in stored_rows(folder, prefix):
            if row.judge == judge:
                self._found[row.sample if row.recorded else "", row.key] = row.verdict

    @property
    def recorded(self) -> bool:
        """Whether these are grades of before, each of a sample of its own."""
        return bool(self._known.recorded)

    def find(self, query: Query, sample: str) -> Verdict | None:
        """The stored verdict on a query about a sample, perhaps a failed one."""
        key = query.key  # a digest of the whole prompt
        return self._found.get(("", key)) or self._found.get((sample, key))

    def add(self, query: Query, sample: str, verdict: Verdict) -> None:
        """Keeps a verdict, and appends it to the file."""
        self._found[sample if self.recorded else "", query.key] = verdict
        if self._file is not None:
            row = row_of(query, verdict, sample=sample, judge=self.judge, recorded=self.recorded)
            self._file.append([row_json(row)])

    def totals(self) -> Replies:
        """Replies, those that failed, tokens, seconds of waiting, and the names that the judge's server gave itself.

        ``served_as_another`` has the names that are not the model's that was asked for.
        """
        found = list(self._found.values())
        replies = [verdict for verdict in found if not verdict.error]
        served = sorted({verdict.model for verdict in found if verdict.model})
        asked = str(self._known.model or self.judge)
        return Replies(
            replies=len(replies),
            failed_queries=len(found) - len(replies),
            prompt_tokens=sum(verdict.prompt_tokens for verdict in found),
            completion_tokens=sum(verdict.completion_tokens for verdict in found),
            seconds=round(sum(verdict.seconds for verdict in found), 3),
            left_out=tuple(sorted({verdict.left_out for verdict in found if verdict.left_out})),
            served=tuple(served),
            served_as_another=tuple(name for name in served if not same_model(asked, name)),
        )

    def digest(self) -> str:
        """Identifies all that the judge has replied."""
        rows = sorted((*place, *dataclasses.astuple(verdict)) for place, verdict in self._found.items())
        return hashlib.sha256(to_json(rows).encode()).hexdigest()

    def __enter__(self) -> Verdicts:
        """Opens the file for `add`, and writes down the notes on the judge.

        Raises:
            UserError: another judge has gone by this name, another process is judging the same, or nothing can be written.
        """
        if self._folder is None:
            return self
        path = self._folder / f"{self._prefix}verdicts.jsonl"
        with ExitStack() as held:
            held.enter_context(locked(path))
            known = stored_judges(self._folder, self._prefix)
            check_same_judge(self.judge, judge_notes(known.get(self.judge) or self.notes), self._known)
            self._file = held.enter_context(Appender(path))
            write_json(self._folder / f"{self._prefix}judges.json", {**known, self.judge: dict(self.notes)})
            self._held = held.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file = None
        self._held.__exit__(kind, error, trace)


def check_same_judge(name: str, before: JudgeNotes, now: JudgeNotes) -> None:
    """Raises UserError if another judge of the same name has been asked: its verdicts would be taken for this one's."""
    for key in ("model", "weights", "recorded"):
        was, is_now = getattr(before, key), getattr(now, key)
        if was != is_now:
            raise UserError(f"judge {name} was {key} {was} before and is {is_now} now; they must not be mixed")
    hosts = [urlsplit(notes.base_url or "").hostname for notes in (before, now)]
    if hosts[0] != hosts[1]:
        raise UserError(
            f"judge {name} was asked at {hosts[0]} before and is at {hosts[1]} now; their verdicts must not be mixed"
        )


def stored_judges(folder: Path, prefix: str = "") -> dict[str, Mapping[str, Json]]:
    """Judges by name that have been asked, and the notes on each, see `JudgeNotes`."""
    path = folder / f"{prefix}judges.json"
    hint = "remove it to go on"
    found = read_object(path, hint) if path.exists() else {}
    checked(dict[str, JudgeNotes], found, str(path), hint)
    return {name: notes for name, notes in found.items() if isinstance(notes, Mapping)}


def stored_rows(folder: Path | None, prefix: str = "") -> list[VerdictRow]:
    """All records of a file of verdicts."""
    return [] if folder is None else list(read_rows(folder / f"{prefix}verdicts.jsonl"))
