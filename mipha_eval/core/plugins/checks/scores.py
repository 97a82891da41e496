"""What a task makes of answers: scores, counts, metrics, and what a result says beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import Metric, Totals, UnknownCountError
from mipha_eval.core.plugins.blame import foreign_parts, is_foreign, told
from mipha_eval.core.plugins.checks.refusal import ROUNDING, are, is_cell, is_json, refusal, shown
from mipha_eval.core.printable import printable
from mipha_eval.core.types import Score

if TYPE_CHECKING:
    from mipha_eval.core.task import Task

PLAIN = {str, int, bool, type(None)}
NUMBER = (int, float)


def checked_score(task: Task, sample: str, score: object, method: str = "score") -> Score:
    """What an answer to a sample is worth, as the task said."""
    if (
        type(score) is Score
        and score.sample == sample
        and _is_share(score.value)
        and type(score.reading) is str
        and type(score.rule) is str
        and type(score.parsed) is bool
        and are(str, (score.category, score.group, score.cluster))
        and are(str, score.tags)
        and (score.span is None or _is_span(score.span))
        and (score.judged is None or _is_share(score.judged))
        and (not score.details or _are_details(score.details))
    ):
        return score
    raise refusal(
        type(task),
        method,
        f"{method} of {task.label} gave for question {printable(sample)[:80]} {_wrong_score(sample, score)}",
    )


def _wrong_score(sample: str, score: object) -> str:
    if type(score) is not Score:
        return f"no Score but {shown(score)}"
    if score.sample != sample:
        return f"the score of another one, {shown(score.sample)}"
    name = next(name for name, (fits, _) in FIELDS.items() if not fits(getattr(score, name)))
    return f"as {name} not {FIELDS[name][1]} but {shown(getattr(score, name))}"


def _is_share(value: object) -> bool:
    return isinstance(value, NUMBER) and -ROUNDING <= value <= 1 + ROUNDING  # not so for nan


def _is_span(span: object) -> bool:
    return isinstance(span, tuple | list) and len(span) == 2 and all(type(place) is int and place >= 0 for place in span)


def _are_details(details: object) -> bool:
    if not isinstance(details, Mapping):
        return False
    for name, value in details.items():  # noqa: SIM110 - of every answer
        if type(name) is not str or not _is_plain(value):
            return False
    return True


def _is_plain(value: object) -> bool:
    """Whether a value can be stored and read again."""
    if type(value) in PLAIN:
        return True
    return math.isfinite(value) if type(value) is float else is_json(value)


#: field of a score -> whether a value fits, and what fits
FIELDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "value": (_is_share, "a number from 0 to 1"),
    "reading": (lambda value: type(value) is str, "a text"),
    "rule": (lambda value: type(value) is str, "a text"),
    "parsed": (lambda value: type(value) is bool, "True or False"),
    "span": (lambda value: value is None or _is_span(value), "two places in the text"),
    "judged": (lambda value: value is None or _is_share(value), "a number from 0 to 1"),
    "details": (_are_details, "a dict of names and values that can be stored"),
    **dict.fromkeys(("category", "group", "cluster"), (lambda value: type(value) is str, "a text")),
    "tags": (lambda value: are(str, value), "a tuple of texts"),
}


def checked_worth(task: Task, sample: str, worth: object) -> float | None:
    """What an answer is worth under the task's second reading, if it has one."""
    if worth is None:
        return None
    if isinstance(worth, NUMBER) and _is_share(worth):
        return float(worth)
    what = f"lenient of {task.label} gave for question {printable(sample)[:80]} no number from 0 to 1 but {shown(worth)}"
    raise refusal(type(task), "lenient", what)


def stand_in_of(task: JudgedTask) -> str:
    """The rule that stands in for a judge; "" for none."""
    name: object = task.stand_in
    if name == "" or is_cell(name):
        return str(name)
    raise refusal(type(task), "stand_in", f"stand_in of {task.label} must be a text, not {shown(name)}")


def checked_scores(task: Task, method: str, before: Sequence[Score], after: object) -> Sequence[Score]:
    """All scores as a hook of the task changed them: as many, of the same samples in the same order."""
    if after is before:
        return before
    if not isinstance(after, list | tuple) or len(after) != len(before):
        got = f"{len(after)}" if isinstance(after, list | tuple) else shown(after)
        raise refusal(
            type(task), method, f"{method} of {task.label} must give a list of {len(before)} scores, and gave {got}"
        )
    return [checked_score(task, own.sample, score, method) for own, score in zip(before, after, strict=True)]


def checked_totals(task: Task, totals: Mapping[str, float]) -> None:
    """Sums of what tallies counted; the sum of what is no number is none, so that each need not be looked at."""
    for name, total in totals.items():
        if type(name) is not str:
            raise refusal(
                type(task), "tally", f"tally of {task.label} counts under a name that is no text but {shown(name)}"
            )
        if not math.isfinite(total):
            raise refusal(type(task), "tally", f"tally of {task.label} counts under {name!r} what comes to {total}")


def not_countable(task: Task, tally: object) -> Exception:
    """What is raised for a tally that cannot be added up."""
    return refusal(type(task), "tally", f"tally of {task.label} must give a dict of names and numbers, not {shown(tally)}")


def checked_metrics(task: Task, metrics: object) -> list[Metric]:
    """A task's metrics: at least one, with names of their own that can stand in a cell."""
    if not isinstance(metrics, list | tuple) or not metrics or not all(isinstance(each, Metric) for each in metrics):
        raise refusal(
            type(task),
            maker_of_metrics(type(task)),
            f"{task.label} must have a list of one metric or more, not {shown(metrics)}",
        )
    wrong = wrong_metrics(metrics)
    if wrong:
        raise refusal(type(task), maker_of_metrics(type(task)), f"{task.label} has {wrong}")
    return list(metrics)


def maker_of_metrics(owner: type) -> str:
    """Where a task's metrics come from: its method, if it has one of its own, else its attribute."""
    return "metrics_for" if any("metrics_for" in vars(part) for part in foreign_parts(owner)) else "metrics"


def wrong_metrics(metrics: Sequence[Metric]) -> str:
    """What is wrong with metrics; "" if nothing is."""
    names = [metric.name for metric in metrics]
    for metric in metrics:
        if not is_cell(metric.name):
            return f"a metric called {shown(metric.name)}, which cannot stand in a table; its first argument is its name"
        if not callable(metric.formula):
            return f"a metric {metric.name} whose formula is no function of counts but {shown(metric.formula)}"
        if names.count(metric.name) > 1:
            return f"two metrics called {metric.name}"
    return ""


def metric_value(task: Task, metric: Metric, totals: Totals) -> float:
    """A metric's number, finite and within its bounds."""
    named, maker = f"metric {metric.name} of {task.label}", maker_of_metrics(type(task))
    try:
        value = float(metric.formula(totals))
    except UnknownCountError as error:
        raise refusal(type(task), maker, f"{named}: {error}", error) from error
    except (TypeError, ValueError, ArithmeticError) as error:
        if not is_foreign(type(task)):
            raise
        raise refusal(type(task), maker, f"{named} gives no number: {told(error)}", error) from error
    low, high = metric.range
    slack = ROUNDING * max(1.0, *(abs(bound) for bound in (low, high, 1.0) if math.isfinite(bound)))
    if not math.isfinite(value) or not low - slack <= value <= high + slack:
        bounds = f"from {low:g} to {high:g}" if math.isfinite(low) or math.isfinite(high) else "finite"
        raise refusal(type(task), maker, f"{named} is {value:g}, which is not {bounds}")
    return value


def checked_notes(task: Task, notes: object, taken: Collection[str]) -> JsonObject:
    """What a task says beside its metrics, under names that a result has not."""
    if not isinstance(notes, Mapping):
        raise refusal(type(task), "notes", f"notes of {task.label} must be a dict, not {shown(notes)}")
    for name, value in notes.items():
        if not is_cell(name):
            raise refusal(type(task), "notes", f"notes of {task.label} have a field called {shown(name)}")
        if name in taken:
            raise refusal(type(task), "notes", f"notes of {task.label} must not overwrite the field {name} of a result")
        if not is_json(value):
            raise refusal(
                type(task), "notes", f"notes of {task.label} have under {name} what cannot be stored, {shown(value)}"
            )
    return notes
