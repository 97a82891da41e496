"""MM-Vet: 218 open questions that need several capabilities at once, graded 0 to 1 by GPT-4.

Paper: Yu et al., "MM-Vet: Evaluating Large Multimodal Models for Integrated Capabilities", ICML 2024 (arXiv:2308.02490).
Prompt as in LLaVA-1.5 and Mipha: the bare question. Grades come from a recorded grade file; the demo, and whoever asks for
it, is graded by a rule, and every metric then says so.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from mipha_eval.answer_files import json_object_answers
from mipha_eval.answers import Reading
from mipha_eval.answers.parts import share_found
from mipha_eval.data.hub import read_hub
from mipha_eval.data.jsonl import read_json
from mipha_eval.errors import UserError
from mipha_eval.metrics import Metric, Tally, Totals, share, shares_of_parts
from mipha_eval.task import NOT_JUDGED, Task
from mipha_eval.types import Image, Response, Sample, Score

CAPABILITIES = ("rec", "ocr", "know", "gen", "spat", "math")
HINT = "mm-vet.zip is at github.com/yuweihao/MM-Vet/releases (70 MB)"


@dataclass(frozen=True)
class Mmvet(Task):
    """Options: `grades`, a grade file as the official script writes it; `by_rule` grades without a judge."""

    grades: Path | None = None
    by_rule: bool = False

    name: ClassVar[str] = "mmvet"
    protocols: ClassVar[Mapping[str, str]] = {"v1": "218 questions on 200 pictures"}
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"v1": (218,)}
    hub: ClassVar[Mapping[str, str]] = {"v1": "lmms-lab/MMVet"}
    max_new_tokens: ClassVar[int] = 1024
    metrics: ClassVar[Sequence[Metric]] = [
        share("score"),
        *(share(name, name) for name in CAPABILITIES),
    ]

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            rows = read_hub(self.data, self.hub["v1"])
            for number, row in rows:
                name = row["question_id"]
                yield self._sample(name, row, row["capability"].split(","), rows.image(number, name))
            return
        images = self.data.images("mmvet", "mm-vet/images")
        for name, row in read_json(self.data.find("mm-vet/mm-vet.json", hint=HINT)).items():
            yield self._sample(name, row, row["capability"], images.image(row["imagename"]))

    def _sample(self, name: str, row: Mapping[str, Any], capabilities: Sequence[str], image: Image) -> Sample:
        needed = "_".join(one for one in CAPABILITIES if one in [given.strip() for given in capabilities])
        if not needed:
            raise ValueError(f"question {name} has none of the capabilities {', '.join(CAPABILITIES)}")
        number = int(name.removeprefix("v1_"))
        parts = tuple(needed.split("_"))
        return Sample(name, row["question"], (row["answer"],), (image,), number, f"only/{needed}", parts=parts)

    def record_key(self, record: Mapping[str, Any]) -> Hashable:
        return str(record["question_id"]).removeprefix("v1_")

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[tuple[Hashable, str]] | None:
        texts = json_object_answers(path)
        return None if texts is None else [(name.removeprefix("v1_"), text) for name, text in texts.items()]

    @cached_property
    def recorded(self) -> Mapping[str, Sequence[float]]:
        """Sample id -> grades, 0 to 1, one a run of the judge."""
        if self.grades is None:
            return {}
        stored = read_json(self.grades)
        try:
            grades = {name: [float(grade) for grade in entry["score"]] for name, entry in stored.items()}
            if any(isinstance(entry["score"], str) for entry in stored.values()):
                raise TypeError("score must be a list")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{self.grades} is no grade file of MM-Vet's script: {error!r}") from error
        uneven = len({len(runs) for runs in grades.values()}) > 1
        if uneven or not all(0 <= grade <= 1 for runs in grades.values() for grade in runs):
            raise UserError(f"{self.grades}: grades must be 0 to 1, of equally many runs for every question")
        return grades

    def __post_init__(self) -> None:
        if self.by_rule and self.grades is not None:
            raise UserError("MM-Vet is graded by recorded grades or by rule, not both; leave one out")

    @property
    def ruled(self) -> bool:
        """Whether a rule grades: asked for, or on the demo, which has no judge."""
        return self.by_rule or (self.data.kind == "demo" and self.grades is None)

    def measures(self, totals: Totals) -> Sequence[Metric]:
        mark = "[rule]" if self.ruled else ""
        metrics = [*self.metrics, *shares_of_parts(totals, ("only",))]
        return [dataclasses.replace(metric, name=f"{metric.name}{mark}") for metric in metrics]

    def score(self, sample: Sample, response: Response) -> Score:
        if self.ruled:
            grade = share_found(response.text, sample.references[0])
            return self.scored(sample, Reading(response.text, "parts-found"), grade, grades=(grade,))
        if self.grades is None:
            return self.scored(sample, Reading("", NOT_JUDGED), 0, grades=())
        grades = self.recorded.get(sample.id)
        if not grades:
            raise UserError(f"{self.grades} has no grade for {sample.id}; are they grades of other answers?")
        return self.scored(sample, Reading(response.text, "recorded-grade"), sum(grades) / len(grades), grades=grades)

    def tally(self, scores: Sequence[Score]) -> Tally:
        return {} if scores[0].rule == NOT_JUDGED else super().tally(scores)

    def notes(self, scores: Sequence[Score]) -> Mapping[str, Any]:
        runs = list(zip(*(score.details["grades"] for score in scores), strict=True))
        totals = [round(100 * sum(run) / len(run), 1) for run in runs]
        return {"runs": totals, "std": statistics.pstdev(totals) if totals else None}
