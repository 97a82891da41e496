"""An oracle that answers with the labels gets the most there is; answers that say nothing, or everything, do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mipha_eval.authoring.check_task.answers import REFUSAL, Outcome, is_ranked, measured, outcome, read_one
from mipha_eval.authoring.check_task.longest import everything
from mipha_eval.authoring.check_task.point import Said, cut, of, place_in_code, quoted, some
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.plugins.checks.scores import checked_score
from mipha_eval.core.types import Response, Sample
from mipha_eval.scoring.judging.dialogue import BrokenDialogueError, UnansweredError

CLOSE = 1e-6
NEVER = "no answer can be right"
DIALOGUES = 50  # that are tried where a judge grades
LITTLE = 0.05  # of what the labels get
#: answers that say nothing, and None for one that names everything
POOR = {"a blank answer": "", "a refusal": REFUSAL, "an answer that names everything": None}


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
        place = place_in_code(under, "score")
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
        yield _unanswered(error)
        return
    place = place_in_code(under, "tally")
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
        yield _dialogues_end(under)
        return
    most = under.oracle.value or 0.0
    if most <= CLOSE:
        yield "note", "the labels themselves get nothing, so that there is nothing to compare a blank answer with"
        return
    found = {name: _given(under, text) for name, text in POOR.items()}
    wrong = _too_good(under, found, most)
    if wrong:
        yield "fault", f"{wrong} ({place_in_code(under, 'score')})"
        return
    values = [each.value or 0.0 for each in found.values()]
    numbers = ", ".join(f"{value:.1f}" for value in values)
    told = (
        f"a blank, a refusal and an answer that names everything get {numbers} of {most:.1f} ({under.oracle.metric.plain})"
    )
    if under.together or max(values) <= LITTLE * most:
        yield "ok", told
    else:
        how = "names everything" if values[-1] == max(values) else "says nothing"
        yield "note", f"{told}: an answer that {how} is read as one"


def _dialogues_end(under: TaskUnderCheck) -> Said:
    """Whether `grade` comes to scores for poor answers, too; what they are is the judge's matter."""
    some_of_them = under.tried[:DIALOGUES]
    for text in POOR.values():
        try:
            answers = {sample.id: Response(text or sample.target[0]) for sample in some_of_them}
            outcome(under.task, some_of_them, answers, judge=True)
        except UnansweredError as error:
            return _unanswered(error)
    return "note", "a judge grades the answers; what a blank, a refusal and the longest answer get, only it can say"


def _unanswered(error: UnansweredError) -> Said:
    if isinstance(error, BrokenDialogueError):
        return "fault", f"a judge is asked, and {error.reason}"
    return "note", f"a judge grades; what its replies come to cannot be tried without it: {error.reason}"


def _too_good(under: TaskUnderCheck, found: Mapping[str, Outcome], most: float) -> str:
    """Which poor answer gets what the labels get, or, if it says nothing, more than the best constant; "" for none."""
    for name, each in found.items():
        if (each.value or 0.0) >= most - CLOSE and not (POOR[name] is None and _takes_parts(under)):
            return f"{name} gets {each.text}, as much as the labels themselves"
    if not under.together:
        constant, best = _best_constant(under)
        for name, each in found.items():
            if POOR[name] is not None and (each.value or 0.0) > best + CLOSE:
                return f"{name} gets {each.text}, more than {constant} to every question"
    return ""


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
