"""COCO captions: one sentence about each picture of val2017, against five that people wrote.

Papers: Chen et al., "Microsoft COCO Captions" (arXiv:1504.00325); Vedantam et al., "CIDEr", CVPR 2015. LLaVA-1.5 and Mipha
report no captions; the prompt is the one that LLaVA-1.5 was trained with and that lmms-eval asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from mipha_eval.core.types import Sample
from mipha_eval.data.hub import read_hub
from mipha_eval.data.rows import texts_of
from mipha_eval.scoring.captions.task import CaptionTask

HINT = "annotations_trainval2017.zip is at cocodataset.org/#download (0.2 GB)"


@dataclass(frozen=True)
class CocoCap(CaptionTask):
    """Option: `tokenizer`."""

    name: ClassVar[str] = "coco-cap"
    licence: ClassVar[str] = "CC-BY-4.0 (captions)"
    citation: ClassVar[str] = "arXiv:1504.00325"
    protocols: ClassVar[Mapping[str, str]] = {"val2017": "5,000 pictures, about five captions each"}
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"val2017": (5000,)}
    own_ids: ClassVar[bool] = True
    annotated: ClassVar[Sequence[str]] = ("val2017",)
    hub: ClassVar[Mapping[str, str]] = {"val2017": "lmms-lab-encoder/COCO-Caption2017"}

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            rows = read_hub(self.data, self.hub["val2017"], "val")
            for number, row in rows:
                # the dataset's question id is the picture's file name, which ends in COCO's number
                name = str(row["question_id"])
                image_id = int(PurePosixPath(name).stem.rpartition("_")[2])
                yield self.caption_sample(image_id, texts_of(row, "answer"), rows.image(number, name))
            return
        annotations = self.data.annotations_or("coco/annotations/captions_val2017.json", hint=HINT)
        yield from self.coco_samples(annotations, self.data.images("coco_cap", "coco/val2017", "coco/images/val2017"))
