"""The samples of an Inspect log as Inspect's own library reads them, where that is installed."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Sequence
from inspect import signature
from pathlib import Path

from mipha_eval.core.json_value import JsonObject

logger = logging.getLogger(__name__)

PACKAGE = "inspect_ai"
#: what is read of a sample
FIELDS = frozenset({"id", "epoch", "input", "choices", "target", "messages", "output", "metadata", "error"})
#: what may be large, and is left in the file where the library can do so
UNREAD = frozenset({"events", "store"})


def samples_by_library(path: Path, form: str) -> Sequence[tuple[str, JsonObject]] | None:
    """Samples with their places; None where the library is not installed, or does not read this log.

    Args:
        form: ``eval`` or ``json``, as the library calls what a log is written in.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    try:
        read = importlib.import_module(f"{PACKAGE}.log").read_eval_log
        left = {"exclude_fields": set(UNREAD)} if "exclude_fields" in signature(read).parameters else {}
        log = read(str(path.resolve()), resolve_attachments=True, format=form, **left)
        samples = [each.model_dump(mode="json", include=FIELDS) for each in log.samples or ()]
    except Exception as error:  # of a log that is damaged, newer or not quite as it should be
        logger.debug("inspect_ai does not read %s: %s: %s", path, type(error).__name__, error)
        return None
    return [(f"{path}: sample {row.get('id')} of epoch {row.get('epoch')}", row) for row in samples] or None
