"""What transformers says while it loads and answers."""

from __future__ import annotations

import logging
from typing import Any

import transformers

from mipha_eval.core.library_messages import take_off_terminal


def keep_off_terminal() -> None:
    """No bars, and no messages but through logging; the table of weights that are not there or not used is left out.

    Some are left out on purpose, and of all others `weights_check` makes an error.
    """
    own: Any = transformers.logging
    own.disable_progress_bar()  # the hub's, too
    take_off_terminal("transformers", "huggingface_hub")
    logging.getLogger("transformers.modeling_utils").setLevel(logging.ERROR)
