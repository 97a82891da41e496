"""VLMEvalKit: its data sets' reading of answers, and what it prints, without a judge.

Source: open-compass/VLMEvalKit at e8e78f0, ``vlmeval/dataset``. Answers go through a sheet (``.xlsx``), its default, so that
what pandas takes for missing is read as the text ``nan``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from mipha_eval.core.format_lines import question_core
from mipha_eval.core.types import Sample
from mipha_eval.data.table import MISSING
from mipha_eval.scoring.answers.letters import read_mmbench
from mipha_eval.scoring.answers.vqa import (
    COMMA_IN_NUMBER,
    consensus,
    numbers_and_articles,
    plain_space,
    strip_punctuation,
)
from mipha_eval.scoring.suite_rules.number import AnswerReading, SuiteRule, is_image, with_picture
from mipha_eval.scoring.suite_rules.totals import (
    circular_share,
    letter_reading,
    mean_worth,
    mme_points,
    of_subtasks,
    options_by_letter,
    pooled_f1,
    settle_circular,
    yes_no_reading,
)

NAME, VERSION, SOURCE, AS_OF = "vlmevalkit", "e8e78f0", "open-compass/VLMEvalKit@e8e78f05f308", "2026-08-18"

#: spared beside a digit on either side, as VQA's own script meant to
FULL_STOP = re.compile(r"(?<!\d)\.(?!\d)")
MISSPELT = re.compile("imange", re.IGNORECASE)
#: four options whose texts are in no answer that a sheet can hold
UNKNOWN = dict.fromkeys("ABCD", "\0")
PERCEPTION = ("OCR", "artwork", "celebrity", "color", "count", "existence", "landmark", "position", "posters", "scene")
REASONING = ("code_reasoning", "commonsense_reasoning", "numerical_calculation", "text_translation")


def told(text: str) -> str:
    """An answer as it comes back from a sheet."""
    return "nan" if text in MISSING else text


def read_yes_no(sample: Sample, text: str) -> AnswerReading:
    """Yes or no if just one of the words is there, without punctuation and case."""
    words = strip_punctuation(told(text).lower(), COMMA_IN_NUMBER, FULL_STOP).split()
    said = [answer for answer in ("yes", "no") if answer in words]
    return yes_no_reading(sample, said[0] if len(said) == 1 else "", unsure=len(said) != 1)


def read_gqa(sample: Sample, text: str) -> AnswerReading:
    """Equality without case and outer spaces."""
    said = told(text).strip().lower()
    return AnswerReading(said, float(said == sample.target[0].strip().lower()))


def read_vqa(sample: Sample, text: str) -> AnswerReading:
    """TextVQA and VizWiz: VQAv2's normalisation on both sides, always, and without its slip."""
    said = normalize(told(text))
    return AnswerReading(said, consensus(list(map(normalize, sample.target)).count(said), len(sample.target)))


def normalize(text: str) -> str:
    """Punctuation, number words, articles and contractions."""
    return numbers_and_articles(strip_punctuation(plain_space(text), COMMA_IN_NUMBER, FULL_STOP))


def read_letter(sample: Sample, text: str) -> AnswerReading:
    """A lone option letter near the end, else an option's text.

    Of a question whose options nobody knows (SEED-Bench in files that name the right letter alone) only letters can be read;
    what the suite might read by an option's text is unsure.
    """
    known = {letter: option for letter, option in options_by_letter(sample).items() if option not in MISSING}
    options = known if sample.choices else UNKNOWN
    reading = read_mmbench(told(text), options)
    return letter_reading(sample, reading.answer if reading.answer in options else "", unsure=not reading.parsed)


def asked_once(samples: Sequence[Sample], texts: Mapping[str, str]) -> Mapping[str, str]:
    """POPE: equal questions about a picture are one row, whose answer counts in each of its categories."""
    first: dict[tuple[str, str], str] = {}
    keys = {sample.id: (sample.images[0].name, MISSPELT.sub("image", question_core(sample.prompt))) for sample in samples}
    for sample in samples:
        first.setdefault(keys[sample.id], texts[sample.id])
    return {sample.id: first[keys[sample.id]] for sample in samples}


POPE_F1 = partial(pooled_f1, unread_is_no=True)
ASKS = "asks a judge"

RULES = (
    SuiteRule("pope", "f1", "POPE: Overall", read_yes_no, POPE_F1, rows=9000, answers=asked_once, otherwise=ASKS),
    *(
        SuiteRule(
            "mme",
            beside,
            f"MME: {name}",
            read_yes_no,
            mme_points(tasks),
            asks=of_subtasks(tasks),
            rows=rows,
            otherwise=ASKS,
        )
        for beside, name, tasks, rows in (
            ("perception", "perception", PERCEPTION, 2114),
            ("cognition", "reasoning", REASONING, 260),
        )
    ),
    SuiteRule("gqa", "accuracy", "GQA_TestDev_Balanced: Overall", read_gqa, mean_worth, rows=12578),
    SuiteRule("textvqa", "accuracy", "TextVQA_VAL: Overall", read_vqa, mean_worth, rows=5000),
    SuiteRule("vizwiz", "accuracy", "VizWiz: Overall", read_vqa, mean_worth, rows=4319),
    SuiteRule(
        "scienceqa",
        "img",
        "ScienceQA_TEST: Overall",
        read_letter,
        mean_worth,
        asks=with_picture,
        rows=2017,
        otherwise=ASKS,
    ),
    SuiteRule(
        "seed",
        "image",
        "SEEDBench_IMG: Overall",
        read_letter,
        mean_worth,
        protocols=("llava",),
        asks=is_image,
        otherwise=ASKS,
    ),
    *(
        SuiteRule(
            "mmbench",
            "accuracy",
            f"{name}: Overall",
            read_letter,
            circular_share,
            protocols=(protocol,),
            rows=4329,
            settle=settle_circular,
            otherwise=ASKS,
        )
        for name, protocol in (("MMBench_DEV_EN", "dev"), ("MMBench_DEV_CN", "cn-dev"))
    ),
)
