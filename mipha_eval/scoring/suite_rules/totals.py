"""From readings to a number, as several suites do it. All in percent or points; None where nothing was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from mipha_eval.core.alphabet import LETTERS, lettered
from mipha_eval.core.types import Sample
from mipha_eval.scoring.suite_rules.number import AnswerReading, Read, sure


def yes_no_reading(sample: Sample, answer: str, *, unsure: bool = False) -> AnswerReading:
    """A reading of a yes/no question; an answer that is neither is none."""
    answer = answer if answer in ("yes", "no") else ""
    return AnswerReading(answer, float(answer == truth_of(sample)), unsure)


def truth_of(sample: Sample) -> str:
    """The label of a yes/no question; what is not no is yes, as in POPE's own script."""
    return "no" if sample.target[0].lower() == "no" else "yes"


def letter_reading(sample: Sample, letter: str, *, unsure: bool = False) -> AnswerReading:
    """A reading of a question with options; what is no letter is none."""
    letter = letter if letter in tuple(LETTERS) else ""
    return AnswerReading(letter, float(letter == sample.target[0]), unsure)


def options_by_letter(sample: Sample) -> dict[str, str]:
    """All options, empty ones too."""
    return dict(lettered(sample.choices))


def mean_worth(read: Sequence[Read]) -> float | None:
    """The mean over answers."""
    return 100 * sum(reading.worth for _, reading in read) / len(read) if read else None


def pooled_f1(read: Sequence[Read], *, unread_is_no: bool) -> float | None:
    """F1 of "yes" over all rows together; 0 where precision and recall are both 0 or undefined.

    Args:
        unread_is_no: whether a yes that nobody reads is a missed one; else it counts in neither precision nor recall.
    """
    if not read:
        return None
    pairs = [(truth_of(sample), reading.answer) for sample, reading in read]
    hit, false = pairs.count(("yes", "yes")), pairs.count(("no", "yes"))
    missed = pairs.count(("yes", "no")) + (pairs.count(("yes", "")) if unread_is_no else 0)
    precision = hit / (hit + false) if hit + false else 0.0
    recall = hit / (hit + missed) if hit + missed else 0.0
    return 100 * 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def mme_points(subtasks: Collection[str]) -> Callable[[Sequence[Read]], float | None]:
    """100 x accuracy + 100 x share of images with both right, summed over subtasks; images with one answer are left out."""

    def total(read: Sequence[Read]) -> float | None:
        images: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for sample, reading in read:
            images[sample.category, sample.group].append(reading.worth)
        by_subtask: defaultdict[str, list[float]] = defaultdict(list)
        for (subtask, _), worths in images.items():
            if len(worths) == 2 and subtask in subtasks:
                by_subtask[subtask].append(50 * sum(worths) + 100 * (sum(worths) == 2))
        return sum(sum(points) / len(points) for points in by_subtask.values()) if by_subtask else None

    return total


def of_subtasks(subtasks: Collection[str]) -> Callable[[Sample], bool]:
    """Which questions are of these subtasks of MME."""
    return lambda sample: sample.category in subtasks


def circular_share(read: Sequence[Read]) -> float | None:
    """The share of questions of which every rotation is right; those without the unturned row are not seen."""
    hits = [min(reading.worth for _, reading in rows) for rows in _groups(read).values() if _has_base(rows)]
    return 100 * sum(hits) / len(hits) if hits else None


def settle_circular(read: Sequence[Read]) -> list[Read]:
    """Nobody is asked about an answer to a question of which another rotation is read, and wrong."""
    lost = {
        group
        for group, rows in _groups(read).items()
        if not _has_base(rows) or any(not reading.worth and not reading.unsure for _, reading in rows)
    }
    return [(sample, sure(reading) if sample.group in lost else reading) for sample, reading in read]


def _groups(read: Sequence[Read]) -> Mapping[str, list[Read]]:
    groups: defaultdict[str, list[Read]] = defaultdict(list)
    for sample, reading in read:
        groups[sample.group].append((sample, reading))
    return groups


def _has_base(rows: Sequence[Read]) -> bool:
    return any(sample.id == sample.group for sample, _ in rows)
