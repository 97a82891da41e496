"""Five drawn pictures with a true question each, for every kind of benchmark."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping, Sequence

from mipha_eval.core.json_value import JsonObject
from mipha_eval.demo.scenes import Scene, Thing, draw_scene
from mipha_eval.scoring.stock.stock_task import QuestionKind

#: what the pictures show; cells are numbered row by row, from 0. All are held out from Mipha-Tiny's training
SCENES: Sequence[Scene] = (
    Scene((Thing("circle", "red", 4), Thing("square", "blue", 7))),
    Scene((Thing("triangle", "green", 6), Thing("star", "red", 2))),
    Scene((Thing("heart", "green", 0), Thing("cross", "yellow", 1), Thing("ring", "red", 2))),
    Scene((Thing("diamond", "purple", 5),)),
    Scene((Thing("square", "yellow", 1), Thing("circle", "green", 5), Thing("star", "black", 8))),
)

#: about each picture: question, answers, options, category; in words that Mipha-Tiny knows
Row = tuple[str, tuple[str, ...], tuple[str, ...], str]

COLOUR, SHAPE, COUNT = "colour", "shape", "count"
YES_NO: Sequence[Row] = (
    ("Is there a circle in the image?", ("yes",), (), SHAPE),
    ("Is there a square in the image?", ("no",), (), SHAPE),
    ("Is there a green heart in the image?", ("yes",), (), COLOUR),
    ("Is there a red diamond in the image?", ("no",), (), COLOUR),
    ("Is there a star in the image?", ("yes",), (), SHAPE),
)
CHOICE: Sequence[Row] = (
    ("What color is the circle?", ("A",), ("red", "green", "blue", "yellow"), COLOUR),
    ("What shape is green?", ("B",), ("star", "triangle", "circle", "square"), SHAPE),
    ("What color is the cross?", ("C",), ("red", "purple", "yellow", "blue"), COLOUR),
    ("What shape is purple?", ("D",), ("heart", "circle", "ring", "diamond"), SHAPE),
    ("How many shapes are there?", ("B",), ("1", "3", "2", "4"), COUNT),
)
SHORT: Sequence[Row] = (
    ("What color is the circle?", ("red",), (), COLOUR),
    ("What shape is green?", ("triangle",), (), SHAPE),
    ("How many shapes are there?", ("3", "three"), (), COUNT),
    ("What color is the diamond?", ("purple",), (), COLOUR),
    ("What shape is black?", ("star",), (), SHAPE),
)
NUMBER: Sequence[Row] = (
    ("How many shapes are there?", ("2",), (), SHAPE),
    ("How many green shapes are there?", ("1",), (), COLOUR),
    ("How many shapes are there?", ("3",), (), SHAPE),
    ("How many red shapes are there?", ("0",), (), COLOUR),
    ("How many stars are there?", ("1",), (), SHAPE),
)
CAPTION: Sequence[Row] = (
    ("", ("A red circle above a blue square.", "A red circle in the middle and a blue square at the bottom."), (), ""),
    ("", ("A red star above and to the right of a green triangle.", "A green triangle and a red star."), (), ""),
    ("", ("A green heart, a yellow cross and a red ring in a row.", "Three shapes side by side at the top."), (), ""),
    ("", ("A purple diamond at the right of the picture.", "One purple diamond."), (), ""),
    ("", ("A yellow square above a green circle and a black star.", "A square, a circle and a star."), (), ""),
)
OPEN: Sequence[Row] = (
    ("Where is the circle?", ("It is in the middle of the picture, above the square.",), (), ""),
    ("Where is the star, seen from the triangle?", ("It is above the triangle and to the right.",), (), ""),
    ("How are the shapes arranged?", ("Side by side in one row: a heart, a cross and a ring.",), (), ""),
    ("Describe the image.", ("It shows a single purple diamond at the right.",), (), ""),
    ("Which shapes are below the square?", ("A green circle and a black star.",), (), ""),
)
ROWS: Mapping[QuestionKind, Sequence[Row]] = {
    "yesno": YES_NO,
    "choice": CHOICE,
    "short": SHORT,
    "caption": CAPTION,
    "open": OPEN,
}
#: as VQAv2 has it: what each of ten people said
TEN: Sequence[Row] = tuple(
    (asked, answers[:1] * 8 + answers[-1:] * 2, (), category) for asked, answers, _, category in SHORT
)
#: scorers with questions of their own: what they read is narrower than their kind
OF_SCORERS: Mapping[str, Sequence[Row]] = {"number": NUMBER, "vqa": TEN}


def example_rows(scorer: str, kind: QuestionKind) -> list[JsonObject]:
    """The rows of ``questions.jsonl``, which `mipha-eval run --tasks jsonl:FILE` reads as well."""
    found: list[JsonObject] = []
    for number, (question, answers, choices, category) in enumerate(OF_SCORERS.get(scorer, ROWS[kind]), start=1):
        answer = list(answers) if kind in ("short", "caption") else answers[0]
        row: dict[str, object] = {"id": str(number), "image": f"images/{number}.png", "question": question}
        row |= {"answer": answer, "choices": list(choices), "category": category}
        found.append({key: value for key, value in row.items() if value})  # type: ignore[misc]
    return found


def example_pictures() -> dict[str, bytes]:
    """Name -> PNG, always the same."""
    found = {}
    for number, scene in enumerate(SCENES, start=1):
        file = io.BytesIO()
        draw_scene(scene, random.Random(f"example {number}")).save(file, "PNG")
        found[f"images/{number}.png"] = file.getvalue()
    return found
