"""Projectors between a vision tower and a decoder, from the official code's ``multimodal_projector/builder.py``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from mipha_eval.core.errors import UserError


@dataclass(frozen=True)
class Projector:
    """A kind of projector.

    Attributes:
        name: as people write it.
        pattern: of ``mm_projector_type``.
        build: from what the pattern found, the tower's width and the decoder's.
    """

    name: str
    pattern: str
    build: Callable[[re.Match[str], int, int], nn.Module]


def _mlp(kind: re.Match[str], width: int, hidden: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(width, hidden)]
    for _ in range(1, int(kind[1])):
        layers += [nn.GELU(), nn.Linear(hidden, hidden)]
    return nn.Sequential(*layers)


PROJECTORS = (
    Projector("linear", "linear", lambda _, width, hidden: nn.Linear(width, hidden)),
    Projector("mlpNx_gelu", r"mlp(\d+)x_gelu", _mlp),
    Projector("identity", "identity", lambda _kind, _width, _hidden: nn.Identity()),
)


def build_projector(kind: str, widths: tuple[int, int], ends: tuple[int, int]) -> nn.Module:
    """The projector of a kind.

    Args:
        kind: as ``mm_projector_type`` names it.
        widths: what it maps from and to, as the configuration says.
        ends: widths of the tower and of the decoder.

    Raises:
        UserError: it is not supported, or does not fit them.
    """
    width, hidden = widths
    if widths != ends or (kind == "identity" and width != hidden):
        raise UserError(
            f"the {kind} projector maps {width} to {hidden}, the tower gives {ends[0]}, the decoder takes {ends[1]}"
        )
    for projector in PROJECTORS:
        if found := re.fullmatch(projector.pattern, kind):
            return projector.build(found, width, hidden)
    supported = ", ".join(projector.name for projector in PROJECTORS)
    raise UserError(f"mm_projector_type {kind!r} is not supported; supported: {supported}")
