"""Results that another suite printed: quoted as it has them, under its own protocols, and never for ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_json
from mipha_eval.core.json_value import Json
from mipha_eval.data.suite_files.lmms_results import LmmsResults, LmmsScores, lmms_results
from mipha_eval.scoring.result_record import ResultRecord

#: what a file of results that was printed has, ours and lmms-eval's
OURS = {"task", "headline", "metrics", "rules"}
#: standard errors on each side of a number, in an interval at 95 %
WIDTH = 1.96
#: numbers as lmms-eval prints them, of which 1 is the most where they are shares
SHARE, PLAIN = "of 1", "as given"


@dataclass(frozen=True)
class Quoted:
    """Results of one file of another suite.

    Attributes:
        source: who says so, in words.
        model: as the file calls it; "" if it does not.
    """

    source: str
    model: str
    records: Sequence[ResultRecord]


def is_results(path: Path) -> bool:
    """Whether a file holds results, our own or lmms-eval's, and no answers."""
    try:
        content = read_json(path)
    except UserError:
        return False
    return is_printed(content) or lmms_results(content) is not None


def is_printed(content: Json) -> bool:
    """Whether this is what ``score --json`` prints, one result or a list."""
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, Mapping) and first.keys() >= OURS


def read_quoted(path: Path) -> Quoted | None:
    """lmms-eval's results; None for other files. Raises UserError if the file cannot be read, or has no number."""
    found = lmms_results(read_json(path))
    if found is None:
        return None
    if not found.tasks:
        raise UserError(f"{path} has lmms-eval's results, but not a single number")
    version = f" {found.version}" if found.version else ", whose version the file does not say"
    return Quoted(f"lmms-eval{version}", found.model, [_record(scores, found) for scores in found.tasks])


def _record(scores: LmmsScores, found: LmmsResults) -> ResultRecord:
    intervals = {name: _interval(scores, name) for name in scores.metrics if name in scores.errors}
    return ResultRecord(
        task=f"{scores.task.lower()}@{found.protocol}",
        n=scores.n or 0,
        missing=0,
        unparsed=0,
        failed=0,
        headline=next(iter(scores.metrics)),
        metrics=scores.metrics,
        intervals=intervals,
        interval_notes={name: "lmms-eval's file has no standard error" for name in scores.metrics if name not in intervals},
        interval_method="lmms-eval's standard error, 1.96 times on each side" if intervals else "",
        units={name: SHARE if 0 <= value <= 1 else PLAIN for name, value in scores.metrics.items()},
        rules={},
        total=scores.total,
        limited=scores.n is not None and scores.total is not None and scores.n < scores.total,
    )


def _interval(scores: LmmsScores, name: str) -> tuple[float, float]:
    value, reach = scores.metrics[name], WIDTH * scores.errors[name]
    return value - reach, value + reach
