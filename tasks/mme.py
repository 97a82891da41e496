"""MME: 14 subtasks of yes/no questions, two about each image; a point for each question and one for both right.

Paper: Fu et al., "MME: A Comprehensive Evaluation Benchmark for Multimodal Large Language Models" (arXiv:2306.13394).
Prompt as in LLaVA-1.5 and Mipha: "Please answer yes or no." is replaced by the short-answer line. The number in their
tables is perception.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import ClassVar

from mipha_eval.core.answer_line import OfficialAnswer, asked_text
from mipha_eval.core.errors import RowError
from mipha_eval.core.format_lines import SHORT_ANSWER, question_core
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.metrics import Metric, Number, Share, Tally, Totals
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.data.hub import read_hub
from mipha_eval.data.jsonl import placed_jsonl
from mipha_eval.data.rows import row_at, tab_separated, text_of
from mipha_eval.scoring.answer_files import tab_separated_answers
from mipha_eval.scoring.answers.lenient import read_yes_no
from mipha_eval.scoring.answers.yes_no import read_mme, yes_no_label

PERCEPTION = ["existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR"]
COGNITION = ["commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning"]
GROUPS = {"perception": PERCEPTION, "cognition": COGNITION, "total": PERCEPTION + COGNITION}
ASKS_YES_NO = re.compile(r"\s*Please answer yes or no\.$")
LABELS_HINT = "eval_tool.zip is at github.com/BradyFU/Awesome-Multimodal-Large-Language-Models, branch Evaluation (0.1 MB)"


def points(subtasks: Sequence[str], totals: Totals) -> Number:
    """100 x accuracy + 100 x share of images with both questions right, summed over subtasks."""
    return sum(
        100 * (totals.ratio(totals.get(f"{name}/right"), totals.get(f"{name}/asked")))
        + 100 * totals.ratio(totals.get(f"{name}/both"), totals.get(f"{name}/images"))
        for name in subtasks
    )


def points_metric(name: str, subtasks: Sequence[str]) -> Metric:
    needs = tuple(f"{subtask}/" for subtask in subtasks)
    # an image with one question right is worth a quarter of one with both
    shares = [Share.of({"right": 0.25, "both": 0.5}, {"images": 1.0}, ("images", "asked"), prefix=each) for each in needs]
    return Metric(name, partial(points, subtasks), "points", needs, tuple(shares), (0.0, 200.0 * len(subtasks)))


def plain_question(prompt: str) -> str:
    return ASKS_YES_NO.sub("", question_core(prompt))


@dataclass(frozen=True)
class Mme(Task):
    """Pairs of yes/no questions; no options."""

    name: ClassVar[str] = "mme"
    licence: ClassVar[str] = "not stated"
    citation: ClassVar[str] = "arXiv:2306.13394"
    protocols: ClassVar[Mapping[str, str]] = {"llava": "2,374 questions with LLaVA-1.5's prompt"}
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"llava": (2374,)}
    hub: ClassVar[Mapping[str, str]] = {"llava": "lmms-lab-encoder/MME"}
    metrics: ClassVar[Sequence[Metric]] = [
        *(points_metric(name, subtasks) for name, subtasks in GROUPS.items()),
        *(points_metric(name, [name]) for name in GROUPS["total"]),
    ]

    def samples(self) -> Iterator[Sample]:
        seen: Counter[str] = Counter()
        for row, label, image in self._hub_rows() if self.data.kind == "hub" else self._folder_rows():
            name, category = text_of(row, "question_id"), text_of(row, "category")
            seen[name] += 1
            text = f"{plain_question(text_of(row, 'text'))}\n{SHORT_ANSWER}"
            yield Sample(f"{name}#{seen[name]}", text, (label,), (image,), name, category, group=name)

    def _hub_rows(self) -> Iterator[tuple[JsonObject, str, Image]]:
        for number, row in (rows := read_hub(self.data, self.hub[self.protocol])):
            label = yes_no_label(f"row {number} of {self.hub[self.protocol]}", text_of(row, "answer"))
            yield {**row, "text": row["question"]}, label, rows.image(number, text_of(row, "question_id"))

    def _folder_rows(self) -> Iterator[tuple[JsonObject, str, Image]]:
        labels, images = self._labels(), self.data.images("mme", "MME/MME_Benchmark_release_version", "MME/images")
        for place, row in placed_jsonl(self.data.find("MME/llava_mme.jsonl", hint="it is in LLaVA's eval.zip")):
            with row_at(place):
                name = text_of(row, "image")
                key = (text_of(row, "category"), PurePosixPath(name).stem, plain_question(text_of(row, "text")))
                if key not in labels:
                    raise RowError(f"{place} has no label: {name} {key[2]!r}; is eval_tool of this release?")
                yield row, labels[key], images.image(name)

    def _labels(self) -> dict[tuple[str, str, str], str]:
        """(subtask, image name without ending, question) -> Yes or No, from the official result templates."""
        folder = self.data.find("MME/eval_tool/Your_Results", hint=LABELS_HINT)
        labels = {}
        for file in sorted(folder.glob("*.txt")):
            for place, (image, question, label) in tab_separated(file, "image", "question", "label", more=True):
                labels[file.stem, PurePosixPath(image).stem, plain_question(question)] = yes_no_label(place, label)
        return labels

    def answer_key(self, sample: Sample) -> tuple[Hashable, str]:
        return sample.question_id, plain_question(sample.prompt)

    def record_key(self, record: JsonObject) -> Hashable:
        return record["question_id"], plain_question(asked_text(record))

    def core(self, prompt: str) -> str:
        return plain_question(prompt)

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        known = {}
        for sample in samples:
            key = self.answer_key(sample)
            known[sample.category, PurePosixPath(sample.images[0].name).stem, key[1]] = key, sample.target[0]
        return tab_separated_answers(path, known, plain_question) if path.is_dir() else None

    def notes(self, scores: Sequence[Score]) -> JsonObject:
        """The highest sums that the subtasks asked allow: a limited run or the demo has fewer than ten and four."""
        return {"maximum": {name: 200 * len({one.category for one in scores} & {*group}) for name, group in GROUPS.items()}}

    def score(self, sample: Sample, response: Response) -> Score:
        reading = read_mme(response.text)
        return self.scored(sample, reading, reading.answer == sample.target[0].lower())

    def possible_answers(self, sample: Sample) -> Mapping[str, bool]:
        return {answer: answer.lower() == sample.target[0].lower() for answer in ("Yes", "No")}

    def lenient(self, sample: Sample, text: str) -> bool:
        return read_yes_no(text) == sample.target[0].lower()

    def tally(self, scores: Sequence[Score]) -> Tally:
        right, name = sum(score.value for score in scores), scores[0].category
        # an image with a question that has no answer cannot have both right
        return {f"{name}/right": right, f"{name}/asked": len(scores), f"{name}/both": right == 2, f"{name}/images": 1}
