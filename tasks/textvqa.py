"""TextVQA: questions whose answer is written in the picture, each with ten human answers.

Paper: Singh et al., "Towards VQA Models That Can Read", CVPR 2019 (arXiv:1904.08920). LLaVA-1.5 and Mipha put the OCR tokens
of Rosetta into the prompt; numbers with and without them are not comparable and are protocols of their own here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.answer_line import asked_text
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.format_lines import OCR_TOKENS, SHORT_ANSWER, question_core
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.data.hub import read_hub
from mipha_eval.data.rows import entries, row_at, text_of, texts_of
from mipha_eval.scoring.answers.lenient import lenient_accuracy
from mipha_eval.scoring.answers.vqa import evalai_accuracy, human_answers, normalize_evalai, not_ten

HINT = "TextVQA_0.5.1_val.json is at textvqa.org/dataset (20 MB)"


def question_of(prompt: str) -> str:
    """The question in a prompt, as LLaVA's scorer finds it: a line that is neither OCR tokens nor format."""
    lines = [
        line for line in prompt.split("\n") if not line.startswith(OCR_TOKENS) and line not in (SHORT_ANSWER, "<image>")
    ]
    return lines[0].lower() if lines else ""


@dataclass(frozen=True)
class Textvqa(Task):
    """Ten human answers each; no options."""

    name: ClassVar[str] = "textvqa"
    licence: ClassVar[str] = "CC-BY-4.0"
    citation: ClassVar[str] = "arXiv:1904.08920"
    protocols: ClassVar[Mapping[str, str]] = {
        "llava-ocr": "5,000 questions of val with OCR tokens in the prompt, as in the LLaVA-1.5 and Mipha tables",
        "plain": "the same questions without OCR tokens",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"llava-ocr": (5000,), "plain": (5000,)}
    annotated: ClassVar[Sequence[str]] = ("llava-ocr", "plain")
    hub: ClassVar[Mapping[str, str]] = {"llava-ocr": "lmms-lab-encoder/textvqa", "plain": "lmms-lab-encoder/textvqa"}
    metrics: ClassVar[Sequence[Metric]] = [share("accuracy")]

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            rows = read_hub(self.data, self.hub[self.protocol], split="validation")
            for number, row in rows:
                yield self._sample(row, rows.image(number, f"{row['image_id']}.jpg"))
            return
        images = self.data.images("textvqa", "textvqa/train_images")
        path = self.data.annotations_or("textvqa/TextVQA_0.5.1_val.json", hint=HINT)
        for place, row in entries(path, read_object(path)["data"]):
            with row_at(place):
                yield self._sample(row, images.image(f"{row['image_id']}.jpg"))

    def _sample(self, row: JsonObject, image: Image) -> Sample:
        lines = [text_of(row, "question"), SHORT_ANSWER]
        if self.protocol == "llava-ocr":
            lines.insert(1, f"{OCR_TOKENS} {', '.join(texts_of(row, 'ocr_tokens'))}")
        humans = human_answers(row["question_id"], row["answers"])
        if not_ten(humans):
            raise ValueError(f"question {row['question_id']} {not_ten(humans)}; the official scorer stops at it")
        return Sample(str(row["question_id"]), "\n".join(lines), humans, (image,), row["image_id"])

    def core(self, prompt: str) -> str:
        return "\n".join(line for line in question_core(prompt).split("\n") if not line.startswith(OCR_TOKENS)).strip()

    def check_prompt(self, prompt: str) -> None:
        if (OCR_TOKENS in prompt) != (self.protocol == "llava-ocr"):
            asked = "with" if OCR_TOKENS in prompt else "without"
            raise UserError(f"these prompts are {asked} OCR tokens, so they are not {self.label}'s; name the other protocol")

    def answer_key(self, sample: Sample) -> Hashable:
        return sample.question_id, question_of(sample.prompt)

    def record_key(self, record: JsonObject) -> Hashable:
        return record["question_id"], question_of(asked_text(record))

    def lenient(self, sample: Sample, text: str) -> float:
        return lenient_accuracy(text, sample.target)

    def score(self, sample: Sample, response: Response) -> Score:
        answer = normalize_evalai(response.text)
        value = evalai_accuracy(response.text, sample.target)
        return self.scored(sample, Reading(answer, "evalai", parsed=bool(answer)), value)
