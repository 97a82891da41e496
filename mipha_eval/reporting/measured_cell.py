"""The cell of a measured result."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.printable import printable
from mipha_eval.reporting.effort import effort
from mipha_eval.reporting.marks import DEMO, marks, share, shortened
from mipha_eval.reporting.measured import Measured, StoredResult
from mipha_eval.reporting.table import Cell, Column, Origin
from mipha_eval.scoring.gaps import UNPARSED_TOLD, unparsed_share
from mipha_eval.scoring.result_record import ResultRecord


def measured_cell(row: Measured, column: Column) -> Cell | None:
    """What a model has in a column: the first of its protocols that has a result; None without any."""
    found = [row.results[label] for label in column.labels if label in row.results]
    scored = [result for result in found if _metric_name(result, column.metric)]
    return _cell(row, column, (scored or found)[0]) if found else None


def _cell(row: Measured, column: Column, result: StoredResult) -> Cell:
    content, name = result.content, _metric_name(result, column.metric)
    interval = content.intervals.get(name or "")
    made = content.provenance.get(name or "")
    found = marks(content)
    remarks = [*(mark.text for mark in found), *([] if name else ["NO SCORE"])]
    if content.unparsed and unparsed_share(content) < UNPARSED_TOLD:  # too few for a mark
        remarks.append(f"unparsed {share(content.unparsed, content.n)}")
    why_no_interval = content.interval_notes.get(name or "")
    if why_no_interval:
        remarks.append(f"no interval: {why_no_interval}")
    expected = (content.expectation or {}).get(name or "")
    if expected is not None:
        remarks.append(f"exact expectation {expected:.{column.decimals}f}")
    if content.settings_left_out:
        remarks.append(left_out_text(content))
    remarks += map(printable, content.differs or ())
    other = result.label != column.task
    # drawn scenes may be ranked among themselves
    doubted = other or any(mark.doubt and not (mark.name == DEMO and column.demo) for mark in found)
    if other:
        remarks.insert(0, result.label)
    if result.quoted and not row.quoted:
        remarks.append(f"quoted from {printable(result.quoted)}, not measured here")
    return Cell(
        value=content.metrics.get(name or ""),
        decimals=column.decimals,
        protocol=result.label,
        metric=name or column.metric,
        origin=Origin(result.file, f"{result.place}metrics/{name or column.metric}", result.quoted, result.run),
        interval=interval,
        n=None if result.quoted and not content.n else content.n,
        unparsed=content.unparsed,
        failed=content.failed,
        missing=content.missing,
        judge=made.judge if made else "",
        tool=made.told if made and not made.judge else "",
        version=content.version,
        quoted=bool(result.quoted),
        grey=other,
        ranked=name is not None and not doubted and not result.quoted,
        remarks=tuple(remarks),
        seconds=_seconds(content),
    )


def left_out_text(content: ResultRecord) -> str:
    """Generation settings of the checkpoint that were not in force, as a note."""
    told = (f"{name} {shortened(printable(str(value)))}" for name, value in (content.settings_left_out or {}).items())
    return f"the checkpoint's {', '.join(told)} left out, decoded greedily"


def _seconds(content: ResultRecord) -> float | None:
    """What an answer took."""
    _, speed = effort(content)
    return 1 / speed if speed else None


def _metric_name(result: StoredResult, metric: str) -> str | None:
    """The metric as the result has it, perhaps made by a judge, a rule or a tool; None if it is not there."""
    names = result.content.metrics
    return metric if metric in names else next((name for name in names if result.content.plain(name) == metric), None)


def check_metrics(rows: Sequence[Measured], columns: Sequence[Column]) -> None:
    """Raises UserError for a column whose metric is in none of its task's results that have metrics."""
    for column in columns:
        scored = [row.results[column.task] for row in rows if column.task in row.results]
        scored = [result for result in scored if result.content.metrics]
        if scored and not any(_metric_name(result, column.metric) for result in scored):
            names = {result.content.plain(name) for result in scored for name in result.content.metrics}
            raise UserError(f"column {column.heading}: {unknown('metric', column.metric, names, f'{column.task} has')}")
