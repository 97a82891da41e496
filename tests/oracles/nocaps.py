"""nocaps (validation): the caption measures, and CIDEr-D over the images of each domain.

Follows eval.py of salaniz/pycocoevalcap, with another tokenizer (see captions.py).
"""

from pathlib import Path

from .captions import score_captions
from .verdict import Verdict

SOURCE = "salaniz/pycocoevalcap@ad63453cfab5"
PROTOCOLS = ("val",)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are image ids."""
    return score_captions(data / "nocaps" / "nocaps_val_4500_captions.json", answers, domains=True)
