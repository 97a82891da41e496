"""Multiple-choice questions about a scene, and some about words alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mipha_eval.core.alphabet import LETTERS, lettered
from mipha_eval.core.format_lines import LETTER_ANSWER
from mipha_eval.demo.questions import KINDS as SHORT_KINDS
from mipha_eval.demo.questions import Asker, Question, text_family
from mipha_eval.demo.scenes import COLOURS, DIGITS, SHAPES, WORDS, Scene

HINTS = ("Look closely.", "Count the shapes.", "See the image.")
CATEGORIES = {"color": tuple(COLOURS), "shape": SHAPES, "number": DIGITS, "word": WORDS}


@dataclass(frozen=True)
class Choice:
    """A question with two or more options, one of them right."""

    text: str
    options: tuple[str, ...]
    right: int
    hint: str = ""

    @property
    def letter(self) -> str:
        return LETTERS[self.right]

    def rotated(self, places: int) -> Choice:
        """The same question with every option moved up by `places`, as MMBench rotates them."""
        options = self.options[places:] + self.options[:places]
        return Choice(self.text, options, (self.right - places) % len(options), self.hint)

    def question(self) -> Question:
        lines = [self.hint] if self.hint else []
        lines += [self.text, *(f"{letter}. {option}" for letter, option in lettered(self.options))]
        return Question("\n".join(lines), self.letter, LETTER_ANSWER)


def make_choice(kind: str, rng: random.Random, scene: Scene, count: int = 4) -> Choice | None:
    """A question of a short-answer kind with `count` options, fewer where there are not as many wrong answers."""
    asked = SHORT_KINDS[kind](rng, scene)
    return _with_options(rng, asked.text, asked.answer, _family(kind, asked.answer), count) if asked else None


def make_category_choice(rng: random.Random, count: int = 4) -> Choice:
    """Which word is of a kind: a question without a picture."""
    category = rng.choice(list(CATEGORIES))
    others = [word for name, words in CATEGORIES.items() if name != category for word in words]
    article = "a" if category != "word" else "a plain"
    return _with_options(rng, f"Which of these is {article} {category}?", rng.choice(CATEGORIES[category]), others, count)


def _family(kind: str, answer: str) -> Sequence[str]:
    if kind == "where":
        columns, rows = ("left", "middle", "right"), ("top", "center", "bottom")
        return columns if answer in columns else rows
    families = {"colour": tuple(COLOURS), "shape": SHAPES, "count": ("1", "2", "3", "4", "5")}
    return families[kind] if kind in families else text_family(answer)


def _with_options(rng: random.Random, text: str, answer: str, family: Sequence[str], count: int) -> Choice:
    wrong = [option for option in family if option != answer]
    options = [answer, *rng.sample(wrong, min(count - 1, len(wrong)))]
    rng.shuffle(options)
    hint = rng.choice(HINTS) if rng.random() < 0.2 else ""
    return Choice(text, tuple(options), options.index(answer), rng.choice(("", "Context: ")) + hint if hint else "")


def _ask(kind: str, rng: random.Random, scene: Scene) -> Question | None:
    choice = make_choice(kind, rng, scene, rng.randint(2, 4))
    return choice.question() if choice else None


def ask_category(rng: random.Random, _: Scene) -> Question:
    return make_category_choice(rng, rng.randint(2, 4)).question()


KINDS: dict[str, Asker] = {
    f"choice_{kind}": partial(_ask, kind) for kind in ("colour", "shape", "count", "reading", "where")
}
