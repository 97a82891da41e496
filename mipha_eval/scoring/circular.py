"""Circular evaluation: a question asked with rotated options is right only if every rotation is answered right.

Source: ``vlmeval/dataset/utils/multiple_choice.py`` of open-compass/VLMEvalKit at 028a6e7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mipha_eval.core.alphabet import lettered
from mipha_eval.core.metrics import Tally
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Answer, Dialogue, Sample, Score
from mipha_eval.scoring.answers.letters import read_mmbench
from mipha_eval.scoring.judging.prompts import match_option

#: before a judge is asked about an answer of fewer characters, rules read it once more without outer space
SHORT = 10
NOTHING = Reading("", "mmbench-unread", parsed=False)


def options_of(sample: Sample) -> dict[str, str]:
    """Letter -> option; an empty cell is none."""
    return {letter: cell for letter, cell in lettered(sample.choices) if cell}


def circular_tally(scores: Sequence[Score]) -> Tally:
    """Counts of a question, of which ``details["base"]`` tells the rotation that is none.

    ``vanilla`` counts that one alone. Without it the official script does not see the question.
    """
    base = next((score for score in scores if score.details["base"]), None)
    if base is None:
        return {}
    hit = min(score.value for score in scores)
    right = {"": hit, "vanilla/": base.value} | {f"{part}/": hit for part in base.tags}
    return {f"{name}right": value for name, value in right.items()} | {f"{name}asked": 1.0 for name in right}


def match_unread(answers: Sequence[Answer], scored: Callable[[Sample, Reading], Score]) -> Dialogue[Sequence[Score]]:
    """Asks a judge which option the unread answers to a question mean, as long as it can still be right."""
    scores = [answer.score for answer in answers]
    if any(score.parsed and not score.value for score in scores):
        return scores
    for place, answer in enumerate(answers):
        if scores[place].parsed:
            continue
        options, text = options_of(answer.sample), answer.text.strip()
        reading = read_mmbench(text, options) if len(text) < SHORT else NOTHING
        if not reading.answer:
            letter = yield from match_option(answer.sample.question, options, text, likely=answer.sample.target[0])
            reading = Reading(letter, "judge-option")
        scores[place] = scored(answer.sample, reading)
        if not scores[place].value:
            break
    return scores
