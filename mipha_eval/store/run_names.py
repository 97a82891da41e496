"""What runs are called, the same in tables, comparisons, pages and leaderboards, and in what order names stand.

A run is called by its model and checkpoint, and by what it is that its score alone does not say (blind, as published); one
that was made of an answer file by the file. Only runs that are then called the same have more: more of the checkpoint's or
the file's path, the options in which they differ, and at last the id that their folder's name ends in, or its path.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mipha_eval.store.manifest import Manifest, model_name

#: how files of answers and of results end
ENDING = re.compile(r"(?<=.)(?:\.(?:jsonl?|csv|tsv|xlsx|txt|eval))?(?:\.(?:gz|zst))?$", re.IGNORECASE)


@dataclass(frozen=True)
class _Called:
    """A run while a name is sought for it.

    Attributes:
        name: model and checkpoint.
        told: what stands in brackets behind it.
        features: what may tell it from others of the same name, as short texts.
    """

    manifest: Manifest
    path: Path
    name: str
    told: tuple[str, ...]
    features: Mapping[str, str]

    @property
    def text(self) -> str:
        return f"{self.name} ({', '.join(self.told)})" if self.told else self.name

    @property
    def id(self) -> str:
        return self.path.resolve().name.rpartition("__")[2]


def run_names(runs: Sequence[tuple[Path, Manifest]], *, begun: bool = True) -> list[str]:
    """A name for each run, in their order, no two the same.

    Args:
        runs: the folder and the manifest of each; no folder twice.
        begun: whether they have folders, without which two can have the same name.
    """
    called = [_called(path, manifest) for path, manifest in runs]
    for step in (_longer, _with_options, _with_id) if begun else (_longer, _with_options):
        groups: dict[str, list[_Called]] = {}
        for each in called:
            groups.setdefault(each.text, []).append(each)
        called = [each if len(groups[each.text]) == 1 else step(each, groups[each.text]) for each in called]
    return [each.text for each in called]


def name_order(name: object) -> tuple[tuple[int, int, str], ...]:
    """What names and paths are sorted by: numbers in them as numbers, so that checkpoint-500 is before checkpoint-1000."""
    parts = re.split(r"([0-9]+)", str(name).casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def file_name(path: Path) -> str:
    """What answers, or results, of a file are called: the file's name without its endings; a folder's is whole."""
    name = path.absolute().name
    return name if path.is_dir() else ENDING.sub("", name)


def of_file(path: Path) -> Manifest:
    """What `run_names` needs to know of a file, so that it has a name beside runs."""
    return Manifest(model=file_name(path), data=str(path), answers=str(path.absolute()))


def given_order(paths: Sequence[Path]) -> list[int]:
    """The places of paths in the order in which they are shown.

    As they were given; but paths that stand in the alphabet's order, as a shell's ``*`` gives them, have their numbers
    sorted as numbers.
    """
    places = list(range(len(paths)))
    texts = [str(path) for path in paths]
    return sorted(places, key=lambda place: name_order(texts[place])) if texts == sorted(texts) else places


def _called(path: Path, manifest: Manifest) -> _Called:
    told = (manifest.asked_under, "as published" if manifest.as_published else None)
    return _Called(manifest, path, manifest.display_name, tuple(filter(None, told)), _features(manifest))


def _features(manifest: Manifest) -> dict[str, str]:
    """What may tell two runs of a model apart; of options those that were chosen, which come first in a name."""
    options = {key: f"{key}={value}" for key, value in {**manifest.options, **manifest.task_options}.items()}
    dtype = str(manifest.weights.get("dtype", "")).removeprefix("torch.")
    asked = {f" {key}": f"{key}={value}" for key, value in (manifest.asking or {}).items()}
    return {**options, " dtype": dtype, **asked}


def _longer(own: _Called, same: Sequence[_Called]) -> _Called:
    """With as much of the checkpoint's path as tells it from the others'."""
    mine = _place(own.manifest)
    if mine is None:
        return own
    parts = {place: Path(place).parts for each in same if (place := _place(each.manifest))}
    for count in range(1, max(map(len, parts.values())) + 1):
        tails = Counter(str(Path(*each[-count:])) for each in parts.values())
        tail = str(Path(*parts[mine][-count:]))
        if tails[tail] == 1:
            known = {key: text for key, text in own.features.items() if key not in {"path", "model"}}
            name = tail if own.manifest.answers else model_name(own.manifest.model, tail, whole=True)
            return replace(own, name=name, features=known)
    return own


def _place(manifest: Manifest) -> str | None:
    """The path of the checkpoint, or of the answer file without its ending."""
    if manifest.answers is None:
        return manifest.checkpoint
    return str(Path(manifest.answers).with_name(manifest.model))


def _with_options(own: _Called, same: Sequence[_Called]) -> _Called:
    """With the options in which it differs from any of the others."""
    differing = [
        text for key, text in own.features.items() if text and any(each.features.get(key, "") != text for each in same)
    ]
    return replace(own, told=(*differing, *own.told))


def _with_id(own: _Called, same: Sequence[_Called]) -> _Called:
    """With the id of its folder, or the whole path where others have that id, too."""
    alike = sum(each.id == own.id for each in same) > 1
    return replace(own, told=(*own.told, str(own.path) if alike else own.id))
