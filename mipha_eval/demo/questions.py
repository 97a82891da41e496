"""Questions about a scene with short answers, a function a kind, each with its answer read off the scene.

Yes/no kinds answer yes and no equally often for every wording, so that the question alone tells nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mipha_eval.core.format_lines import OCR_TOKENS, SHORT_ANSWER, UNANSWERABLE
from mipha_eval.demo.scenes import COLOURS, DIGITS, GRID, SHAPES, WORDS, Scene

COUNT_WORDS = ("zero", "one", "two", "three", "four", "five", "six")
LEFT, RIGHT, TOP, BOTTOM = "left side", "right side", "top", "bottom"
HALVES = (LEFT, RIGHT, TOP, BOTTOM)
BLIND_FORM = f"{UNANSWERABLE}\n{SHORT_ANSWER}"  # VizWiz' format lines


@dataclass(frozen=True)
class Question:
    """A wording, the expected answer, and the format lines that follow the wording in the prompt."""

    text: str
    answer: str
    form: str = SHORT_ANSWER

    @property
    def prompt(self) -> str:
        return f"{self.text}\n{self.form}" if self.form else self.text


def article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def pope_text(shape: str) -> str:
    return f"Is there {article(shape)} {shape} in the image?"


def existence_text(shape: str) -> str:
    return f"Is there {article(shape)} {shape} in this image?"


def count_text(count: int) -> str:
    if count == 1:
        return "Is there a total of one shape in the image?"
    return f"Are there a total of {COUNT_WORDS[count]} shapes in the image?"


def colour_text(colour: str, shape: str) -> str:
    return f"Is there {article(colour)} {colour} {shape} in the image?"


def position_text(shape: str, half: str) -> str:
    return f"Is the {shape} {'on' if half in (LEFT, RIGHT) else 'at'} the {half} of the image?"


def reading_text(text: str) -> str:
    return f'Is the {"number" if text.isdigit() else "word"} in the image "{text}"?'


def text_family(text: str) -> tuple[str, ...]:
    """The texts that could stand in the place of `text`."""
    return DIGITS if text.isdigit() else WORDS


def in_half(scene: Scene, shape: str, half: str) -> bool:
    """Whether a shape lies in the outer column or row that `half` names."""
    thing = scene.find(shape)
    if thing is None:
        return False
    return {
        LEFT: thing.column == 0,
        RIGHT: thing.column == GRID - 1,
        TOP: thing.row == 0,
        BOTTOM: thing.row == GRID - 1,
    }[half]


def opposite(half: str) -> str:
    return {LEFT: RIGHT, RIGHT: LEFT, TOP: BOTTOM, BOTTOM: TOP}[half]


def _yes_no(truth: bool) -> str:
    return "Yes" if truth else "No"


def _shape_for(rng: random.Random, scene: Scene, present: bool) -> str | None:
    pool = [shape for shape in SHAPES if (scene.find(shape) is not None) == present]
    return rng.choice(pool) if pool else None


def ask_existence(rng: random.Random, scene: Scene) -> Question | None:
    present = rng.random() < 0.5
    shape = _shape_for(rng, scene, present)
    text = rng.choice((pope_text, existence_text))
    return Question(text(shape), _yes_no(present)) if shape else None


def ask_colour_match(rng: random.Random, scene: Scene) -> Question | None:
    """Half of the wrong colours are taken from the other things, so that the colour alone does not decide."""
    thing = rng.choice(scene.things)
    if rng.random() < 0.5:
        return Question(colour_text(thing.colour, thing.shape), "Yes")
    nearby = [other.colour for other in scene.things if other.colour != thing.colour]
    pool = nearby if nearby and rng.random() < 0.5 else [colour for colour in COLOURS if colour != thing.colour]
    return Question(colour_text(rng.choice(pool), thing.shape), "No")


def ask_count_match(rng: random.Random, scene: Scene) -> Question | None:
    count = len(scene.things)
    if rng.random() < 0.5:
        return Question(count_text(count), "Yes")
    return Question(count_text(rng.choice([n for n in range(1, 6) if n != count])), "No")


def ask_position(rng: random.Random, scene: Scene) -> Question | None:
    pairs = [(thing.shape, half) for thing in scene.things for half in HALVES if in_half(scene, thing.shape, half)]
    if not pairs:
        return None
    shape, half = rng.choice(pairs)
    truth = rng.random() < 0.5
    return Question(position_text(shape, half if truth else opposite(half)), _yes_no(truth))


def ask_reading_match(rng: random.Random, scene: Scene) -> Question | None:
    if not scene.text:
        return None
    if rng.random() < 0.5:
        return Question(reading_text(scene.text), "Yes")
    return Question(reading_text(rng.choice([text for text in text_family(scene.text) if text != scene.text])), "No")


def ask_colour(rng: random.Random, scene: Scene) -> Question | None:
    thing = rng.choice(scene.things)
    return Question(f"What color is the {thing.shape}?", thing.colour)


def ask_shape(rng: random.Random, scene: Scene) -> Question | None:
    colours = [thing.colour for thing in scene.things]
    single = [thing for thing in scene.things if colours.count(thing.colour) == 1]
    if not single:
        return None
    thing = rng.choice(single)
    return Question(f"What shape is {thing.colour}?", thing.shape)


def ask_count(_: random.Random, scene: Scene) -> Question | None:
    return Question("How many shapes are there?", str(len(scene.things)))


def ask_reading(_: random.Random, scene: Scene) -> Question | None:
    if not scene.text:
        return None
    return Question(f"What is the {'number' if scene.text.isdigit() else 'word'} in the image?", scene.text)


def ask_where(rng: random.Random, scene: Scene) -> Question | None:
    """Asks for the column or the row of a thing."""
    thing = rng.choice(scene.things)
    if rng.random() < 0.5:
        return Question(f"Is the {thing.shape} left, middle or right?", ("left", "middle", "right")[thing.column])
    return Question(f"Is the {thing.shape} top, center or bottom?", ("top", "center", "bottom")[thing.row])


def ask_with_ocr(rng: random.Random, scene: Scene) -> Question | None:
    """What the picture says, the prompt naming two readings, one of them false."""
    plain = ask_reading(rng, scene)
    if plain is None:
        return None
    readings = [scene.text, rng.choice([text for text in text_family(scene.text) if text != scene.text])]
    return Question(with_ocr(plain.text, rng.sample(readings, 2)), scene.text)


def with_ocr(text: str, readings: Sequence[str]) -> str:
    return f"{text}\n{OCR_TOKENS} {', '.join(readings)}"


def ask_answerable(rng: random.Random, scene: Scene) -> Question | None:
    """A colour or a text that may not be there."""
    if rng.random() < 0.5:
        shape = _shape_for(rng, scene, rng.random() < 0.5)
        thing = scene.find(shape) if shape else None
        answer = thing.colour if thing else "unanswerable"
        return Question(f"What color is the {shape}?", answer, BLIND_FORM) if shape else None
    family = rng.choice(("number", "word"))
    there = scene.text and scene.text.isdigit() == (family == "number")
    return Question(f"What is the {family} in the image?", scene.text if there else "unanswerable", BLIND_FORM)


Asker = Callable[[random.Random, Scene], Question | None]
KINDS: dict[str, Asker] = {
    "existence": ask_existence,
    "colour_match": ask_colour_match,
    "count_match": ask_count_match,
    "position": ask_position,
    "reading_match": ask_reading_match,
    "colour": ask_colour,
    "shape": ask_shape,
    "count": ask_count,
    "reading": ask_reading,
    "where": ask_where,
    "with_ocr": ask_with_ocr,
    "answerable": ask_answerable,
}
