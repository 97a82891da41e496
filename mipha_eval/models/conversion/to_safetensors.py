"""Weights in torch's own format, written as safetensors: same names, shapes, types and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.models.conversion.beside_weights import beside_weights
from mipha_eval.models.conversion.new_folder import check_room, copy_files, new_folder
from mipha_eval.models.conversion.planned_weight import PlannedWeight
from mipha_eval.models.conversion.weight_writer import write_file, write_shards
from mipha_eval.models.llava_style.additions import ADAPTER, OTHERS, PROJECTOR
from mipha_eval.models.pickled import DTYPES, PickledFile
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weights import INDEX, PICKLED_INDEX, PICKLED_SINGLE, SINGLE, index_file, weight_files

#: what is trained on a base model and saved without it, by files' names without their endings
ADDITIONS = (ADAPTER, OTHERS, PROJECTOR)


@dataclass(frozen=True)
class Rewriting:
    """What becomes of a folder's weights.

    Attributes:
        shards: the weights of a whole model, file by file; none where there is none to be rewritten.
        additions: those of other files, by names without their endings.
        copied: files that stay as they are.
    """

    shards: Sequence[Sequence[PlannedWeight]]
    additions: Mapping[str, Sequence[PlannedWeight]]
    copied: frozenset[Path]

    @property
    def weights(self) -> list[PlannedWeight]:
        """All of them."""
        return [weight for shard in (*self.shards, *self.additions.values()) for weight in shard]


def to_safetensors(source: Path, target: Path) -> list[PlannedWeight]:
    """Writes the folder anew, and gives what was written. Raises UserError, and then there is nothing at `target`."""
    plan = rewriting(source)
    with new_folder(target) as made:
        check_room(target, sum(weight.bytes for weight in plan.weights))
        copy_files(plan.copied, source, made)
        for name, weights in plan.additions.items():
            write_file(made / f"{name}.safetensors", weights)
        if plan.shards:
            write_shards(made, plan.shards)
    return plan.weights


def rewriting(source: Path) -> Rewriting:
    """What is to be done, from the files' beginnings. Raises UserError if there is nothing, or a file is damaged."""
    additions = {name: source / f"{name}.bin" for name in ADDITIONS}
    wanted = {
        name: file for name, file in additions.items() if file.is_file() and not file.with_suffix(".safetensors").is_file()
    }
    shards = _shards(source)
    if not shards and not wanted:
        raise UserError(_nothing(source))
    there = {source / f"{name}.safetensors" for name in ADDITIONS if name not in wanted} | _whole_already(source)
    copied = frozenset(beside_weights(source) | {file for file in there if file.is_file()})
    return Rewriting(shards, {name: list(_planned(file).values()) for name, file in wanted.items()}, copied)


def _shards(source: Path) -> list[list[PlannedWeight]]:
    """The whole model's weights; those of an earlier file that a later one has again are left out, as in loading."""
    pickled = any((source / name).is_file() for name in (PICKLED_SINGLE, PICKLED_INDEX))
    if not pickled or any((source / name).is_file() for name in (SINGLE, INDEX)):
        return []
    files = [_planned(file) for file in weight_files(source, pickled=True)]
    last = {name: number for number, file in enumerate(files) for name in file}
    index = index_file(source, pickled=True)
    named = read_settings(index)["weight_map"] if index else {}
    lost = next((name for name in named if name not in last), None) if isinstance(named, dict) else None
    if lost is not None:
        raise UserError(f"{index} names {lost}, which none of its files has; copy or download the checkpoint again")
    return [[weight for name, weight in file.items() if last[name] == number] for number, file in enumerate(files)]


def _whole_already(source: Path) -> set[Path]:
    """A whole model's files that are safetensors."""
    if not any((source / name).is_file() for name in (SINGLE, INDEX)):
        return set()
    index = index_file(source)
    return {*weight_files(source), *([index] if index else [])}


def _planned(file: Path) -> dict[str, PlannedWeight]:
    """The weights of a file; those that share memory, as a head with the embedding, are written once each."""
    pickled = PickledFile.open(file)
    return {
        name: PlannedWeight(name, tuple(weight.shape), DTYPES[weight.dtype], partial(pickled.read, name))
        for name, weight in pickled.weights.items()
    }


def _nothing(source: Path) -> str:
    """Why there is nothing to rewrite."""
    if any(source.glob("*.safetensors")):
        return f"{source} has its weights as safetensors already; to write another layout, say which"
    known = ", ".join((PICKLED_SINGLE, *(f"{name}.bin" for name in ADDITIONS)))
    found = sorted(file.name for file in source.glob("*.bin"))
    if found and any(name.startswith("pytorch_model-") for name in found):
        return f"{source} has {found[0]}, but no {PICKLED_INDEX}, which says what belongs together; copy that, too"
    shown = f"{', '.join(found[:3])}, but " if found else ""
    return f"{source} has {shown}none of {known}; is it a checkpoint folder?"
