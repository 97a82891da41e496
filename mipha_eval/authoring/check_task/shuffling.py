"""A choice is worth the same wherever its option stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mipha_eval.authoring.check_task.answers import is_ranked, read_one, saying
from mipha_eval.authoring.check_task.point import Said, of
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.alphabet import LETTERS, lettered
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.types import Sample

CLOSE = 1e-9


def options_can_be_shuffled(under: TaskUnderCheck) -> Iterator[Said]:
    """With the options in another order the same choice scores the same, whatever the prompt shows."""
    asked = [sample for sample in under.tried if len(_places(sample)) > 1 and _truth(sample) is not None]
    if not asked:
        yield "ok", "no question has options, so that none can be shuffled"
        return
    place = place_of(type(under.task), "score")
    for shift in (1, -1):
        moved = [each for each in asked if not _same(under, each, turned(each, shift))]
        if moved:
            told = f"the same choice scores otherwise in {of(len(moved), len(asked))} questions ({moved[0].id})"
            yield "fault", f"with the options in another order {told} ({place})"
            return
    if any(not _same(under, each, (replace(each, prompt=each.question or "?"), _as_it_is(each))) for each in asked):
        yield (
            "fault",
            f"without the options in the prompt the same choice scores otherwise: a rule reads Sample.choices ({place})",
        )
        return
    yield "ok", f"with the options in another order the same choice scores the same, in {len(asked):,} questions"


def turned(sample: Sample, shift: int) -> tuple[Sample, dict[int, int]]:
    """A question with its options turned by one place, or for -1 in reverse, and where each option went."""
    places = _places(sample)
    moved = places[::-1] if shift < 0 else [*places[shift:], *places[:shift]]
    goes = dict(zip(places, moved, strict=True))
    choices = list(sample.choices)
    for before, after in goes.items():
        choices[after] = sample.choices[before]
    truth = _truth(sample)
    letter = len(sample.target[0]) == 1
    target = (LETTERS[goes[truth]], *sample.target[1:]) if letter and truth is not None else sample.target
    prompt = sample.prompt.replace(_listed(sample.choices), _listed(choices))
    return replace(sample, choices=tuple(choices), target=target, prompt=prompt), goes


def _same(under: TaskUnderCheck, sample: Sample, changed: tuple[Sample, dict[int, int]]) -> bool:
    """Whether the right option and a wrong one score as before."""
    other, goes = changed
    truth = _truth(sample)
    wrong = next(place for place in _places(sample) if place != truth)
    return all(
        abs(_worth(under, sample, place) - _worth(under, other, goes[place])) <= CLOSE
        for place in (truth, wrong)
        if place is not None
    )


def _worth(under: TaskUnderCheck, sample: Sample, place: int) -> float:
    ranked = is_ranked(under.task, sample)
    answers = [LETTERS[place]] if ranked or under.task.lettered else [LETTERS[place], sample.choices[place]]
    return max(read_one(under.task, sample, saying(under.task, sample, text)).value for text in answers)


def _truth(sample: Sample) -> int | None:
    """The place of the right option, which a label names by letter or text."""
    label = sample.target[0]
    letters = LETTERS[: len(sample.choices)]
    if len(label) == 1 and label in letters:
        return letters.index(label)
    return sample.choices.index(label) if label in sample.choices else None


def _places(sample: Sample) -> list[int]:
    return [place for place, option in enumerate(sample.choices) if option]


def _as_it_is(sample: Sample) -> dict[int, int]:
    return {place: place for place in _places(sample)}


def _listed(options: Sequence[str]) -> str:
    return "\n".join(f"{letter}. {option}" for letter, option in lettered(options) if option)
