"""POPE: is an object in the picture? Three ways of choosing absent objects: random, popular, adversarial.

Paper: Li et al., "Evaluating Object Hallucination in Large Vision-Language Models", EMNLP 2023 (arXiv:2305.10355).
Prompt and headline (mean of the three F1 scores) as in LLaVA-1.5 and Mipha; the reading rule is POPE's own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.errors import MissingDataError
from mipha_eval.core.format_lines import SHORT_ANSWER, question_core
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.metrics import Metric, Tally
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.data.hub import read_hub
from mipha_eval.data.jsonl import placed_jsonl, read_lines
from mipha_eval.data.rows import row_at, text_of, whole_of
from mipha_eval.scoring.answer_files import files_by_name, positional_answers
from mipha_eval.scoring.answers.lenient import read_yes_no
from mipha_eval.scoring.answers.yes_no import read_pope
from mipha_eval.scoring.binary import binary_metrics, confusion_cell

FIRST_ID = {"adversarial": 0, "random": 10_000_000, "popular": 20_000_000}  # as LLaVA's question file numbers them
MISSPELT = re.compile("imange", re.IGNORECASE)  # in 102 questions of the first release; mended in the second
FILE_NAMES = {"adversarial": "adv", "random": "rand", "popular": "pop(?!e)"}
RANDOM_ROWS = {"llava": 2910, "official": 3000}
LABELS_HINT = "the label files are at github.com/AoiDragon/POPE under output/coco (about 1 MB)"


@dataclass(frozen=True)
class Pope(Task):
    """Yes/no questions about one object; no options."""

    name: ClassVar[str] = "pope"
    licence: ClassVar[str] = "MIT"
    citation: ClassVar[str] = "arXiv:2305.10355"
    protocols: ClassVar[Mapping[str, str]] = {
        "llava": "8,910 rows (random has 2,910), as the LLaVA-1.5 and Mipha tables used",
        "official": "9,000 rows, POPE's files since October 2023 and lmms-lab-encoder/POPE",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"llava": (8910,), "official": (9000,)}
    hub: ClassVar[Mapping[str, str]] = {"official": "lmms-lab-encoder/POPE"}
    metrics: ClassVar[Sequence[Metric]] = binary_metrics(tuple(FIRST_ID))

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            rows = read_hub(self.data, self.hub[self.protocol])
            for number, row in rows:
                image = rows.image(number, f"{row['image_source']}.jpg")
                asked = text_of(row, "question"), text_of(row, "answer")
                yield self._sample(row, asked, text_of(row, "category"), image)
            return
        labels = self._label_folder()
        images = self.data.images("pope", "pope/val2014", "coco/val2014", "vqav2/val2014")
        for category in FIRST_ID:
            for place, row in placed_jsonl(labels / f"coco_pope_{category}.json"):
                with row_at(place):
                    asked = text_of(row, "text"), text_of(row, "label")
                    yield self._sample(row, asked, category, images.image(text_of(row, "image")))

    def _sample(self, row: JsonObject, asked: tuple[str, str], category: str, image: Image) -> Sample:
        number = FIRST_ID[category] + whole_of(row, "question_id")
        return Sample(str(number), f"{asked[0]}\n{SHORT_ANSWER}", asked[1:], (image,), number, category)

    def _label_folder(self) -> Path:
        """The folder whose random file has the protocol's number of rows: two releases go by the same names."""
        first = self.data.find("pope/coco", hint=LABELS_HINT)
        if self.data.kind == "demo":
            return first
        found = {}
        for folder in [first, *sorted(first.parent.glob("coco_*/"))]:
            found[folder] = sum(bool(line.strip()) for line in read_lines(folder / "coco_pope_random.json"))
            if found[folder] == RANDOM_ROWS[self.protocol]:
                self.data.note(folder)
                return folder
        counts = ", ".join(f"{folder} has {rows:,}" for folder, rows in found.items())
        raise MissingDataError(
            f"{self.label} needs the POPE release with {RANDOM_ROWS[self.protocol]:,} random questions; {counts}"
        )

    def core(self, prompt: str) -> str:
        return MISSPELT.sub("image", question_core(prompt))

    def odd_label(self, sample: Sample) -> str:
        label = sample.target[0]
        return "" if label in ("yes", "no") else f"{label!r} is neither yes nor no, and counts as yes"

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        files = files_by_name(path, FILE_NAMES, lambda record: "answer" in record and "question_id" not in record)
        return positional_answers(self, files, samples) if files else None

    def score(self, sample: Sample, response: Response) -> Score:
        reading = read_pope(response.text)
        truth = "no" if sample.target[0] == "no" else "yes"
        return self.scored(sample, reading, reading.answer == truth, cell=confusion_cell(reading.answer, truth))

    def possible_answers(self, sample: Sample) -> Mapping[str, bool]:
        return {"Yes": sample.target[0] != "no", "No": sample.target[0] == "no"}

    def lenient(self, sample: Sample, text: str) -> bool:
        return read_yes_no(text) == ("no" if sample.target[0] == "no" else "yes")

    def with_outcome(self, score: Score, value: float) -> Score:
        truth = "yes" if score.details["cell"] in ("tp", "fn") else "no"
        cell = confusion_cell(truth if value else {"yes": "no", "no": "yes"}[truth], truth)
        return dataclasses.replace(score, value=float(value), details={"cell": cell})

    def tally(self, scores: Sequence[Score]) -> Tally:
        return {f"{score.category}/{score.details['cell']}": 1 for score in scores}
