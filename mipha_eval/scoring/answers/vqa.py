"""Free-form answers against ten human ones: the normalisations and the consensus of VQAv2, TextVQA and VizWiz.

Sources: GT-Vision-Lab/VQA at a013f00, ``vqaEval.py``; facebookresearch/mmf's M4C evaluator as in haotian-liu/LLaVA at
c121f04, ``m4c_evaluator.py``. Both keep a slip in the rule for full stops, and it is kept here: see `strip_punctuation`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from mipha_eval.core.json_value import Json

PUNCTUATION = ';/[]"{}()=+\\_->' + "<@`,?!"  # in the official order
HAS_PUNCTUATION = re.compile(f"[{re.escape(PUNCTUATION)}]")
COMMA_IN_NUMBER = re.compile(r"\d,\d")
COMMAS_IN_NUMBER = re.compile(r"(?<=\d),+(?=\d)")
FULL_STOP = re.compile(r"\.(?!\d)")
FULL_STOPS_REMOVED = 32  # the official code passes re.UNICODE, which is 32, where the count belongs

NUMBER_WORDS = "zero one two three four five six seven eight nine ten"
NUMBERS = {"none": "0", **{word: str(value) for value, word in enumerate(NUMBER_WORDS.split())}}
ARTICLES = {"a", "an", "the"}

_ONE_APOSTROPHE = """ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll
how's isn't it'd it'll ma'am mightn't might've mustn't must've needn't not've o'clock oughtn't shan't should've shouldn't
somebody'll somebody's someone'd someone'll someone's something'd something'll that's there'd there're there's they'd
they'll they're they've 'twas wasn't we've weren't what'll what're what's what've when's where'd where's where've who'd
who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've"""
_MORE_APOSTROPHES = """couldn't've hadn't've he'd've it'd've mightn't've 'ow's'at she'd've shouldn't've somebody'd've
someone'd've something'd've there'd've they'd've we'd've who'd've wouldn't've y'all'll y'all'd've you'd've"""


def _contractions() -> dict[str, str]:
    """Each contraction by what is left of it when one apostrophe is dropped."""
    found = {
        word[:place] + word[place + 1 :]: word
        for word in (_ONE_APOSTROPHE + " " + _MORE_APOSTROPHES).split()
        for place, letter in enumerate(word)
        if letter == "'"
    }
    # the official table has this one the wrong way round; entries with a capital I never fire and are left out
    return {**found, "somebody'd": "somebodyd"}


CONTRACTIONS = _contractions()


@lru_cache(maxsize=1 << 18)
def plain_space(text: str) -> str:
    """Line breaks and tabs as spaces, ends stripped."""
    return text.replace("\n", " ").replace("\t", " ").strip()


@lru_cache(maxsize=1 << 18)
def normalize_vqa(text: str) -> str:
    """VQAv2's processPunctuation and processDigitArticle, for a text that `plain_space` has seen."""
    return numbers_and_articles(strip_punctuation(text, COMMA_IN_NUMBER))


@lru_cache(maxsize=1 << 18)
def normalize_evalai(text: str) -> str:
    """M4C's EvalAIAnswerProcessor: how answers are prepared for VQAv2's and VizWiz' servers, and scored in TextVQA."""
    words = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return numbers_and_articles(strip_punctuation(plain_space(words), COMMAS_IN_NUMBER))


def strip_punctuation(text: str, comma_in_number: re.Pattern[str], full_stop: re.Pattern[str] = FULL_STOP) -> str:
    """Deletes or blanks punctuation, then deletes full stops that no digit follows, but 32 at most.

    The rule means to spare full stops after digits, too; a misspelt look-behind (``?!<=``) makes that part void.

    Args:
        comma_in_number: where it is found, all punctuation is deleted.
        full_stop: which full stops go.
    """
    result = text
    if HAS_PUNCTUATION.search(text):
        number = comma_in_number.search(text) is not None
        for mark in PUNCTUATION:
            if mark in text:
                beside_space = f"{mark} " in text or f" {mark}" in text
                result = result.replace(mark, "" if number or beside_space else " ")
    return full_stop.sub("", result, count=FULL_STOPS_REMOVED) if "." in result else result


def numbers_and_articles(text: str) -> str:
    """VQAv2's processDigitArticle: lower case, digits for number words, no articles, apostrophes put back."""
    words = [NUMBERS.get(word, word) for word in text.lower().split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


#: how many people answered each question of these benchmarks
HUMANS = 10


def human_answers(question: object, given: Json) -> tuple[str, ...]:
    """The human answers to a question, which is named in errors. Raises ValueError unless there are some, all texts."""
    # equal ones as one object: a million questions have ten million answers, and few different ones
    answers = (
        tuple([sys.intern(str(answer)) for answer in given if isinstance(answer, str)]) if isinstance(given, list) else ()
    )
    if not isinstance(given, list) or not given or len(answers) < len(given):
        raise ValueError(f"the answers to question {question} are no list of texts")
    return answers


def not_ten(humans: Sequence[str]) -> str:
    """What is odd about a number of human answers; empty for ten."""
    return "" if len(humans) == HUMANS else f"has {len(humans)} human answers, not {HUMANS}"


def consensus(matches: int, humans: int) -> float:
    """The mean over the humans of min(1, matches among the others / 3), when `matches` of them gave the answer."""
    with_it = [min(1.0, (matches - 1) / 3)] * matches
    without = [min(1.0, matches / 3)] * (humans - matches)
    return sum(with_it + without) / humans if humans else 0.0


def vqa_accuracy(answer: str, humans: Sequence[str]) -> float:
    """VQAv2's accuracy, 0 to 1. Where all humans agree nothing is normalised, so that "Yes" misses ten times "yes"."""
    answer = plain_space(answer)
    given = list(map(plain_space, humans))
    if len(set(given)) > 1:
        return consensus(list(map(normalize_vqa, given)).count(normalize_vqa(answer)), len(given))
    return consensus(given.count(answer), len(given))


def evalai_accuracy(answer: str, humans: Sequence[str]) -> float:
    """TextVQA's accuracy, 0 to 1: both sides normalised, always."""
    return consensus(Counter(map(normalize_evalai, humans))[normalize_evalai(answer)], len(humans))
