"""Which question each answer of another suite's file is to: by id, by picture, by the row of a split or by words alone.

Each way is taken only if it holds for the whole file; nothing that a file says of a question may contradict it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property

from mipha_eval.core.errors import UserError
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.images import stem
from mipha_eval.data.suite_files.given import GivenFile
from mipha_eval.scoring.evidence import Evidence
from mipha_eval.scoring.matching import image_stems, is_telling, text_key
from mipha_eval.scoring.untold_answers import Match, MismatchError, UntoldAnswers, grouped

#: questions about one picture's name; where there are more, names tell nothing
MOST_ALIKE = 100


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
        self._untold = UntoldAnswers(place, task, samples, self._evidence)
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
            self._way(self._untold.by_row, given),
            self._way(self._untold.by_words, given),
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
        return [grouped(self._samples, kind) for kind in kinds]

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
                fitting, proven = self._untold.fitting(answer, samples)
            except MismatchError as error:
                # ids may begin anew in every category of a split, whose rows then say what is meant
                if not given.own_ids:
                    raise MismatchError("") from error
                if once and (self._task.own_ids or answer.number is None):
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
            asked = next(self._untold.keys(answer.asked), ())
            same = [sample for sample in known if self._evidence.words[sample.id] == asked]
            fitting, proven = self._untold.fitting(answer, same or known)
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


def _key(name: Hashable, index: Mapping[Hashable, Sequence[Sample]]) -> Hashable | None:
    """An id as an index has it, perhaps as a picture's name; None if it does not."""
    if name is None:
        return None
    for key in (text_key(name), stem(str(name))):
        if key in index:
            return key
    return None
