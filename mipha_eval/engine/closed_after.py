"""What a model took is given back when the work is done."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import PluginError
from mipha_eval.core.plugins.blame import blaming

logger = logging.getLogger(__name__)


@contextmanager
def closed_after(adapter: ModelAdapter) -> Iterator[None]:
    """Closes a model in any case; a plugin's that cannot be closed is told of, and takes no result with it."""
    try:
        yield
    finally:
        try:
            with blaming():
                adapter.close()
        except PluginError as error:
            logger.warning("model %s is not closed: %s", adapter.name, error)
