"""Answers without ids: to the rows of a suite's split, or to the questions that their words ask."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.core.wording import words
from mipha_eval.data.suite_files.given import GivenAnswer, GivenFile
from mipha_eval.scoring.evidence import Evidence
from mipha_eval.scoring.matching import image_stems, other_protocols

#: in how many orders blocks of categories are tried
MOST_BLOCKS = 4


class Match(NamedTuple):
    """An answer and the samples that it is to; none if it belongs to no question."""

    answer: GivenAnswer
    samples: Sequence[Sample]
    proven: bool


#: samples that one answer is to
Unit = tuple[Sample, ...]
Item = TypeVar("Item")


class MismatchError(Exception):
    """A way to match does not hold for a file; says why, if that is the file's fault."""


@dataclass(frozen=True)
class UntoldAnswers:
    """Finds the questions of answers by row or by words; each way raises MismatchError where it does not hold for a file."""

    place: str
    task: Task
    samples: Sequence[Sample]
    evidence: Evidence

    def fitting(self, answer: GivenAnswer, samples: Sequence[Sample]) -> tuple[list[Sample], bool]:
        """Those samples that an answer can be to, and whether that is proven. Raises MismatchError if none fits."""
        fits = [(sample, self.evidence.fit(answer, sample)) for sample in samples]
        found = [(sample, fit) for sample, fit in fits if fit.holds]
        if fits and not found:
            raise MismatchError(self.evidence.why(answer, samples[0]))
        return [sample for sample, _ in found], bool(found) and all(fit.proven for _, fit in found)

    def _units(self, given: GivenFile) -> Sequence[Unit]:
        """What one answer is to: a sample, or all that ask the same of a picture where a row is of several categories."""
        if not any(len(answer.categories) > 1 and self.evidence.knows_categories(answer) for answer in given.answers):
            return [(sample,) for sample in self.samples]
        return self._merged(self.samples)

    def _merged(self, samples: Sequence[Sample]) -> list[Unit]:
        same = grouped(samples, lambda sample: (frozenset(image_stems(sample)), self.evidence.words[sample.id]))
        return [tuple(members) for members in same.values()]

    def by_row(self, given: GivenFile) -> list[Match]:
        """Row numbers of the suite's split, where every row's question and label fit those of one order of the questions."""
        answers = given.answers
        if not all(answer.number is not None and answer.asked for answer in answers):
            raise MismatchError("")
        orders = self._orders(merged=len(self._units(given)) < len(self.samples))
        parts = grouped(answers, lambda answer: answer.part)
        matches = [match for rows in parts.values() for match in self._rows_of_part(rows, orders)]
        taken = Counter(sample.id for match in matches for sample in match.samples)
        if taken and max(taken.values()) > 1:
            raise MismatchError(f"{self.place} answers questions of {self.task.label} twice; give one of its files")
        return matches

    def _rows_of_part(self, rows: Sequence[GivenAnswer], orders: Sequence[Sequence[Unit]]) -> list[Match]:
        found: dict[tuple[str, ...], list[Match]] = {}
        reasons: list[tuple[int, str]] = []
        for order in orders:
            try:
                matches = self._in_order(rows, order)
            except _DifferError as error:
                reasons.append((error.fitted, str(error)))
                continue
            found[tuple(match.samples[0].id for match in matches)] = matches
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise MismatchError(
                f"{rows[0].place} and those after it fit {self.task.label} in {len(found)} places, "
                "and nothing says which is meant; give all answers"
            )
        raise MismatchError(max(reasons)[1] if reasons else "")

    def _in_order(self, rows: Sequence[GivenAnswer], order: Sequence[Unit]) -> list[Match]:
        matches = []
        for fitted, answer in enumerate(rows):
            number = answer.number or 0
            if not 0 <= number < len(order):
                why = f"{answer.place} is row {number:,} of its split, but there are {len(order):,}"
                raise _DifferError(fitted, f"{why}; {other_protocols(self.task)}")
            try:
                unit, proven = self.fitting(answer, order[number])
            except MismatchError as error:
                raise _DifferError(fitted, str(error)) from error
            if not proven or len(unit) < len(order[number]):
                raise _DifferError(fitted, "")  # nothing is compared, or a category that the row does not name
            matches.append(Match(answer, unit, proven=True))
        return matches

    def _orders(self, *, merged: bool) -> list[Sequence[Unit]]:
        """Orders in which a hub may have the questions: as here, one category alone, categories in another order."""
        blocks = list(grouped(self.samples, lambda sample: sample.category).values())
        orders: list[Sequence[Sample]] = [self.samples]
        if len(blocks) > 1 and not merged:
            orders += blocks
        if 1 < len(blocks) <= MOST_BLOCKS:
            orders += [list(itertools.chain.from_iterable(order)) for order in itertools.permutations(blocks)]
        distinct = {tuple(sample.id for sample in order): order for order in orders}.values()
        return [self._merged(order) if merged else [(sample,) for sample in order] for order in distinct]

    def by_words(self, given: GivenFile) -> list[Match]:
        """Where each question, with the right answer and the category, is asked once, or as often as it is answered."""
        if not (self.evidence.telling and all(answer.asked for answer in given.answers)):
            raise MismatchError("")
        index = grouped(self._units(given), lambda unit: self.evidence.words[unit[0].id])
        alike: dict[tuple[str, ...], tuple[list[Unit], list[GivenAnswer]]] = {}
        known: dict[Hashable, list[Unit]] = {}  # many rows ask the same
        for answer in given.answers:
            told = answer.asked, answer.right, answer.categories, answer.picture
            if told not in known:
                words_of = next((key for key in self.keys(answer.asked) if key and key in index), None)
                if words_of is None:
                    raise MismatchError("")
                known[told] = self._fitting_units(answer, index[words_of])
            fitting = known[told]
            alike.setdefault(tuple(unit[0].id for unit in fitting), (fitting, []))[1].append(answer)
        return [match for units, answers in alike.values() for match in self._alike(answers, units)]

    def _fitting_units(self, answer: GivenAnswer, units: Sequence[Unit]) -> list[Unit]:
        """The units of which every sample fits, in just the categories of the answer. Raises MismatchError if none does."""
        fitting = [unit for unit in units if all(self.evidence.fit(answer, sample).holds for sample in unit)]
        if not fitting:
            odd = next(sample for sample in units[0] if not self.evidence.fit(answer, sample).holds)
            raise MismatchError(self.evidence.why(answer, odd))
        if not self.evidence.knows_categories(answer):
            return fitting
        wanted = {name.lower() for name in answer.categories}
        exact = [unit for unit in fitting if {sample.category.lower() for sample in unit} == wanted]
        if not exact:
            raise MismatchError(
                f"{answer.place} is of category {','.join(answer.categories)}, but its question is not asked so in "
                f"{self.task.label}; {other_protocols(self.task)}"
            )
        return exact

    def _alike(self, answers: Sequence[GivenAnswer], units: Sequence[Unit]) -> Iterator[Match]:
        """Questions in the same words and with the same label are worth the same, whichever of the answers is to which."""
        kinds = {tuple((sample.target, sample.category, sample.tags, sample.choices) for sample in unit) for unit in units}
        if len(units) > 1 and (len(kinds) > 1 or units[0][0].group or len(units) != len(answers)):
            raise MismatchError(
                f"{answers[0].place} and {len(answers) - 1:,} more ask what {len(units):,} questions of {self.task.label} "
                f"ask, and nothing in the file says about which picture; {other_protocols(self.task)}"
            )
        if len(answers) > len(units):
            raise MismatchError(f"{answers[-1].place} is a second answer to its question; remove one")
        for answer, unit in zip(answers, units, strict=True):
            yield Match(answer, unit, proven=len(units) == 1)

    def keys(self, asked: str) -> Iterator[tuple[str, ...]]:
        """The words of a prompt, then without its last lines, where suites say how to answer."""
        lines = self.task.core(asked).split("\n")
        for count in range(len(lines), 0, -1):
            yield words(self.task.core("\n".join(lines[:count])))


class _DifferError(Exception):
    """Rows do not follow an order; `fitted` is how many did."""

    def __init__(self, fitted: int, why: str) -> None:
        super().__init__(why)
        self.fitted = fitted


def grouped(items: Sequence[Item], key: Callable[[Item], Hashable]) -> dict[Hashable, list[Item]]:
    found: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)
