"""TextVQA with lmms-eval's copy of the official normalisation in place of ours."""

from pathlib import Path

from . import textvqa
from .lmms_eval_text import answer_processor
from .verdict import Verdict

SOURCE = "lmms-eval 0.7.3, EvalAIAnswerProcessor (facebookresearch/mmf)"
PROCESSOR = answer_processor()


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file as textvqa.py does."""
    return textvqa.score_with(data, answers, PROCESSOR)
