"""COCO captions (val2017): CIDEr-D, BLEU and ROUGE_L over Treebank tokens.

Follows eval.py of salaniz/pycocoevalcap, with another tokenizer (see captions.py).
"""

from pathlib import Path

from .captions import score_captions
from .verdict import Verdict

SOURCE = "salaniz/pycocoevalcap@ad63453cfab5"
PROTOCOLS = ("val2017",)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are image ids."""
    return score_captions(data / "coco" / "annotations" / "captions_val2017.json", answers, domains=False)
