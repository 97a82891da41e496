"""A constant answer scores what the labels foretell."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from mipha_eval.authoring.check_task.answers import Outcome, is_ranked, option_of, outcome, plain, saying
from mipha_eval.authoring.check_task.formulas import known_formulas
from mipha_eval.authoring.check_task.point import Said, count, quoted, some
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.types import Sample

CLOSE = 1e-6
WORDS = re.compile(r"\w+")
#: words that rules take for one another
ARTICLES = {"a", "an", "the"}
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SAME = {"none": "0", **{word: str(number) for number, word in enumerate(NUMBERS)}}


def constants_score_as_foretold(under: TaskUnderCheck) -> Iterator[Said]:
    """Of each answer given to every question, as many are right as have it for a label."""
    if under.together or under.awaits_judge:
        how = "answers are measured all together" if under.together else "a judge grades"
        yield "note", f"what a constant answer gets cannot be foretold from the labels: {how}"
        return
    shares, asked = {}, 0
    for text, found in under.constants.items():
        worths = {score.sample: score.value for score in found.scores}
        sure = [(each, truth) for each in under.tried if (truth := foretold(under, each, text)) is not None]
        for sample, truth in sure:
            value = worths[sample.id]
            if value < truth - CLOSE or (value > truth + CLOSE and not is_alike(text, sample)):
                right = sum(truth for _, truth in sure), sum(worths[each.id] for each, _ in sure)
                told = f"{right[0]:,} of {len(sure):,} are right by the labels, and {right[1]:,.6g} by the task's rule"
                first = f"question {sample.id} has the label {quoted(sample.target[0])}"
                place = place_of(type(under.task), "score")
                yield "fault", f"{quoted(text)} as the answer to every question: {told}; {first} ({place})"
                return
        asked = max(asked, len(sure))
        if sure:
            shares[text] = 100 * sum(truth for _, truth in sure) / len(sure)
    if not shares:
        yield "note", "every question has several accepted answers, so that what a constant gets is not foretold"
        return
    named = some([f"{text} {share:.1f} %" for text, share in sorted(shares.items(), key=lambda pair: -pair[1])])
    part = f" (of {count(asked, 'question')} with one accepted answer)" if asked < len(under.tried) else ""
    yield "ok", f"a constant answer is right as often as the labels foretell: {named}{part}"


def foretold(under: TaskUnderCheck, sample: Sample, text: str) -> int | None:
    """Whether an answer is right by the label alone, 1 or 0; None where that is not sure."""
    labels = {plain(label) for label in sample.target}
    if len(labels) > 1 or under.task.odd_label(sample) or under.best[sample.id][1] < 1 - CLOSE:
        return None
    (label,) = labels
    if is_ranked(under.task, sample) and option_of(sample, text) not in sample.choices:
        return None  # an option is always the likeliest
    if sample.choices and len(text) == 1 and text in LETTERS:
        by_letter = sample.target[0] in LETTERS[: len(sample.choices)]  # an option may be called by another's letter
        return int(label == plain(text if by_letter else option_of(sample, text)))
    return int(label == plain(text))


def is_alike(text: str, sample: Sample) -> bool:
    """Whether a rule may take an answer for a label that is another text: numbers, common words, parts."""
    if sample.choices or {plain(text), plain(sample.target[0])} == {"yes", "no"}:
        return False
    said, label = (_telling_words(each) for each in (text, sample.target[0]))
    if not (said and label):  # articles alone, which rules leave out
        return True
    numbers = all(any(letter.isdigit() for letter in each) for each in (text, sample.target[0]))
    near = plain(text) in plain(sample.target[0]) or plain(sample.target[0]) in plain(text)
    return bool(said & label) or numbers or near or _letters_shared(text, sample.target[0]) >= 0.5


def _telling_words(text: str) -> set[str]:
    return {SAME.get(word, word) for word in WORDS.findall(plain(text))} - ARTICLES


def _letters_shared(one: str, other: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, plain(one), plain(other)).ratio()


def headline_follows_the_scores(under: TaskUnderCheck) -> Iterator[Said]:
    """The headline of constants, and of answers half right, is what a known formula makes of what the answers are worth."""
    if under.together or under.awaits_judge:
        yield "note", "the headline is not computed a second time: its formula is none that is known here"
        return
    tried = [under.oracle, *under.constants.values(), _half_right(under)]
    names: set[str] | None = None
    for each in tried:
        fits = {name for name, value in known_formulas(each, under.tried).items() if _is(each.value, value)}
        names = fits if names is None else names & fits
    headline = under.oracle.metric.plain
    if names:
        yield (
            "ok",
            f"the headline {headline} is {min(names, key=len)}, computed a second time for {len(tried)} sets of answers",
        )
    elif "acc" in headline.lower():
        worst = next(each for each in tried if not _is(each.value, 100 * _mean(each)))
        told = f"{worst.text} where {_mean(worst):.1%} of what the answers could be worth is reached"
        yield "fault", f"{headline} is no accuracy: {told} ({place_of(type(under.task), 'tally')})"
    else:
        yield (
            "note",
            f"the headline {headline} is by no formula that is known here; compare it with the benchmark's own script",
        )


def _half_right(under: TaskUnderCheck) -> Outcome:
    """Every second group answered right, the others with nothing."""
    groups = list(dict.fromkeys(sample.group or sample.id for sample in under.tried))
    right = set(groups[::2])
    texts = {each.id: under.best[each.id][0] if (each.group or each.id) in right else "" for each in under.tried}
    return outcome(under.task, under.tried, {each.id: saying(under.task, each, texts[each.id]) for each in under.tried})


def _mean(found: Outcome) -> float:
    return sum(score.value for score in found.scores) / len(found.scores)


def _is(measured: float | None, value: float) -> bool:
    return measured is not None and math.isclose(measured, value, rel_tol=CLOSE, abs_tol=CLOSE)
