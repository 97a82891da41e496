"""What lmms-eval keeps of an answer for each of a task's metrics, by its own rules.

By EvolvingLMMs-Lab/lmms-eval 0.7.3, ``process_results`` in ``tasks/*/utils.py`` and ``exact_match`` in ``api/metrics.py``.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.types import Sample, Score
from mipha_eval.suites.write.answered import options_of, parts_of


@dataclass(frozen=True)
class Given:
    """An answer with what a run knows of it; no score where nobody graded it."""

    sample: Sample
    text: str
    score: Score | None
    judge: str


Payloads = Callable[[Given], JsonObject]

POPE_METRICS = ("accuracy", "precision", "recall", "f1_score", "yes_ratio")
CAPTION_METRICS = ("Bleu_4", "Bleu_3", "Bleu_2", "Bleu_1", "METEOR", "ROUGE_L", "CIDEr")
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
#: ids of a category begin anew in lmms-eval's set, and at a multiple of this in LLaVA's question file
CATEGORY_STEP = 10_000_000
#: columns that its MMBench looks for, whatever a question has
MMBENCH_LETTERS = "ABCDE"
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class Form:
    """A task of lmms-eval.

    Attributes:
        task: its name there.
        payloads: metric -> what a line has for it; None where its rule is not at hand.
        lacking: a metric that is left out.
    """

    task: str
    payloads: Payloads | None
    lacking: str = ""


def pope(given: Given) -> JsonObject:
    predicted, truth = given.text.lower().strip(), given.sample.target[0].lower().strip()
    number = given.sample.question_id
    judged: JsonObject = {
        "question_id": str(number % CATEGORY_STEP) if isinstance(number, int) else str(number),
        "score": float(predicted == truth),
        "prediction": predicted,
        "ground_truth": truth,
    }
    return {f"pope_{metric}": judged for metric in POPE_METRICS}


def mme(given: Given) -> JsonObject:
    name = "mme_cognition_score" if given.sample.category in COGNITION else "mme_perception_score"
    right = mme_reading(given.text) == given.sample.target[0].lower().strip().replace(".", "")
    return {
        name: {"question_id": _plain(given.sample.question_id), "category": given.sample.category, "score": float(right)}
    }


def mme_reading(text: str) -> str:
    """yes, no or other."""
    plain = text.lower().strip().replace(".", "")
    if len(plain) == 1:
        return {"y": "yes", "n": "no"}.get(plain, "other")
    return next((answer for answer in ("yes", "no") if answer in plain[:4]), "other")


def gqa(given: Given) -> JsonObject:
    predicted, truth = (each.lower().translate(NO_PUNCTUATION) for each in (given.text, given.sample.target[0]))
    return {"exact_match": float(predicted == truth)}


def scienceqa(given: Given) -> JsonObject:
    plain, truth = given.text.strip(), given.sample.target[0].lower()
    lettered = len(plain) >= 2 and plain[0].isupper() and plain[1] == "."
    return {"exact_match": float(plain.lower() == truth or (lettered and plain[0].lower() == truth))}


def seed(given: Given) -> JsonObject:
    sample = given.sample
    read: JsonObject = {
        "pred": given.text.strip()[:1],
        "answer": sample.target[0],
        "question_id": _plain(sample.question_id),
    }
    return {f"seed_{sample.category}": read, "seed_all": read}


def textvqa(given: Given) -> JsonObject:
    number = int(given.sample.id) if given.sample.id.isdecimal() else given.sample.id
    return _read(given, {"question_id": number})


def vizwiz(given: Given) -> JsonObject:
    return _read(given, {"image": f"{PurePosixPath(given.sample.images[0].name).stem}.jpg"})


def _read(given: Given, key: Mapping[str, Json]) -> JsonObject:
    """Of a benchmark with ten human answers whose own rule is lmms-eval's, too, and was that of the run."""
    score = given.score
    return {} if score is None else {"exact_match": score.value, "submission": {**key, "answer": score.reading}}


def mmbench(given: Given) -> JsonObject:
    parts, options = parts_of(given.sample), options_of(given.sample)
    row: dict[str, Json] = {
        "index": _plain(given.sample.question_id),
        "question": parts.stem,
        "answer": given.sample.target[0] if given.sample.target else "nan",
        "prediction": given.text.strip(),
        "hint": parts.hint or "nan",
        "category": given.sample.category,
        "L2-category": next((tag.removeprefix("l2/") for tag in given.sample.tags if tag.startswith("l2/")), "nan"),
        **{letter: options.get(letter, "nan") for letter in MMBENCH_LETTERS},
    }
    return {"gpt_eval_score": row, "submission": row}


def mmvet(given: Given) -> JsonObject:
    """Without a grade there is no score, which is not 0."""
    score = given.score
    graded: JsonObject = {"score": score.value, "eval_model": given.judge or score.rule} if score else {}
    return {
        "gpt_eval_score": {
            "question_id": given.sample.id,
            "question": given.sample.prompt,
            "gt_answer": given.sample.target[0],
            "capabilities": ",".join(given.sample.tags),
            "pred_answer": given.text,
            **graded,
        }
    }


def captions(begin: str, given: Given) -> JsonObject:
    """Of a set of captions, whose metrics begin with its name."""
    held: JsonObject = {
        "answer": list(given.sample.target),
        "pred": given.text,
        "image_id": _plain(given.sample.question_id),
    }
    return {f"{begin}_{metric}": held for metric in CAPTION_METRICS}


def _plain(number: object) -> int | str:
    """A benchmark's id as JSON has it."""
    return number if isinstance(number, int) else str(number)


#: (benchmark, protocol) -> what it is there
FORMS: Mapping[tuple[str, str], Form] = {
    ("pope", "llava"): Form("pope", pope),
    ("pope", "official"): Form("pope", pope),
    ("mme", "llava"): Form("mme", mme),
    ("gqa", "testdev"): Form("gqa", gqa),
    ("scienceqa", "llava"): Form("scienceqa", scienceqa),
    ("seed", "llava"): Form("seedbench", seed),
    ("textvqa", "plain"): Form("textvqa_val", textvqa),
    ("textvqa", "llava-ocr"): Form("textvqa_val", textvqa),
    ("vizwiz", "val"): Form("vizwiz_vqa_val", vizwiz),
    ("vizwiz", "test"): Form("vizwiz_vqa_test", vizwiz, "submission"),
    ("vqav2", "val"): Form("vqav2_val", None, "exact_match"),
    ("mmbench", "dev"): Form("mmbench_en_dev", mmbench),
    ("mmbench", "cn-dev"): Form("mmbench_cn_dev", mmbench),
    ("mmbench", "test"): Form("mmbench_en_test", mmbench),
    ("mmvet", "v1"): Form("mmvet", mmvet),
    ("mmvet", "v1-mipha"): Form("mmvet", mmvet),
    ("coco-cap", "val2017"): Form("coco2017_cap_val", partial(captions, "coco")),
    ("nocaps", "val"): Form("nocaps_val", partial(captions, "nocaps")),
}
