"""SEED-Bench: multiple-choice questions on pictures and videos, by kind of understanding.

Paper: Li et al., "SEED-Bench: Benchmarking Multimodal LLMs with Generative Comprehension", CVPR 2024 (arXiv:2307.16125).
LLaVA-1.5 and Mipha let the model name a letter, and show the middle frame of a video; the official leaderboard ranks the
options by likelihood instead, which is another protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mipha_eval.answers import Reading
from mipha_eval.answers.robust import robust_letter
from mipha_eval.data.hub import read_hub
from mipha_eval.data.jsonl import read_json
from mipha_eval.metrics import Metric, share
from mipha_eval.task import LETTER_ANSWER, Task
from mipha_eval.types import Response, Sample, Score

TYPES = {
    1: "scene_understanding",
    2: "instance_identity",
    3: "instance_attributes",
    4: "instance_location",
    5: "instances_counting",
    6: "spatial_relation",
    7: "instance_interaction",
    8: "visual_reasoning",
    9: "text_understanding",
    10: "action_recognition",
    11: "action_prediction",
    12: "procedure_understanding",
}
HINT = "SEED-Bench.json is at huggingface.co/datasets/AILab-CVC/SEED-Bench (14 MB)"


@dataclass(frozen=True)
class Seed(Task):
    """Option letters, exactly; no options of its own."""

    name: ClassVar[str] = "seed"
    protocols: ClassVar[Mapping[str, str]] = {"llava": "14,233 picture and 3,757 video questions, answered by a letter"}
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"llava": (17990, 19242)}
    takes_annotations: ClassVar[bool] = True
    hub: ClassVar[Mapping[str, str]] = {"llava": "lmms-lab/SEED-Bench"}
    ignores_foreign_answers: ClassVar[bool] = True  # the re-release of November 2023 has 1,252 videos less
    metrics: ClassVar[Sequence[Metric]] = [
        share("accuracy"),
        share("image", "image"),
        share("video", "video"),
        *(share(kind, kind) for kind in TYPES.values()),
    ]

    def samples(self) -> Iterator[Sample]:
        seen: Counter[str] = Counter()
        if self.data.kind == "hub":
            rows = read_hub(self.data, self.hub["llava"])
            for number, row in rows:
                yield self._sample(row, rows.image(number, str(row["data_id"])), seen)
            return
        images = self.data.images("seed", "seed_bench")
        for row in read_json(self.data.annotations_or("seed_bench/SEED-Bench.json", hint=HINT))["questions"]:
            folder = f"SEED-Bench-{row['data_type']}"
            frame = ".png" if row["data_type"] == "video" else ""
            place = row["question_id"] if frame else row.get("data_id", row["question_id"])
            yield self._sample(row, images.image(f"{folder}/{place}{frame}"), seen)

    def _sample(self, row: Mapping[str, Any], image: Any, seen: Counter[str]) -> Sample:
        number = str(row["question_id"])
        seen[number] += 1  # the official file has one id twice, and both count
        options = [f"{letter}. {row[f'choice_{letter.lower()}']}" for letter in "ABCD" if f"choice_{letter.lower()}" in row]
        text = "\n".join([str(row.get("question", "")), *options, LETTER_ANSWER])
        name = number if seen[number] == 1 else f"{number}#{seen[number]}"
        kind = TYPES.get(int(row.get("question_type_id", 0)), "")
        parts = (kind,) if kind else ()
        return Sample(name, text, (row["answer"],), (image,), number, row["data_type"], parts=parts)

    def robust(self, sample: Sample, text: str) -> bool:
        return robust_letter(text, ("",) * 4) == sample.references[0]

    def score(self, sample: Sample, response: Response) -> Score:
        letter = response.text if response.text in ("A", "B", "C", "D") else ""
        right = response.text == sample.references[0]
        return self.scored(sample, Reading(letter, "letter", parsed=bool(letter)), right)

    def score_missing(self, sample: Sample) -> Score | None:
        return self.scored(sample, Reading("", "missing", parsed=False), 0)
