"""VizWiz: questions that blind people asked about their own photographs, each with ten crowd answers.

Paper: Gurari et al., "VizWiz Grand Challenge", CVPR 2018 (arXiv:1802.08218). Prompt and conversion as in LLaVA-1.5 and
Mipha; their tables show the test server's number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.files import read_json
from mipha_eval.core.format_lines import SHORT_ANSWER, UNANSWERABLE
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.core.upload_task import UploadTask
from mipha_eval.data.hub import read_hub
from mipha_eval.data.images import stem
from mipha_eval.data.jsonl import placed_jsonl
from mipha_eval.data.rows import entries, objects_of, row_at, text_of
from mipha_eval.scoring.answer_files import json_list_answers
from mipha_eval.scoring.answers.lenient import lenient_accuracy
from mipha_eval.scoring.answers.vqa import evalai_accuracy, human_answers, normalize_evalai, not_ten

HINT = "Annotations.zip is at vizwiz.org/tasks-and-datasets/vqa (3 MB); llava_test.jsonl is in LLaVA's eval.zip"


@dataclass(frozen=True)
class Vizwiz(UploadTask):
    """Ten crowd answers each; no options."""

    name: ClassVar[str] = "vizwiz"
    licence: ClassVar[str] = "CC-BY-4.0"
    citation: ClassVar[str] = "arXiv:1802.08218"
    protocols: ClassVar[Mapping[str, str]] = {
        "val": "4,319 questions, scored here",
        "test": "8,000 questions without public answers, for the server",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"val": (4319,), "test": (8000,)}
    annotated: ClassVar[Sequence[str]] = ("val",)
    uploads: ClassVar[Sequence[str]] = ("test",)
    hub: ClassVar[Mapping[str, str]] = {"val": "lmms-lab-encoder/VizWiz-VQA"}
    metrics: ClassVar[Sequence[Metric]] = [
        share("accuracy"),
        *(share(kind, kind) for kind in ("yes/no", "number", "other", "unanswerable")),
    ]

    def samples(self) -> Iterator[Sample]:
        if self.protocol == "test":
            images = self.data.images("vizwiz", "vizwiz/test")
            for place, row in placed_jsonl(self.data.find("vizwiz/llava_test.jsonl", hint=HINT)):
                with row_at(place):
                    image, text = images.image(text_of(row, "image")), text_of(row, "text")
                    yield Sample(str(row["question_id"]), text, (), (image,), row["question_id"])
        elif self.data.kind == "hub":
            rows = read_hub(self.data, self.hub["val"], split="val")
            for number, row in rows:
                yield self._sample(number, row, row["answers"], rows.image(number, f"{row['question_id']}.jpg"))
        else:
            images = self.data.images("vizwiz", "vizwiz/val")
            path = self.data.annotations_or("vizwiz/val.json", hint=HINT)
            for number, (place, row) in enumerate(entries(path, read_json(path))):
                with row_at(place):
                    humans = [human["answer"] for human in objects_of(row, "answers")]
                    yield self._sample(number, row, humans, images.image(text_of(row, "image")))

    def _sample(self, number: int, row: JsonObject, humans: Json, image: Image) -> Sample:
        text = "\n".join([text_of(row, "question"), UNANSWERABLE, SHORT_ANSWER])
        kind = next((text_of(row, name) for name in ("answer_type", "category") if row.get(name)), "")
        return Sample(str(number), text, human_answers(number, humans), (image,), number, kind)

    def odd_label(self, sample: Sample) -> str:
        return not_ten(sample.target)

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        """The list that the server takes: a picture's name, which only one question has, and the answer."""
        listed = json_list_answers(path, "image", "answer")
        numbers = {stem(sample.images[0].name): sample.question_id for sample in samples}
        if listed is None:
            return None
        named = [(numbers.get(stem(str(answer.key)), answer.key), answer) for answer in listed]
        return [answer._replace(key=key, verified=True) for key, answer in named]

    def upload_rows(self, samples: Sequence[Sample], texts: Mapping[str, str]) -> Iterable[JsonObject]:
        for sample in samples:
            yield {"image": sample.images[0].name, "answer": normalize_evalai(texts[sample.id])}

    def lenient(self, sample: Sample, text: str) -> float:
        return lenient_accuracy(text, sample.target)

    def score(self, sample: Sample, response: Response) -> Score:
        answer = normalize_evalai(response.text)
        value = evalai_accuracy(response.text, sample.target)
        return self.scored(sample, Reading(answer, "evalai", parsed=bool(answer)), value)
