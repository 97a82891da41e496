"""VizWiz with lmms-eval's copy of the official normalisation in place of ours."""

from pathlib import Path

from . import vizwiz
from .lmms_eval_text import answer_processor
from .verdict import Verdict

SOURCE = "lmms-eval 0.7.3, EvalAIAnswerProcessor (facebookresearch/mmf)"
PROCESSOR = answer_processor()


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file as vizwiz.py does."""
    return vizwiz.score_with(data, answers, PROCESSOR)
