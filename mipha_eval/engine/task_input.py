"""A task's questions before a model is asked: the limit, a control, whether images are there."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.asking import AS_IT_IS, Asking
from mipha_eval.core.controls import Control
from mipha_eval.core.errors import MissingDataError, UserError
from mipha_eval.core.json_line import to_json
from mipha_eval.core.plugins.checks.questions import checked_request, choices_of
from mipha_eval.core.plugins.code_digest import code_digest
from mipha_eval.core.plugins.selection import task_options
from mipha_eval.core.suite_task import suite_definition_of
from mipha_eval.core.task import Task
from mipha_eval.core.types import Request, Sample
from mipha_eval.data.images import image_digest
from mipha_eval.data.questions import check_texts, read_samples
from mipha_eval.engine.control import Controlled, controlled
from mipha_eval.scoring.run_context import RunContext
from mipha_eval.scoring.tables.table_task import definition_of
from mipha_eval.store.task_record import TaskRecord


@dataclass(frozen=True)
class TaskInput:
    """A task with its questions.

    Attributes:
        total: how many there are before the limit.
        benchmark: all of these, for floors; empty where nobody needs them.
        control: how requests are changed; None where they are asked as they are.
        asking: how they are put to the model.
    """

    task: Task
    samples: Sequence[Sample]
    total: int
    probabilities: bool = False
    benchmark: Sequence[Sample] = ()
    control: Controlled | None = None
    asking: Asking = AS_IT_IS

    def request(self, sample: Sample) -> Request:
        """What the model is asked; with `probabilities` also how probable it holds each possible answer."""
        request = checked_request(self.task, self.task.request(sample))
        tracked = tuple(choices_of(self.task, sample)) if self.probabilities and not request.options else ()
        request = dataclasses.replace(request, tracked=tracked) if tracked else request
        return self.asking(self.control(request) if self.control else request, sample)


def prepare(
    task: Task, limit: int | None, control: Control | None = None, *, asking: Asking = AS_IT_IS, probabilities: bool = False
) -> TaskInput:
    """Reads a task's questions; about `limit` of them. Raises ControlError if `control` changes nothing of them."""
    samples = read_samples(task)
    check_texts(task, samples)
    for sample in samples[:1]:
        asking.check(sample)
    changed = controlled(control, task, samples) if control else None
    return TaskInput(task, limit_samples(samples, limit), len(samples), probabilities, samples, changed, asking)


def check_images(samples: Sequence[Sample], tried: int = 20) -> None:
    """Raises MissingDataError if not one of the first images is there: then a folder is wrong, not an image."""
    images = list(itertools.islice(dict.fromkeys(image for sample in samples for image in sample.images), tried))
    if images and not any(image_digest(image) for image in images):
        raise MissingDataError(
            f"none of the first {len(images)} images is there, e.g. {images[0].location}; give the folder where they are",
            flag="--image-dir TASK=DIR",
        )


def check_ranking(adapter: ModelAdapter, work: Sequence[TaskInput]) -> None:
    """Raises UserError if a task wants options ranked of a model that can rank none."""
    for item in [] if adapter.ranks else work:
        if any(item.request(sample).options for sample in item.samples[:1]):
            raise UserError(
                f"{item.task.label} ranks options by their likelihood, which model {adapter.name} cannot tell; "
                "choose a protocol in which answers are generated"
            )


def limit_samples(samples: list[Sample], limit: int | None) -> list[Sample]:
    """About `limit` samples drawn with a fixed seed: from every category its share, groups kept whole, order kept."""
    if limit is None or limit >= len(samples):
        return samples
    groups: dict[str, dict[str, list[Sample]]] = {}
    for sample in samples:
        groups.setdefault(sample.category, {}).setdefault(sample.group or sample.id, []).append(sample)
    rng = random.Random(0)
    queues = [rng.sample(list(members.values()), len(members)) for members in groups.values()]
    # every category keeps pace with the others: next is the one that has had the smallest part of its groups
    order = sorted(
        ((place + 0.5) / len(queue), number, place) for number, queue in enumerate(queues) for place in range(len(queue))
    )
    chosen: set[str] = set()
    for _, number, place in order:
        if len(chosen) >= limit:
            break
        chosen.update(sample.id for sample in queues[number][place])
    return [sample for sample in samples if sample.id in chosen]


def task_record(work: TaskInput, context: RunContext | None = None) -> TaskRecord:
    """What is needed to build a task again and to know its data."""
    task = work.task
    return TaskRecord(
        name=task.name,
        protocol=task.protocol,
        version=task.version,
        code=code_digest(type(task)) or None,
        options={key: None if value is None else str(value) for key, value in task_options(task).items()},
        data_sha256=data_digest(work.samples),
        probabilities=work.probabilities,
        table=definition_of(task),
        suite=suite_definition_of(task),
        run_context=context,
    )


def data_digest(samples: Sequence[Sample]) -> str:
    """Identifies what is asked: a digest of the JSON list of all questions, written piece by piece."""
    digest = hashlib.sha256(b"[")
    for number, sample in enumerate(samples):
        row = (sample.id, sample.prompt, sample.label_texts, [image.name for image in sample.images])
        digest.update(((", " if number else "") + to_json(row)).encode())
    digest.update(b"]")
    return digest.hexdigest()
