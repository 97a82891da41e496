"""Filling a network with a checkpoint's weights, every one of them accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from accelerate import init_empty_weights
from torch import Tensor

from mipha_eval.core.errors import UserError
from mipha_eval.models.activation import replace_activations
from mipha_eval.models.llava_style.files import CheckpointFiles, errors_naming
from mipha_eval.models.llava_style.network import HEAD_WEIGHT, VisionLanguageNetwork
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.weight_piece import Transform
from mipha_eval.models.weight_reader import read_weights
from mipha_eval.models.weights import Stored
from mipha_eval.models.weights_check import check_depth


@dataclass(frozen=True)
class Source:
    """Where a weight of the network comes from: a stored weight, by its official name, and how it is made of that."""

    key: str
    stored: Stored
    change: Transform


def load_network(files: CheckpointFiles, parts: Parts, device: torch.device, dtype: torch.dtype) -> VisionLanguageNetwork:
    """Builds the network and fills it.

    Raises:
        UserError: weights are missing, unexpected, of another shape or not finite; a file is damaged.
    """
    check_weights(files, parts)
    with errors_naming(files.places.settings), init_empty_weights(include_buffers=False):
        network = VisionLanguageNetwork(parts)
    sources = _sources(files, parts)
    network.fill(_read(files, sources, device, dtype), ties=parts.ties)
    replace_activations(network)
    return network.to(device).eval().requires_grad_(False)


def empty_network(files: CheckpointFiles, parts: Parts) -> VisionLanguageNetwork:
    """The network without memory for anything, buffers neither. Raises UserError if the configuration describes none."""
    for config in (files.config, parts.tower_config):
        check_depth(files.places.settings, config, len(files.stored))
    with errors_naming(files.places.settings), torch.device("meta"):
        return VisionLanguageNetwork(parts)


def wanted_weights(network: VisionLanguageNetwork, parts: Parts) -> dict[str, Tensor]:
    """The weights that have to come from files."""
    return {name: weight for name, weight in network.state_dict().items() if not (parts.ties and name == HEAD_WEIGHT)}


def check_weights(files: CheckpointFiles, parts: Parts) -> VisionLanguageNetwork:
    """The network without memory for anything. Raises UserError unless the files' weights have its names and shapes."""
    network = empty_network(files, parts)
    _check_fit(files, parts, wanted_weights(network, parts), _sources(files, parts))
    return network


def _sources(files: CheckpointFiles, parts: Parts) -> dict[str, Source]:
    """Where each weight of the network comes from, of the weights that answers depend on."""
    found: dict[str, Source] = {}
    for key, stored in files.stored.items():
        if parts.is_dead(key):
            continue
        pieces = parts.pieces(key)
        if not pieces:
            raise UserError(f"{stored.file} holds {key}, which is no weight of a {parts.layout.name}")
        found |= {name: Source(key, stored, change) for name, change in pieces.items()}
    return found


def _read(
    files: CheckpointFiles, sources: Mapping[str, Source], device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """The weights by their names in the network, in memory of their own; beside them there is only what one is made of."""
    pieces: dict[Stored, dict[str, Source]] = {}
    for name, source in sources.items():
        pieces.setdefault(source.stored, {})[name] = source
    weights: dict[str, Tensor] = {}
    for stored, weight in read_weights(pieces):
        (key,) = {source.key for source in pieces[stored].values()}
        if files.adapter and files.adapter.changes(key):
            weight = files.adapter.merged(key, weight.to(dtype))  # noqa: PLW2901 - the one that was read is given up
        made = {name: source.change(weight) for name, source in pieces[stored].items()}
        del weight  # before the next one is read
        weights |= {name: made.pop(name).to(device, dtype).contiguous() for name in list(made)}
    return weights


def _check_fit(files: CheckpointFiles, parts: Parts, wanted: Mapping[str, Tensor], sources: Mapping[str, Source]) -> None:
    """Raises UserError unless names and shapes are those that config.json asks for."""
    folder = files.places.folder
    missing, unexpected = sorted(wanted.keys() - sources.keys()), sorted(sources.keys() - wanted.keys())
    official = {name: source.key for name, source in sources.items()}
    for names, what in ((missing, "lacks"), (unexpected, "has unexpected")):
        if names:
            keys = list(dict.fromkeys(official.get(name) or parts.official(name) for name in names))
            shown = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
            raise UserError(f"{folder} {what} {len(keys)} weights: {shown}; config and weights do not fit")
    for name, weight in wanted.items():
        source = sources[name]
        try:
            found = tuple(source.change(torch.empty(source.stored.shape, device="meta")).shape)
        except (IndexError, RuntimeError):  # its shape is not even one that can be cut
            found = source.stored.shape
        if tuple(weight.shape) != found or not all(found):
            shapes = f"{list(found)}, config.json asks for {list(weight.shape)}"
            raise UserError(f"{folder}: weight {source.key} has shape {shapes}")
