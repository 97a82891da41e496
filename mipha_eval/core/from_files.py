"""A model that files on this machine decide."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path


class FromFiles(ABC):
    """What a model says of its weights is the same as before where these files, its options, code and machine are."""

    @abstractmethod
    def deciding_files(self) -> Sequence[Path]:
        """All files that are read, of a model that is loaded; none where something else decides, too: what the hub has
        today, or how much memory is free.

        Raises:
            UserError: one was written since it was read.
        """
