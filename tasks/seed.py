"""SEED-Bench: multiple-choice questions on pictures and videos, by kind of understanding.

Paper: Li et al., "SEED-Bench: Benchmarking Multimodal LLMs with Generative Comprehension", CVPR 2024 (arXiv:2307.16125).
LLaVA-1.5 and Mipha let the model name a letter, and show the middle frame of a video. The official way ranks the options by
the likelihood that the model answers the bare question with them, which is a protocol of its own here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.alphabet import LETTERS, lettered
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import read_object
from mipha_eval.core.format_lines import LETTER_ANSWER
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.metrics import Metric, Tally, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import Task
from mipha_eval.core.types import Decoding, Image, Request, Response, Sample, Score
from mipha_eval.data.hub import read_hub
from mipha_eval.data.rows import entries, number_of, row_at, text_of, whole_of
from mipha_eval.scoring.answers.lenient import read_letter

TYPES = (
    *("scene_understanding", "instance_identity", "instance_attributes", "instance_location", "instances_counting"),
    *("spatial_relation", "instance_interaction", "visual_reasoning", "text_understanding"),
    *("action_recognition", "action_prediction", "procedure_understanding"),
)  # question_type_id 1 to 12
OPTIONS = 4  # of each question of the benchmark; a file may name the right letter alone
HINT = "SEED-Bench.json is at huggingface.co/datasets/AILab-CVC/SEED-Bench (14 MB)"


@dataclass(frozen=True)
class Seed(Task):
    """Option letters, exactly, or the likeliest option; no options of its own."""

    name: ClassVar[str] = "seed"
    licence: ClassVar[str] = "Apache-2.0 (questions)"
    citation: ClassVar[str] = "arXiv:2307.16125"
    protocols: ClassVar[Mapping[str, str]] = {
        "llava": "14,233 picture and 3,757 video questions, answered by a letter",
        "ppl": "the same questions without options, the likeliest option counts",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"llava": (17990, 19242), "ppl": (17990, 19242)}
    annotated: ClassVar[Sequence[str]] = ("llava", "ppl")
    hub: ClassVar[Mapping[str, str]] = {"llava": "lmms-lab-encoder/SEED-Bench", "ppl": "lmms-lab-encoder/SEED-Bench"}
    ignores_foreign_answers: ClassVar[bool] = True  # the re-release of November 2023 has 1,252 videos less
    lettered: ClassVar[bool] = True
    own_ids: ClassVar[bool] = True
    metrics: ClassVar[Sequence[Metric]] = [
        share("accuracy"),
        share("image", "image"),
        share("video", "video"),
        share("per_token", "per_token"),
        *(share(kind, kind) for kind in TYPES),
    ]

    def samples(self) -> Iterator[Sample]:
        seen: Counter[str] = Counter()
        if self.data.kind == "hub":
            for number, row in (rows := read_hub(self.data, self.hub["llava"])):
                # one video file may hold the segments of several questions
                name = row["question_id"] if row["data_type"] == "video" else row["data_id"]
                yield self._sample(row, rows.image(number, str(name)), seen)
            return
        images = self.data.images("seed", "seed_bench")
        path = self.data.annotations_or("seed_bench/SEED-Bench.json", hint=HINT)
        for place, row in entries(path, read_object(path)["questions"]):
            with row_at(place):
                picture = f"SEED-Bench-image/{row.get('data_id', row['question_id'])}"
                # the middle one, named as LLaVA's script does
                frame = f"SEED-Bench-video-image/{row.get('question_type_id', 0)}_{row['question_id']}.png"
                yield self._sample(row, images.image(frame if row["data_type"] == "video" else picture), seen)

    def _sample(self, row: JsonObject, image: Image, seen: Counter[str]) -> Sample:
        number = str(row["question_id"])
        seen[number] += 1  # the official file has one id twice, and both count
        options = [str(row[f"choice_{letter}"]) for letter in LETTERS.lower() if row.get(f"choice_{letter}") is not None]
        text = str(row.get("question", ""))
        if self.protocol == "llava":
            text = "\n".join([text, *(f"{letter}. {option}" for letter, option in lettered(options)), LETTER_ANSWER])
        name = number if seen[number] == 1 else f"{number}#{seen[number]}"
        kind, target = max(0, whole_of({"question_type_id": 0, **row}, "question_type_id")), (text_of(row, "answer"),)
        tags, choices = TYPES[max(kind - 1, 0) : kind], tuple(options)
        return Sample(name, text, target, (image,), number, text_of(row, "data_type"), tags=tags, choices=choices)

    def request(self, sample: Sample) -> Request:
        options = sample.choices if self.protocol == "ppl" else ()
        if self.protocol == "ppl" and len(options) < 2:
            raise UserError(f"{self.label}: question {sample.id} has no options to rank; is this the whole SEED-Bench.json?")
        return Request(sample.prompt, sample.images, Decoding(self.max_new_tokens), sample.question_id, options)

    def check_prompt(self, prompt: str) -> None:
        if self.protocol == "ppl" and "\nA. " in prompt:
            raise UserError(f"these prompts show the options, so the answers are not {self.label}'s but seed@llava's")

    def lenient(self, sample: Sample, text: str) -> bool | None:
        return None if self.protocol == "ppl" else read_letter(text, sample.choices or ("",) * OPTIONS) == sample.target[0]

    def score(self, sample: Sample, response: Response) -> Score:
        if response.likelihoods:
            return self._ranked(sample, response)
        letter = response.text if response.text in tuple(LETTERS[: max(OPTIONS, len(sample.choices))]) else ""
        return self.scored(sample, Reading(letter, "letter", parsed=bool(letter)), response.text == sample.target[0])

    def _ranked(self, sample: Sample, response: Response) -> Score:
        """By the likelihood of the whole option, as in the official code; `per_token` by the mean over its tokens."""
        means = [total / tokens for total, tokens in zip(response.likelihoods, response.option_tokens, strict=True)]
        truth = sample.target[0]
        letter, by_mean = (LETTERS[values.index(max(values))] for values in (list(response.likelihoods), means))
        return self.scored(sample, Reading(letter, "likeliest"), letter == truth, per_token=float(by_mean == truth))

    def tally(self, scores: Sequence[Score]) -> Tally:
        ranked, counts = "per_token" in scores[0].details, super().tally(scores)
        own = {"per_token/right": number_of(scores[0].details, "per_token"), "per_token/asked": 1.0} if ranked else {}
        return {**counts, **own}

    def score_missing(self, sample: Sample) -> Score | None:
        return self.scored(sample, Reading("", "missing", parsed=False), 0)
