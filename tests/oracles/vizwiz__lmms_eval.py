"""VizWiz with lmms-eval's copy of the official normalisation in place of ours."""

from importlib.metadata import version
from pathlib import Path

from . import vizwiz
from .lmms_eval_text import answer_processor
from .verdict import Verdict

SOURCE = f"lmms-eval {version('lmms-eval')}, EvalAIAnswerProcessor (facebookresearch/mmf)"
PROTOCOLS = ("val",)
PROCESSOR = answer_processor()


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file as vizwiz.py does."""
    return vizwiz.score_with(data, answers, PROCESSOR)
