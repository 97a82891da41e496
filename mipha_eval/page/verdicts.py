"""What judges said of each answer, from their stored replies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.task import Task
from mipha_eval.core.types import Query, Response, Sample, Score, Verdict
from mipha_eval.judge.grading import judges_of
from mipha_eval.judge.judged import Judged
from mipha_eval.scoring.judging.dialogue import UnansweredError, replay, shortcoming
from mipha_eval.scoring.judging.ungraded import answer_groups
from mipha_eval.store.task_folder import TaskFolder


@dataclass(frozen=True)
class Said:
    """A reply of a judge, and why it does not count, if so."""

    judge: str
    text: str
    error: str


def stored_verdicts(
    place: TaskFolder,
    task: Task,
    samples: Sequence[Sample],
    responses: Mapping[str, Response],
    scores: Sequence[Score],
) -> dict[str, list[Said]]:
    """What each judge replied about each answer, by sample id.

    The dialogues are held again with the stored replies, since a reply to equal queries is stored once, whichever sample it
    was about.
    """
    by_id = {sample.id: sample for sample in samples}
    answered = {name: response for name, response in responses.items() if not response.error}
    found: dict[str, list[Said]] = {}
    for judged in judges_of(place.path):
        if not judged.use.applies(task):
            continue
        for answers in answer_groups(by_id, answered, scores):
            said: list[Said] = []
            with contextlib.suppress(UnansweredError):  # what was said until then is told all the same
                known = _heard(judged, answers[0].sample.id, said)
                replay(judged.use.dialogue(task, answers), known, judged.use.most_queries)
            for answer in answers:
                found.setdefault(answer.sample.id, []).extend(said)
    return found


def _heard(judged: Judged, sample: str, said: list[Said]) -> Callable[[Query], Verdict | None]:
    """Finds stored replies, and notes them."""

    def find(query: Query) -> Verdict | None:
        verdict = judged.verdicts.find(query, sample)
        if verdict is not None:
            lacking = shortcoming(query, verdict)
            said.append(Said(judged.name, verdict.text, lacking.reason if lacking else ""))
        return verdict

    return find
