"""Filling a network with a checkpoint's weights, every one of them accounted for."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from accelerate import init_empty_weights
from torch import Tensor

from mipha_eval.core.stage import stage
from mipha_eval.models.activation import replace_activations
from mipha_eval.models.llava_style.files import CheckpointFiles, errors_naming
from mipha_eval.models.llava_style.fit import Fit, Source
from mipha_eval.models.llava_style.network import VisionLanguageNetwork
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.weight_reader import read_weights
from mipha_eval.models.weights import Stored
from mipha_eval.models.weights_check import check_depth


def load_network(files: CheckpointFiles, parts: Parts, device: torch.device, dtype: torch.dtype) -> VisionLanguageNetwork:
    """Builds the network and fills it.

    Raises:
        UserError: weights are missing, unexpected, of another shape or not finite; a file is damaged.
    """
    fit = Fit.of(files, parts, empty_network(files, parts))
    fit.refuse_misfit()
    with errors_naming(files.places.settings), init_empty_weights(include_buffers=False):
        network = VisionLanguageNetwork(parts)
    network.fill(_read(files, fit.sources, device, dtype), ties=parts.ties)
    replace_activations(network)
    return network.to(device).eval().requires_grad_(False)


def empty_network(files: CheckpointFiles, parts: Parts) -> VisionLanguageNetwork:
    """The network without memory for anything, buffers neither. Raises UserError if the configuration describes none."""
    for config in (files.config, parts.tower_config):
        check_depth(files.places.settings, config, len(files.stored))
    with errors_naming(files.places.settings), torch.device("meta"):
        return VisionLanguageNetwork(parts)


def check_weights(files: CheckpointFiles, parts: Parts) -> VisionLanguageNetwork:
    """The network without memory for anything. Raises UserError unless the files' weights have its names and shapes."""
    network = empty_network(files, parts)
    Fit.of(files, parts, network).refuse_misfit()
    return network


def _read(
    files: CheckpointFiles, sources: Mapping[str, Source], device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """The weights by their names in the network, in memory of their own; beside them there is only what one is made of."""
    pieces: dict[Stored, dict[str, Source]] = {}
    for name, source in sources.items():
        pieces.setdefault(source.stored, {})[name] = source
    weights: dict[str, Tensor] = {}
    with stage("reading weights", sum(math.prod(stored.shape) for stored in pieces)) as reading:
        for stored, weight in read_weights(pieces):
            (key,) = {source.key for source in pieces[stored].values()}
            if files.adapter and files.adapter.changes(key):
                weight = files.adapter.merged(key, weight.to(dtype))  # noqa: PLW2901 - the one that was read is given up
            made = {name: source.change(weight) for name, source in pieces[stored].items()}
            del weight  # before the next one is read
            weights |= {name: made.pop(name).to(device, dtype).contiguous() for name in list(made)}
            reading.advance(math.prod(stored.shape))
    return weights
