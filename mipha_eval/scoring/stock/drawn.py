"""Questions and answers made to compare a stock scorer with its oracle."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.types import Sample
from mipha_eval.scoring.adversarial import adversarial_answer
from mipha_eval.scoring.stock.question import Question

PHRASES = (
    *("a red bus", "red", "bus", "The Hague", "two", "2", "no", "yes", "none", "U.S.A.", "St. John's", "don't know", "left"),
    *("10:30 am", "1,000 kg", "$5.00", "R&D / Sales", "ACME Inc.", "p. 3", "café", "ß-carotene", "on the  table", "A", "z"),
    *("Dr. W. H. Smith, 12 Main Street", "a very long answer of quite a few words", "t-shirt", "猫", "İzmir", "B. a dog"),
)
NUMBERS = ("0", "1", "7", "12", "-3", "100", "2019", "1.5", "0.05", "-0.25", "3.0", "12.75", "1.20", "1e3", "100000")
#: labels that MathVista's own rule can reach: it compares texts, and writes no number as 1.20 or 1e3
REACHED = tuple(number for number in NUMBERS if number not in ("1.20", "1e3"))
PERCENT = ("50%", "0%", "12.5%", "5 %")
#: what numbers are multiplied by: the ends of a tolerance of 5 %, what is just beyond them, and what rounds away
FACTORS = (0.94, 0.9499999, 0.95, 0.96, 1, 1, 1, 1.0001, 1.04, 1.05, 1.0500001, 1.06, -1, 100, 0.01)
FORMS = ("{}", "{:.1f}", "{:.2f}", "{:.0f}", "{:g}", "{:e}", "{:,}", "{}%", " {} ", "{} cm", "about {}")
ODD_NUMBERS = ("nan", "inf", "-inf", "1_000", "１２", "+5", "5.", "%", "5%%", "0x10", "1e999", "--1", "١٢")
MOST_OPTIONS = (2, 2, 3, 4, 4, 4, 5, 6, 10, 26)

Draw = Callable[[random.Random], Question]


def _yes_no(rng: random.Random) -> Question:
    return Question("Is it?", (rng.choice(("yes", "no", "Yes", "No", "TRUE", "n")),))


def _choice(rng: random.Random) -> Question:
    count = rng.choice(MOST_OPTIONS)
    options = tuple(rng.sample([*PHRASES, *NUMBERS], count))
    right = rng.randrange(count)
    clear = options[right] not in LETTERS[:count] and options[right].upper() not in LETTERS
    label = options[right] if clear and rng.random() < 0.3 else LETTERS[right]
    others = {option for place, option in enumerate(options) if place != right}
    return _choice(rng) if label in others else Question("Which?", (label,), choices=options)


def _short(rng: random.Random) -> Question:
    return Question("What?", tuple(rng.sample(PHRASES, rng.choice((1, 1, 2, 3)))))


def _people(rng: random.Random) -> Question:
    given = rng.sample([*PHRASES, "1", "the red bus", "Red.", "none of them", "nobody"], rng.choice((1, 2, 3, 5)))
    return Question("What?", tuple(rng.choice(given) for _ in range(rng.choice((10, 10, 10, 9, 3, 1)))))


def _chart(rng: random.Random) -> Question:
    return Question("How much?", tuple(rng.sample([*NUMBERS, *PERCENT, *PHRASES[:6]], rng.choice((1, 1, 2)))))


def _number(rng: random.Random) -> Question:
    return Question("How many?", (rng.choice(REACHED),))


#: the scorers whose answers are texts that a rule alone reads, and how their questions are drawn
DRAWS: Mapping[str, Draw] = {
    "yesno": _yes_no,
    "choice": _choice,
    "circular": _choice,
    "exact": _short,
    "vqa": _people,
    "anls": _short,
    "relaxed": _chart,
    "contains": _short,
    "number": _number,
}


def drawn_questions(scorer: str, rng: random.Random, count: int) -> list[Question]:
    """So many questions for a scorer of `DRAWS`."""
    return [DRAWS[scorer](rng) for _ in range(count)]


def drawn_answer(rng: random.Random, sample: Sample, samples: Sequence[Sample]) -> str:
    """An answer to a sample: an adversarial one, one that is nearly right, or an odd number."""
    kind, label = rng.random(), rng.choice(sample.label_texts)
    if kind < 0.05:
        return rng.choice(ODD_NUMBERS)
    if kind < 0.4:
        try:
            value = float(label.rstrip("%")) * rng.choice(FACTORS)
        except ValueError:
            return _edited(rng, label)
        return rng.choice(FORMS).format(value)
    return adversarial_answer(rng, sample, samples)


def _edited(rng: random.Random, text: str) -> str:
    """A text with a few characters left out, put in or replaced."""
    for _ in range(rng.choice((0, 1, 1, 2, 3, len(text) // 2))):
        place = rng.randint(0, len(text))
        text = text[:place] + rng.choice(("", "x", " ", ".", "É")) + text[place + rng.choice((0, 1)) :]
    return text
