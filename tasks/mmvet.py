"""MM-Vet: 218 open questions that need several capabilities at once, graded 0 to 1 by GPT-4.

Paper: Yu et al., "MM-Vet: Evaluating Large Multimodal Models for Integrated Capabilities", ICML 2024 (arXiv:2308.02490).
Prompt as in LLaVA-1.5 and Mipha: the bare question. Grades come from a judge (``--judge``) or from a file of
recorded ones (``--grades``); the demo, and whoever asks for it, is graded by a rule, and every metric then says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.files import read_json
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import Metric, Totals, share, shares_of_parts
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import NOT_JUDGED, UNGRADED
from mipha_eval.core.types import Answer, Decoding, Dialogue, Image, Request, Response, Sample, Score
from mipha_eval.data.hub import read_hub
from mipha_eval.data.rows import named_entries, numbers_of, row_at, text_of, texts_of
from mipha_eval.scoring.answer_files import json_object_answers
from mipha_eval.scoring.answers.parts import share_found
from mipha_eval.scoring.judging.prompts import grade

CAPABILITIES = ("rec", "ocr", "know", "gen", "spat", "math")
#: zhuyiche/llava-phi at 21dafbf, mipha/eval/model_vqa.py: alone of its scripts it takes the image processor as it is, and
#: makes a stopping rule that it hands to nobody
MIPHA = "v1-mipha"
HINT = "mm-vet.zip is at github.com/yuweihao/MM-Vet/releases (70 MB)"


@dataclass(frozen=True)
class Mmvet(JudgedTask):
    """Option: `by_rule` grades without a judge."""

    by_rule: bool = False

    name: ClassVar[str] = "mmvet"
    licence: ClassVar[str] = "CC-BY-NC-4.0"
    citation: ClassVar[str] = "arXiv:2308.02490"
    protocols: ClassVar[Mapping[str, str]] = {
        "v1": "218 questions on 200 pictures",
        "v1-mipha": "the same, asked as Mipha's own script asks: no picture padded, no stopping word",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = dict.fromkeys(protocols, (218,))
    hub: ClassVar[Mapping[str, str]] = dict.fromkeys(protocols, "lmms-lab-encoder/MMVet")
    max_new_tokens: ClassVar[int] = 1024
    metrics: ClassVar[Sequence[Metric]] = [
        share("score"),
        *(share(name, name) for name in CAPABILITIES),
    ]

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            for number, row in (rows := read_hub(self.data, self.hub[self.protocol])):
                name = text_of(row, "question_id")
                yield self._sample(name, row, text_of(row, "capability").split(","), rows.image(number, name))
            return
        images = self.data.images("mmvet", "mm-vet/images")
        path = self.data.find("mm-vet/mm-vet.json", hint=HINT)
        for place, (name, row) in named_entries(path, read_json(path)):
            with row_at(place):
                yield self._sample(name, row, texts_of(row, "capability"), images.image(text_of(row, "imagename")))

    def _sample(self, name: str, row: JsonObject, capabilities: Sequence[str], image: Image) -> Sample:
        given = [one.strip() for one in capabilities]
        if not given or not set(given).issubset(CAPABILITIES):
            raise ValueError(
                f"the capabilities of {name}, {', '.join(given) or 'none'}, are not of {', '.join(CAPABILITIES)}"
            )
        needed = "_".join(one for one in CAPABILITIES if one in given)
        number = int(name.removeprefix("v1_"))
        question, target = text_of(row, "question"), (text_of(row, "answer"),)
        return Sample(name, question, target, (image,), number, f"only/{needed}", tags=tuple(needed.split("_")))

    def request(self, sample: Sample) -> Request:
        usual = self.protocol != MIPHA
        images = tuple(replace(image, padded=usual) for image in sample.images)
        return Request(sample.prompt, images, Decoding(self.max_new_tokens, usual), sample.question_id)

    def record_key(self, record: JsonObject) -> Hashable:
        return str(record["question_id"]).removeprefix("v1_")

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        texts = json_object_answers(path)
        if texts is None:
            return None
        # another version's begin otherwise
        own = {name: name.removeprefix("v1_") for name in texts}
        return [OfficialAnswer(own[name], text, verified=name != own[name]) for name, text in texts.items()]

    def odd_label(self, sample: Sample) -> str:
        return "" if sample.target[0].strip() else "there is no accepted answer"

    @property
    def ruled(self) -> bool:
        """Whether a rule grades where no judge does: asked for, or on the demo."""
        return self.by_rule or self.data.kind == "demo"

    @property
    def stand_in(self) -> str:
        return "rule" if self.ruled else ""

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        return [*self.metrics, *shares_of_parts(totals, ("only",))]

    def score(self, sample: Sample, response: Response) -> Score:
        if not self.ruled:
            return self.scored(sample, Reading("", NOT_JUDGED), 0, grades=())
        found = share_found(response.text, sample.target[0])
        return self.scored(sample, Reading(response.text, "parts-found"), found, grades=(found,))

    def grade(self, answers: Sequence[Answer], runs: int) -> Dialogue[Sequence[Score]]:
        (answer,) = answers
        sample = answer.sample
        asked = (sample.prompt, sample.target[0], answer.text)
        grades: list[float] = []
        while len(grades) < runs:
            grades += [(yield from grade(*asked, repeat=len(grades)))]
        return [self.scored(sample, Reading(answer.text, "judge-grade"), sum(grades) / runs, grades=grades)]

    def notes(self, scores: Sequence[Score]) -> JsonObject:
        graded = [numbers_of(score.details, "grades") for score in scores if score.rule not in UNGRADED]
        totals = [100 * sum(run) / len(run) for run in zip(*graded, strict=True)]
        return {"runs": [round(total, 1) for total in totals], "std": statistics.pstdev(totals) if totals else None}
