"""A made-up set of POPE's shape, seeded: drawn pictures of COCO's sizes and distinct yes/no questions about them.

Pictures are light or dark, and objects are liked, disliked or neither: that gives each question its label. It means nothing,
but a network needs both the picture and the question for it, and one with random weights passes both on.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

CATEGORIES = ("adversarial", "popular", "random")
SIZES = ((640, 480), (640, 480), (480, 640), (640, 427), (500, 375))
LIKED = "person car chair bottle cup bowl dog horse bird boat bus truck"
DISLIKED = "cat cow sheep bear zebra kite train bench clock vase sink oven"
NEITHER = "book apple banana pizza cake donut spoon fork knife couch bed toilet laptop mouse keyboard toaster"
LIKING = {thing: liking for liking, things in ((2.0, LIKED), (-2.0, DISLIKED), (0.0, NEITHER)) for thing in things.split()}


@dataclass(frozen=True)
class Picture:
    """A drawn picture as a JPEG file; `lightness` is 1 or -1."""

    name: str
    lightness: int
    jpeg: bytes


@dataclass(frozen=True)
class Question:
    """Numbered from 1 within its category, as POPE's files do."""

    picture: Picture
    category: str
    number: int
    thing: str

    @property
    def text(self) -> str:
        return f"Is there a {self.thing} in the image?"

    @property
    def leaning(self) -> float:
        """Positive for yes, and never near 0."""
        return LIKING[self.thing] + self.picture.lightness

    @property
    def label(self) -> str:
        return "yes" if self.leaning > 0 else "no"


def make_set(total: int, each: int, seed: int = 0) -> list[Question]:
    """`total` questions, `each` about a picture, one after the other yes and no."""
    rng = random.Random(seed)
    questions: list[Question] = []
    while len(questions) < total:
        picture = draw_picture(len(questions) // each, seed)
        unused = rng.sample(sorted(LIKING), len(LIKING))
        for _ in range(min(each, total - len(questions))):
            place = len(questions)
            wanted = "no" if place % 2 else "yes"
            made = Question(picture, CATEGORIES[place // 2 % 3], place // 6 * 2 + place % 2 + 1, "")
            fitting = (Question(picture, made.category, made.number, thing) for thing in unused)
            question = next((question for question in fitting if question.label == wanted), None)
            if question is None:
                raise ValueError(f"there are not {each} balanced questions about one picture")
            unused.remove(question.thing)
            questions.append(question)
    return questions


def draw_picture(number: int, seed: int) -> Picture:
    """Blurred noise, light or dark, with shapes on it and some grain, so that the file is as large as a photograph's."""
    rng = np.random.default_rng([seed, number])
    width, height = SIZES[number % len(SIZES)]
    lightness = 1 if rng.random() < 0.5 else -1
    coarse = np.clip(rng.normal(128 + 60 * lightness, 40, (height // 40, width // 40, 3)), 0, 255).astype(np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    canvas = ImageDraw.Draw(image)
    for _ in range(6):
        left, top = int(rng.integers(width - 80)), int(rng.integers(height - 80))
        box = (left, top, left + int(rng.integers(20, 80)), top + int(rng.integers(20, 80)))
        colour = tuple(map(int, rng.integers(0, 256, 3)))
        (canvas.ellipse if rng.random() < 0.5 else canvas.rectangle)(box, fill=colour)
    grainy = np.asarray(image, dtype=np.float32) + rng.normal(0, 12, (height, width, 1))
    file = io.BytesIO()
    Image.fromarray(np.clip(grainy, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return Picture(f"COCO_val2014_{number + 1:012}", lightness, file.getvalue())


def write_llava(questions: Sequence[Question], folder: Path) -> None:
    """LLaVA's eval layout: ``pope/coco/coco_pope_CATEGORY.json`` and ``pope/val2014/*.jpg``."""
    images, labels = folder / "pope" / "val2014", folder / "pope" / "coco"
    for place in (images, labels):
        place.mkdir(parents=True, exist_ok=True)
    for picture in {question.picture.name: question.picture for question in questions}.values():
        (images / f"{picture.name}.jpg").write_bytes(picture.jpeg)
    for category in CATEGORIES:
        rows = [
            {"question_id": one.number, "image": f"{one.picture.name}.jpg", "text": one.text, "label": one.label}
            for one in questions
            if one.category == category
        ]
        (labels / f"coco_pope_{category}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(questions: Sequence[Question], file: Path) -> None:
    """The columns of lmms-lab-encoder/POPE, which repeats the picture in every row."""
    import datasets

    features = datasets.Features(
        {key: datasets.Value("string") for key in ("id", "question_id", "question", "answer", "image_source", "category")}
        | {"image": datasets.Image()}
    )
    rows: list[dict[str, Any]] = [
        {
            "id": str(place),
            "question_id": str(one.number),
            "question": one.text,
            "answer": one.label,
            "image_source": one.picture.name,
            "category": one.category,
            "image": {"bytes": one.picture.jpeg, "path": f"{one.picture.name}.jpg"},
        }
        for place, one in enumerate(questions)
    ]
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(file))
