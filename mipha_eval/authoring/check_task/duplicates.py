"""Questions, options and pictures that are there twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mipha_eval.authoring.check_task.answers import option_of
from mipha_eval.authoring.check_task.pictures import Picture
from mipha_eval.authoring.check_task.point import Said, count, of, place_in_code, quoted, some
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.types import Sample

NEAR = 2  # bits of 64 by which pictures differ that look alike
COMPARED = 3_000


def questions_are_there_once(under: TaskUnderCheck) -> Iterator[Said]:
    """No question about the same pictures is there twice, and never with labels that contradict one another."""
    same: dict[object, list[Sample]] = {}
    bytes_of = {picture.image.location: picture.digest for picture in under.pictures if picture.digest}
    for sample in under.samples:
        seen = tuple(bytes_of.get(image.location, image.location) for image in sample.images)
        options = sample.choices if sample.group else frozenset(sample.choices)  # within a group they may be rotated
        same.setdefault((seen, _question(sample), options, sample.category), []).append(sample)
    twice = [each for each in same.values() if len(each) > 1]
    across = _across_categories(same)
    against = [each for each in (*twice, *across) if _contradict(each)]
    repeated = sum(len(each) - 1 for each in twice)
    if against:
        pair = some([sample.id for sample in against[0]])
        labels = some([label for sample in against[0] for label in _labels(sample)], 4)
        told = f"{count(len(against), 'question')} asked twice, with labels that contradict one another: {pair} ({labels})"
        yield "note" if under.published else "fault", f"{told} ({place_in_code(under, 'samples')})"
    elif twice:
        ids = some([sample.id for sample in twice[0]])
        yield "note", f"{of(repeated, len(under.samples))} questions are asked already, with the same label: {ids}"
    elif across:
        extra = sum(len(each) - 1 for each in across)
        yield "note", f"{of(extra, len(under.samples))} questions are asked already in another category, with the same label"
    else:
        yield "ok", "no question about the same pictures is there twice"


def _across_categories(same: dict[object, list[Sample]]) -> list[list[Sample]]:
    merged: dict[object, list[Sample]] = {}
    for key, samples in same.items():
        assert isinstance(key, tuple)  # noqa: S101 - as it was made above
        merged.setdefault(key[:-1], []).extend(samples[:1])
    return [each for each in merged.values() if len(each) > 1]


def _question(sample: Sample) -> str:
    """A prompt without the options, whose order may be another; with spaces and case aside."""
    text = sample.prompt
    for option in sorted(filter(None, sample.choices), key=len, reverse=True):
        text = text.replace(f". {option}", "")
    return " ".join(text.split()).casefold()


def _labels(sample: Sample) -> list[str]:
    return list(dict.fromkeys(option_of(sample, label).strip().casefold() for label in sample.target))


def _contradict(samples: Sequence[Sample]) -> bool:
    """Whether no answer is accepted by all of them."""
    labels = [set(_labels(sample)) for sample in samples if sample.target]
    return len(labels) > 1 and not set.intersection(*labels)


def options_differ(under: TaskUnderCheck) -> Iterator[Said]:
    """No question has an option twice."""
    same, alike = [], []
    for sample in under.samples:
        options = [option.strip() for option in sample.choices if option.strip()]
        if len(set(options)) < len(options):
            same.append(sample)
        elif len({option.casefold() for option in options}) < len(options):
            alike.append(sample)
    if same:
        told = f"an option stands twice in {count(len(same), 'question')}: {some([sample.id for sample in same])}"
        yield "note" if under.published else "fault", f"{told} ({place_in_code(under, 'samples')})"
    elif alike:
        yield (
            "note",
            f"options of {count(len(alike), 'question')} differ by case alone: {some([sample.id for sample in alike])}",
        )
    else:
        yield (
            "ok",
            "the options of each question differ" if any(s.choices for s in under.samples) else "there are no options",
        )


def pictures_decode(under: TaskUnderCheck) -> Iterator[Said]:
    """Each picture can be read and decoded."""
    broken = [picture for picture in under.pictures if picture.error]
    if broken:
        first = f"first {quoted(broken[0].image.name)}: {broken[0].error}"
        if len(broken) == len(under.pictures):
            yield (
                "fault",
                f"not one of {count(len(broken), 'picture')} can be decoded, {first}; give the folder where they are",
            )
        else:
            yield "fault", f"{of(len(broken), len(under.pictures))} pictures cannot be decoded, {first}"
    elif not under.images:
        yield "ok", "there are no pictures"
    elif len(under.pictures) < len(under.images):
        yield "ok", f"{of(len(under.pictures), len(under.images))} pictures were looked at, and decode"
    else:
        yield "ok", f"{count(len(under.pictures), 'picture')} looked at, and decoded"


def pictures_are_there_once(under: TaskUnderCheck) -> Iterator[Said]:
    """No picture goes by two names, and none looks as another does."""
    good = [picture for picture in under.pictures if not picture.error]
    by_bytes: dict[str, list[Picture]] = {}
    for picture in good:
        by_bytes.setdefault(picture.digest, []).append(picture)
    twice = [each for each in by_bytes.values() if len(each) > 1]
    near = _near([each[0] for each in by_bytes.values()])
    if twice or near:
        told = [f"{count(len(twice), 'picture')} under several names, such as {_names(twice[0])}"] if twice else []
        if near:
            told.append(f"{count(len(near), 'pair')} of pictures look alike, such as {_names(near[0])}")
        yield "note", "; ".join(told)
    else:
        yield (
            "ok",
            "no picture is there twice, and none looks as another does" if good else "there are no pictures to compare",
        )


def _near(pictures: Sequence[Picture]) -> list[tuple[Picture, Picture]]:
    """Pairs whose hashes are nearly the same, of pictures that are not all of one colour."""
    telling = [picture for picture in pictures if not picture.flat][:COMPARED]
    found = []
    for place, one in enumerate(telling):
        found += [(one, other) for other in telling[:place] if (one.looks ^ other.looks).bit_count() <= NEAR]
    return found


def _names(pictures: Sequence[Picture]) -> str:
    return some([picture.image.name for picture in pictures])
