"""What caption benchmarks have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.data_source import ImageFolder
from mipha_eval.core.files import read_object
from mipha_eval.core.format_lines import CAPTION
from mipha_eval.core.metrics import Metric, Tally, Totals
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.data.rows import entries, number_of, row_at, text_of
from mipha_eval.scoring.answer_files import json_list_answers
from mipha_eval.scoring.captions.measures import caption_metrics, count_images
from mipha_eval.scoring.captions.words import Tokenizer, java_is_there, tokenize


@dataclass(frozen=True)
class CaptionTask(Task):
    """One caption an image, compared with several that people wrote. Subclasses say where images and captions are.

    Option: `tokenizer`, ``ptb`` (COCO's own, in Java), ``treebank``, or ``auto`` for the first where Java is there.
    """

    tokenizer: Literal["auto", "ptb", "treebank"] = "auto"

    parts: ClassVar[Sequence[str]] = ()
    max_new_tokens: ClassVar[int] = 64

    @cached_property
    def chosen(self) -> Tokenizer:
        if self.tokenizer == "auto":
            return "ptb" if java_is_there() else "treebank"
        return self.tokenizer

    def coco_samples(self, annotations: Path, images: ImageFolder) -> Iterator[Sample]:
        """From a file in COCO's form; an image's ``domain``, if it has one, is its category."""
        stored = read_object(annotations)
        captions: dict[Hashable, list[str]] = {row["id"]: [] for _, row in entries(annotations, stored["images"])}
        for place, row in entries(annotations, stored["annotations"]):
            with row_at(place):
                if row["image_id"] not in captions:
                    raise ValueError(f"it is a caption of image {row['image_id']!r}, which is not among the images")
                captions[row["image_id"]].append(text_of(row, "caption"))
        for place, row in entries(annotations, stored["images"]):
            with row_at(place):
                image = images.image(text_of(row, "file_name"))
                part = text_of(row, "domain") if "domain" in row else ""
                yield self.caption_sample(row["id"], captions[row["id"]], image, part)

    def caption_sample(self, number: Hashable, captions: Sequence[str], image: Image, part: str = "") -> Sample:
        if not captions:
            raise ValueError(f"image {number} has no captions; the official scorer stops at it")
        return Sample(str(number), CAPTION, tuple(captions), (image,), number, part)

    def odd_label(self, sample: Sample) -> str:
        return "" if all(caption.strip() for caption in sample.target) else "one of the captions is empty"

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        return caption_metrics(self.chosen, self.parts)

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        return json_list_answers(path, "image_id", "caption")

    def score(self, sample: Sample, response: Response) -> Score:
        return self.scored(sample, Reading(response.text, f"caption-{self.chosen}", parsed=bool(response.text.strip())), 0)

    def finish(self, samples: Mapping[str, Sample], scores: Sequence[Score]) -> Sequence[Score]:
        """Tokenizes all captions at once and compares them; a score's value is its CIDEr, where 10 is 1."""
        if not scores:
            return scores
        references = [samples[score.sample].target for score in scores]
        texts = [score.reading for score in scores] + [caption for captions in references for caption in captions]
        words = iter(tokenize(texts, self.chosen))
        candidates = [next(words) for _ in scores]
        truths = [[next(words) for _ in captions] for captions in references]
        counts = count_images(candidates, truths, meteor=self.chosen == "ptb")
        return [
            dataclasses.replace(score, value=own["cider"] / 10, details=own)
            for score, own in zip(scores, counts, strict=True)
        ]

    def with_outcome(self, score: Score, value: float) -> Score:
        """No caption is perfect, so there is nothing to put in the place of an empty one."""
        return score

    def tally(self, scores: Sequence[Score]) -> Tally:
        counts = {name: number_of(scores[0].details, name) for name in scores[0].details}
        if scores[0].category:
            counts |= {f"{scores[0].category}/{name}": counts[name] for name in ("cider", "images")}
        return counts
