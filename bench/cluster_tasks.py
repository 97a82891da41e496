"""Made-up questions of POPE's, GQA's and VQAv2's shape, read and scored by these tasks; for ``--plugin``.

Of the shape are: how many questions are about a picture, how long they are, what labels they have. They mean nothing. They
are read line by line, since a million in one JSON document would take more memory than everything else.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.data_source import ImageFolder
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Sample
from mipha_eval.data.jsonl import placed_jsonl
from mipha_eval.data.rows import row_at, text_of
from mipha_eval.tasks.gqa import Gqa
from mipha_eval.tasks.pope import Pope
from mipha_eval.tasks.vqav2 import Vqav2

FILE, PICTURES = "rows.jsonl", "pictures"
#: files of pictures that are there; simulated workers look at none, and the driver at the first ones alone
READABLE = 20

#: questions about a picture of GQA's testdev (398 pictures, 12,578 questions): the middle of each twentieth of the pictures
GQA_A_PICTURE = (8, 12, 14, 17, 19, 21, 23, 24, 25, 26, 29, 31, 33, 36, 38, 40, 43, 48, 57, 69)
POPE_A_PICTURE = 6
#: VQAv2 has at least 3 questions about a picture, 5.4 in the mean
VQAV2_LEAST, VQAV2_MEAN = 3, 5.4

ASKED = "red left table man holding small behind wooden animal wearing street window sign many open large near food"
ANSWERED = "yes no 1 2 3 red white blue man woman dog cat table street tennis pizza wood nothing left right"
WORDS, ANSWERS = ASKED.split(), ANSWERED.split()

Rows = Callable[[random.Random, int, str], JsonObject]


def question(rng: random.Random, number: int) -> str:
    """As long as VQAv2's and GQA's are."""
    return f"What is {' '.join(rng.choices(WORDS, k=rng.randint(2, 7)))} number {number}?"


def pope_row(rng: random.Random, number: int, picture: str) -> JsonObject:
    text = f"Is there a {rng.choice(WORDS)} {number} in the image?"
    category = ("adversarial", "random", "popular")[number % 3]
    return {
        "question_id": number,
        "category": category,
        "image": picture,
        "text": text,
        "label": ("yes", "no")[number % 2],
    }


def gqa_row(rng: random.Random, number: int, picture: str) -> JsonObject:
    kind = rng.choice(("query", "verify", "logical"))
    answer = rng.choice(ANSWERS)
    asked = question(rng, number)
    return {"id": str(number), "image": picture, "question": asked, "answer": answer, "types": {"structural": kind}}


def vqav2_row(rng: random.Random, number: int, picture: str) -> JsonObject:
    likely, seldom = rng.choice(ANSWERS), rng.choice(ANSWERS)
    answers = [likely] * 7 + [seldom] * 3
    return {
        "question_id": number,
        "image": picture,
        "question": question(rng, number),
        "answer_type": rng.choice(("yes/no", "number", "other")),
        "answers": [{"answer": answer} for answer in answers],
    }


def _vqav2_a_picture(rng: random.Random) -> int:
    chance = (VQAV2_MEAN - VQAV2_LEAST) / (VQAV2_MEAN - VQAV2_LEAST + 1)
    count = VQAV2_LEAST
    while rng.random() < chance:
        count += 1
    return count


#: name of a shape -> questions about the next picture, and a row
SHAPES: Mapping[str, tuple[Callable[[random.Random], int], Rows]] = {
    "pope": (lambda _: POPE_A_PICTURE, pope_row),
    "gqa": (lambda rng: rng.choice(GQA_A_PICTURE), gqa_row),
    "vqav2": (_vqav2_a_picture, vqav2_row),
}


def write_rows(folder: Path, shape: str, questions: int) -> None:
    """Writes a seeded set, the questions about a picture one after the other."""
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    count, row = SHAPES[shape]
    rng = random.Random(0)
    number = pictures = 0
    with (folder / FILE).open("w") as file:
        while number < questions:
            name = f"{pictures:012}.jpg"
            if pictures < READABLE:
                (folder / PICTURES / name).write_bytes(name.encode())
            for _ in range(min(count(rng), questions - number)):
                number += 1
                file.write(json.dumps(row(rng, number, name)) + "\n")
            pictures += 1


def placed(folder: Path) -> Iterator[tuple[JsonObject, ImageFolder]]:
    images = ImageFolder(folder / PICTURES)
    for place, row in placed_jsonl(folder / FILE):
        with row_at(place):
            yield row, images


@dataclass(frozen=True)
class ClusterPope(Pope):
    """No options."""

    name: ClassVar[str] = "cluster-pope"
    rows: ClassVar[Mapping[str, Sequence[int]]] = {}
    hub: ClassVar[Mapping[str, str]] = {}

    def samples(self) -> Iterator[Sample]:
        for row, images in placed(self.data.folder):
            asked = text_of(row, "text"), text_of(row, "label")
            yield self._sample(row, asked, text_of(row, "category"), images.image(text_of(row, "image")))


@dataclass(frozen=True)
class ClusterGqa(Gqa):
    """No options."""

    name: ClassVar[str] = "cluster-gqa"
    rows: ClassVar[Mapping[str, Sequence[int]]] = {}
    hub: ClassVar[Mapping[str, str]] = {}

    def samples(self) -> Iterator[Sample]:
        for row, images in placed(self.data.folder):
            yield self._sample(text_of(row, "id"), row, images.image(text_of(row, "image")))


@dataclass(frozen=True)
class ClusterVqav2(Vqav2):
    """No options."""

    name: ClassVar[str] = "cluster-vqav2"
    rows: ClassVar[Mapping[str, Sequence[int]]] = {}
    hub: ClassVar[Mapping[str, str]] = {}

    def samples(self) -> Iterator[Sample]:
        for row, images in placed(self.data.folder):
            yield self._sample(row, images.image(text_of(row, "image")))
