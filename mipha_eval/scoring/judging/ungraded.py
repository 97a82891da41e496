"""Answers that only a judge can grade, and that nobody has graded."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace

from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import group_scores
from mipha_eval.core.plugins.blame import is_foreign
from mipha_eval.core.plugins.checks.refusal import refusal, shown
from mipha_eval.core.task import NOT_JUDGED, Task
from mipha_eval.core.types import Answer, Dialogue, Response, Sample, Score
from mipha_eval.scoring.judging.dialogue import BrokenDialogueError, Talk


def answer_groups(
    samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
) -> Iterator[list[Answer]]:
    """What is judged together: the answered ones of each group of scores."""
    for group in group_scores(scores):
        answered = [score for score in group if score.sample in responses]
        if answered:
            yield [Answer(samples[score.sample], responses[score.sample].text, score) for score in answered]


def without_judge(
    task: Task, samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
) -> list[Score]:
    """The scores where nobody judges: those that the task's own rule cannot give are marked as not judged.

    That is so where the task would have a judge look at answers all of which its rule claims to have read. What it could not
    read (MMBench) counts by the rule, and a rule that stands in for a judge counts under its own name.
    """
    if not isinstance(task, JudgedTask) or task.stand_in:
        return list(scores)
    waiting: set[str] = set()
    for answers in answer_groups(samples, responses, scores):
        if all(answer.score.parsed for answer in answers) and _asks(task, task.grade(answers, 1)):
            waiting |= {answer.sample.id for answer in answers}
    return [replace(score, rule=NOT_JUDGED, value=0.0) if score.sample in waiting else score for score in scores]


def _asks(task: JudgedTask, dialogue: Dialogue[Sequence[Score]]) -> bool:
    """Whether a dialogue comes to any question. Raises PluginError for a plugin's that breaks before it does."""
    if not isinstance(dialogue, Generator):
        what = (
            f"grade of {task.label} must be a generator, which yields queries and returns scores, and gave {shown(dialogue)}"
        )
        raise refusal(type(task), "grade", what)
    try:
        return Talk(dialogue, 1).begin() is not None
    except BrokenDialogueError as error:
        if is_foreign(type(task)):
            raise refusal(type(task), "grade", f"grade of {task.label}: {error.reason}", _cause(error)) from error
        return True
    finally:
        dialogue.close()


def _cause(error: BrokenDialogueError) -> Exception | None:
    return error.__cause__ if isinstance(error.__cause__, Exception) else None
