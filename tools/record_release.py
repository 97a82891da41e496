"""For maintainers: ``python -m tools.record_release TASK@PROTOCOL --data FOLDER --source TEXT``.

What is recorded is what `mipha-eval data verify` compares with, so look at the files first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.data.releases import RECORDS, Release, describe, rows_of, write_release

ABOUT = "Records a release from its real files."
FIELDS = ("questions", "labels", "everything", "counts", "question_marks", "label_marks", "first_only")


def record(label: str, data: str, source: str, path: Path = RECORDS) -> Release:
    """Adds the release that a folder holds to the records.

    Args:
        source: which files they are, for people.

    Raises:
        UserError: the files are missing or broken, the demo was named, or two questions have the same id.
    """
    task = build_task(label, {}, parse_source(data, {}), Registry())
    if task.data.kind != "folder":
        raise UserError(f"--data {data}: a release is recorded from a folder with its files")
    rows = rows_of(read_samples(task))
    # files without question texts have no options either, see SEED-Bench's
    release = describe(rows, source, first_only=not any(row.question for row in rows))
    write_release(task.label, release, path)
    return release


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.record_release", description=ABOUT)
    parser.add_argument("task", metavar="TASK@PROTOCOL")
    parser.add_argument("--data", required=True, help="a folder in LLaVA's eval layout")
    parser.add_argument("--source", required=True, help="which files they are; replaces what has the same text")
    parser.add_argument("--records", type=Path, default=RECORDS, help="the file to write to")
    given = parser.parse_args(arguments)
    release = record(given.task, given.data, given.source, given.records)
    known = [name for name in FIELDS if getattr(release, name)]
    print(f"{given.task}: {release.rows:,} rows; recorded: ids, {', '.join(known)}")


if __name__ == "__main__":
    main(sys.argv[1:])
