"""The points of the check in their order, and what happens where a task's code fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mipha_eval.authoring.check_task.balance import labels_are_balanced
from mipha_eval.authoring.check_task.constants import constants_score_as_foretold, headline_follows_the_scores
from mipha_eval.authoring.check_task.duplicates import (
    options_differ,
    pictures_are_there_once,
    pictures_decode,
    questions_are_there_once,
)
from mipha_eval.authoring.check_task.leaks import label_is_not_in_the_file_name, label_is_not_in_the_prompt
from mipha_eval.authoring.check_task.options import options_are_typed
from mipha_eval.authoring.check_task.oracle import labels_are_readable, oracle_gets_the_most, poor_answers_are_worth_little
from mipha_eval.authoring.check_task.point import Point
from mipha_eval.authoring.check_task.purity import score_is_pure
from mipha_eval.authoring.check_task.reading import ids_are_unique, processes_agree, readings_are_equal, samples_load
from mipha_eval.authoring.check_task.recipe import Recipe
from mipha_eval.authoring.check_task.sharing import pictures_come_first
from mipha_eval.authoring.check_task.shuffling import options_can_be_shuffled
from mipha_eval.authoring.check_task.stored import results_survive_the_store
from mipha_eval.authoring.check_task.terms import licence_is_said, what_a_run_takes
from mipha_eval.authoring.check_task.under_check import MOST, TaskUnderCheck
from mipha_eval.authoring.finding import Finding
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.blame import blaming, is_foreign, place_in, place_of, told

NUMBER = re.compile(r"\d+")

POINTS: Sequence[Point] = (
    Point("options", options_are_typed, needs=""),
    Point("licence", licence_is_said, needs=""),
    Point("samples", samples_load, needs="questions"),
    Point("ids", ids_are_unique, needs="questions"),
    Point("deterministic", readings_are_equal, needs="questions"),
    Point("other-process", processes_agree, needs="questions"),
    Point("pictures", pictures_decode, needs="questions"),
    Point("picture-duplicates", pictures_are_there_once, needs="questions"),
    Point("duplicates", questions_are_there_once, needs="questions"),
    Point("option-duplicates", options_differ, needs="questions"),
    Point("pictures-first", pictures_come_first, needs="questions"),
    Point("labels", labels_are_readable),
    Point("oracle", oracle_gets_the_most),
    Point("poor-answers", poor_answers_are_worth_little),
    Point("constants", constants_score_as_foretold),
    Point("headline", headline_follows_the_scores),
    Point("shuffled-options", options_can_be_shuffled),
    Point("pure", score_is_pure),
    Point("store", results_survive_the_store),
    Point("prompt-leak", label_is_not_in_the_prompt),
    Point("name-leak", label_is_not_in_the_file_name),
    Point("balance", labels_are_balanced),
    Point("cost", what_a_run_takes, needs="questions"),
)


def check_task(recipe: Recipe, most: int = MOST) -> Iterator[Finding]:
    """Looks at a task, a finding a point, as they are found.

    Args:
        most: pictures that are decoded, and questions whose answers are tried.

    Raises:
        UserError: the task cannot be built.
    """
    under = TaskUnderCheck(recipe, most)
    failed_at: set[str] = set()
    unlooked: list[str] = []
    without_labels: list[str] = []
    for point in POINTS:
        try:
            yield from _looked(point, under)
        except _NoLabelsError:
            without_labels.append(point.name)
        except PointFailedError as error:
            if error.place in failed_at:
                unlooked.append(point.name)  # the same code ends several points
                continue
            failed_at.add(error.place)
            yield Finding(point.name, "fault", str(error))
    if without_labels:
        left = f"{len(without_labels)} points about answers are left out"
        yield Finding("left-out", "note", f"no question has a public label, so that {left}")
    if unlooked:
        yield Finding("left-out", "note", f"the same error ends {len(unlooked)} more points: {', '.join(unlooked)}")


class _NoLabelsError(Exception):
    """A point needs labels, and there are none."""


class PointFailedError(Exception):
    """A point that came to no end, since code of the task raised an error or its files are not in order."""

    @property
    def place(self) -> str:
        """Where that was, as far as the text says it: behind its last bracket; else the text without its numbers."""
        text = str(self)
        return text[text.rfind("(") :] if text.endswith(")") else NUMBER.sub("", text)


def _looked(point: Point, under: TaskUnderCheck) -> list[Finding]:
    """What a point found. Raises PointFailedError for whatever the task's code raises."""
    task = under.task
    try:
        with blaming():
            if point.needs == "labels" and not under.labelled:
                raise _NoLabelsError
            return [Finding(point.name, level, line) for level, line in point.look(under)]
    except _NoLabelsError:
        raise
    except UserError as error:
        raise PointFailedError(" ".join(str(error).split())) from error
    except Exception as error:
        if not is_foreign(type(task)):
            raise
        method = "samples" if point.needs == "questions" else "score"
        raise PointFailedError(f"{told(error)} ({place_in(error) or place_of(type(task), method)})") from error
