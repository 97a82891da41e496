"""The stock scorers by name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown

if TYPE_CHECKING:
    from mipha_eval.scoring.stock.stock_task import QuestionKind, StockTask

#: name -> module and class; a module is imported when its scorer is asked for
SCORERS: Mapping[str, str] = {
    "yesno": "yes_no:YesNoTask",
    "choice": "choice:ChoiceTask",
    "circular": "circular:CircularTask",
    "exact": "exact:ExactTask",
    "vqa": "vqa:VqaTask",
    "anls": "anls:AnlsTask",
    "relaxed": "relaxed:RelaxedTask",
    "contains": "contains:ContainsTask",
    "number": "number:NumberTask",
    "caption": "caption:StockCaptionTask",
    "judge": "judge:JudgeTask",
    "likelihood": "likelihood:LikelihoodTask",
}

#: the scorer of questions of a kind where nobody names one
USUAL: Mapping[QuestionKind, str] = {
    "yesno": "yesno",
    "choice": "choice",
    "short": "exact",
    "caption": "caption",
    "open": "judge",
}


def scorer_class(name: str) -> type[StockTask]:
    """Raises UserError for a scorer that does not exist."""
    if name not in SCORERS:
        raise UserError(unknown("scorer", name, SCORERS))
    module, _, owner = SCORERS[name].partition(":")
    found: type[StockTask] = getattr(importlib.import_module(f"{__package__}.{module}"), owner)
    return found
