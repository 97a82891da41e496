"""Which questions a model is asked while it is checked: few, short, and not all of one length."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Request, Sample
from mipha_eval.engine.task_input import TaskInput, prepare

#: tokens of an answer at most: what a check finds shows in the first few
MOST_TOKENS = 16

#: stands before a question to make it longer; prompts of one length are never padded
LONGER = "Look at every part of the picture, at what is large in it and at what is small, before you answer. "


@dataclass(frozen=True)
class Question:
    """A question as a model is asked it."""

    sample: Sample
    request: Request


@dataclass(frozen=True)
class Questions:
    """What is asked.

    Attributes:
        pair: two questions about one picture.
        batch: these, one about another picture, and a longer one.
        limit: tokens of an answer as the benchmark asks it.
    """

    work: TaskInput
    pair: tuple[Question, Question]
    batch: tuple[Question, ...]
    limit: int


def pick_questions(task: Task, model: Model) -> Questions:
    """The first questions of a benchmark that will do.

    Raises:
        UserError: it cannot be read, or has no two questions about one picture.
    """
    work = prepare(task, None, asking=model.asking(task.name))
    first, second = _pair(work.samples, task.label)
    others = [each for each in work.samples if each.images != first.images and each.images][:1]
    asked = [_question(work, sample) for sample in (first, second, *others)]
    if "prompt" in model.adapter.heeds:  # one that is asked nothing, such as an answer file, knows no other question
        asked.insert(1, _longer(asked[0]))
        pair = (asked[0], asked[2])
    else:
        pair = (asked[0], asked[1])
    return Questions(work, pair, tuple(asked), work.request(first).decoding.max_new_tokens)


def _pair(samples: Sequence[Sample], label: str) -> tuple[Sample, Sample]:
    seen: dict[tuple[Image, ...], Sample] = {}
    for sample in samples:
        if not sample.images:
            continue
        earlier = seen.setdefault(sample.images, sample)
        if earlier.prompt != sample.prompt:
            return earlier, sample
    raise UserError(f"{label} has no two questions about one picture, which a model is checked with; name another task")


def _question(work: TaskInput, sample: Sample) -> Question:
    request = work.request(sample)
    limit = min(request.decoding.max_new_tokens, MOST_TOKENS)
    decoding = dataclasses.replace(request.decoding, max_new_tokens=limit)
    return Question(sample, dataclasses.replace(request, decoding=decoding))


def _longer(question: Question) -> Question:
    """The same, begun with another sentence."""
    request = question.request
    return dataclasses.replace(question, request=dataclasses.replace(request, text=LONGER + request.text))


def turned(batch: Sequence[Question]) -> Iterator[tuple[int, Question]]:
    """A batch in another order, with the places in which its questions were: the second is first, the first is last."""
    yield from ((place % len(batch), batch[place % len(batch)]) for place in range(1, len(batch) + 1))
