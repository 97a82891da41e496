"""A task of lmms-eval, loaded with its data: what it asks, how it reads an answer, what it makes of all of them."""

from __future__ import annotations

import contextlib
import inspect
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, TypeAlias

from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Image
from mipha_eval.data.hub import revision_of
from mipha_eval.suites.lmms.generation import without_marks
from mipha_eval.suites.lmms.library import said_quietly
from mipha_eval.suites.lmms.network import asking_nobody
from mipha_eval.suites.lmms.pictures import NoPictureError, images_of_row
from mipha_eval.suites.lmms.traced import Rows

#: a row of a data set
Document: TypeAlias = dict[str, Any]
#: what its code gives of a document's answer, by metric: numbers, or whatever its own aggregation reads
Payloads: TypeAlias = Mapping[str, Any]
#: an answer as each filter leaves it, by the filter's name
Cleaned: TypeAlias = Mapping[str, Any]
#: a text, or (loss, whether it is the greedy answer) of each option
Answered: TypeAlias = str | Sequence[tuple[float, bool]]

#: what lmms-eval draws examples of a few shots with
SHOTS_SEED = 1234
#: its aggregation that makes 999 of anything
BYPASS = "bypass_agg"


@dataclass(frozen=True)
class OwnQuestion:
    """A document as it is asked.

    Attributes:
        number: of the document in its split.
        options: what is ranked by likelihood; empty where an answer is generated.
    """

    number: int
    text: str
    target: tuple[str, ...]
    images: tuple[Image, ...]
    options: tuple[str, ...] = ()


class OwnTask:
    """lmms-eval's own object of a task.

    Attributes:
        folder: where its code writes files to upload.
    """

    def __init__(self, label: str, task: Any, folder: str) -> None:
        self.label, self.task, self.folder = label, task, folder

    @property
    def kind(self) -> str:
        return str(self.task.OUTPUT_TYPE)

    @property
    def settings(self) -> Mapping[str, object]:
        """Its ``generation_kwargs``."""
        return dict(self.task.config.generation_kwargs or {})

    @property
    def filters(self) -> list[str]:
        """Names of the ways in which its answers are cleaned; each has numbers of its own."""
        return [each.name for each in self.task._filters]

    @property
    def metrics(self) -> list[str]:
        """Names of its numbers, behind a comma with the filter where there are several."""
        names = list(self.task.aggregation())
        return [self.named(name, each) for each in self.filters for name in names]

    @property
    def no_numbers(self) -> dict[str, str]:
        """Metrics whose code makes no number, by name, and why."""
        found = {}
        for name, function in self.task.aggregation().items():
            why = "lmms-eval has no such aggregation" if function is None else ""
            why = "its code passes answers on" if getattr(function, "__name__", "") == BYPASS else why
            found.update({self.named(name, each): why for each in self.filters if why})
        return found

    def named(self, metric: str, each: str) -> str:
        """A metric's name, of one of the filters."""
        return metric if len(self.filters) == 1 else f"{metric},{each}"

    @property
    def features(self) -> Mapping[str, object]:
        return dict(self.task.task_docs.features)

    @property
    def scoring(self) -> list[object]:
        """The functions that read answers and add them up."""
        return [self.task.config.process_results, *self.task.aggregation().values()]

    @cached_property
    def revision(self) -> str:
        """Of its data set, as the hub tells it; "" for files of this machine."""
        return revision_of(self.task.task_docs)

    def questions(self) -> Iterator[OwnQuestion]:
        """What it would hand to a model, document by document. Raises UserError for what is no question about pictures."""
        if self.task.config.num_fewshot is None:
            self.task.set_config(key="num_fewshot", value=0)
        self.task.set_fewshot_seed(seed=SHOTS_SEED)
        with said_quietly(errors=True):
            self.task.build_all_requests(limit=None, rank=0, world_size=1)
        by_document: dict[int, list[Any]] = {}
        for instance in self.task.instances:
            by_document.setdefault(int(instance.doc_id), []).append(instance)
        rows = Rows(self.task.eval_docs)
        for number, instances in by_document.items():
            try:
                yield self._question(number, instances, rows)
            except NoPictureError as error:
                raise UserError(f"{self.label}: question {number}: {error}; only pictures are shown here") from error

    def _question(self, number: int, instances: Sequence[Any], rows: Rows) -> OwnQuestion:
        contexts = {str(instance.args[0]) for instance in instances}
        if len(contexts) > 1:
            raise UserError(f"{self.label}: question {number} puts each of its options into another prompt")
        document = self.task.eval_docs_no_media[number]
        text = without_marks(contexts.pop())
        visual = self.task.doc_to_visual if self.task.config.doc_to_visual is not None else None
        images = images_of_row(rows, number, visual, self.label)
        options: tuple[str, ...] = ()
        if self.kind == "multiple_choice":
            options = tuple(str(instance.args[1]).strip() for instance in instances)
        elif self.kind == "loglikelihood":
            options = (str(self.task.doc_to_target(document)).strip(),)
        return OwnQuestion(number, text, self._target(document), images, options)

    def _target(self, document: Document) -> tuple[str, ...]:
        """Accepted answers as texts, as far as its definition tells them."""
        target = self.task.doc_to_target(document)
        if isinstance(target, int) and self.task.config.doc_to_choice is not None:
            choices = self.task.doc_to_choice(document)
            target = choices[target] if 0 <= target < len(choices) else target
        texts = [str(each) for each in target] if isinstance(target, list | tuple) else [str(target)]
        return tuple(text for text in texts if text.strip() and text != "None")

    def cleaned(self, number: int, answered: Answered) -> Cleaned:
        """The answer to a document as each filter leaves it, by the filter's name."""
        document = self.task.eval_docs_no_media[number]
        answers = [answered] if isinstance(answered, str) else list(answered)
        instances = [SimpleNamespace(resps=[each], filtered_resps={}) for each in answers]
        for each in self.task._filters:
            each.apply(instances, [document] * len(instances))
        return {each: [instance.filtered_resps[each] for instance in instances] for each in self.filters}

    def payloads(self, number: int, cleaned: Cleaned) -> Payloads:
        """What its code makes of an answer, by metric as in `metrics`.

        Raises:
            UserError: it asks a judge of which the user said nothing.
        """
        read: Callable[..., Payloads] = inspect.unwrap(type(self.task).process_results)  # without five tries at what fails
        found: dict[str, Any] = {}
        with asking_nobody(self.label), drawn_alike(number):
            for each, answers in cleaned.items():
                own = read(self.task, self.task.eval_docs_no_media[number], answers)
                found.update({self.named(name, each): value for name, value in own.items()})
        return found

    def aggregation(self, metric: str) -> Callable[[Sequence[Any]], object]:
        """The function that makes a number of all payloads of a metric, in their documents' order."""
        function = self._function(metric)
        more = {"args": SimpleNamespace(output_path=self.folder)} if self.writes(metric) else {}

        def aggregated(payloads: Sequence[Any]) -> object:
            with asking_nobody(self.label), said_quietly(), drawn_alike(0):
                return function(list(payloads), **more)

        return aggregated

    def writes(self, metric: str) -> bool:
        """Whether a metric's code takes arguments of the command line, as code that writes files does."""
        try:
            return "args" in inspect.signature(self._function(metric)).parameters
        except ValueError:  # of a function that is written in C
            return False

    def is_mean(self, metric: str) -> bool:
        """Whether a metric is lmms-eval's own mean of its payloads."""
        function = self._function(metric)
        return (function.__module__, getattr(function, "__name__", "")) == ("lmms_eval.api.metrics", "mean")

    def _function(self, metric: str) -> Any:
        """The aggregation of a metric by its name here."""
        functions = self.task.aggregation()
        return next(functions[name] for name in functions if metric in {self.named(name, each) for each in self.filters})


@contextlib.contextmanager
def drawn_alike(seed: int) -> Iterator[None]:
    """Code that guesses guesses alike whenever it is asked, and whatever else has drawn."""
    import numpy as np

    before, numpy_before = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)
