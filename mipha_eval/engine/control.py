"""How a control changes what a model is asked; the questions, their labels and their scores stay as they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from mipha_eval.core.controls import NO_QUESTION, SHOWN, Control
from mipha_eval.core.errors import ControlError
from mipha_eval.core.plugins.checks.questions import checked_prompt
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Request, Sample
from mipha_eval.data.images import grey_image
from mipha_eval.data.mean_image import MeanImage
from mipha_eval.data.shuffled_images import ShuffledImages

#: what a model is asked under a control in place of a request
Controlled = Callable[[Request], Request]


def controlled(control: Control, task: Task, benchmark: Sequence[Sample]) -> Controlled:
    """The change that a control makes to the requests of a task.

    Args:
        benchmark: all questions, before a limit, so that a limited run can grow into the full one.

    Raises:
        ControlError: it would change nothing.
    """
    if control == NO_QUESTION:
        return _without_question(task, benchmark)
    images = list({image.location: image for sample in benchmark for image in sample.images}.values())
    if not images:
        raise ControlError(f"there are no pictures in {task.label} that {SHOWN[control]} could stand in place of")
    if control != "blind" and len(images) < 2:
        raise ControlError(f"there is one picture alone in {task.label}, so that {SHOWN[control]} cannot stand in its place")
    replace = _replacing(control, task.label, images)
    return lambda request: dataclasses.replace(request, images=replace(request.images))


def _replacing(control: Control, label: str, images: Sequence[Image]) -> Callable[[Sequence[Image]], tuple[Image, ...]]:
    """What makes of a question's pictures those that stand in their places."""
    if control == "shuffled-image":
        return ShuffledImages(label, images).in_place_of
    replace = MeanImage(label, images).in_place_of if control == "mean-image" else grey_image
    return lambda shown: tuple([replace(image) for image in shown])


def _without_question(task: Task, benchmark: Sequence[Sample]) -> Controlled:
    if all(checked_prompt(task, sample.prompt) == sample.prompt for sample in benchmark):
        raise ControlError(f"the same is asked of every picture of {task.label}, so that there is no question to leave out")
    return lambda request: dataclasses.replace(request, text=checked_prompt(task, request.text))
