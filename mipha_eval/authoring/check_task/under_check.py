"""A task while it is looked at: what is dear is read once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from mipha_eval.authoring.check_task.answers import Outcome, best_answer, constants_of, outcome, saying, waits_for_judge
from mipha_eval.authoring.check_task.pictures import Picture, look_at
from mipha_eval.authoring.check_task.recipe import Recipe
from mipha_eval.authoring.check_task.reread import asked
from mipha_eval.core.plugins.checks.questions import checked_request
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Request, Sample
from mipha_eval.data.questions import read_questions
from mipha_eval.engine.task_input import limit_samples

#: pictures that are decoded, and questions whose answers are tried, where nobody says how many
MOST = 3_000
#: questions whose answers are tried where they are measured all together, which is dear
TOGETHER = 100
CLOSE = 1e-6


class TaskUnderCheck:
    """A task, and what was read of it.

    Attributes:
        most: pictures that are decoded, and questions whose answers are tried.
    """

    def __init__(self, recipe: Recipe, most: int = MOST) -> None:
        """Raises UserError where the task cannot be built."""
        self.recipe, self.most = recipe, most
        self.task: Task = recipe.build()

    @cached_property
    def samples(self) -> list[Sample]:
        """All questions, ids perhaps twice. Raises UserError."""
        found = read_questions(self.task)
        self._first = [asked(sample) for sample in found]
        return found

    @property
    def unchanged(self) -> bool:
        """Whether the questions are still as they were read."""
        return [asked(sample) for sample in self.samples] == self._first

    @cached_property
    def labelled(self) -> list[Sample]:
        """The questions with labels; of several of one id the first."""
        first = {sample.id: sample for sample in reversed(self.samples)}
        return [sample for sample in self.samples if sample.target and first[sample.id] is sample]

    @cached_property
    def tried(self) -> list[Sample]:
        """Those of them whose answers are tried; groups are whole."""
        return limit_samples(self.labelled, min(self.most, TOGETHER) if self.together else self.most)

    @cached_property
    def lacks(self) -> bool:
        """Whether the best answer to some of the tried questions is worth less than 1."""
        return any(self.best[sample.id][1] < 1 - CLOSE for sample in self.tried)

    @property
    def together(self) -> bool:
        """Whether answers are worth something all together alone, as captions are."""
        return type(self.task).finish is not Task.finish

    @cached_property
    def awaits_judge(self) -> bool:
        """Whether only a judge can grade the answers."""
        return any(waits_for_judge(self.task, sample) for sample in self.labelled[:1])

    @cached_property
    def best(self) -> dict[str, tuple[str, float]]:
        """By id of each labelled question the accepted answer that is worth the most, and its worth by the task's rule."""
        return {sample.id: best_answer(self.task, sample) for sample in self.labelled}

    @cached_property
    def oracle(self) -> Outcome:
        """What the best answers come to. Raises UnansweredError where nothing can stand in for a judge."""
        right = {each.id: saying(self.task, each, self.best[each.id][0]) for each in self.tried}
        return outcome(self.task, self.tried, right, judge=True)

    @cached_property
    def constants(self) -> dict[str, Outcome]:
        """What each possible answer, given to every question, comes to; of open ones the most frequent labels."""
        found = {}
        for text in constants_of(self.task, self.tried):
            answers = {sample.id: saying(self.task, sample, text) for sample in self.tried}
            found[text] = outcome(self.task, self.tried, answers)
        return found

    @cached_property
    def requests(self) -> list[Request]:
        """What a model is asked, in the order of `samples`."""
        return [checked_request(self.task, self.task.request(sample)) for sample in self.samples]

    @cached_property
    def images(self) -> list[Image]:
        """The distinct pictures, by place."""
        return list({image.location: image for sample in self.samples for image in sample.images}.values())

    @cached_property
    def pictures(self) -> list[Picture]:
        """What was seen of the pictures, of `most` of them at equal distances."""
        return [look_at(image) for image in spread(self.images, self.most)]

    @property
    def published(self) -> bool:
        """Whether the questions are those of a known release, of which it is known how many there are."""
        return bool(self.task.rows.get(self.task.protocol))


def spread(images: Sequence[Image], most: int) -> list[Image]:
    """So many of them, at equal distances."""
    if len(images) <= most:
        return list(images)
    return [images[place * len(images) // most] for place in range(most)]
