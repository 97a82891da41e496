"""ScienceQA: school questions with two to five options, half of them with a picture.

Paper: Lu et al., "Learn to Explain", NeurIPS 2022 (arXiv:2209.09513). Prompt and reading as in LLaVA-1.5 and Mipha; the
number in their tables (SQA-I) is `img`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.alphabet import lettered
from mipha_eval.core.files import read_json, read_object
from mipha_eval.core.format_lines import LETTER_ANSWER
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.data.hub import read_hub
from mipha_eval.data.rows import entries, object_of, objects_of, row_at, text_of, texts_of
from mipha_eval.scoring.answers.lenient import read_letter
from mipha_eval.scoring.answers.letters import read_scienceqa

HINT = "problems.json and pid_splits.json are at github.com/lupantech/ScienceQA under data/scienceqa (30 MB)"


def prompt_of(problem: JsonObject) -> str:
    """Context, question, options and format line, as LLaVA's question file has them."""
    context = f"Context: {problem['hint']}\n" if problem.get("hint") else ""
    options = [f"{letter}. {choice}" for letter, choice in lettered(texts_of(problem, "choices"))]
    return "\n".join([context + text_of(problem, "question"), *options, LETTER_ANSWER])


@dataclass(frozen=True)
class Scienceqa(Task):
    """Option letters; no options of its own."""

    name: ClassVar[str] = "scienceqa"
    licence: ClassVar[str] = "CC-BY-NC-SA-4.0"
    citation: ClassVar[str] = "arXiv:2209.09513"
    protocols: ClassVar[Mapping[str, str]] = {"llava": "4,241 questions of test, 2,017 with a picture"}
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"llava": (4241,)}
    hub: ClassVar[Mapping[str, str]] = {"llava": "lmms-lab-encoder/ScienceQA"}
    own_ids: ClassVar[bool] = True
    max_new_tokens: ClassVar[int] = 1024
    lettered: ClassVar[bool] = True
    metrics: ClassVar[Sequence[Metric]] = [share("img", "img"), share("all")]

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            rows = read_hub(self.data, self.hub["llava"], "test", "ScienceQA-FULL")
            for number, row in rows:
                images = (rows.image(number, f"{number}/image.png"),) if rows.has_image(number) else ()
                yield self._sample(str(number), row, prompt_of(row), images)
            return
        problems = read_object(self.data.find("scienceqa/problems.json", hint=HINT))
        path = self.data.find("scienceqa/llava_test_CQM-A.json", hint="it is in LLaVA's eval.zip")
        prompts = {str(row["id"]): row for _, row in entries(path, read_json(path))}
        folder = self.data.images("scienceqa", "scienceqa/images/test")
        splits = read_object(self.data.find("scienceqa/pid_splits.json", hint=HINT))
        for name in texts_of(splits, "test"):
            with row_at(f"{path.parent}: problem {name}"):
                row = prompts[name]
                asked = text_of(objects_of(row, "conversations")[0], "value").replace("<image>", "").strip()
                images = (folder.image(text_of(row, "image")),) if "image" in row else ()
                yield self._sample(name, object_of(problems, name), f"{asked}\n{LETTER_ANSWER}", images)

    def _sample(self, number: str, problem: JsonObject, text: str, images: tuple[Image, ...]) -> Sample:
        answer, choices = problem["answer"], tuple(texts_of(problem, "choices"))
        if not isinstance(answer, int) or answer not in range(len(choices)):
            raise ValueError(f"label {answer!r} of {number} is none of {len(choices)} choices, counted from 0")
        target = (lettered(choices)[answer][0],)
        return Sample(number, text, target, images, number, "img" if images else "text", choices=choices)

    def lenient(self, sample: Sample, text: str) -> bool:
        return read_letter(text, sample.choices) == sample.target[0]

    def score(self, sample: Sample, response: Response) -> Score:
        reading = read_scienceqa(response.text, sample.choices)
        return self.scored(sample, reading, reading.answer == sample.target[0])

    def score_missing(self, sample: Sample) -> Score | None:
        """The official scorer counts it wrong among all, and leaves a question with a picture out of `img`."""
        return dataclasses.replace(self.scored(sample, Reading("", "missing", parsed=False), 0), category="text")
