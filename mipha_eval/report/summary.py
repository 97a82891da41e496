"""The table at the end of a run, and ``report.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mipha_eval.judge.choice import Price
from mipha_eval.plugins import plugin_folder
from mipha_eval.printable import printable
from mipha_eval.store import RunFolder, write_text
from mipha_eval.task import NOT_JUDGED

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table


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


def summary_row(result: Mapping[str, Any]) -> Row:
    """A result as the cells of a row; whatever weakens the score stands in its cell."""
    name = result["headline"]
    value = result["metrics"].get(name)
    interval = result["intervals"].get(name)
    generated, seconds = result.get("generated", 0), result.get("seconds", 0.0)
    return Row(
        task=result["task"],
        n=f"{result['n']:,}",
        metric=name,
        score=" ".join([score_text(result, name, value), *marks(result)]),
        interval="–" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}",
        unparsed=share(result["unparsed"], result["n"]),
        failed=str(result["failed"]),
        seconds=f"{seconds:.1f}" if generated else "stored",
        speed=f"{generated / seconds:.1f}" if generated and seconds else "–",
    )


def score_text(result: Mapping[str, Any], name: str, value: float | None) -> str:
    """A value with what is the most it could be, where that is not what readers expect."""
    if value is None:
        return "no score"
    most = result.get("maximum", {}).get(name)
    return f"{value:.2f}" if most is None else f"{value:.2f}/{most:,}"


def marks(result: Mapping[str, Any]) -> list[str]:
    """What a reader must know before comparing the score."""
    found = []
    if result.get("demo"):
        found.append("DEMO")
    if result.get("blind"):
        found.append("BLIND")
    if result.get("limited"):
        found.append(f"LIMITED {result['n'] + result['missing'] + result['failed']:,}/{result['total']:,}")
    found += judge_marks(result)
    if result.get("unlabelled"):
        found.append(f"NO PUBLIC LABELS{', see mipha-eval submit' if result.get('for_server') else ''}")
    rows, wanted = result.get("total", 0), result.get("expected_rows") or ()
    if result.get("annotations"):
        found.append(f"ANNOTATIONS {result['annotations']}")
    elif wanted and not result.get("demo") and rows not in wanted:
        found.append(f"ROWS {rows:,}, NOT {wanted[0]:,}")
    found += difference_mark(result.get("equivalence", {}))
    found += [f"HOLD {printable(name)} {count:,}" for name, count in result.get("wrapped", {}).items()]
    if result["missing"]:
        found.append(f"MISSING {result['missing']:,}")
    if result["failed"]:
        found.append(f"FAILED {result['failed']:,}")
    return found


def lenient_text(result: Mapping[str, Any]) -> str:
    """The headline under the more forgiving reading, and how many answers that moves which way; empty without one."""
    if result.get("robust") is None:
        return ""
    moves, n = result.get("robust_moves") or {}, result["n"]
    parts = [f"{result['robust']:.2f} under a more forgiving reading"]
    if moves.get("to_right"):
        parts.append(f"which finds {share(moves['to_right'], n)} of the answers better than the official rule does")
    if moves.get("to_wrong"):
        parts.append(f"and would find {share(moves['to_wrong'], n)} worse, which it leaves as they are")
    return ", ".join(parts)


def wrapped_lines(result: Mapping[str, Any]) -> list[str]:
    """How many answers hold reasoning, tags or special tokens, a line a kind."""
    n = result["n"] + result["unlabelled"]
    return [
        f"{result['task']}: {count:,} of {n:,} answers hold {printable(name)}, which official rules take for a part of them"
        for name, count in result.get("wrapped", {}).items()
    ]


def judge_marks(result: Mapping[str, Any]) -> list[str]:
    """What a judge did not grade, and what it graded unreadably."""
    judge = result.get("judge")
    if not judge:
        return ["NOT JUDGED"] if NOT_JUDGED in result["rules"] else []
    counts = {"NOT JUDGED": judge["pending"], "JUDGE FAILED": judge["failed"], "UNREADABLE VERDICTS": judge["unreadable"]}
    found = [f"{mark} {count:,}" for mark, count in counts.items() if count]
    return [*found, *bias_mark(judge["calibration"])]


def bias_mark(calibration: Mapping[str, Any] | None) -> list[str]:
    """How many points a calibrated judge adds to the total, with a 95 % interval: the error bar of its scores."""
    if not calibration:
        return []
    bounds = calibration["bias_interval"]
    interval = f" ({bounds[0]:+.1f} to {bounds[1]:+.1f})" if bounds else ""
    return [f"JUDGE {calibration['bias']:+.1f}{interval} VS {calibration['reference']}"]


def judge_line(result: Mapping[str, Any]) -> str:
    """What a result says of its judge: how much was asked, and how far it can be trusted; empty without one."""
    judge = result.get("judge")
    if not judge:
        return ""
    notes = judge["notes"]
    where = f"recorded in {notes['recorded']}" if "recorded" in notes else f"{judge['replies']:,} replies"
    tokens = judge["prompt_tokens"] + judge["completion_tokens"]
    served = [name for name in judge["served"] if name != judge["name"]]
    parts = [f"judge {judge['name']}{f' (calls itself {chr(44).join(served)})' if served else ''}: {where}"]
    if tokens:
        parts.append(f"{tokens:,} tokens")
    if tokens and "usd_per_million_tokens" in notes:
        price = Price(*notes["usd_per_million_tokens"])
        parts.append(f"{price.of(judge['prompt_tokens'], judge['completion_tokens']):.2f} USD")
    if len(result.get("runs", ())) > 1:
        parts.append(f"runs {', '.join(str(total) for total in result['runs'])}, standard deviation {result['std']:.2f}")
    return ", ".join(parts) + f"; {calibration_text(judge['calibration'])}"


def calibration_text(found: Mapping[str, Any] | None) -> str:
    """How far a judge is from a trusted one, as an error bar of the total."""
    if not found:
        return "not calibrated"
    interval = found["bias_interval"]
    bounds = f" ({interval[0]:+.1f} to {interval[1]:+.1f})" if interval else ""
    return (
        f"against {found['reference']} on {found['n']:,} answers: total {found['bias']:+.1f}{bounds}, "
        f"mean absolute error {found['mean_absolute_error']:.3f}, kappa {found['kappa']:.2f}"
    )


def failure_lines(result: Mapping[str, Any]) -> list[str]:
    """Why requests, to the model and to the judge, failed, a line a reason."""
    judge = result.get("judge") or {"failures": {}}
    reasons = [("failed", result["failures"]), ("not judged", judge["failures"])]
    return [
        f"{result['task']}: {count} {what}: {printable(reason)}"
        for what, found in reasons
        for reason, count in found.items()
    ]


def difference_mark(check: Mapping[str, Any]) -> list[str]:
    """A mark if an answer is another when it is made alone, in a precision where it may not be."""
    differ = check["checked"] - check["identical"] if check.get("exact") else 0
    return [f"SHARED != ALONE {differ}/{check['checked']}"] if differ else []


def certificate_line(results: Sequence[Mapping[str, Any]]) -> str:
    """Under a table: which scorers are certified to agree with an independent second implementation."""
    certified = [f"{result['task']} {result['certificate']}" for result in results if result.get("certificate")]
    missing = [result["task"] for result in results if not result.get("certificate")]
    lines = [f"certificates: {', '.join(certified)}"] if certified else []
    return "; ".join([*lines, *([f"none for {', '.join(missing)}"] if missing and certified else [])])


def probability_line(result: Mapping[str, Any]) -> str:
    """What a result says of the probabilities of possible answers; empty if nothing."""
    found = result.get("probabilities")
    if not found:
        return ""
    area = "" if found["auc"] is None else f"AUC {found['auc']:.2f}, "
    return (
        f"{result['task']} probabilities, n {found['n']:,}: {area}calibration error {found['calibration_error']:.2f}, "
        f"Brier {found['brier']:.3f}, likeliest answer right {found['accuracy']:.2f}, {found['mass']:.1f} % on these"
    )


def share(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / whole:.1f}%)" if part and whole else str(part)


def rich_table(results: Sequence[Mapping[str, Any]]) -> Table:
    """The end-of-run table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold", no_wrap=heading != "95% CI")
    for result in results:
        row = summary_row(result)
        table.add_row(*(Text(cell) for cell in vars(row).values()))
    return table


def write_report(folder: RunFolder) -> Path:
    """Writes ``report.md`` on all tasks that the run has results of, and returns its path."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = FileSystemLoader(plugin_folder("reports") / "templates")
    # Markdown, not HTML: the filter `cell` escapes what comes from outside
    environment = Environment(  # noqa: S701
        loader=templates, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = markdown_cell
    environment.filters["probabilities"] = probability_line
    environment.filters["judge"] = judge_line
    environment.filters["lenient"] = lenient_text
    environment.filters["wrapped"] = wrapped_lines
    results = folder.results()
    page = environment.get_template("run.md.j2").render(
        headings=HEADINGS,
        rows=[list(vars(summary_row(result)).values()) for result in results],
        results=results,
        certificates=certificate_line(results),
        manifest=folder.manifest(),
    )
    path = folder.path / "report.md"
    write_text(path, page)
    return path


def markdown_cell(value: object) -> str:
    """Text that cannot break out of a table cell."""
    text = str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())
