"""nocaps (validation) by the official package as it is, over Treebank tokens."""

from importlib.metadata import version
from pathlib import Path

from .official_captions import score_captions
from .verdict import Verdict

SOURCE = f"pycocoevalcap {version('pycocoevalcap')}"
PROTOCOLS = ("val",)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are image ids."""
    return score_captions(data / "nocaps" / "nocaps_val_4500_captions.json", answers)
