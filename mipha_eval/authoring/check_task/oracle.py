"""An oracle that answers with the labels gets the most there is; answers that say nothing, or everything, do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mipha_eval.authoring.check_task.answers import REFUSAL, Outcome, is_ranked, measured, outcome, read_one
from mipha_eval.authoring.check_task.finding import Said, cut, of, quoted, some
from mipha_eval.authoring.check_task.longest import everything
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.plugins.checks.scores import checked_score
from mipha_eval.core.types import Response, Sample
from mipha_eval.scoring.judging.dialogue import UnansweredError

CLOSE = 1e-6
NEVER = "no answer can be right"


def labels_are_readable(under: TaskUnderCheck) -> Iterator[Said]:
    """The task's own rule reads each label as right."""
    if under.awaits_judge:
        yield "note", "a judge grades the answers; whether it finds the labels right, only it can say"
        return
    if under.together:
        unread = [sample for sample in under.labelled if not read_one(under.task, sample, Response(sample.target[0])).parsed]
        told = f"the references of {_questions(under, unread)} are read as no answer"
        yield ("fault", told) if unread else ("ok", "every reference is read as an answer")
        return
    wrong, partial = _not_right(under)
    odd = [sample for sample in wrong if under.task.odd_label(sample)]
    strict = [sample for sample in wrong if sample not in odd]
    if strict:
        worth = under.best[strict[0].id][1]
        label = f"label {quoted(strict[0].target[0])} is worth {worth:.2g} as the answer"
        place = place_of(type(under.task), "score")
        yield "fault", f"the task's rule does not find the labels of {_questions(under, strict)} right: {label} ({place})"
    elif odd:
        yield "note", f"{_questions(under, odd)}: {NEVER}, as the benchmark itself has it: {under.task.odd_label(odd[0])}"
    elif partial:
        yield "note", f"people disagree: the best answer to {_questions(under, partial)} is worth less than 1"
    else:
        yield "ok", "the task's rule finds every label right"


def _not_right(under: TaskUnderCheck) -> tuple[list[Sample], list[Sample]]:
    """Questions whose label is not right, and those of whose several answers the best is worth something less than 1."""
    lacking = [sample for sample in under.labelled if under.best[sample.id][1] < 1 - CLOSE]
    partial = [each for each in lacking if under.best[each.id][1] > 0 and len(set(each.target)) > 1]
    return [sample for sample in lacking if sample not in partial], partial


def oracle_gets_the_most(under: TaskUnderCheck) -> Iterator[Said]:
    """An oracle that answers with the labels has the headline at its greatest."""
    try:
        found = under.oracle
    except UnansweredError as error:
        yield "note", f"a judge grades; what its replies come to cannot be tried without it: {error.reason}"
        return
    place = place_of(type(under.task), "tally")
    judge = " (a judge's stand-in finds every answer right)" if found.judged else ""
    if found.value is None:
        yield "fault", f"the headline {found.metric.plain} has no value where every question is answered right ({place})"
    elif under.together:
        yield "ok", f"an oracle that answers with a reference gets {found.text}"
    elif under.lacks and not found.judged:
        yield "note", f"an oracle that answers with the best label gets {found.text}, which is the most there is"
    else:
        most, limit = _all_right(under, found), found.metric.range[1]
        greatest = limit if found.metric.unit == "%" else most
        if found.value < greatest - CLOSE * max(1.0, abs(greatest)):
            yield "fault", f"an oracle that answers with the labels gets {found.text}, not {greatest:g}{judge} ({place})"
        else:
            part = f" of {limit:g}" if limit > found.value + CLOSE else ""
            yield "ok", f"an oracle that answers with the labels gets the most there is, {found.text}{part}{judge}"


def _all_right(under: TaskUnderCheck, found: Outcome) -> float:
    """The headline where every score is made right."""
    task = under.task
    scores = [checked_score(task, each.sample, task.with_outcome(each, 1.0), "with_outcome") for each in found.scores]
    return measured(task, scores, judged=found.judged).value or 0.0


def poor_answers_are_worth_little(under: TaskUnderCheck) -> Iterator[Said]:
    """A blank, a refusal and the longest answer do not get what the oracle gets."""
    if any(is_ranked(under.task, sample) for sample in under.tried[:1]):
        yield "ok", "options are ranked, so that no answer can be blank, a refusal or too long"
        return
    if under.awaits_judge:
        yield "note", "a judge grades the answers; what a blank, a refusal and the longest answer get, only it can say"
        return
    most = under.oracle.value or 0.0
    blank, refusal, longest = (_given(under, text) for text in ("", REFUSAL, None))
    place = place_of(type(under.task), "score")
    constant, best = _best_constant(under)
    named = (("a blank answer", blank), ("a refusal", refusal))
    for name, found in (*named, ("an answer that names everything", longest)):
        if (found.value or 0.0) >= most - CLOSE and not (found is longest and _takes_parts(under)):
            yield "fault", f"{name} gets {found.text}, as much as the labels themselves ({place})"
            return
    for name, found in named:
        if (found.value or 0.0) > best + CLOSE and not under.together:
            yield "fault", f"{name} gets {found.text}, more than {constant} to every question ({place})"
            return
    numbers = f"{blank.metric.plain} {blank.value or 0:.1f}, {refusal.value or 0:.1f} and {longest.value or 0:.1f}"
    told = f"a blank, a refusal and an answer that names everything get {numbers} of {most:.1f}"
    much = max(blank.value or 0.0, refusal.value or 0.0, longest.value or 0.0)
    level = "note" if not under.together and much > 0.05 * most else "ok"
    yield level, f"{told}{'; an answer that says nothing is read as one' if level == 'note' else ''}"  # type: ignore[misc]


def _given(under: TaskUnderCheck, text: str | None) -> Outcome:
    """What one answer to every question comes to; None for the longest."""
    every = everything(under.tried) if text is None else {sample.id: text for sample in under.tried}
    return outcome(under.task, under.tried, {name: Response(each) for name, each in every.items()})


def _best_constant(under: TaskUnderCheck) -> tuple[str, float]:
    """The answer that is worth the most to every question, and its headline."""
    values = {text: found.value or 0.0 for text, found in under.constants.items()}
    best = max(values, key=values.__getitem__)
    return quoted(best), values[best]


def _takes_parts(under: TaskUnderCheck) -> bool:
    """Whether the rule says that it looks for parts in an answer, whatever else stands there."""
    stands_in = isinstance(under.task, JudgedTask) and bool(under.task.stand_in)
    return stands_in or getattr(under.task, "scorer", "") == "contains"


def _questions(under: TaskUnderCheck, samples: Sequence[Sample]) -> str:
    names = some([sample.id for sample in samples])
    return f"{of(len(samples), len(under.labelled))} questions ({cut(names)})"
