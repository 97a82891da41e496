"""Procedural scenes: coloured shapes and one printed text on a 3 x 3 grid, 96 x 96 pixels.

Everything is drawn from a seeded ``random.Random``, so a seed names a picture. Scenes are divided into a training and a
held-out part by a hash of what they show, so that no scene that the demo asks about was ever trained on.
"""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

GRID = 3
CELL = 32
SIZE = GRID * CELL

SHAPES = ("circle", "square", "triangle", "diamond", "star", "cross", "ring", "heart")
COLOURS = {
    "red": (214, 39, 40),
    "green": (44, 160, 44),
    "blue": (31, 80, 220),
    "yellow": (240, 205, 20),
    "purple": (140, 60, 190),
    "black": (25, 25, 25),
}
WORDS = ("bank", "cafe", "exit", "farm", "hotel", "open", "stop", "taxi")
DIGITS = tuple("0123456789")

HELD_OUT_SHARE = 16  # one scene in sixteen is kept from training


@dataclass(frozen=True)
class Thing:
    """A shape in a cell; cells are numbered 0 to 8, row by row."""

    shape: str
    colour: str
    cell: int

    @property
    def column(self) -> int:
        return self.cell % GRID

    @property
    def row(self) -> int:
        return self.cell // GRID


@dataclass(frozen=True)
class Scene:
    """What a picture shows: one to six things with distinct shapes, and perhaps a text in a cell of its own."""

    things: tuple[Thing, ...]
    text: str = ""
    text_cell: int = -1

    @property
    def held_out(self) -> bool:
        """Whether the scene belongs to the demo (true) or to training (false)."""
        things = sorted((thing.cell, thing.shape, thing.colour) for thing in self.things)
        digest = hashlib.sha256(repr((things, self.text, self.text_cell)).encode()).digest()
        return digest[0] % HELD_OUT_SHARE == 0

    def find(self, shape: str) -> Thing | None:
        return next((thing for thing in self.things if thing.shape == shape), None)


def sample_scene(rng: random.Random, things: tuple[int, int] = (1, 5), text_share: float = 0.6) -> Scene:
    """Draws a scene with a number of things in the closed range `things` and a text with probability `text_share`."""
    count = rng.randint(*things)
    cells = rng.sample(range(GRID * GRID), count + 1)
    shapes = rng.sample(SHAPES, count)
    placed = tuple(Thing(shape, rng.choice(list(COLOURS)), cell) for shape, cell in zip(shapes, cells[:count], strict=True))
    if rng.random() >= text_share:
        return Scene(placed)
    return Scene(placed, rng.choice(WORDS if rng.random() < 0.5 else DIGITS), cells[-1])


def draw_scene(scene: Scene, rng: random.Random) -> Image.Image:
    """Paints a scene as an RGB picture of SIZE x SIZE; `rng` decides background shade, sizes and places in the cells."""
    shade = rng.randint(205, 255)
    image = Image.new("RGB", (SIZE, SIZE), (shade, shade, min(255, shade + rng.randint(-6, 6))))
    canvas = ImageDraw.Draw(image)
    for thing in scene.things:
        radius = rng.uniform(9.5, 13.5)
        slack = CELL / 2 - radius - 1
        x = thing.column * CELL + CELL / 2 + rng.uniform(-slack, slack)
        y = thing.row * CELL + CELL / 2 + rng.uniform(-slack, slack)
        draw_shape(canvas, thing.shape, (x, y, radius), COLOURS[thing.colour])
    if scene.text:
        draw_text(image, scene.text, scene.text_cell, rng)
    return image


def draw_shape(
    canvas: ImageDraw.ImageDraw, shape: str, place: tuple[float, float, float], colour: tuple[int, int, int]
) -> None:
    """Paints one shape around the centre of `place`, which is (x, y, radius) in pixels."""
    x, y, r = place
    box = (x - r, y - r, x + r, y + r)
    if shape == "circle":
        canvas.ellipse(box, fill=colour)
    elif shape == "ring":
        canvas.ellipse(box, outline=colour, width=4)
    elif shape == "square":
        canvas.rectangle((x - 0.85 * r, y - 0.85 * r, x + 0.85 * r, y + 0.85 * r), fill=colour)
    elif shape == "cross":
        canvas.rectangle((x - r, y - r / 3, x + r, y + r / 3), fill=colour)
        canvas.rectangle((x - r / 3, y - r, x + r / 3, y + r), fill=colour)
    elif shape == "heart":
        half = r * 0.55
        canvas.ellipse((x - r, y - 0.8 * r, x - r + 2 * half, y - 0.8 * r + 2 * half), fill=colour)
        canvas.ellipse((x + r - 2 * half, y - 0.8 * r, x + r, y - 0.8 * r + 2 * half), fill=colour)
        canvas.polygon([(x - 0.97 * r, y), (x + 0.97 * r, y), (x, y + r)], fill=colour)
    else:
        canvas.polygon(_corners(shape, x, y, r), fill=colour)


def _corners(shape: str, x: float, y: float, r: float) -> list[tuple[float, float]]:
    if shape == "triangle":
        return [(x, y - r), (x + r, y + 0.85 * r), (x - r, y + 0.85 * r)]
    if shape == "diamond":
        return [(x, y - r), (x + 0.75 * r, y), (x, y + r), (x - 0.75 * r, y)]
    angles = [-math.pi / 2 + k * math.pi / 5 for k in range(10)]  # a five-pointed star
    radii = [r if k % 2 == 0 else 0.45 * r for k in range(10)]
    return [(x + d * math.cos(a), y + d * math.sin(a)) for a, d in zip(angles, radii, strict=True)]


def draw_text(image: Image.Image, text: str, cell: int, rng: random.Random) -> None:
    """Prints `text` in black in a cell; digits at twice the size of words. Pillow's bitmap font is the same everywhere."""
    font = ImageFont.load_default_imagefont()
    scale = 2 if len(text) == 1 else 1
    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (int(right - left), int(bottom - top)), 0)
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font)
    mask = mask.resize((mask.width * scale, mask.height * scale), Image.Resampling.NEAREST)
    x = cell % GRID * CELL + (CELL - mask.width) // 2 + rng.randint(-1, 1)
    y = cell // GRID * CELL + (CELL - mask.height) // 2 + rng.randint(-3, 3)
    image.paste((10, 10, 10), (x, y), mask)
