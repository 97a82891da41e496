"""Whether texts hold their own question's label more often than another's: a permutation test."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: times that labels are dealt out anew, and questions that are drawn for it where there are more
DRAWS, QUESTIONS, SEED = 400, 3_000, 0
SURE = 0.02
LONGEST = 6  # words of a label that is looked for
WORD = re.compile(r"[^\W\d_]+|\d+")

Words = tuple[str, ...]


@dataclass(frozen=True)
class Association:
    """How many of `questions` texts hold their own label.

    Attributes:
        expected: by how many would hold it if labels were dealt out to questions at random.
        chance: the share of random deals with as many or more.
    """

    questions: int
    found: int
    expected: float
    chance: float

    @property
    def beyond_chance(self) -> bool:
        return self.found > self.expected and self.chance <= SURE


def words_of(text: str) -> Words:
    """A text's words and numbers, each by itself, whatever the case."""
    return tuple(WORD.findall(text.casefold()))


class LabelIndex:
    """The labels of a benchmark, to be found in texts as whole words."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._known: Mapping[Words, str] = {
            words: " ".join(words) for each in labels if 0 < len(words := words_of(each)) <= LONGEST
        }
        self._lengths = sorted({len(words) for words in self._known})

    def held(self, text: str) -> frozenset[str]:
        """The labels that a text holds; one within a longer one that is there, too, is not."""
        words = words_of(text)
        spans = [
            (start, start + length, name)
            for length in self._lengths
            for start in range(len(words) - length + 1)
            if (name := self._known.get(words[start : start + length])) is not None
        ]
        return frozenset(
            name
            for start, end, name in spans
            if not any(a <= start and end <= b and (a, b) != (start, end) for a, b, _ in spans)
        )

    @staticmethod
    def name(label: str) -> str:
        """A label as `held` calls it."""
        return " ".join(words_of(label))


def associate(held: Sequence[frozenset[str]], labels: Sequence[str]) -> Association:
    """Compares what texts hold with labels, as `LabelIndex` calls them."""
    chance = random.Random(SEED)
    drawn = sorted(chance.sample(range(len(labels)), min(QUESTIONS, len(labels))))
    texts, own = [held[place] for place in drawn], [labels[place] for place in drawn]
    found, dealt, total, more = _hits(texts, own), list(own), 0, 0
    # only questions whose text holds anything can be hit
    places = [place for place, each in enumerate(texts) if each]
    for _ in range(DRAWS if found else 0):
        chance.shuffle(dealt)
        hits = sum(dealt[place] in texts[place] for place in places)
        total, more = total + hits, more + (hits >= found)
    return Association(len(own), found, total / DRAWS, (more + 1) / (DRAWS + 1) if found else 1.0)


def _hits(texts: Sequence[frozenset[str]], labels: Sequence[str]) -> int:
    return sum(label in held for held, label in zip(texts, labels, strict=True))
