"""Do the weights of a checkpoint fit its configuration? Asked of the files' headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mipha_eval.core.errors import UserError
from mipha_eval.models.llava_style.files import CheckpointFiles
from mipha_eval.models.llava_style.network import HEAD_WEIGHT, VisionLanguageNetwork
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.weight_piece import Transform
from mipha_eval.models.weights import Stored


@dataclass(frozen=True)
class Source:
    """Where a weight of the network comes from: a stored weight, by its official name, and how it is made of that."""

    key: str
    stored: Stored
    change: Transform

    @property
    def shape(self) -> tuple[int, ...]:
        """What it is made to; of what cannot be cut, the stored one."""
        try:
            return tuple(self.change(torch.empty(self.stored.shape, device="meta")).shape)
        except (IndexError, RuntimeError):
            return self.stored.shape


@dataclass(frozen=True)
class Misshapen:
    """A weight of another shape than config.json asks for."""

    key: str
    found: tuple[int, ...]
    wanted: tuple[int, ...]


@dataclass(frozen=True)
class Fit:
    """Where the weights of a network come from, and what does not fit, by official names.

    Attributes:
        sources: by the network's names.
        foreign: stored weights that no such model has.
        missing: weights that are in no file.
        unexpected: stored weights of a layer or a part that config.json does not ask for.
    """

    folder: Path
    layout: str
    sources: Mapping[str, Source]
    foreign: Sequence[Stored]
    missing: Sequence[str]
    unexpected: Sequence[str]
    misshapen: Sequence[Misshapen]

    @classmethod
    def of(cls, files: CheckpointFiles, parts: Parts, network: VisionLanguageNetwork) -> Fit:
        """Compares the weights that answers depend on with those of the network."""
        wanted = wanted_weights(network, parts)
        alive = {key: stored for key, stored in files.stored.items() if not parts.is_dead(key)}
        pieces = {key: parts.pieces(key) for key in alive}
        sources = {name: Source(key, alive[key], change) for key, own in pieces.items() for name, change in own.items()}
        both = sorted(wanted.keys() & sources.keys())
        shapes = [Misshapen(sources[name].key, sources[name].shape, tuple(wanted[name].shape)) for name in both]
        return cls(
            files.places.folder,
            parts.layout.name,
            sources,
            [alive[key] for key, own in pieces.items() if not own],
            _once(parts.official(name) for name in sorted(wanted.keys() - sources.keys())),
            _once(sources[name].key for name in sorted(sources.keys() - wanted.keys())),
            [each for each in shapes if each.found != each.wanted or not all(each.found)],
        )

    def refuse_misfit(self) -> None:
        """Raises UserError unless names and shapes are those that config.json asks for."""
        for stored in self.foreign:
            raise UserError(f"{stored.file} holds {stored.key}, which is no weight of a {self.layout}")
        for keys, what in ((self.missing, "lacks"), (self.unexpected, "has unexpected")):
            if keys:
                shown = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
                raise UserError(f"{self.folder} {what} {len(keys)} weights: {shown}; config and weights do not fit")
        for each in self.misshapen:
            shapes = f"{list(each.found)}, config.json asks for {list(each.wanted)}"
            raise UserError(f"{self.folder}: weight {each.key} has shape {shapes}")


def wanted_weights(network: VisionLanguageNetwork, parts: Parts) -> dict[str, Tensor]:
    """The weights that have to come from files."""
    return {name: weight for name, weight in network.state_dict().items() if not (parts.ties and name == HEAD_WEIGHT)}


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
