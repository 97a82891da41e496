"""lmms-eval 0.7.3: its tasks' reading of answers, and what they print.

Source: EvolvingLMMs-Lab/lmms-eval, ``lmms_eval/tasks``; the package's defaults, as ``python -m lmms_eval`` has them.
"""

from __future__ import annotations

import string
from functools import partial

from mipha_eval.core.types import Sample
from mipha_eval.scoring.answers.vqa import (
    COMMAS_IN_NUMBER,
    consensus,
    evalai_accuracy,
    normalize_evalai,
    numbers_and_articles,
    plain_space,
    strip_punctuation,
)
from mipha_eval.scoring.suite_rules.lmms_eval_letters import COLUMNS, extract_letter, read_letter
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

NAME, VERSION, SOURCE, AS_OF = "lmms-eval", "0.7.3", "PyPI: lmms-eval 0.7.3", "2026-11-27"

#: the command line's default: what a model thinks between these is taken off, whatever the task
REASONING = (("<think>", "</think>"), ("<analysis>", "</analysis>"))
PUNCTUATION = str.maketrans("", "", string.punctuation)
PERCEPTION = ("existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR")
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")


def answer_of(text: str) -> str:
    """What is left of an answer without reasoning and outer spaces."""
    for opening, closing in REASONING:
        while (start := text.find(opening)) >= 0 and (end := text.find(closing, start)) >= 0:
            text = text[:start] + text[end + len(closing) :]
        if closing in text and opening not in text:  # a template may have opened it in the prompt
            text = text.rsplit(closing, 1)[-1]
    return text.strip()


def read_pope(sample: Sample, text: str) -> AnswerReading:
    """Exactly yes or no, in any case."""
    return yes_no_reading(sample, answer_of(text).lower().strip())


def read_mme(sample: Sample, text: str) -> AnswerReading:
    """Yes, no, y or n; else whatever of "yes" and then "no" is in the first four characters."""
    said = answer_of(text).lower().strip().replace(".", "")
    if len(said) == 1:
        return yes_no_reading(sample, {"y": "yes", "n": "no"}.get(said, ""))
    return yes_no_reading(sample, next((answer for answer in ("yes", "no") if answer in said[:4]), ""))


def read_gqa(sample: Sample, text: str) -> AnswerReading:
    """Equality without case and ASCII punctuation."""
    said = bare(answer_of(text))
    return AnswerReading(said, float(said == bare(sample.target[0])))


def bare(text: str) -> str:
    """Lower case without punctuation, in an array of numpy: of the text's width, and without NUL at the end."""
    given = text.rstrip("\0")
    return given.lower()[: len(given)].rstrip("\0").translate(PUNCTUATION).rstrip("\0")


def read_evalai(sample: Sample, text: str) -> AnswerReading:
    """TextVQA and VizWiz: both sides through EvalAI's processor."""
    said = answer_of(text)
    return AnswerReading(normalize_evalai(said), evalai_accuracy(said, sample.target))


def read_vqav2(sample: Sample, text: str) -> AnswerReading:
    """The official normalisation, but always, and with EvalAI's idea of a comma in a number."""
    said = normalize(answer_of(text))
    return AnswerReading(said, consensus(list(map(normalize, sample.target)).count(said), len(sample.target)))


def normalize(text: str) -> str:
    """Punctuation, number words, articles and contractions."""
    return numbers_and_articles(strip_punctuation(plain_space(text), COMMAS_IN_NUMBER))


def read_scienceqa(sample: Sample, text: str) -> AnswerReading:
    """A letter alone in any case, or a capital and a full stop first."""
    said = answer_of(text)
    letter = said if len(said) == 1 or (said[:1].isupper() and said[1:2] == ".") else ""
    return letter_reading(sample, letter[:1].lower().upper())


def read_seed(sample: Sample, text: str) -> AnswerReading:
    """The first character, in any case."""
    return letter_reading(sample, answer_of(text)[:1].lower().upper())


def columns_of(sample: Sample) -> dict[str, str]:
    """The four options; in ``lmms-lab/MMBench`` one that is not there is the text ``nan``."""
    there = options_by_letter(sample)
    return {letter: there.get(letter) or "nan" for letter in COLUMNS}


def read_mmbench(sample: Sample, text: str) -> AnswerReading:
    """A letter or an option's text; a judge is asked about anything else, and after three failures a letter is drawn."""
    letter = read_letter(answer_of(text), columns_of(sample))
    return letter_reading(sample, letter, unsure=not letter)


def read_mmbench_static(sample: Sample, text: str) -> AnswerReading:
    """A letter or an option's text, else the likeliest letter in the answer."""
    said = answer_of(text)
    return letter_reading(sample, read_letter(said, columns_of(sample)) or extract_letter(said))


POPE_F1 = partial(pooled_f1, unread_is_no=False)
ASKS = "asks a judge, then draws"

RULES = (
    SuiteRule("pope", "f1", "pope: pope_f1_score", read_pope, POPE_F1, rows=9000),
    *(
        SuiteRule("mme", name, f"mme: mme_{name}_score", read_mme, mme_points(tasks), asks=of_subtasks(tasks), rows=rows)
        for name, tasks, rows in (("perception", PERCEPTION, 2114), ("cognition", COGNITION, 260))
    ),
    SuiteRule("gqa", "accuracy", "gqa: exact_match", read_gqa, mean_worth, rows=12578),
    SuiteRule("textvqa", "accuracy", "textvqa_val: exact_match", read_evalai, mean_worth, rows=5000),
    SuiteRule("vqav2", "accuracy", "vqav2_val: exact_match", read_vqav2, mean_worth, rows=214354),
    SuiteRule("vizwiz", "accuracy", "vizwiz_vqa_val: exact_match", read_evalai, mean_worth, rows=4319),
    SuiteRule("scienceqa", "img", "scienceqa_img: exact_match", read_scienceqa, mean_worth, asks=with_picture, rows=2017),
    SuiteRule("scienceqa", "all", "scienceqa: exact_match", read_scienceqa, mean_worth, rows=4241),
    SuiteRule("seed", "accuracy", "seedbench: seed_all", read_seed, mean_worth, ("llava",), rows=17990),
    SuiteRule("seed", "image", "seedbench: seed_image", read_seed, mean_worth, ("llava",), asks=is_image, rows=14233),
    SuiteRule(
        "mmbench",
        "accuracy",
        "mmbench_en_dev: gpt_eval_score",
        read_mmbench,
        circular_share,
        protocols=("dev",),
        rows=4329,
        settle=settle_circular,
        otherwise=ASKS,
    ),
    SuiteRule(
        "mmbench",
        "accuracy",
        "mmbench_en_dev_static: gpt_eval_score",
        read_mmbench_static,
        circular_share,
        protocols=("dev",),
        rows=4329,
    ),
    SuiteRule(
        "mmbench",
        "accuracy",
        "mmbench_cn_dev: gpt_eval_score",
        read_mmbench,
        circular_share,
        protocols=("cn-dev",),
        rows=4329,
        settle=settle_circular,
        otherwise=ASKS,
    ),
)
