"""Looks at a checkpoint: all that can be told of it before a weight is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.model import Model
from mipha_eval.models.checkpoint_folder import locate_checkpoint
from mipha_eval.models.fingerprint import fingerprint
from mipha_eval.models.inspection.files import config_facts, folder_facts
from mipha_eval.models.inspection.generic import GenericFacts
from mipha_eval.models.inspection.inspection import Inspection, Step, gathered
from mipha_eval.models.inspection.llava_style import LlavaStyleFacts
from mipha_eval.models.inspection.lora import lora_facts
from mipha_eval.models.inspection.warnings import warnings
from mipha_eval.models.llava_style.adapter import LlavaStyleAdapter
from mipha_eval.models.transformers_adapter import TransformersAdapter

#: whatever its pictures are made to
AnyAdapter: TypeAlias = TransformersAdapter[Any]


def inspect_checkpoint(model: Model, *, digest: bool = False) -> Inspection:
    """Looks at the checkpoint of a model that was chosen, and reads no weight.

    Args:
        digest: whether all files are read once for their digest, by which a run is found again.

    Raises:
        UserError: the model has no checkpoint, or there is no such folder.
    """
    adapter = model.adapter
    if not isinstance(adapter, TransformersAdapter):
        raise UserError(f"model {model.name} has no checkpoint that could be looked at")
    _, dtype = adapter.place
    folder = locate_checkpoint(adapter.path, adapter.revision, pickled=adapter.allow_bin)
    sections, refusal = gathered(_steps(adapter, folder, digest=digest))
    if "checkpoint" not in sections:
        sections = {"settings": config_facts(folder), **sections}
    told = list(warnings(folder, _files_read(adapter), sections, dtype))
    return Inspection(adapter.path, model.name, sections, told, refusal)


def _steps(adapter: AnyAdapter, folder: Path, *, digest: bool) -> Iterator[Step]:
    yield "", partial(_settings_read, adapter)
    if isinstance(adapter, LlavaStyleAdapter):
        yield from LlavaStyleFacts(adapter).steps()
    else:
        yield from GenericFacts(folder, adapter.reads_images, adapter.allow_bin, adapter.place).steps()
    yield "lora", lambda: lora_facts(folder)
    yield "folder", lambda: folder_facts(folder)
    if digest:
        yield "digests", lambda: _digests(adapter, folder)


def _settings_read(adapter: AnyAdapter) -> JsonObject:
    """Nothing. Raises UserError for a JSON file of the checkpoint that is broken."""
    _ = adapter.folder
    return {}


def _files_read(adapter: AnyAdapter) -> Iterable[Path]:
    try:
        return adapter.read_files()
    except UserError:  # which is the refusal
        return ()


def _digests(adapter: AnyAdapter, folder: Path) -> JsonObject:
    """As a run's manifest has them."""
    others = adapter.files.digests() if isinstance(adapter, LlavaStyleAdapter) else {}
    return {"weights": fingerprint(folder, adapter.read_files()), **others}
