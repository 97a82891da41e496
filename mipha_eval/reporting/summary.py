"""The table at the end of a run, and ``report.md``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from mipha_eval.core.atomic import write_text
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import plugin_folder
from mipha_eval.core.printable import printable
from mipha_eval.core.provenance import JUDGE
from mipha_eval.core.record import checked
from mipha_eval.core.suite_task import GroupNumbers
from mipha_eval.models.served.price import Price
from mipha_eval.reporting.decimals import decimals
from mipha_eval.reporting.effort import effort
from mipha_eval.reporting.gpu_hours import gpu_hours_line
from mipha_eval.reporting.marks import mark_texts, share
from mipha_eval.reporting.serving import serving_line
from mipha_eval.reporting.terminal import GONE, Look, kept, print_table
from mipha_eval.reporting.workers import workers_text
from mipha_eval.scoring.gaps import UNPARSED_MOST, gaps
from mipha_eval.scoring.judging.calibration import Calibration
from mipha_eval.scoring.judging.judge_counts import JudgeCounts
from mipha_eval.scoring.measuring import SECOND_OPINION
from mipha_eval.scoring.result_record import Moves, ResultRecord
from mipha_eval.store.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mipha_eval.comparison.gain import Gain


@dataclass(frozen=True)
class Row:
    """One line of the summary, every cell as text."""

    task: str
    n: str
    metric: str
    score: str
    interval: str
    unparsed: str
    failed: str
    seconds: str
    speed: str


HEADINGS = ("task", "n", "metric", "score", "95% CI", "unparsed", "failed", "seconds", "samples/s")


def summary_rows(result: ResultRecord) -> list[Row]:
    """A result as rows: its headline and, where a judge gave second opinions, what these come to."""
    made = {name: by for name, by in result.provenance.items() if name in result.metrics}
    second = [name for name, by in made.items() if by.metric == SECOND_OPINION and by.by == JUDGE]
    return [_row(result, name) for name in dict.fromkeys([result.headline, *second])]


def _row(result: ResultRecord, name: str) -> Row:
    """A metric as the cells of a row; whatever weakens the score stands in its cell."""
    seconds, speed = effort(result)
    return Row(
        task=result.task,
        n=f"{result.n:,}",
        metric=name,
        score=" ".join([score_text(result, name, result.metrics.get(name)), *map(kept, mark_texts(result))]),
        interval=interval_cell(result, name),
        unparsed=kept(share(result.unparsed, result.n)),
        failed=str(result.failed),
        seconds="stored" if seconds is None else f"{seconds:.1f}",
        speed="–" if speed is None else f"{speed:.1f}",
    )


def score_text(result: ResultRecord, name: str, value: float | None) -> str:
    """A value with what is the most it could be, where that is not what readers expect."""
    if value is None:
        return "no score"
    most = result.maximum.get(name)
    text = f"{value:.{decimals(result.units.get(name, ''))}f}"
    return text if most is None else f"{text}/{most:,}"


def interval_text(result: ResultRecord, name: str) -> str:
    """A metric's interval, or why it has none."""
    bounds, why = result.intervals.get(name), result.interval_notes.get(name)
    if bounds is not None:
        places = decimals(result.units.get(name, ""))
        return f"{bounds[0]:.{places}f} to {bounds[1]:.{places}f}"
    return f"none ({why})" if why else "–"


def interval_cell(result: ResultRecord, name: str) -> str:
    """The same for a terminal: numbers stay together."""
    return kept(interval_text(result, name)) if name in result.intervals else interval_text(result, name)


def lenient_text(result: ResultRecord) -> str:
    """The headline under the more forgiving reading, and how many answers that moves which way; empty without one."""
    if result.lenient is None:
        return ""
    moves, n = result.lenient_moves or Moves(), result.n
    parts = [f"{result.lenient:.2f} under a more forgiving reading"]
    if moves.to_right:
        parts.append(f"which finds {share(moves.to_right, n)} of the answers better than the official rule does")
    if moves.to_wrong:
        parts.append(f"and would find {share(moves.to_wrong, n)} worse, which it leaves as they are")
    return ", ".join(parts)


def readings_line(result: ResultRecord) -> str:
    """What the headline would be if answers were read otherwise; empty where nothing is known of that."""
    told, (low, high) = lenient_text(result), result.envelope or (None, None)
    ends = ""
    if result.unparsed and low is not None and high is not None:
        ends = f"{low:.2f} if every unparsed answer is wrong, {high:.2f} if every one is right"
    readings = "; ".join(filter(None, (ends, told)))
    return f"{result.headline}: {readings}" if readings else ""


def wrapped_lines(result: ResultRecord) -> list[str]:
    """How many answers hold reasoning, tags or special tokens, a line a kind."""
    n = result.n + result.unlabelled
    return [
        f"{result.task}: {count:,} of {n:,} answers hold {printable(name)}, which official rules take for a part of them"
        for name, count in result.wrapped.items()
    ]


def expectation_line(result: ResultRecord) -> str:
    """The exact expectation of answers that were drawn, of the headline or else of the metrics that have one; else empty."""
    known = result.expectation or {}
    shown = [result.headline] if result.headline in known else list(known)[:3]
    told = ", ".join(f"{name} {known[name]:.2f}" for name in shown)
    return f"{result.task}: exact expectation of drawn answers: {told}" if told else ""


def gain_line(gain: Gain) -> str:
    """How far a model is above one of its controls in a task, and over how much."""
    over = f"the {gain.questions:,} questions that both runs have, {gain.clusters:,} pictures"
    return f"{gain.task} {gain.metric}: {gain.text()}, on {over}"


def group_line(group: GroupNumbers) -> str:
    """What another suite says of a group of its tasks as a whole, with all digits; or why it says nothing."""
    told = [f"{metric} {value!r} ({group.how[metric]})" for metric, value in group.metrics.items()]
    return f"{group.group}: {', '.join(told) or group.why_not}"


def judge_line(result: ResultRecord) -> str:
    """What a result says of its judge: how much was asked, and how far it can be trusted; empty without one."""
    judge = result.judge
    if judge is None:
        return ""
    notes = judge.known
    where = f"{judge.replies:,} replies" if notes.recorded is None else f"recorded in {notes.recorded}"
    tokens = judge.prompt_tokens + judge.completion_tokens
    parts = [f"judge {judge.name}{_served(judge)}: {where}"]
    if tokens:
        parts.append(f"{tokens:,} tokens")
    if tokens and notes.usd_per_million_tokens:
        price = Price(*notes.usd_per_million_tokens)
        parts.append(f"{price.of(judge.prompt_tokens, judge.completion_tokens):.2f} USD")
    parts += [f"{count:,} answers hold {remark}" for remark, count in judge.remarks.items()]
    repeats = _repeats(result)
    if len(repeats.runs) > 1 and repeats.std is not None:
        parts.append(f"runs {', '.join(map(str, repeats.runs))}, standard deviation {repeats.std:.2f}")
    return ", ".join(parts) + f"; {calibration_text(judge.calibration)}"


class Repeats(msgspec.Struct, frozen=True):
    """What MM-Vet notes of a judge's runs: the total of each, and their standard deviation."""

    runs: tuple[int | float, ...] = ()
    std: float | None = None


def _repeats(result: ResultRecord) -> Repeats:
    """Nothing where a plugin means something else by the same names."""
    try:
        return checked(Repeats, result.notes, result.task)
    except UserError:
        return Repeats()


def _served(judge: JudgeCounts) -> str:
    """What the server called itself, where it is not what was asked for."""
    if judge.served_as_another:
        return f" (ANOTHER MODEL, calls itself {', '.join(judge.served_as_another)})"
    served = [name for name in judge.served if name != judge.name]
    return f" (calls itself {', '.join(served)})" if served else ""


def calibration_text(found: Calibration | None) -> str:
    """How far a judge is from a trusted one, as an error bar of the total."""
    if found is None:
        return "not calibrated"
    interval = found.bias_interval
    bounds = f" ({interval[0]:+.1f} to {interval[1]:+.1f})" if interval else ""
    return (
        f"against {found.reference} on {found.n:,} answers: total {found.bias:+.1f}{bounds}, "
        f"mean absolute error {found.mean_absolute_error:.3f}, kappa {found.kappa:.2f}"
    )


def failure_lines(result: ResultRecord) -> list[str]:
    """Why requests, to the model and to the judge, failed, a line a reason; and that too many answers are unparsed."""
    reasons = [("failed", result.failures), ("not judged", result.judge.failures if result.judge else {})]
    lines = [f"{count} {what}: {printable(reason)}" for what, found in reasons for reason, count in found.items()]
    if "unparsed" in gaps(result):
        told = share(result.unparsed, result.n)
        lines.append(
            f"{told} unparsed, answers or a judge's words on them; with more than {100 * UNPARSED_MOST:g} % it is no result"
        )
    return [f"{result.task}: {line}" for line in lines]


def certificate_line(results: Sequence[ResultRecord]) -> str:
    """Under a table: which scorers are certified to agree with an independent second implementation."""
    certified = [f"{result.task} {result.certificate}" for result in results if result.certificate]
    missing = [result.task for result in results if not result.certificate]
    lines = [f"certificates: {', '.join(certified)}"] if certified else []
    return "; ".join([*lines, *([f"none for {', '.join(missing)}"] if missing and certified else [])])


def probability_line(result: ResultRecord) -> str:
    """What a result says of the probabilities of possible answers; empty if nothing."""
    found = result.probabilities
    if found is None:
        return ""
    area = "" if found.auc is None else f"AUC {found.auc:.2f}, "
    return (
        f"{result.task} probabilities, n {found.n:,}: {area}calibration error {found.calibration_error:.2f}, "
        f"Brier {found.brier:.3f}, likeliest answer right {found.accuracy:.2f}, {found.mass:.1f} % on these"
    )


def print_summary(console: Console, results: Sequence[ResultRecord]) -> None:
    """The end-of-run table on a terminal."""
    rows = [row for result in results for row in summary_rows(result)]
    idle = () if any(result.failed for result in results) else ("failed",)
    look = Look(yields={**dict.fromkeys(("seconds", "samples/s", *idle), GONE), "95% CI": "score"})
    print_table(console, HEADINGS, [list(vars(row).values()) for row in rows], look)


def write_report(folder: RunFolder, gains: Sequence[Gain] = ()) -> Path:
    """Writes ``report.md`` on all tasks that the run has results of, and returns its path.

    Args:
        gains: what the model has more than under its controls.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = FileSystemLoader(plugin_folder("reports") / "templates")
    # Markdown, not HTML: the filter `cell` escapes what comes from outside
    environment = Environment(  # noqa: S701
        loader=templates, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = markdown_cell
    environment.filters["probabilities"] = probability_line
    environment.filters["judge"] = judge_line
    environment.filters["expectation"] = expectation_line
    environment.filters["marks"] = mark_texts
    environment.filters["serving"] = serving_line
    environment.filters["interval"] = interval_text
    environment.filters["lenient"] = lenient_text
    environment.filters["wrapped"] = wrapped_lines
    results = folder.results()
    page = environment.get_template("run.md.j2").render(
        headings=HEADINGS,
        rows=[list(vars(row).values()) for result in results for row in summary_rows(result)],
        results=results,
        gains=[(each.task, each.metric, gain_line(each)) for each in gains],
        failed=[(label, task.reason) for label, task in folder.status().items() if task.state == "failed"],
        certificates=certificate_line(results),
        gpu_hours=gpu_hours_line(folder),
        workers=workers_text(folder.manifest().workers),
        manifest=folder.manifest(),
    )
    path = folder.path / "report.md"
    write_text(path, page)
    return path


def markdown_cell(value: object) -> str:
    """Text that cannot break out of a table cell."""
    text = str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())
