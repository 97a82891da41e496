"""nocaps: captions of pictures whose objects COCO's captions do not know, by how far they are from COCO.

Paper: Agrawal et al., "nocaps: novel object captioning at scale", ICCV 2019 (arXiv:1812.08658). LLaVA-1.5 and Mipha
report no captions; the prompt is the one that LLaVA-1.5 was trained with and that lmms-eval asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.types import Sample
from mipha_eval.data.hub import read_hub
from mipha_eval.data.rows import texts_of, whole_of
from mipha_eval.scoring.captions.task import CaptionTask

HINT = "nocaps_val_4500_captions.json is at nocaps.org/download (4 MB)"


@dataclass(frozen=True)
class Nocaps(CaptionTask):
    """Option: `tokenizer`."""

    name: ClassVar[str] = "nocaps"
    licence: ClassVar[str] = "not stated"
    citation: ClassVar[str] = "arXiv:1812.08658"
    protocols: ClassVar[Mapping[str, str]] = {"val": "4,500 pictures, ten captions each"}
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"val": (4500,)}
    annotated: ClassVar[Sequence[str]] = ("val",)
    hub: ClassVar[Mapping[str, str]] = {"val": "lmms-lab-encoder/NoCaps"}
    parts: ClassVar[Sequence[str]] = ("in-domain", "near-domain", "out-domain")

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":  # which does not tell the domains
            rows = read_hub(self.data, self.hub["val"], "validation")
            for number, row in rows:
                image = rows.image(number, str(row["image_file_name"]))
                yield self.caption_sample(whole_of(row, "image_id"), texts_of(row, "annotations_captions"), image)
            return
        annotations = self.data.annotations_or("nocaps/nocaps_val_4500_captions.json", hint=HINT)
        yield from self.coco_samples(annotations, self.data.images("nocaps", "nocaps/val", "nocaps/images"))
