"""Projectors that map each patch alone.

Source: zhuyiche/llava-phi at 21dafbf and haotian-liu/LLaVA at c121f04, ``multimodal_projector/builder.py``.
"""

from __future__ import annotations

import re

from torch import nn

from mipha_eval.models.llava_style.projectors.projector import Projector


def _mlp(kind: re.Match[str], width: int, hidden: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(width, hidden)]
    for _ in range(1, int(kind[1])):
        layers += [nn.GELU(), nn.Linear(hidden, hidden)]
    return nn.Sequential(*layers)


LINEAR = Projector(name="linear", pattern="linear", build=lambda _, width, hidden: nn.Linear(width, hidden))
MLP = Projector(name="mlpNx_gelu", pattern=r"mlp(\d{1,2})x_gelu", build=_mlp)
IDENTITY = Projector(name="identity", pattern="identity", build=lambda _kind, _width, _hidden: nn.Identity())
