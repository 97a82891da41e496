"""Compares the files of tasks with what is recorded of their official releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import MissingDataError, UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.data.questions import read_questions
from mipha_eval.data.release_diff import Finding, Kind, compare_with_nearest, ids_twice
from mipha_eval.data.releases import Release, digest_rows, read_releases, rows_of
from mipha_eval.data.where import ImageCount, check_image_dirs, count_images, protocols

WORDS: Mapping[Kind, str] = {"ok": "as released", "differs": "differs", "unknown": "not compared in full"}


@dataclass(frozen=True)
class Verification:
    """What was found about the files of one task.

    Attributes:
        release: the files that it was compared with; "" without a record.
        rows: how many; 0 if they could not be read.
        sha256: of all rows, see `digest_rows`.
        missing: what file is not there, in a survey of all tasks; then there are no findings.
    """

    task: str
    findings: Sequence[Finding] = ()
    release: str = ""
    rows: int = 0
    sha256: str = ""
    images: ImageCount | None = None
    missing: str = ""

    @property
    def verdict(self) -> Kind:
        """``differs`` if anything does, else ``unknown`` if anything could not be compared, else ``ok``."""
        kinds = {finding.kind for finding in self.findings}
        return "differs" if "differs" in kinds else "unknown" if "unknown" in kinds else "ok"

    @property
    def headline(self) -> str:
        drawn = self.verdict == "ok" and not self.release  # the demo is no release
        word = "can be read" if drawn else WORDS[self.verdict]
        return f"{self.task}: {word}{f' ({self.release})' if self.release else ''}"

    @property
    def summary(self) -> dict[str, object]:
        """All of it for JSON."""
        return {
            "task": self.task,
            "verdict": self.verdict,
            "release": self.release or None,
            "rows": self.rows,
            "sha256": self.sha256 or None,
            "findings": [vars(finding) for finding in self.findings],
            "images": None if self.images is None else vars(self.images),
        }


def verify(tasks: Sequence[Task]) -> Iterator[Verification]:
    """Compares tasks, one after the other. Raises UserError if the files of one are missing."""
    records = read_releases()
    for task in tasks:
        yield verify_task(task, records.get(task.label, ()))


def verify_all(source: DataSource, registry: Registry) -> Iterator[Verification]:
    """Compares all tasks whose files the source has.

    Yields:
        One verification a task; for a task whose files are missing one with `missing` alone.

    Raises:
        UserError: no task has its files, or a flag does not fit.
    """
    records = read_releases()
    if source.kind == "hub" and source.root is None:
        raise UserError("name the tasks to verify; from the hub, their whole datasets are downloaded")
    if source.annotations is not None:
        raise UserError("an annotation file belongs to one task; name one", flag="--annotations")
    check_image_dirs(source, registry)
    found = 0
    for label in protocols(source, registry):
        try:
            verification = verify_task(build_task(label, {}, source, registry), records.get(label, ()))
        except UserError as error:
            verification = Verification(label, missing=str(error))
        found += not verification.missing
        yield verification
    if not found:
        raise UserError(f"{source} has the files of no task; see `mipha-eval data where`")


def verify_task(task: Task, releases: Sequence[Release]) -> Verification:
    """Compares one task with the recorded releases of its protocol. Raises MissingDataError."""
    try:
        samples = read_questions(task)
    except MissingDataError:
        raise
    except UserError as error:
        return Verification(task.label, [Finding("differs", f"cannot be read: {error}")])
    rows = rows_of(samples)
    images = count_images(samples)
    if task.data.kind == "demo":
        release = ""
        drawn = Finding("note", f"rows {len(rows):,}; demo scenes, nothing to compare with")
        findings = [drawn, *ids_twice(rows)]
    else:
        release, findings = compare_with_nearest(rows, releases, task.rows.get(task.protocol, ()))
    findings.append(Finding("note", f"images: {images}"))
    return Verification(task.label, findings, release, len(rows), digest_rows(rows), images)
