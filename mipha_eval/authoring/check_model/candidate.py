"""The model that is checked: what its code raises is told in a line, whatever it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from mipha_eval.authoring.check_model.questions import Question, Questions
from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.floor import Floor
from mipha_eval.core.plugins.blame import place_in, plugin_error, told
from mipha_eval.core.plugins.checks.models import model_facts
from mipha_eval.core.plugins.checks.responses import checked_responses
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.types import Response


class TroubleError(Exception):
    """What a model's code raised, or handed over, in one line with its file and line."""


@contextmanager
def in_a_line() -> Iterator[None]:
    """Turns whatever a model's code raises into a TroubleError; Ctrl-C passes."""
    try:
        yield
    except UserError as error:
        raise TroubleError(" ".join(str(error).split())) from error
    except BaseException as error:
        blamed = plugin_error(error)
        if blamed is None and not isinstance(error, Exception | SystemExit):
            raise
        place = place_in(error)
        raise TroubleError(str(blamed) if blamed else told(error) + (f" ({place})" if place else "")) from error


@dataclass(frozen=True)
class Candidate:
    """A model and what it is asked.

    Attributes:
        seconds: what batches took, with their sizes, as they were answered.
    """

    model: Model
    questions: Questions
    seconds: list[tuple[int, float]] = field(default_factory=list)

    @property
    def adapter(self) -> ModelAdapter:
        return self.model.adapter

    @cached_property
    def dtype(self) -> str:
        """The precision that it says; empty where it says none."""
        found = model_facts(self.adapter, "describe").get("dtype")
        return found if isinstance(found, str) else ""

    def ask(self, batch: Sequence[Question]) -> list[Response]:
        """Its answers in one batch. Raises TroubleError."""
        requests, started = [question.request for question in batch], time.perf_counter()
        with in_a_line():
            if isinstance(self.adapter, Floor):
                work = self.questions.work
                given = self.adapter.answers(work.task, work.samples, [question.sample for question in batch])
            else:
                given = self.adapter.respond(requests)
            self.seconds.append((len(batch), time.perf_counter() - started))
            return checked_responses(self.adapter, requests, given)

    def ask_each(self, batch: Sequence[Question]) -> list[Response]:
        """Its answers, each in a batch of its own. Raises TroubleError."""
        return [response for question in batch for response in self.ask([question])]

    @cached_property
    def alone(self) -> list[Response]:
        """Its answers to the batch by the path that shares nothing. Raises TroubleError."""
        requests = [question.request for question in self.questions.batch]
        with in_a_line():
            return checked_responses(self.adapter, requests, self.adapter.reference(requests))
