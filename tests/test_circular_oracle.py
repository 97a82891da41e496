"""MMBench with a judge against VLMEvalKit's circular evaluation, written down a second time, question by question.

Source: ``eval_circular_group`` in ``vlmeval/dataset/utils/multiple_choice.py`` of open-compass/VLMEvalKit at 028a6e7.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress

from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Answer, Query, Sample, Score, Verdict
from mipha_eval.scoring.circular import circular_tally, match_unread
from mipha_eval.scoring.judging.dialogue import NoReplyError, replay
from tests.oracles.mmbench import letter_of

OPTIONS = ("red", "green", "blue", "grey")
TEXTS = ("A", "B", "C", "D", "Z", "red", "it is green", "no idea at all, to be honest", "A or B", "hm")
REPLIES = ("A", "B", "C", "D", "Z", "The answer is B", "blue", "cannot say", "A or B", "")

#: question -> what the judge replies, one time after the other
Script = Mapping[str, list[str]]


def official(truths: list[str], texts: list[str], options: list[dict[str, str]], script: Script) -> tuple[bool | None, int]:
    """Whether a question counts as right, None where a letter is drawn at random, and how often the judge is asked."""
    read = [letter_of(text, choices) for text, choices in zip(texts, options, strict=True)]
    if any(letter and letter != truth for letter, truth in zip(read, truths, strict=True)):
        return False, 0
    asked = 0
    for place, truth in enumerate(truths):
        letter = read[place]
        for reply in script[f"rotation {place}"] if letter is None else ():
            asked += 1
            letter = letter_of(reply, options[place])
            if letter:
                break
        if not letter:
            return None, asked
        if letter != truth:
            return False, asked
    return True, asked


def scored(sample: Sample, reading: Reading) -> Score:
    right = float(reading.answer == sample.target[0])
    details = {"base": sample.id == sample.group}
    return Score(sample.id, right, reading.answer, reading.rule, parsed=reading.parsed, group=sample.group, details=details)


def test_random_questions_against_the_official_loop() -> None:
    rng = random.Random(0)
    seen = set()
    for _ in range(4000):
        count = rng.randint(2, 4)
        turned = [OPTIONS[:count][place:] + OPTIONS[:count][:place] for place in range(count)]
        truths = ["ABCD"[options.index("red")] for options in turned]
        lettered = [dict(zip("ABCD", options, strict=False)) for options in turned]
        # mostly right answers, or hardly a question would get as far as a judge
        texts = [truth if rng.random() < 0.5 else rng.choice(TEXTS) for truth in truths]
        script = {
            f"rotation {place}": [truth if rng.random() < 0.4 else rng.choice(REPLIES) for _ in range(3)]
            for place, truth in enumerate(truths)
        }
        asked: list[Query] = []

        def reply(query: Query, script: Script = script, asked: list[Query] = asked) -> Verdict:
            asked.append(query)
            (question,) = (name for name in script if f"Question: {name}?" in query.prompt)
            return Verdict(script[question][query.repeat])

        answers = []
        for place, (truth, options, text) in enumerate(zip(truths, turned, texts, strict=True)):
            choices = (*options, *[""] * (4 - count))
            sample = Sample(
                str(7 + place * 1_000_000), "", (truth,), (), place, group="7", question=f"rotation {place}", choices=choices
            )
            letter = letter_of(text, lettered[place])
            answers.append(Answer(sample, text, scored(sample, Reading(letter or "", "rule", parsed=letter is not None))))
        found: float | None = None
        with suppress(NoReplyError):  # the question is left out where the official script draws a letter
            found = circular_tally(replay(match_unread(answers, scored), reply))["right"]
        right, calls = official(truths, texts, lettered, script)
        assert (found, len(asked)) == (right, calls), (texts, script)
        seen.add((right, min(calls, 4)))
    assert seen >= {(True, 0), (True, 1), (True, 4), (False, 0), (False, 1), (False, 4), (None, 3)}
