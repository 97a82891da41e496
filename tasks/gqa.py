"""GQA: compositional questions about scene graphs, one right word or phrase each.

Paper: Hudson and Manning, "GQA: A New Dataset for Real-World Visual Reasoning and Compositional Question Answering",
CVPR 2019 (arXiv:1902.09506). Prompt and preparation of answers as in LLaVA-1.5 and Mipha: lower case, no full stops at the
end, then exact match.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.files import read_json
from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.data.hub import read_hub
from mipha_eval.data.rows import named_entries, object_of, row_at, text_of
from mipha_eval.scoring.answer_files import json_list_answers
from mipha_eval.scoring.answers.lenient import lenient_equal

HINT = "questions1.2.zip is at cs.stanford.edu/people/dorarad/gqa/download.html (testdev_balanced: 10 MB)"


@dataclass(frozen=True)
class Gqa(Task):
    """Exact match; no options."""

    name: ClassVar[str] = "gqa"
    licence: ClassVar[str] = "CC-BY-4.0"
    citation: ClassVar[str] = "arXiv:1902.09506"
    protocols: ClassVar[Mapping[str, str]] = {"testdev": "12,578 balanced questions"}
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"testdev": (12578,)}
    own_ids: ClassVar[bool] = True
    annotated: ClassVar[Sequence[str]] = ("testdev",)
    hub: ClassVar[Mapping[str, str]] = {"testdev": "lmms-lab-encoder/GQA"}
    metrics: ClassVar[Sequence[Metric]] = [share("accuracy"), share("binary", "binary"), share("open", "open")]

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            images = read_hub(self.data, self.hub["testdev"], "testdev", "testdev_balanced_images")
            places: dict[Hashable, int] = {row["id"]: number for number, row in images}
            for _, row in read_hub(self.data, self.hub["testdev"], "testdev", "testdev_balanced_instructions"):
                name = f"{row['imageId']}.jpg"
                yield self._sample(text_of(row, "id"), row, images.image(places[row["imageId"]], name))
            return
        folder = self.data.images("gqa", "gqa/data/images", "gqa/images")
        stored = self.data.annotations_or(
            "gqa/data/testdev_balanced_questions.json", "gqa/data/questions1.2/testdev_balanced_questions.json", hint=HINT
        )
        for place, (number, row) in named_entries(stored, read_json(stored)):
            with row_at(place):
                if row.get("isBalanced", True):
                    yield self._sample(number, row, folder.image(f"{row['imageId']}.jpg"))

    def _sample(self, number: str, row: JsonObject, image: Image) -> Sample:
        kind = object_of(row, "types")["structural"]
        text = "\n".join([text_of(row, "question"), SHORT_ANSWER])
        return Sample(number, text, (text_of(row, "answer"),), (image,), number, "open" if kind == "query" else "binary")

    def odd_label(self, sample: Sample) -> str:
        answer = sample.target[0]
        equal = answer.strip() and answer == answer.rstrip(".").lower()
        return "" if equal else f"{answer!r} can equal no answer, since these are lower-cased and lose full stops"

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        return json_list_answers(path, "questionId", "prediction")

    def converted(self, text: str) -> str:
        return text.rstrip(".").lower()

    def lenient(self, sample: Sample, text: str) -> bool:
        return lenient_equal(text, sample.target[0])

    def score(self, sample: Sample, response: Response) -> Score:
        answer = response.text if response.verbatim else self.converted(response.text)
        return self.scored(sample, Reading(answer, "exact", parsed=bool(answer.strip())), answer == sample.target[0])
