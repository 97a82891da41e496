"""EvalScope's own benchmarks (not those that it hands to VLMEvalKit): reading of answers, and what its report shows.

Source: modelscope/evalscope at fde259d, ``evalscope/benchmarks``. It asks in its own words, for an answer behind
``ANSWER:``; these rules are for whatever was answered. Its report rounds each subset to four digits of a fraction.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.types import Sample
from mipha_eval.scoring.answers.vqa import ARTICLES, NUMBERS
from mipha_eval.scoring.suite_rules.number import AnswerReading, Read, SuiteRule
from mipha_eval.scoring.suite_rules.totals import letter_reading, mean_worth, pooled_f1, truth_of, yes_no_reading

NAME, VERSION, SOURCE, AS_OF = "evalscope", "fde259d", "modelscope/evalscope@fde259d2a32a", "2026-08-22"

THOUGHT = re.compile(r'<think(?:\s+signature="[^"]*")?(?:\s+redacted="true")?\s*>.*?</think>', re.DOTALL)
ANNOUNCED = re.compile(r"answer:\s*(.*)", re.IGNORECASE)
MARK = re.compile(r"answer\s*:\s*\**\s*", re.IGNORECASE)
#: what may stand behind the mark: labels in brackets, else as they are
LABELS = (
    re.compile(r"[(\[（【]\s*([A-Za-z\d](?:\s*[,，]\s*[A-Za-z\d])*)\s*[)\]）】]"),
    re.compile(r"([A-Za-z\d][A-Za-z\d ,]*)"),
)
WORD = re.compile(r"[A-Za-z\d]+")
COMMA = re.compile(r"(?<=\d),(?=\d)")
BLANKED = str.maketrans(dict.fromkeys(string.punctuation.replace(":", ""), " "))


def answer_of(text: str) -> str:
    """An answer without its first passage of reasoning."""
    thought = THOUGHT.search(text)
    return (text[: thought.start()] + text[thought.end() :]).strip() if thought else text


def read_pope(sample: Sample, text: str) -> AnswerReading:
    """Right if the label is anywhere in the answer, also within a word; else it counts as the opposite."""
    truth = truth_of(sample)
    right = truth.upper() in answer_of(text).strip().upper()
    return yes_no_reading(sample, truth if right else {"yes": "no", "no": "yes"}[truth])


def read_vqav2(sample: Sample, text: str) -> AnswerReading:
    """The last answer that is announced, else the whole; right if three of all ten people gave it."""
    said = answer_of(text)
    announced = ANNOUNCED.findall(said)
    said = normalize((announced[-1] if announced else said).strip().strip("\"'"))
    given = [normalize(human) for human in sample.target if human.strip()]
    return AnswerReading(said, min(1.0, given.count(said) / 3) if said else 0.0)


def normalize(text: str) -> str:
    """Blanks for punctuation, digits for number words, no articles."""
    words = COMMA.sub("", text.lower().strip()).translate(BLANKED).split()
    return " ".join(word for word in (NUMBERS.get(word, word) for word in words) if word not in ARTICLES)


def read_scienceqa(sample: Sample, text: str) -> AnswerReading:
    """A letter, see `find_letter`."""
    return letter_reading(sample, find_letter(answer_of(text), LETTERS[: len(sample.choices)]))


def read_mmbench(sample: Sample, text: str) -> AnswerReading:
    """A letter; options that are not there have none."""
    there = [option for option in sample.choices[:4] if option.strip() and option != "nan"]
    return letter_reading(sample, find_letter(answer_of(text), LETTERS[: len(there)]))


def find_letter(text: str, letters: str) -> str:
    """The last letter that is announced, else the last capital of the text if it is an option; empty for none."""
    for mark in reversed(list(MARK.finditer(text))):
        behind = text[mark.end() :]
        for labels in LABELS:
            named = labels.match(behind)
            begun = _begun(named[1], letters) if named else ""
            if begun:
                return begun if begun in tuple(letters) else ""
    last = next((letter for letter in reversed(text) if letter.isupper()), "")
    return last if last in tuple(letters) else ""


def _begun(text: str, letters: str) -> str:
    """The beginning of a text that is made of option letters alone."""
    end = 0
    for word in WORD.finditer(text):
        if not set(word[0]) <= set(letters):
            break
        end = word.end()
    return text[:end]


def rounded_mean(read: Sequence[Read]) -> float | None:
    """The mean over answers, as the report rounds it."""
    mean = mean_worth(read)
    return None if mean is None else 100 * round(mean / 100, 4)


def mean_f1(read: Sequence[Read]) -> float | None:
    """The three F1 scores, rounded, weighed by their rows."""
    parts: defaultdict[str, list[Read]] = defaultdict(list)
    for sample, reading in read:
        parts[sample.category].append((sample, reading))
    f1 = partial(pooled_f1, unread_is_no=True)
    weighed = sum(len(part) * round((f1(part) or 0.0) / 100, 4) for part in parts.values())
    return 100 * round(weighed / len(read), 4) if read else None


RULES = (
    SuiteRule("pope", "f1", "pope: f1", read_pope, mean_f1, rows=9000),
    SuiteRule("vqav2", "accuracy", "vqav2: vqa_score", read_vqav2, rounded_mean, rows=214354),
    SuiteRule("scienceqa", "all", "science_qa: accuracy", read_scienceqa, rounded_mean, rows=4241),
    SuiteRule("mmbench", "accuracy", "mm_bench (en): accuracy", read_mmbench, rounded_mean, ("dev",), rows=4329),
    SuiteRule("mmbench", "accuracy", "mm_bench (cn): accuracy", read_mmbench, rounded_mean, ("cn-dev",), rows=4329),
)
