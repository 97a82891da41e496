"""VQAv2: free-form questions about COCO pictures, each with ten human answers.

Paper: Goyal et al., "Making the V in VQA Matter", CVPR 2017 (arXiv:1612.00837). Prompt as in LLaVA-1.5 and Mipha. Their
tables show test-dev, which only the server scores; the official scorer runs here on val.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.files import read_object
from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.metrics import Metric, Tally, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.core.upload_task import UploadTask
from mipha_eval.data.hub import read_hub
from mipha_eval.data.jsonl import placed_jsonl, read_jsonl
from mipha_eval.data.rows import entries, number_of, objects_of, row_at, text_of, whole_of
from mipha_eval.scoring.answer_files import json_list_answers
from mipha_eval.scoring.answers.lenient import lenient_accuracy
from mipha_eval.scoring.answers.vqa import human_answers, normalize_evalai, not_ten, vqa_accuracy

TYPES = ("yes/no", "number", "other")
ANNOTATIONS = "vqav2/v2_mscoco_val2014_annotations.json"
HINT = "questions and annotations are at visualqa.org/download.html (val: 0.4 GB unpacked)"


@dataclass(frozen=True)
class Vqav2(UploadTask):
    """Ten human answers each; no options."""

    name: ClassVar[str] = "vqav2"
    licence: ClassVar[str] = "CC-BY-4.0 (questions and answers)"
    citation: ClassVar[str] = "arXiv:1612.00837"
    protocols: ClassVar[Mapping[str, str]] = {
        "val": "214,354 questions, scored here by the official rule",
        "testdev": "107,394 questions without public answers, for the server",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"val": (214354,), "testdev": (107394,)}
    own_ids: ClassVar[bool] = True
    annotated: ClassVar[Sequence[str]] = ("val",)
    uploads: ClassVar[Sequence[str]] = ("testdev",)
    hub: ClassVar[Mapping[str, str]] = {"val": "lmms-lab-encoder/VQAv2"}
    metrics: ClassVar[Sequence[Metric]] = [
        share("accuracy"),
        *(share(kind, kind) for kind in TYPES),
        share("unconverted", "unconverted"),
    ]

    def samples(self) -> Iterator[Sample]:
        if self.protocol == "testdev":
            yield from self._testdev()
        elif self.data.kind == "hub":
            rows = read_hub(self.data, self.hub["val"], split="validation")
            for number, row in rows:
                yield self._sample(row, rows.image(number, f"COCO_val2014_{whole_of(row, 'image_id'):012}.jpg"))
        else:
            yield from self._annotated()

    def _annotated(self) -> Iterator[Sample]:
        path = self.data.annotations_or(ANNOTATIONS, hint=HINT)
        stored = read_object(path)
        questions = path.with_name(path.name.replace("annotations", "questions").replace("v2_mscoco", "v2_OpenEnded_mscoco"))
        asked: dict[Hashable, JsonObject] = {}
        if questions != path and questions.exists():
            asked = {row["question_id"]: row for row in objects_of(read_object(questions), "questions")}
        subset = stored.get("data_subtype", "val2014")
        images = self.data.images("vqav2", f"vqav2/{subset}", f"coco/{subset}", "vqav2/val2014")
        for place, annotation in entries(path, stored["annotations"]):
            with row_at(place):
                number = whole_of(annotation, "question_id")
                row = {"question": "", "image_id": number // 1000, **asked.get(number, {}), **annotation}
                yield self._sample(row, images.image(f"COCO_{subset}_{whole_of(row, 'image_id'):012}.jpg"))

    def _testdev(self) -> Iterator[Sample]:
        images = self.data.images("vqav2", "vqav2/test2015", "coco/test2015")
        path = self.data.find("vqav2/llava_vqav2_mscoco_test-dev2015.jsonl", hint="it is in LLaVA's eval.zip")
        for place, row in placed_jsonl(path):
            with row_at(place):
                image, text = images.image(text_of(row, "image")), text_of(row, "text")
                yield Sample(str(row["question_id"]), text, (), (image,), row["question_id"])

    def _sample(self, row: JsonObject, image: Image) -> Sample:
        number = row["question_id"]
        humans = human_answers(number, [human["answer"] for human in objects_of(row, "answers")])
        text, kind = f"{text_of(row, 'question')}\n{SHORT_ANSWER}", text_of({"answer_type": "", **row}, "answer_type")
        return Sample(str(number), text, humans, (image,), number, kind)

    def odd_label(self, sample: Sample) -> str:
        return not_ten(sample.target)

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        return json_list_answers(path, "question_id", "answer")

    def converted(self, text: str) -> str:
        return normalize_evalai(text)

    def upload_rows(self, samples: Sequence[Sample], texts: Mapping[str, str]) -> Iterable[JsonObject]:
        """All of test2015, as the server wants it; what is not in test-dev gets an empty answer, as in LLaVA's script."""
        every = self.data.find("vqav2/llava_vqav2_mscoco_test2015.jsonl", hint="it is in LLaVA's eval.zip")
        for row in read_jsonl(every):
            text = texts.get(str(row["question_id"]))
            yield {"question_id": row["question_id"], "answer": "" if text is None else normalize_evalai(text)}

    def lenient(self, sample: Sample, text: str) -> float:
        return lenient_accuracy(text, sample.target)

    def score(self, sample: Sample, response: Response) -> Score:
        # the official scorer takes an uploaded file as it is; LLaVA's script normalises answers before the upload
        answer = response.text if response.verbatim else self.converted(response.text)
        value = vqa_accuracy(answer, sample.target)
        unconverted = value if answer == response.text else vqa_accuracy(response.text, sample.target)
        return self.scored(sample, Reading(answer, "vqa", parsed=bool(answer)), value, unconverted=unconverted)

    def tally(self, scores: Sequence[Score]) -> Tally:
        unconverted = {"unconverted/right": number_of(scores[0].details, "unconverted"), "unconverted/asked": 1}
        return {**super().tally(scores), **unconverted}
