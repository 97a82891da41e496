"""What judges are asked, and how their replies are read, by the benchmarks' official rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from mipha_eval.answers.letters import API_FAILURE, read_mmbench
from mipha_eval.types import Dialogue, Query

#: raised when what is asked, or how replies are read, changes
VERSION = 1

#: temperatures of MM-Vet's script for one grade: asked, and asked again while the grade cannot be read. The script asks once
#: more, at 2.0, but looks at that reply no more
GRADE_TEMPERATURES = (0.0, 0.0, 0.5, 1.0, 1.5)
GRADE_AGAIN = "\nPredict the correctness of the answer (digit): "
GRADE_TOKENS = 3

MATCH_TRIES = 3
MATCH_TOKENS = 1024
CHINESE = re.compile("[\u4e00-\u9fff]")

CORRECTNESS_TOKENS = 8
CORRECTNESS_TRIES = 2
FENCE = "-" * 20


@cache
def template(name: str) -> str:
    """A prompt's fixed beginning, see ``prompts/README.md``."""
    return (Path(__file__).parent / "prompts" / f"{name}.txt").read_bytes().decode()


@cache
def prompts_digest() -> str:
    """Tells apart verdicts that were asked for in other words, or read by other rules."""
    digest = hashlib.sha256(str(VERSION).encode())
    for path in sorted((Path(__file__).parent / "prompts").glob("*.txt")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def grade(question: str, truth: str, answer: str, repeat: int = 0) -> Dialogue[float | None]:
    """MM-Vet's grade of an answer, 0 to 1; None if no reply could be read, which the official script counts as 0.

    Args:
        truth: expected parts, joined by ``<AND>`` and ``<OR>``.
        repeat: the number of the run, of several.

    Source: ``mm-vet_evaluator.py`` of yuweihao/MM-Vet at 7d717c2.
    """
    truth = truth.replace("<AND>", " <AND> ").replace("<OR>", " <OR> ")
    prompt = template("mmvet") + "\n" + " | ".join([question, truth, answer, ""])
    for attempt, temperature in enumerate(GRADE_TEMPERATURES):
        reply = yield Query(prompt + GRADE_AGAIN * (attempt > 0), GRADE_TOKENS, temperature, repeat)
        found = read_grade(reply)
        if found is not None:
            return found
    return None


def read_grade(reply: str) -> float | None:
    """What stands before the first space as a number from 0 to 1, else None."""
    try:
        found = float(reply.split(" ", maxsplit=1)[0].strip())
    except ValueError:
        return None
    return found if 0 <= found <= 1 else None


def match_option(question: str, options: Mapping[str, str], answer: str) -> Dialogue[str]:
    """The letter of the option that an answer means, ``Z`` for none; empty if no reply could be read.

    In Chinese if the question is. Where VLMEvalKit draws a letter at random after three unreadable replies, this gives none.
    Source: ``vlmeval/dataset/utils/multiple_choice.py`` of open-compass/VLMEvalKit at 028a6e7.
    """
    listed = "There are several options: \n" + "".join(f"{letter}. {text}\n" for letter, text in options.items())
    if CHINESE.search(question):
        prompt = f"{template('mmbench_cn')}问题: {question}?\n选项: {listed}\n答案: {answer.strip()}\n输出: "
    else:
        prompt = f"{template('mmbench')}Question: {question}?\nOptions: {listed}\nAnswer: {answer.strip()}\nYour output: "
    for attempt in range(MATCH_TRIES):
        reply = yield Query(prompt, MATCH_TOKENS, repeat=attempt)
        letter = "" if API_FAILURE in reply else read_mmbench(reply, options).answer
        if letter:
            return letter
    return ""


def is_correct(question: str, accepted: Sequence[str], answer: str) -> Dialogue[bool | None]:
    """Whether an answer means the same as one of the accepted ones; None if no reply could be read."""
    fields = (("Question", question), ("Accepted answers", "\n".join(dict.fromkeys(accepted))), ("Proposed answer", answer))
    body = "".join(f"\n{name}:\n{FENCE}\n{text}\n{FENCE}\n" for name, text in fields)
    for attempt in range(CORRECTNESS_TRIES):
        reply = yield Query(f"{template('correctness')}{body}\nCorrect, yes or no?", CORRECTNESS_TOKENS, repeat=attempt)
        words = set(re.findall(r"\b(yes|no)\b", reply.lower()))
        if len(words) == 1:
            return words == {"yes"}
    return None
