"""Questions and scores come back from disk as they were, and come to the same result."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mipha_eval.authoring.check_task.answers import Outcome, measured, outcome, saying
from mipha_eval.authoring.check_task.point import Said
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.scoring.judging.dialogue import UnansweredError
from mipha_eval.scoring.measuring import Measuring, find_numbers
from mipha_eval.store.samples import read_samples, write_samples
from mipha_eval.store.scores import read_scores, write_scores


def results_survive_the_store(under: TaskUnderCheck) -> Iterator[Said]:
    """Written, read and measured again, questions and scores are the same; stored answers score the same."""
    task, samples = under.task, under.tried
    mixed = {each.id: _answer(under, each, place) for place, each in enumerate(samples)}
    try:
        found = outcome(task, samples, mixed, judge=True)
    except UnansweredError:
        found = outcome(task, samples, mixed)
    with tempfile.TemporaryDirectory() as folder:
        questions, scores = Path(folder) / "samples.jsonl", Path(folder) / "scores.jsonl"
        write_samples(questions, samples)
        write_scores(scores, found.scores)
        stored, read = read_samples(questions), read_scores(scores)
    place = place_of(type(task), "score")
    if stored != list(samples):
        number = next(n for n, (a, b) in enumerate(zip(stored, samples, strict=True)) if a != b)
        yield (
            "fault",
            f"question {samples[number].id} is another one when it is read from disk ({place_of(type(task), 'samples')})",
        )
    elif (odd := _changed(found.scores, read)) is not None:
        yield (
            "fault",
            f"the score of question {odd} is another one when it is read from disk; what are its details? ({place})",
        )
    elif _numbers(under, read, found) != _numbers(under, found.scores, found):
        yield "fault", f"scores that are read from disk come to other numbers ({place_of(type(task), 'tally')})"
    elif not found.judged and outcome(task, stored, mixed).value != found.value:
        yield "fault", f"stored questions and answers score otherwise than those that were just read ({place})"
    else:
        yield "ok", f"results survive the store: {len(samples):,} questions and scores come back as they were"


def _answer(under: TaskUnderCheck, sample: Sample, place: int) -> Response:
    """Right and other answers in turn."""
    text = (under.best[sample.id][0], "", under.tried[0].target[0])[place % 3]
    return saying(under.task, sample, text)


def _changed(before: Sequence[Score], after: Sequence[Score]) -> str | None:
    """The question whose score is not what it was; that a tuple comes back as a list is no change."""
    for own, read in zip(before, after, strict=True):
        if _plain(own) != _plain(read):
            return own.sample
    return None


def _plain(score: Score) -> tuple[object, ...]:
    return tuple(_listed(getattr(score, name)) for name in Score.__slots__)


def _listed(value: object) -> object:
    if isinstance(value, dict):
        return {name: _listed(each) for name, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value


def _numbers(under: TaskUnderCheck, scores: Sequence[Score], found: Outcome) -> tuple[object, JsonObject]:
    """All metrics with their intervals, and the notes."""
    numbers = find_numbers(Measuring(under.task), scores)
    return (numbers.metrics, numbers.intervals, measured(under.task, scores, judged=found.judged).value), under.task.notes(
        scores
    )
