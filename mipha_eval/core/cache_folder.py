"""Where what can be made again is kept, such as the demo's pictures."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "mipha-eval"


def cache_folder() -> Path:
    """What MIPHA_EVAL_CACHE says, else the user's cache folder as the system has it.

    Where that is not ``~/.cache`` (macOS, Windows), a folder that mipha-eval 0.1 made there goes on being used.
    """
    from platformdirs import user_cache_path

    if chosen := os.environ.get("MIPHA_EVAL_CACHE"):
        return Path(chosen)
    usual = user_cache_path(NAME, appauthor=False)
    before = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / NAME
    return before if before.is_dir() and not usual.is_dir() else usual
