"""Captions of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.format_lines import CAPTION
from mipha_eval.core.metrics import Metric, Tally, Totals, add_tallies
from mipha_eval.core.types import Score
from mipha_eval.scoring.captions.measures import caption_metrics
from mipha_eval.scoring.captions.task import CaptionTask
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.stock_task import QuestionKind, StockTask

#: the count whose name tells a category
IMAGES = "/images"


@dataclass(frozen=True)
class StockCaptionTask(CaptionTask, StockTask):
    """CIDEr, BLEU, ROUGE_L and METEOR as COCO's captions are scored, against one or more captions of people.

    Option: `tokenizer`, as for `CaptionTask`. CIDEr counts words by how rare they are in all captions of people, so the
    numbers of few questions say little. There is no right and wrong, so groups have no metric.

    Source: salaniz/pycocoevalcap at ad63453.
    """

    scorer: ClassVar[str] = "caption"
    kinds: ClassVar[Sequence[QuestionKind]] = ("caption",)
    format_line: ClassVar[str] = CAPTION

    def target(self, question: Question) -> tuple[str, ...]:
        if not any(caption.strip() for caption in question.answers):
            raise ValueError("its captions are empty")
        return question.answers

    def tally(self, scores: Sequence[Score]) -> Tally:
        return add_tallies(super(StockCaptionTask, self).tally([score]) for score in scores)

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        """Those of all captions, and CIDEr of each category."""
        parts = sorted(name.removesuffix(IMAGES) for name in totals.names() if name.endswith(IMAGES))
        return caption_metrics(self.chosen, parts)
