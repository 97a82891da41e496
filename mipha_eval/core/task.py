"""What a benchmark author subclasses."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.alphabet import LETTERS, lettered
from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.format_lines import format_lines_of, question_core
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.metrics import Metric, Tally, Totals
from mipha_eval.core.reading import Reading
from mipha_eval.core.task_label import TaskLabel, varied_name
from mipha_eval.core.types import Decoding, Request, Response, Sample, Score
from mipha_eval.core.wording import wording

#: the rules of scores that a judge did not grade: nobody asked it, or it did not answer. They are in no metric
NOT_JUDGED = "not-judged"
JUDGE_FAILED = "judge-failed"
UNGRADED = (NOT_JUDGED, JUDGE_FAILED)


@dataclass(frozen=True)
class Task(ABC):
    """A benchmark under one protocol. Subclasses are frozen dataclasses; their own fields are the task's options.

    One whose answers a judge can grade is a `JudgedTask`, one that a server scores an `UploadTask`. A subclass of a task
    that gives itself no name is a variation of it: its scores belong to ``task@protocol+variation``, and to no other.

    Class attributes:
        name: the plugin's name, equal to its file's.
        variation: of a subclass that varies another task; by default its own name in small letters.
        version: raised when prompt, parsing or data change.
        protocols: name -> one line on it; the first is the default.
        metrics: the first is the headline; see also `metrics_for`.
        hub: protocol -> dataset on the hub that serves it.
        rows: protocol -> how many questions it has, of each release; data with another number is marked.
        annotated: protocols whose own file --annotations can replace.
        lettered: whether answers are option letters.
        own_ids: whether no other set has the question ids, so that they prove what an answer without its question is to.
        ignores_foreign_answers: whether answer files hold answers to questions that a later release took out.
        own_data: whether it needs no data source, since its files lie in the folder of its own file; `data` is that folder.
        licence: under which the questions are published, as SPDX calls it, or a few words; empty if nobody said.
        citation: what to cite: a DOI, ``arXiv:`` and a number, an address or BibTeX.
    """

    protocol: str
    data: DataSource

    name: ClassVar[str]
    variation: ClassVar[str] = ""
    version: ClassVar[int] = 1
    protocols: ClassVar[Mapping[str, str]]
    metrics: ClassVar[Sequence[Metric]] = ()
    hub: ClassVar[Mapping[str, str]] = {}
    max_new_tokens: ClassVar[int] = 128
    lettered: ClassVar[bool] = False
    own_ids: ClassVar[bool] = False
    ignores_foreign_answers: ClassVar[bool] = False
    rows: ClassVar[Mapping[str, Sequence[int]]] = {}
    annotated: ClassVar[Sequence[str]] = ()
    own_data: ClassVar[bool] = False
    licence: ClassVar[str] = ""
    citation: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        named = next((part for part in cls.__mro__ if "name" in vars(part)), cls)
        if named is not cls and "variation" not in vars(cls):
            cls.variation = varied_name(cls.__name__)

    @abstractmethod
    def samples(self) -> Iterable[Sample]:
        """The questions in the benchmark's own order. Raises UserError for files that are missing or broken."""

    @abstractmethod
    def score(self, sample: Sample, response: Response) -> Score:
        """Reads one answer by the official rule. Never called for a failed response."""

    def request(self, sample: Sample) -> Request:
        decoding = Decoding(self.max_new_tokens)
        return Request(sample.prompt, sample.images, decoding, sample.question_id)

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        """`metrics`, and those whose names only the data or an option gives, such as a benchmark's own categories."""
        return self.metrics

    def finish(self, samples: Mapping[str, Sample], scores: Sequence[Score]) -> Sequence[Score]:
        """Fills in what depends on all answers together (CIDEr's document frequencies).

        Args:
            samples: by id, those of the scores at least.
        """
        return scores

    def scored(self, sample: Sample, reading: Reading, value: float, **details: Json) -> Score:
        """A score for `sample` with all that is known about it filled in."""
        return Score(
            sample=sample.id,
            value=float(value),
            reading=reading.answer,
            rule=reading.rule,
            span=reading.span,
            parsed=reading.parsed,
            category=sample.category,
            group=sample.group,
            cluster=sample.cluster,
            tags=sample.tags,
            details=details,
        )

    def tally(self, scores: Sequence[Score]) -> Tally:
        """Counts for the metrics from one group of scores: right and asked, of all, of each category and of each part."""
        counts = {"right": sum(score.value for score in scores), "asked": float(len(scores))}
        for score in scores:
            for part in (score.category, *score.tags):
                if part:
                    counts[f"{part}/right"] = counts.get(f"{part}/right", 0.0) + score.value
                    counts[f"{part}/asked"] = counts.get(f"{part}/asked", 0.0) + 1.0
        return counts

    def lenient(self, sample: Sample, text: str) -> float | None:
        """What an answer is worth under a more forgiving reading, 0 to 1; None if the task has no second reading.

        It is never worth less than by the official rule: where this is less, that counts, and the result says so.
        """
        return None

    def possible_answers(self, sample: Sample) -> Mapping[str, bool]:
        """The possible answers to a question and whether each is right; empty where any text may be one.

        For ``--probabilities``. Answers are as the model would begin to write them, and none begins with another.
        """
        options = lettered(sample.choices if sample.target else ())
        return {letter: letter == sample.target[0] for letter, option in options if option}

    def with_outcome(self, score: Score, value: float) -> Score:
        """The score that an answer worth so much in its place would have."""
        return dataclasses.replace(score, value=float(value))

    def notes(self, scores: Sequence[Score]) -> JsonObject:
        """What a result says beside metrics and counts."""
        return {}

    def odd_label(self, sample: Sample) -> str:
        """What is odd about a label that the official scorer takes all the same, and what it makes of it; else "".

        Labels at which it stops are errors of `samples`. Only asked about samples with a target.
        """
        options = sample.choices or LETTERS  # some copies have none
        letters = [letter for letter, option in zip(LETTERS, options, strict=False) if option]
        odd = self.lettered and sample.target[0] not in letters
        return f"{sample.target[0]!r} is the letter of no option, and equals no answer" if odd else ""

    def score_missing(self, sample: Sample) -> Score | None:
        """How the official scorer counts an unanswered question; None leaves it out."""
        return None

    def core(self, prompt: str) -> str:
        """A prompt without what is no part of its question, such as format lines, and spelled as in every release."""
        return question_core(prompt)

    def without_question(self, prompt: str) -> str:
        """What is left of a prompt for ``--control no-question``: its format lines, and nothing where it has none."""
        return "\n".join(format_lines_of(prompt))

    def is_about(self, sample: Sample, prompt: str) -> bool | None:
        """Whether a prompt asks this sample's question, in whatever layout; None if the question has no words."""
        own = self.core(sample.prompt)
        asked = own if prompt == sample.prompt else self.core(prompt)
        if own and asked == own:
            return True
        found = wording(own, sample.question)
        return found.is_asked_in(asked) if found.required else None

    def check_prompt(self, prompt: str) -> None:
        """Raises UserError for a prompt that only another protocol uses."""
        return

    def answer_key(self, sample: Sample) -> Hashable:
        """What an answer record must equal, see `record_key`, to be this sample's."""
        return sample.question_id

    def record_key(self, record: JsonObject) -> Hashable:
        """The key of a line of LLaVA's answer JSONL."""
        key: Hashable = record["question_id"]
        return key

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        """Answers in a file of the benchmark's own form; None if `path` is not of that form.

        They come to `score` as verbatim responses. Plain (answer key, text) pairs will do, too.
        """
        return None

    def converted(self, text: str) -> str:
        """A model's answer as the benchmark's own script writes it for an upload; the answer itself where none does."""
        return text

    def scored_by(self) -> tuple[str, type[Task]]:
        """The name that a certificate of this task's scorer has, and the class that the scorer is."""
        return self.name, type(self)

    @property
    def label(self) -> str:
        """``task@protocol``; demo data is a protocol of its own, and so is every further protocol on it (``demo-ppl``)."""
        protocol = self.protocol
        if self.data.kind == "demo":
            protocol = "demo" if protocol == next(iter(self.protocols)) else f"demo-{protocol}"
        return str(TaskLabel(self.name, protocol, self.variation))

    @property
    def named(self) -> str:
        """What the task is found by again on this machine: its label, but for one that is no plugin's."""
        return self.label
