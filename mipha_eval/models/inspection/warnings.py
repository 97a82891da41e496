"""What a user of a checkpoint may not expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch

from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.models.generic_model import STORED_AS
from mipha_eval.models.inspection.files import weight_like

#: names that are shown
SHOWN = 3


def warnings(folder: Path, read: Iterable[Path], sections: Mapping[str, JsonObject], dtype: torch.dtype) -> Iterator[str]:
    """A line each.

    Args:
        read: the files of the folder that are read.
        sections: what else was found out.
        dtype: in which the model is to run.
    """
    known = set(read)
    left = [file.name for file in weight_like(folder) if file not in known]
    if known and left:
        yield f"not read: {', '.join(left[:SHOWN])}{', ...' if len(left) > SHOWN else ''}"
    if {folder / "tokenizer.json", folder / "tokenizer.model"} <= known:
        yield "two tokenizers: tokenizer.json is read where both say something, tokenizer.model beside it"
    weights, memory = sections.get("weights", {}), sections.get("memory", {})
    stored = weights.get("stored_as")
    if isinstance(stored, Mapping) and stored and STORED_AS.get(dtype) not in stored:
        yield f"stored as {' and '.join(stored)}, run as {str(dtype).removeprefix('torch.')}"
    if isinstance(stored, Mapping) and len(stored) > 1:
        yield f"weights are stored in several types: {', '.join(stored)}"
    if memory.get("fits") is False:
        yield f"it needs more memory than {memory['device']} has free"
    yield from _of_prompt(sections)


def _of_prompt(sections: Mapping[str, JsonObject]) -> Iterator[str]:
    prompt, decoder = sections.get("prompt", {}), sections.get("language_model", {})
    if "text" in prompt and not prompt.get("template"):
        yield "no chat template: it is asked the bare question"
    positions, tokens = _whole(decoder.get("positions")), _whole(prompt.get("tokens"))
    if positions and tokens and tokens > positions // 2:
        yield f"a short question takes {tokens:,} of its {positions:,} positions"


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0
