"""A task of lmms-eval as a task of this engine: its own code reads every answer and adds them up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.metrics import Metric, Tally, Totals
from mipha_eval.core.reading import Reading
from mipha_eval.core.suite_task import SuiteDefinition, SuiteTask
from mipha_eval.core.task import Task
from mipha_eval.core.types import Decoding, Request, Response, Sample, Score
from mipha_eval.suites.lmms.generation import ended
from mipha_eval.suites.lmms.network import judge_asked_by, judge_settings
from mipha_eval.suites.lmms.numbers import counts_of, entries_of, metric_of, usual_metric, worth_of
from mipha_eval.suites.lmms.own_task import OwnQuestion, OwnTask, Payloads

RULE = "lmms-eval"
#: what stands for a label that lmms-eval's code has in a form of its own
OWN_LABEL = "(as lmms-eval's code has it)"
LONGEST_READING = 300


class Loading:
    """A task of lmms-eval that is loaded when it is first needed, and what its code made of the answers so far."""

    def __init__(self, load: Callable[[], OwnTask]) -> None:
        self._load = load
        self.payloads: dict[str, Payloads] = {}

    @cached_property
    def own(self) -> OwnTask:
        return self._load()


class LmmsTask(SuiteTask):
    """What tasks of lmms-eval have in common; `task_class` makes one of each definition."""

    loading: ClassVar[Loading]
    reference: ClassVar[str]

    def samples(self) -> Iterator[Sample]:
        if revision := self.loading.own.revision:
            self.data.revisions[self.definition.dataset.partition(" ")[0]] = revision
        for question in self.loading.own.questions():
            yield self._sample(question)

    def _sample(self, question: OwnQuestion) -> Sample:
        return Sample(
            id=str(question.number),
            prompt=question.text,
            target=question.target or (OWN_LABEL,),
            images=question.images,
            question_id=question.number,
            choices=question.options,
        )

    def request(self, sample: Sample) -> Request:
        decoding = Decoding(self.definition.max_new_tokens, num_beams=self.definition.num_beams)
        options = sample.choices if self.definition.ranked else ()
        return Request(sample.prompt, sample.images, decoding, sample.question_id, options)

    def score(self, sample: Sample, response: Response) -> Score:
        """Raises UserError if its code asks a judge of which the user said nothing."""
        own, number = self.loading.own, int(sample.id)
        cleaned = own.cleaned(number, self._answer(sample, response))
        payloads = own.payloads(number, cleaned)
        self.loading.payloads[sample.id] = payloads
        read = next(iter(cleaned.values()))
        text = response.text if self.definition.ranked else str(read[0] if isinstance(read, list) else read)
        headline = next((name for name in self.definition.metrics if name in payloads), "")
        worth = worth_of(payloads[headline]) if headline else 0.0
        return self.scored(sample, Reading(text[:LONGEST_READING], RULE), 0.0 if worth is None else worth)

    def _answer(self, sample: Sample, response: Response) -> str | list[tuple[float, bool]]:
        """What lmms-eval's models give: a text, or the loss of each option, a mean over its tokens."""
        if not self.definition.ranked:
            return ended(response.text, self.definition.stops)
        if len(response.likelihoods) != len(sample.choices):
            raise UserError(f"{self.label}: question {sample.id} has answers whose options were not ranked")
        pairs = zip(response.likelihoods, response.option_tokens, strict=True)
        return [(-likelihood / max(tokens, 1), False) for likelihood, tokens in pairs]

    def finish(self, samples: Mapping[str, Sample], scores: Sequence[Score]) -> Sequence[Score]:
        """Its own code makes numbers of all answers; each score gets its part in them."""
        found = [self.loading.payloads[score.sample] for score in scores]
        clusters = [score.cluster for score in scores]
        details: list[dict[str, Json]] = [{} for _ in scores]
        for metric in self.definition.metrics:
            places = [place for place, payloads in enumerate(found) if metric in payloads]
            if not places:
                continue
            values: list[Any] = [found[place][metric] for place in places]
            entries = entries_of(self.loading.own, metric, values, [clusters[place] for place in places])
            if entries:
                for place, entry in zip(places, entries, strict=True):
                    details[place][metric] = entry
        return [dataclasses.replace(score, details=own) for score, own in zip(scores, details, strict=True)]

    def tally(self, scores: Sequence[Score]) -> Tally:
        counts: dict[str, float] = {}
        for score in scores:
            for metric, entry in score.details.items():
                for name, count in counts_of(metric, entry).items():
                    counts[name] = counts.get(name, 0.0) + count
        return counts

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        names = set(totals.names())
        found = [metric_of(name, names, totals) for name in self.definition.metrics]
        return [metric for metric in found if metric] or [usual_metric(self.definition.metrics[0])]

    def notes(self, scores: Sequence[Score]) -> JsonObject:
        told: dict[str, Json] = {"task": self.definition.task, "dataset": self.definition.dataset}
        if self.definition.unmeasured:
            told["left_out"] = dict(self.definition.unmeasured)
        if judge_asked_by(self.loading.own.scoring):
            told["judge"] = dict(judge_settings())
        return {"lmms_eval": told}

    def scored_by(self) -> tuple[str, type[Task]]:
        return f"{self.definition.scheme}.{self.name}", type(self)  # which no certificate is called

    @property
    def named(self) -> str:
        return self.reference


def task_class(definition: SuiteDefinition, reference: str, loading: Loading, *, asks_judge: bool = False) -> type[LmmsTask]:
    """The class of a task of lmms-eval."""
    own = {
        "name": definition.name,
        "variation": "greedy" if definition.sampled else "",
        "protocols": {definition.protocol: definition.about},
        "definition": definition,
        "loading": loading,
        "asks_judge": asks_judge,
        "reference": reference,
        "__module__": __name__,
        "__doc__": definition.about,
    }
    return dataclasses.dataclass(frozen=True)(type("TaskOfLmmsEval", (LmmsTask,), own))


def built(owner: type[LmmsTask]) -> LmmsTask:
    """The task of such a class. Its data are lmms-eval's own matter."""
    return owner(protocol=owner.definition.protocol, data=DataSource("hub"))
