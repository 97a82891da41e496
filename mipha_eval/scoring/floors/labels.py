"""A benchmark's labels by type of question, with those of any one picture left out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mipha_eval.core.plugins.checks.questions import choices_of
from mipha_eval.core.task import UNGRADED, Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.scoring.floors.question_type import QuestionType, question_type

#: answers of a type that are tried, the most frequent ones, where any text may be one: each is scored as the answer to all
TRIED = 20
NOTHING = 1e-9  # sums of shares below this are none but for rounding
DIGITS = 9  # to which sums are equal


def labels_of(task: Task, sample: Sample) -> list[str]:
    """The right answers as a model would give them; of ten people's answers all ten. Nothing without a public label."""
    if not sample.target:
        return []
    possible = choices_of(task, sample)
    return [text for text, right in possible.items() if right] if possible else list(sample.target)


def worth(task: Task, sample: Sample, text: str) -> float:
    """What a text is worth as the answer to a question, 0 to 1, by the task's own rule; 0 where only a judge can say it."""
    score = task.score(sample, Response(text))
    return 0.0 if score.rule in UNGRADED else score.value


@dataclass
class TypeLabels:
    """The labelled questions of one type.

    Attributes:
        questions: with their labels.
        votes: label -> how many questions have it; of several labels of a question each counts as its part.
        of_cluster: the same of the questions about one picture.
    """

    questions: list[tuple[Sample, Sequence[str]]] = field(default_factory=list)
    votes: Counter[str] = field(default_factory=Counter)
    of_cluster: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, sample: Sample, labels: Sequence[str]) -> None:
        self.questions.append((sample, labels))
        own = self.of_cluster.setdefault(sample.cluster, Counter())
        for label in labels:
            for votes in (self.votes, own):
                votes[label] += 1 / len(labels)  # type: ignore[assignment]  # a Counter of shares

    def votes_without(self, cluster: str | None) -> dict[str, float]:
        """The votes of all other pictures."""
        own = self.of_cluster.get(cluster, Counter()) if cluster is not None else Counter()
        left = {label: votes - own[label] for label, votes in self.votes.items()}
        return {label: votes for label, votes in left.items() if votes > NOTHING}

    def frequent(self, most: int) -> list[str]:
        """The labels with the most votes."""
        return sorted(self.votes, key=lambda text: (-round(self.votes[text], DIGITS), text))[:most]

    def drawn(self, cluster: str, chance: random.Random) -> str:
        """A label of a question about another picture, of which there must be one; each question is as likely as another."""
        while True:
            sample, labels = chance.choice(self.questions)
            if sample.cluster != cluster:
                return chance.choice(labels)


@dataclass(frozen=True)
class Worths:
    """What answers are worth as the answer to all questions of a type, and to those about each picture."""

    total: Mapping[str, float]
    of_cluster: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, task: Task, labels: TypeLabels, tried: Sequence[str]) -> Worths:
        total: Counter[str] = Counter()
        of_cluster: dict[str, Counter[str]] = {}
        for sample, _ in labels.questions:
            own = {text: worth(task, sample, text) for text in tried}
            for sums in (total, of_cluster.setdefault(sample.cluster, Counter())):
                sums.update(own)
        return cls(total, of_cluster)

    def without(self, cluster: str | None, text: str) -> float:
        """What an answer is worth to the questions about all other pictures."""
        own = self.of_cluster.get(cluster, {}) if cluster is not None else {}
        return round(self.total[text] - own.get(text, 0.0), DIGITS)


class Labels:
    """The labels of a task's questions.

    What is known of a question is what other pictures' questions of its type have. Where no other picture has such a
    question, it is that of the wider type.
    """

    def __init__(self, task: Task, benchmark: Sequence[Sample], *, own: bool = False) -> None:
        """`benchmark` are all questions of the task; with `own`, those of a question's own picture are known, too."""
        self.task, self._own = task, own
        self._types: dict[QuestionType, TypeLabels] = {}
        self._worths: dict[QuestionType, Worths] = {}
        self._best: dict[tuple[QuestionType, str | None], str | None] = {}
        for sample in benchmark:
            labels = labels_of(task, sample)
            if labels:
                kind = question_type(task, sample)
                for each in dict.fromkeys((kind, kind.wider)):
                    self._types.setdefault(each, TypeLabels()).add(sample, labels)

    def known(self, sample: Sample) -> tuple[QuestionType, TypeLabels] | None:
        """The narrowest type of a question that other pictures have labels of; None if there is none."""
        kind = question_type(self.task, sample)
        for each in (kind, kind.wider):
            found = self._types.get(each)
            if found is not None and (self._own or found.of_cluster.keys() != {sample.cluster}):
                return each, found
        return None

    def best(self, sample: Sample) -> str | None:
        """The answer that is worth the most to other pictures' questions of the type; None if nothing is known.

        Of answers that are worth the same the one that more labels have, then the first of the possible ones, or the
        first of the alphabet.
        """
        found = self.known(sample)
        if found is None:
            return None
        kind, labels = found
        left_out = None if self._own else sample.cluster
        if (kind, left_out) not in self._best:
            self._best[kind, left_out] = self._best_of(kind, labels, left_out)
        return self._best[kind, left_out]

    def _best_of(self, kind: QuestionType, labels: TypeLabels, cluster: str | None) -> str | None:
        if kind not in self._worths:
            self._worths[kind] = Worths.of(self.task, labels, kind.answers or labels.frequent(TRIED))
        worths, votes = self._worths[kind], labels.votes_without(cluster)
        order = kind.answers or sorted(text for text in worths.total if text in votes)
        # the first of those that are equal is taken
        return max(
            order, key=lambda text: (worths.without(cluster, text), round(votes.get(text, 0.0), DIGITS)), default=None
        )
