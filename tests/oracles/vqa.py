"""VQAv2's vqaEval.py and M4C's EvalAIAnswerProcessor as their rules read, step by step, without any shortcut."""

from __future__ import annotations

import re

MARKS = [";", "/", "[", "]", '"', "{", "}", "(", ")", "=", "+", "\\", "_", "-", ">", "<", "@", "`", ",", "?", "!"]
DIGITS = {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
DIGITS |= {"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"}
CONTRACTED = {
    "dont": "don't",
    "isnt": "isn't",
    "couldntve": "couldntve",
    "couldnt've": "couldn't've",
    "couldn'tve": "couldn't've",
    "somebody'd": "somebodyd",
    "yall'd've": "y'all'd've",
    "shed": "shed",
    "hed": "he'd",
    "oclock": "o'clock",
    "'ows'at": "'ow's'at",
    "twas": "'twas",
    "im": "im",
}  # a part of the table, with words that must not change


def without_marks(text: str, comma: str) -> str:
    """processPunctuation: marks go or become spaces, as the original text decides; then full stops go, 32 at most."""
    out = text
    for mark in MARKS:
        if mark + " " in text or " " + mark in text or re.search(comma, text) is not None:
            out = out.replace(mark, "")
        else:
            out = out.replace(mark, " ")
    kept, gone = [], 0
    for place, letter in enumerate(out):
        followed_by_digit = place + 1 < len(out) and re.match(r"\d", out[place + 1]) is not None
        if letter == "." and not followed_by_digit and gone < 32:
            gone += 1
        else:
            kept.append(letter)
    return "".join(kept)


def plain_words(text: str) -> str:
    """processDigitArticle, with the part of the contraction table above."""
    words = [DIGITS.get(word, word) for word in text.lower().split()]
    return " ".join(CONTRACTED.get(word, word) for word in words if word not in ("a", "an", "the"))


def spaces(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def evalai_answer(text: str) -> str:
    """M4C's EvalAIAnswerProcessor."""
    tokens = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return plain_words(without_marks(spaces(tokens), r"(?<=\d)(\,)+(?=\d)"))


def vqa_score(answer: str, humans: list[str]) -> float:
    """The accuracy of one answer, 0 to 1."""
    answer, humans = spaces(answer), [spaces(human) for human in humans]
    if len(set(humans)) > 1:
        humans = [plain_words(without_marks(human, r"(\d)(\,)(\d)")) for human in humans]
        answer = plain_words(without_marks(answer, r"(\d)(\,)(\d)"))
    return leave_one_out(answer, humans)


def evalai_score(answer: str, humans: list[str]) -> float:
    """TextVQA's accuracy of one answer, 0 to 1."""
    return leave_one_out(evalai_answer(answer), [evalai_answer(human) for human in humans])


def leave_one_out(answer: str, humans: list[str]) -> float:
    scores = []
    for place in range(len(humans)):
        others = humans[:place] + humans[place + 1 :]
        scores.append(min(1.0, sum(other == answer for other in others) / 3))
    return sum(scores) / len(scores)
