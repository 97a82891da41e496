"""easy-VQA: one drawn shape a picture; which shape is it, which colour has it, is it there?

Questions, pictures and split are those of Victor Zhou's package easy-vqa 1.0 (vzhou842/easy-VQA at 3b553bb). The rule is
his as well: right is what equals the label, one of 13 answers (`model.py`, `analyze.py`; vzhou842/easy-VQA-keras@389c41e).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import easy_vqa

from mipha_eval.core.data_source import ImageFolder
from mipha_eval.core.types import Sample
from mipha_eval.scoring.stock.exact import ExactTask
from mipha_eval.scoring.stock.question import Question

DATA = Path(easy_vqa.__file__).parent / "data"
#: the three classes of answers that analyze.py tells apart: 13 answers in all
ANSWERS = {
    "yesno": ("yes", "no"),
    "shape": ("circle", "rectangle", "triangle"),
    "color": ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow"),
}
KINDS = {answer: kind for kind, answers in ANSWERS.items() for answer in answers}


@dataclass(frozen=True)
class EasyVqa(ExactTask):
    """Exact match; no options."""

    name: ClassVar[str] = "easyvqa"
    protocols: ClassVar[Mapping[str, str]] = {
        "test": "9,673 questions on 1,000 pictures, the official test split",
        "train": "38,575 questions on 4,000 pictures, the official training split",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"test": (9673,), "train": (38575,)}
    own_data: ClassVar[bool] = True  # an installed package has the files: nobody has to say where they are
    licence: ClassVar[str] = "MIT"
    citation: ClassVar[str] = "https://victorzhou.com/blog/easy-vqa/"

    def questions(self) -> Iterator[Question]:
        path, pictures = DATA / self.protocol / "questions.json", ImageFolder(DATA)
        self.data.note(path)  # for `mipha-eval data where`
        for number, (text, answer, picture) in enumerate(json.loads(path.read_text(encoding="utf-8"))):
            image = pictures.image(f"{self.protocol}/images/{picture}.png")
            yield Question(text, (answer,), (image,), id=str(number), category=KINDS[answer])

    def possible_answers(self, sample: Sample) -> Mapping[str, bool]:
        """Those of the question's kind: floors draw from them, and --probabilities asks how likely each is."""
        return {answer: answer in sample.target for answer in ANSWERS[sample.category]}
