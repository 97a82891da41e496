"""The values that flow from a benchmark to a number. Frozen, and without behaviour but identity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from msgspec import structs

from mipha_eval.core.json_line import to_json
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.served import Served

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that has not been read yet.

    Attributes:
        name: as the benchmark names it, e.g. ``COCO_val2014_000000310196.jpg``; the same on every machine.
        location: where it is, unique on this machine; equal locations are the same picture.
        read: returns the encoded bytes; may raise OSError.
        padded: false where a model that pads pictures to its own shape must not pad this one.
    """

    name: str
    location: str
    read: Callable[[], bytes] = field(compare=False, repr=False)
    padded: bool = True

    @property
    def view(self) -> str:
        """What a model sees: equal views are the same pixels."""
        return self.location if self.padded else f"unpadded:{self.location}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A question of a benchmark with what is known about it.

    Attributes:
        id: unique within the task.
        prompt: the text that the model is asked, complete with the benchmark's format line.
        target: accepted answers, of a question with options the right letter; empty where the labels are not public.
        choices: the options in the order of their letters; an empty one is none.
        question_id: the benchmark's own id, as it stands in LLaVA's answer files; need not be unique.
        group: samples with the same group are scored together (the two questions of an MME image).
        tags: names of what else it counts in beside its category, such as the capabilities that an MM-Vet question needs.
        question: the question without hint, options and format line, where a judge is shown that.
    """

    id: str
    prompt: str
    target: tuple[str, ...]
    images: tuple[Image, ...]
    question_id: Hashable
    category: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    question: str = ""
    choices: tuple[str, ...] = ()

    @property
    def label_texts(self) -> tuple[str, ...]:
        """All that is known of the right answer: what is accepted, then the options; empty where that is not public."""
        return (*self.target, *self.choices) if self.target else ()

    @property
    def cluster(self) -> str:
        """What samples must share to be statistically dependent: their first image, else the sample itself."""
        return self.images[0].name if self.images else self.id


@dataclass(frozen=True, slots=True)
class Decoding:
    """How an answer is generated: greedily, but for what is named here otherwise. Nothing is drawn.

    Attributes:
        stop_word: whether a conversation template's stopping word ends an answer, beside the model's end token.
        min_new_tokens: before them no end token counts.
        num_beams: beams of a beam search; 1 is greedy.
        length_penalty: what a beam's score is divided by, as a power of its length.
        repetition_penalty: what the logits of tokens that were there already are divided by (multiplied with, below 0).
    """

    max_new_tokens: int = 128
    stop_word: bool = True
    min_new_tokens: int = 0
    num_beams: int = 1
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0

    @property
    def settings(self) -> dict[str, int | float]:
        """What is no plain greedy decoding, by the names of transformers' generation settings; empty for greedy."""
        if (self.min_new_tokens, self.num_beams, self.repetition_penalty) == (0, 1, 1.0):  # nearly every request
            return {}
        own = {"min_new_tokens": self.min_new_tokens, "repetition_penalty": self.repetition_penalty}
        if self.num_beams > 1:
            own |= {"num_beams": self.num_beams, "length_penalty": self.length_penalty}
        return {name: value for name, value in own.items() if value != USUAL[name]}


#: what each of the settings of a decoding is where nobody says it
USUAL = {entry.name: entry.default for entry in fields(Decoding)}


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked. Equal identities get one answer.

    Attributes:
        question_id: the benchmark's id; no part of the request's identity, only for adapters that replay answers.
        options: answers to be ranked by their likelihood; then nothing is generated.
        tracked: texts whose probability as the beginning of the answer is wanted beside the generated one.
        template: what stands around the text, where that is not the model's own: a chat template in Jinja, or its name.
    """

    text: str
    images: tuple[Image, ...] = ()
    decoding: Decoding = Decoding()
    question_id: Hashable = field(default=None, compare=False)
    options: tuple[str, ...] = ()
    tracked: tuple[str, ...] = ()
    template: str = ""

    @property
    def identity(self) -> Hashable:
        """What decides the answer. By location, since two benchmarks may call different pictures by one name."""
        views = tuple([image.view for image in self.images])
        return views, self.text, self.decoding, self.options, self.tracked, self.template

    @property
    def key(self) -> str:
        """A digest by which a stored answer is found again within its task, the same on every machine."""
        parts: list[object] = [[image.name for image in self.images], self.text, self.decoding.max_new_tokens, *self.options]
        parts += [list(self.tracked)] if self.tracked else []
        if not all(image.padded for image in self.images):
            parts.append("unpadded")
        if not self.decoding.stop_word:
            parts.append("no stop word")
        settings = self.decoding.settings
        if settings:
            parts.append(settings)
        parts += [f"template {self.template}"] if self.template else []
        return hashlib.sha256(to_json(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Response:
    """What a model answered, or why there is no answer: a failed request carries `error` and no text.

    Attributes:
        tokens: number of generated tokens.
        finish: ``stop`` at the end token, ``length`` at the limit, ``error``.
        verbatim: the text stood in an official result file, so that no conversion script has anything to do any more.
        likelihoods: of each option of the request, the sum of its tokens' log-probabilities (natural logarithm).
        option_tokens: the number of tokens of each option, the end token among them.
        top: (token id, logit) of the few likeliest first tokens, by models that can tell; two ways to an answer meet there.
        probabilities: probability that the answer begins with each tracked text of the request.
        served: what a server says beside its answer, or beside what came in place of one; None for a model in this process.
        worker: number of the run's worker that made it; None where the model is in this process.
    """

    text: str
    tokens: int = 0
    finish: str = "stop"
    error: str = ""
    verbatim: bool = False
    likelihoods: tuple[float, ...] = ()
    option_tokens: tuple[int, ...] = ()
    top: tuple[tuple[int, float], ...] = ()
    probabilities: tuple[float, ...] = ()
    served: Served | None = None
    worker: int | None = field(default=None, compare=False)

    @property
    def repeated(self) -> Response:
        """The response to an equal request, which took nothing further."""
        if self.served is None:
            return self
        return replace(self, served=structs.replace(self.served, prompt_tokens=0, completion_tokens=0, usd=None))

    @property
    def without_top(self) -> Response:
        """The response without what is the most of it and seldom looked at."""
        before = self.text, self.tokens, self.finish, self.error, self.verbatim, self.likelihoods, self.option_tokens
        return Response(*before, (), self.probabilities, self.served, self.worker)

    @classmethod
    def failure(cls, reason: str) -> Response:
        """Without a reason it is a failure all the same, and no answer."""
        return cls(text="", finish="error", error=reason or "no reason was given")


@dataclass(frozen=True, slots=True)
class Query:
    """What a judge is asked, in one message.

    Attributes:
        max_tokens: of the reply.
        temperature: 0 for the likeliest words.
        repeat: how often the same has been asked before; asked once more, it is to be answered anew.
        reads: (reply, whether it was cut at the limit) -> whether it counts; None takes every reply that was not cut.
        likely: a reply that counts, for plans of what judging takes; empty where nobody can know one.
        again: how many more queries a dialogue asks at most where this one's reply does not count, for plans.
        remark: what weakens this prompt, such as an answer that holds the prompt's own marks; counted beside the score.
        about: the id of the sample whose answer it is about, where a dialogue is about several.
    """

    prompt: str
    max_tokens: int
    temperature: float = 0.0
    repeat: int = 0
    reads: Callable[[str, bool], bool] | None = field(default=None, compare=False, repr=False)
    likely: str = field(default="", compare=False, repr=False)
    again: int = field(default=0, compare=False, repr=False)
    remark: str = field(default="", compare=False, repr=False)
    about: str = field(default="", compare=False, repr=False)

    @property
    def key(self) -> str:
        """A digest by which a stored verdict is found again."""
        parts = (self.prompt, self.max_tokens, self.temperature, self.repeat)
        return hashlib.sha256(to_json(parts).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge replied, or why there is no reply: a failed query carries `error` and no text.

    Whether a reply counts is not said here but by its query's rule, see `judge.dialogue.shortcoming`.

    Attributes:
        model: the name that the judge's server gives itself.
        prompt_tokens, completion_tokens: as the server counted them, else as they were estimated.
        seconds: until the reply was there.
        left_out: parameters of the query that the model refuses, so that it was asked without them.
        finish: how a reply ended: ``stop``, ``length`` at the limit, or what a server calls another end, which is an error,
            too; empty where none came.
    """

    text: str
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    left_out: str = ""
    error: str = ""
    finish: str = ""

    @classmethod
    def failure(cls, reason: str) -> Verdict:
        return cls(text="", error=reason)


@dataclass(frozen=True, slots=True)
class Score:
    """How a response was read and what it is worth.

    Attributes:
        value: 0 to 1.
        reading: the answer that the rule read, e.g. ``yes``.
        rule: name of the rule that read it.
        span: start and end of the text that the rule relied on, in characters of the response; None for the whole.
        parsed: False if nobody could say what was answered.
        judged: a judge's second opinion beside the task's own rule, 0 or 1; None if there is none.
        details: task-specific values for the metrics.
    """

    sample: str
    value: float
    reading: str
    rule: str
    span: tuple[int, int] | None = None
    parsed: bool = True
    category: str = ""
    group: str = ""
    cluster: str = ""
    tags: tuple[str, ...] = ()
    judged: float | None = None
    details: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as a judge gets it: what was asked, the answer's text, and how the task's own rule reads it."""

    sample: Sample
    text: str
    score: Score


#: a conversation with a judge: yields what it asks, is sent what the judge replied, and comes to an outcome. Where a reply
#: does not count it is thrown a `judge.dialogue.NoReplyError`, and may ask in other words or let it pass
Dialogue = Generator[Query, str, Outcome]
