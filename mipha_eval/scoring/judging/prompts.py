"""What judges are asked, and how their replies are read, by the benchmarks' official rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from mipha_eval.core.types import Dialogue, Query
from mipha_eval.scoring.answers.letters import API_FAILURE, read_mmbench
from mipha_eval.scoring.judging.dialogue import NoReplyError, first_counted

#: raised when what is asked, or how replies are read, changes
VERSION = 2

#: temperatures of MM-Vet's script for one grade: asked, and asked again while the grade cannot be read. The script asks once
#: more, at 2.0, but looks at that reply no more
GRADE_TEMPERATURES = (0.0, 0.0, 0.5, 1.0, 1.5)
GRADE_AGAIN = "\nPredict the correctness of the answer (digit): "
GRADE_TOKENS = 3
GRADE = re.compile(r"[+-]?\d*\.\d+")  # complete, as the prompt's own grades are

MATCH_TRIES = 3
MATCH_TOKENS = 1024
CHINESE = re.compile("[\u4e00-\u9fff]")

CORRECTNESS_TOKENS = 8
CORRECTNESS_TRIES = 2
FENCE = "-" * 20

#: remarks on answers that hold what the official prompts are laid out by, and must hold as they are
TABLE_MARKS, LINE_BREAKS = "table marks", "line breaks"


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


def grade(question: str, truth: str, answer: str, repeat: int = 0) -> Dialogue[float]:
    """MM-Vet's grade of an answer, 0 to 1.

    The official script counts 0 where no reply can be read; this has no grade then.

    Args:
        truth: expected parts, joined by ``<AND>`` and ``<OR>``.
        repeat: the number of the run, of several.

    Raises:
        NoReplyError: no reply is complete and can be read.

    Source: ``mm-vet_evaluator.py`` of yuweihao/MM-Vet at 7d717c2.
    """
    truth = truth.replace("<AND>", " <AND> ").replace("<OR>", " <OR> ")
    prompt = template("mmvet") + "\n" + " | ".join([question, truth, answer, ""])
    first = Query(prompt, GRADE_TOKENS, GRADE_TEMPERATURES[0], repeat, grade_counts, "1.0", remark=layout_marks(answer))
    later = [replace(first, prompt=prompt + GRADE_AGAIN, temperature=heat) for heat in GRADE_TEMPERATURES[1:]]
    try:
        return float(_first_word((yield from first_counted([first, *later]))))
    except NoReplyError as error:
        raise NoReplyError(f"no grade could be read: {error.reason}", whole=error.whole) from error


def grade_counts(reply: str, cut: bool) -> bool:
    """Whether the official script reads a grade from a reply, and the grade is sure to be complete.

    The script allows three tokens, which is just what ``0.5`` takes, so official grades come from replies that were cut at
    the limit. Of these a first word counts that something follows, and a number with a digit behind its point, since that
    is what the prompt's eleven grades are. ``0.``, ``0`` and ``1`` may have been about to become another grade.
    """
    word = _first_word(reply)
    try:
        fits = 0 <= float(word) <= 1
    except ValueError:
        return False
    return fits and (not cut or word != reply.lstrip() or GRADE.fullmatch(word) is not None)


def _first_word(reply: str) -> str:
    """What the official script takes for the grade."""
    return reply.split(" ", maxsplit=1)[0].strip()


def layout_marks(answer: str) -> str:
    """What an answer holds that a prompt of lines, such as the official ones, cannot tell from its own."""
    return TABLE_MARKS if "|" in answer else LINE_BREAKS if len(answer.splitlines()) > 1 else ""


def match_option(question: str, options: Mapping[str, str], answer: str, likely: str = "A") -> Dialogue[str]:
    """The letter of the option that an answer means, ``Z`` for none.

    In Chinese if the question is. Where VLMEvalKit draws a letter at random after three unreadable replies, this gives up.

    Args:
        likely: what plans take for the reply.

    Raises:
        NoReplyError: no reply was complete and named an option.

    Source: ``vlmeval/dataset/utils/multiple_choice.py`` of open-compass/VLMEvalKit at 028a6e7.
    """
    listed = "There are several options: \n" + "".join(f"{letter}. {text}\n" for letter, text in options.items())
    if CHINESE.search(question):
        prompt = f"{template('mmbench_cn')}问题: {question}?\n选项: {listed}\n答案: {answer.strip()}\n输出: "
    else:
        prompt = f"{template('mmbench')}Question: {question}?\nOptions: {listed}\nAnswer: {answer.strip()}\nYour output: "
    remark = LINE_BREAKS if len(answer.splitlines()) > 1 else ""
    first = Query(prompt, MATCH_TOKENS, reads=partial(_names_option, options), likely=likely, remark=remark)
    reply = yield from first_counted([replace(first, repeat=number) for number in range(MATCH_TRIES)])
    return read_mmbench(reply, options).answer


def _names_option(options: Mapping[str, str], reply: str, cut: bool) -> bool:
    return not cut and API_FAILURE not in reply and bool(read_mmbench(reply, options).answer)


def is_correct(question: str, accepted: Sequence[str], answer: str, repeat: int = 0, runs: int = 1) -> Dialogue[bool | None]:
    """Whether an answer means the same as one of the accepted ones; None if judges' words could not be read.

    Args:
        repeat: the number of the run, of so many `runs`.

    Raises:
        NoReplyError: no reply was complete.
    """
    fields = (("Question", question), ("Accepted answers", "\n".join(dict.fromkeys(accepted))), ("Proposed answer", answer))
    fence = fence_around([text for _, text in fields])
    body = "".join(f"\n{name}:\n{fence}\n{text}\n{fence}\n" for name, text in fields)
    prompt = f"{template('correctness')}{body}\nCorrect, yes or no?"
    first = Query(prompt, CORRECTNESS_TOKENS, reads=_says_one, likely="yes")
    try:
        reply = yield from first_counted(
            [replace(first, repeat=repeat + number * runs) for number in range(CORRECTNESS_TRIES)]
        )
    except NoReplyError as error:
        if not error.whole:
            raise
        return None
    return _words(reply) == {"yes"}


def _says_one(reply: str, cut: bool) -> bool:
    return not cut and len(_words(reply)) == 1


def _words(reply: str) -> set[str]:
    """Which of yes and no a reply says, thoughts left out."""
    return set(re.findall(r"\b(yes|no)\b", reply.rpartition("</think>")[2].lower()))


def fence_around(texts: Sequence[str]) -> str:
    """A line of dashes that none of the texts holds, or one could end its own part of the prompt."""
    if not any(FENCE in text for text in texts):
        return FENCE
    digest = hashlib.sha256("\0".join(texts).encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{FENCE} {digest} {FENCE}"  # a text that holds a digest of itself is not to be had
