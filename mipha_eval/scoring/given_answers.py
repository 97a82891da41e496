"""Which question each answer of another suite's file is to: by id, by picture, by the row of a split or by words alone.

Each way is taken only if it holds for the whole file; nothing that a file says of a question may contradict it.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

from mipha_eval.core.errors import UserError
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.core.wording import words
from mipha_eval.data.images import stem
from mipha_eval.scoring.evidence import Evidence
from mipha_eval.scoring.matching import image_stems, is_telling, other_protocols, text_key
from mipha_eval.suites.read.given import GivenAnswer, GivenFile

#: in how many orders blocks of categories are tried
MOST_BLOCKS = 4
#: questions about one picture's name; where there are more, names tell nothing
MOST_ALIKE = 100


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


class GivenAnswers:
    """Matches the answers of a file to samples, as `Answers` does for LLaVA's lines.

    Attributes:
        responses: by sample id.
        foreign: ids of answers that belong to no question.
        form: what was recognised.
        count: the answers that the file has.
    """

    def __init__(self, place: str, task: Task, samples: Sequence[Sample]) -> None:
        self._place, self._task, self._samples = place, task, samples
        self._evidence = Evidence(task, samples)
        self._unproven = 0
        self.responses: dict[str, Response] = {}
        self.foreign: list[str] = []
        self.form, self.count = "", 0

    @property
    def unverified(self) -> int:
        """How many answers nothing but an id that other sets have, too, says what they are to."""
        if self._task.own_ids and is_telling([str(sample.question_id) for sample in self._samples]):
            return 0
        return self._unproven

    def add(self, given: GivenFile) -> None:
        """Takes a file's answers.

        Raises:
            UserError: nothing says which questions they are to, or something says that it is another set.
        """
        answers, self.form = given.answers, given.form
        self.count = len(answers)
        if not answers:
            raise UserError(f"{self._place} is {given.form} without a single answer")
        for answer in answers[:1]:
            self._evidence.check_prompt(answer)
        for match in self._matched(given):
            answer = match.answer
            if not match.samples:
                self.foreign.append(str(answer.id))
                continue
            response = Response.failure(answer.error) if answer.error else Response(answer.text)
            self._unproven += not (match.proven or answer.error) and len(match.samples)
            self.responses.update((sample.id, response) for sample in match.samples)

    def _matched(self, given: GivenFile) -> list[Match]:
        reasons: list[str] = []
        ways: list[Callable[[], list[Match]]] = [
            *(self._way(self._by_key, given, index) for index in self._indices),
            self._way(self._by_picture, given),
            self._way(self._by_row, given),
            self._way(self._by_words, given),
        ]
        for way in ways:
            try:
                return way()
            except MismatchError as error:
                reasons += filter(None, [str(error)])
        raise UserError(
            reasons[0]
            if reasons
            else f"{self._place} is {given.form}, and nothing in it says which of {self._task.label}'s questions its "
            "answers are to: it has neither the benchmark's ids nor all questions"
        )

    @staticmethod
    def _way(way: Callable[..., list[Match]], *arguments: object) -> Callable[[], list[Match]]:
        return lambda: way(*arguments)

    @cached_property
    def _indices(self) -> list[Mapping[Hashable, Sequence[Sample]]]:
        """Samples by what a file may call their id: the benchmark's id, our own, the picture's name."""
        kinds: list[Callable[[Sample], Hashable]] = [
            lambda sample: text_key(sample.question_id),
            lambda sample: text_key(sample.id),
            lambda sample: next(iter(image_stems(sample)), None),
        ]
        return [_grouped(self._samples, kind) for kind in kinds]

    def _by_key(self, given: GivenFile, index: Mapping[Hashable, Sequence[Sample]]) -> list[Match]:
        keys = [_key(answer.id, index) for answer in given.answers]
        if 2 * sum(key is not None for key in keys) < len(keys):
            raise MismatchError("")
        times = Counter(key for key in keys if key is not None)
        once = all(count <= len(index[key]) for key, count in times.items())
        matches = []
        for answer, key in zip(given.answers, keys, strict=True):
            samples = index[key] if key is not None else ()
            try:
                fitting, proven = self._fitting(answer, samples)
            except MismatchError as error:
                # ids may begin anew in every category of a split, whose rows then say what is meant
                if once and given.own_ids and (self._task.own_ids or answer.number is None):
                    raise UserError(str(error)) from error
                raise
            if times[key] > len(samples) > 0 and answer.number is not None:
                raise MismatchError("")
            if times[key] > len(samples) > 0:
                raise MismatchError(
                    f"{answer.place} is a second answer to question_id {answer.id}; remove one, "
                    "if ids do not begin anew within"
                )
            if not (proven or given.own_ids or (answer.error and samples)):
                raise MismatchError("")
            matches.append(Match(answer, fitting, proven))
        return matches

    def _fitting(self, answer: GivenAnswer, samples: Sequence[Sample]) -> tuple[list[Sample], bool]:
        """Those samples that an answer can be to, and whether that is proven. Raises MismatchError if none fits."""
        fits = [(sample, self._evidence.fit(answer, sample)) for sample in samples]
        found = [(sample, fit) for sample, fit in fits if fit.holds]
        if fits and not found:
            raise MismatchError(self._evidence.why(answer, samples[0]))
        return [sample for sample, _ in found], bool(found) and all(fit.proven for _, fit in found)

    def _by_picture(self, given: GivenFile) -> list[Match]:
        if not all(self._evidence.knows_picture(answer) for answer in given.answers):
            raise MismatchError("")
        index = self._by_stem
        if max(map(len, index.values())) > MOST_ALIKE:  # every picture of ScienceQA is called image.png
            raise MismatchError("")
        taken: Counter[str] = Counter()
        matches = []
        for answer in given.answers:
            known = index[stem(answer.picture)]
            asked = next(self._keys(answer.asked), ())
            same = [sample for sample in known if self._evidence.words[sample.id] == asked]
            fitting, proven = self._fitting(answer, same or known)
            if not proven:
                raise MismatchError("")
            several = len({self._evidence.words[sample.id] for sample in fitting}) > 1
            if several and not self._evidence.knows_categories(answer):
                raise MismatchError("")
            matches.append(Match(answer, fitting, proven))
            taken.update(sample.id for sample in fitting)
        twice = next((match for match in matches if any(taken[sample.id] > 1 for sample in match.samples)), None)
        if twice is not None:
            raise MismatchError(
                f"{twice.answer.place} is one of two answers to the same question about {twice.answer.picture}"
            )
        return matches

    @cached_property
    def _by_stem(self) -> Mapping[Hashable, Sequence[Sample]]:
        found: dict[Hashable, list[Sample]] = defaultdict(list)
        for sample in self._samples:
            for name in image_stems(sample):
                found[name].append(sample)
        return found

    def _units(self, given: GivenFile) -> Sequence[Unit]:
        """What one answer is to: a sample, or all that ask the same of a picture where a row is of several categories."""
        if not any(len(answer.categories) > 1 and self._evidence.knows_categories(answer) for answer in given.answers):
            return [(sample,) for sample in self._samples]
        return self._merged(self._samples)

    def _merged(self, samples: Sequence[Sample]) -> list[Unit]:
        same = _grouped(samples, lambda sample: (frozenset(image_stems(sample)), self._evidence.words[sample.id]))
        return [tuple(members) for members in same.values()]

    def _by_row(self, given: GivenFile) -> list[Match]:
        """Row numbers of the suite's split, where every row's question and label fit those of one order of the questions."""
        answers = given.answers
        if not all(answer.number is not None and answer.asked for answer in answers):
            raise MismatchError("")
        orders = self._orders(merged=len(self._units(given)) < len(self._samples))
        parts = _grouped(answers, lambda answer: answer.part)
        matches = [match for rows in parts.values() for match in self._rows_of_part(rows, orders)]
        taken = Counter(sample.id for match in matches for sample in match.samples)
        if taken and max(taken.values()) > 1:
            raise MismatchError(f"{self._place} answers questions of {self._task.label} twice; give one of its files")
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
                f"{rows[0].place} and those after it fit {self._task.label} in {len(found)} places, "
                "and nothing says which is meant; give all answers"
            )
        raise MismatchError(max(reasons)[1] if reasons else "")

    def _in_order(self, rows: Sequence[GivenAnswer], order: Sequence[Unit]) -> list[Match]:
        matches = []
        for fitted, answer in enumerate(rows):
            number = answer.number or 0
            if not 0 <= number < len(order):
                why = f"{answer.place} is row {number:,} of its split, but there are {len(order):,}"
                raise _DifferError(fitted, f"{why}; {other_protocols(self._task)}")
            try:
                unit, proven = self._fitting(answer, order[number])
            except MismatchError as error:
                raise _DifferError(fitted, str(error)) from error
            if not proven or len(unit) < len(order[number]):
                raise _DifferError(fitted, "")  # nothing is compared, or a category that the row does not name
            matches.append(Match(answer, unit, proven=True))
        return matches

    def _orders(self, *, merged: bool) -> list[Sequence[Unit]]:
        """Orders in which a hub may have the questions: as here, one category alone, categories in another order."""
        blocks = list(_grouped(self._samples, lambda sample: sample.category).values())
        orders: list[Sequence[Sample]] = [self._samples]
        if len(blocks) > 1 and not merged:
            orders += blocks
        if 1 < len(blocks) <= MOST_BLOCKS:
            orders += [list(itertools.chain.from_iterable(order)) for order in itertools.permutations(blocks)]
        distinct = {tuple(sample.id for sample in order): order for order in orders}.values()
        return [self._merged(order) if merged else [(sample,) for sample in order] for order in distinct]

    def _by_words(self, given: GivenFile) -> list[Match]:
        """Where each question, with the right answer and the category, is asked once, or as often as it is answered."""
        if not (self._evidence.telling and all(answer.asked for answer in given.answers)):
            raise MismatchError("")
        index = _grouped(self._units(given), lambda unit: self._evidence.words[unit[0].id])
        alike: dict[tuple[str, ...], tuple[list[Unit], list[GivenAnswer]]] = {}
        known: dict[Hashable, list[Unit]] = {}  # many rows ask the same
        for answer in given.answers:
            told = answer.asked, answer.right, answer.categories, answer.picture
            if told not in known:
                words_of = next((key for key in self._keys(answer.asked) if key and key in index), None)
                if words_of is None:
                    raise MismatchError("")
                known[told] = self._fitting_units(answer, index[words_of])
            fitting = known[told]
            alike.setdefault(tuple(unit[0].id for unit in fitting), (fitting, []))[1].append(answer)
        return [match for units, answers in alike.values() for match in self._alike(answers, units)]

    def _fitting_units(self, answer: GivenAnswer, units: Sequence[Unit]) -> list[Unit]:
        """The units of which every sample fits, in just the categories of the answer. Raises MismatchError if none does."""
        fitting = [unit for unit in units if all(self._evidence.fit(answer, sample).holds for sample in unit)]
        if not fitting:
            odd = next(sample for sample in units[0] if not self._evidence.fit(answer, sample).holds)
            raise MismatchError(self._evidence.why(answer, odd))
        if not self._evidence.knows_categories(answer):
            return fitting
        wanted = {name.lower() for name in answer.categories}
        exact = [unit for unit in fitting if {sample.category.lower() for sample in unit} == wanted]
        if not exact:
            raise MismatchError(
                f"{answer.place} is of category {','.join(answer.categories)}, but its question is not asked so in "
                f"{self._task.label}; {other_protocols(self._task)}"
            )
        return exact

    def _alike(self, answers: Sequence[GivenAnswer], units: Sequence[Unit]) -> Iterator[Match]:
        """Questions in the same words and with the same label are worth the same, whichever of the answers is to which."""
        kinds = {tuple((sample.target, sample.category, sample.tags, sample.choices) for sample in unit) for unit in units}
        if len(units) > 1 and (len(kinds) > 1 or units[0][0].group or len(units) != len(answers)):
            raise MismatchError(
                f"{answers[0].place} and {len(answers) - 1:,} more ask what {len(units):,} questions of {self._task.label} "
                f"ask, and nothing in the file says about which picture; {other_protocols(self._task)}"
            )
        if len(answers) > len(units):
            raise MismatchError(f"{answers[-1].place} is a second answer to its question; remove one")
        for answer, unit in zip(answers, units, strict=True):
            yield Match(answer, unit, proven=len(units) == 1)

    def _keys(self, asked: str) -> Iterator[tuple[str, ...]]:
        """The words of a prompt, then without its last lines, where suites say how to answer."""
        lines = self._task.core(asked).split("\n")
        for count in range(len(lines), 0, -1):
            yield words(self._task.core("\n".join(lines[:count])))


class _DifferError(Exception):
    """Rows do not follow an order; `fitted` is how many did."""

    def __init__(self, fitted: int, why: str) -> None:
        super().__init__(why)
        self.fitted = fitted


def _grouped(items: Sequence[Item], key: Callable[[Item], Hashable]) -> dict[Hashable, list[Item]]:
    found: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)


def _key(name: Hashable, index: Mapping[Hashable, Sequence[Sample]]) -> Hashable | None:
    """An id as an index has it, perhaps as a picture's name; None if it does not."""
    if name is None:
        return None
    for key in (text_key(name), stem(str(name))):
        if key in index:
            return key
    return None
