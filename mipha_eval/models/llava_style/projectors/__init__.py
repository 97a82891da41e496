"""Projectors between a vision tower and a decoder, a file a family. Another one is one more name here."""

from __future__ import annotations

import re

from torch import nn

from mipha_eval.core.errors import UserError
from mipha_eval.models.llava_style.projectors.ldp import LDP, LDP2
from mipha_eval.models.llava_style.projectors.mlp import IDENTITY, LINEAR, MLP
from mipha_eval.models.llava_style.projectors.projector import Projector

PROJECTORS = (LINEAR, MLP, IDENTITY, LDP, LDP2)


def projector_named(kind: str) -> tuple[Projector, re.Match[str]]:
    """The projector that ``mm_projector_type`` names, and what its pattern found. Raises UserError if there is none."""
    for projector in PROJECTORS:
        if found := re.fullmatch(projector.pattern, kind):
            return projector, found
    supported = ", ".join(projector.name for projector in PROJECTORS)
    raise UserError(f"mm_projector_type {kind!r} is not supported; supported: {supported}")


def build_projector(kind: str, widths: tuple[int, int], ends: tuple[int, int]) -> nn.Module:
    """The projector of a kind.

    Args:
        kind: as ``mm_projector_type`` names it.
        widths: what it maps from and to, as the configuration says.
        ends: widths of the tower and of the decoder.

    Raises:
        UserError: it is not supported, or does not fit them.
    """
    projector, found = projector_named(kind)
    width, hidden = widths
    if widths != ends or (projector is IDENTITY and width != hidden):
        raise UserError(
            f"the {kind} projector maps {width} to {hidden}, the tower gives {ends[0]}, the decoder takes {ends[1]}"
        )
    return projector.build(found, width, hidden)
