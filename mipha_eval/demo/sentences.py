"""Captions of scenes, and questions that are answered in a sentence."""

from __future__ import annotations

import random

from mipha_eval.core.format_lines import CAPTION
from mipha_eval.demo.questions import Asker, Question
from mipha_eval.demo.scenes import Scene, Thing

COLUMNS = ("left", "middle", "right")
ROWS = ("top", "center", "bottom")
DESCRIBE = "Describe the image."
READ = "What is written in the image?"
ADD_ONE = "How many shapes are there if one more is drawn?"
OPENINGS = ("", "There is ", "A picture of ", "Here we see ", "We can see ")


def colour_question(shape: str) -> str:
    return f"What color is the {shape}?"


def place_question(shape: str) -> str:
    return f"Where is the {shape}?"


def place_of(thing: Thing) -> str:
    return f"{ROWS[thing.row]} {COLUMNS[thing.column]}"


def caption(scene: Scene, opening: str = "", things: list[Thing] | None = None) -> str:
    """What a scene shows, row by row unless `things` are in another order, the text last."""
    ordered = sorted(scene.things, key=lambda thing: thing.cell) if things is None else things
    parts = [f"a {thing.colour} {thing.shape}" for thing in ordered]
    if scene.text:
        parts.append(f"the {'number' if scene.text.isdigit() else 'word'} {scene.text}")
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    sentence = f"{opening}{listed}."
    return sentence[0].upper() + sentence[1:]


def ask_caption(_: random.Random, scene: Scene) -> Question:
    return Question(CAPTION, caption(scene), "")


def ask_description(_: random.Random, scene: Scene) -> Question:
    return Question(DESCRIBE, caption(scene), "")


def ask_colour(rng: random.Random, scene: Scene) -> Question:
    thing = rng.choice(scene.things)
    return Question(colour_question(thing.shape), f"The {thing.shape} is {thing.colour}.", "")


def ask_place(rng: random.Random, scene: Scene) -> Question:
    thing = rng.choice(scene.things)
    return Question(place_question(thing.shape), f"It is at the {place_of(thing)}.", "")


def ask_reading(_: random.Random, scene: Scene) -> Question | None:
    return Question(READ, f"It says {scene.text}.", "") if scene.text else None


def ask_sum(_: random.Random, scene: Scene) -> Question:
    return Question(ADD_ONE, f"There are {len(scene.things) + 1}.", "")


KINDS: dict[str, Asker] = {
    "caption": ask_caption,
    "description": ask_description,
    "say_colour": ask_colour,
    "say_place": ask_place,
    "say_reading": ask_reading,
    "say_sum": ask_sum,
}
