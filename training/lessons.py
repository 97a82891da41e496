"""Training material for Mipha-Tiny: tower labels per patch, and many questions packed behind each picture."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor

from mipha_eval.demo.questions import Question
from mipha_eval.demo.scenes import COLOURS, DIGITS, GRID, SHAPES, SIZE, WORDS, Scene, draw_scene, sample_scene
from mipha_eval.models.llava_style.prompt import prompt_pieces
from mipha_eval.models.llava_style.templates import END_OF_TEXT, SYSTEM, TEMPLATES
from training.kinds import FAMILIES, TEXT_ONLY

PATCH = 16
PATCHES = (SIZE // PATCH) ** 2
CONTENTS = ("", *SHAPES, *DIGITS, *WORDS)  # what a cell can hold
PAINTS = ("", *COLOURS)


def training_scene(rng: random.Random) -> Scene:
    """A scene that is not held out for the demo."""
    while True:
        scene = sample_scene(rng)
        if not scene.held_out:
            return scene


def pixels_of(images: list[Image.Image]) -> Tensor:
    """RGB pictures of SIZE x SIZE as a tensor [images, 3, SIZE, SIZE] in -1..1, as the checkpoint's preprocessor does."""
    stacked = np.stack([np.asarray(image) for image in images]).astype(np.float32)
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous() / 127.5 - 1.0


def patch_labels(scene: Scene) -> tuple[list[int], list[int]]:
    """For each patch the content and the colour of the cell that it lies in, as indices of CONTENTS and PAINTS."""
    content = [""] * (GRID * GRID)
    paint = [""] * (GRID * GRID)
    for thing in scene.things:
        content[thing.cell], paint[thing.cell] = thing.shape, thing.colour
    if scene.text:
        content[scene.text_cell] = scene.text
    side = SIZE // PATCH
    cells = [(index // side) * GRID // side * GRID + (index % side) * GRID // side for index in range(PATCHES)]
    return [CONTENTS.index(content[cell]) for cell in cells], [PAINTS.index(paint[cell]) for cell in cells]


@dataclass
class Curriculum:
    """Draws families and kinds of questions, those with a high running accuracy less often."""

    accuracy: dict[str, float] = field(default_factory=lambda: {kind: 0.0 for kinds in FAMILIES.values() for kind in kinds})
    floor: float = 0.08

    def draw_family(self, rng: random.Random) -> str:
        """A family by the mean of its kinds' weights; the one without pictures half as often."""
        weights = [
            sum(map(self._weight, kinds)) / len(kinds) * (0.5 if family == TEXT_ONLY else 1.0)
            for family, kinds in FAMILIES.items()
        ]
        return rng.choices(list(FAMILIES), weights)[0]

    def _weight(self, kind: str) -> float:
        return self.floor + 1.0 - self.accuracy[kind]

    def draw(self, rng: random.Random, scene: Scene, family: str, count: int) -> list[tuple[str, Question]]:
        kinds = FAMILIES[family]
        weights = [self._weight(kind) for kind in kinds]
        drawn: list[tuple[str, Question]] = []
        while len(drawn) < count:
            kind = rng.choices(list(kinds), weights)[0]
            question = kinds[kind](rng, scene)
            if question is not None:
                drawn.append((kind, question))
        return drawn

    def record(self, kind: str, correct: bool, memory: float = 0.998) -> None:
        self.accuracy[kind] = memory * self.accuracy[kind] + (1 - memory) * correct


@dataclass(frozen=True)
class Lesson:
    """A batch of pictures, each followed by its questions and answers, every question padded to the same length.

    Shapes: pixels [images, 3, SIZE, SIZE], None for questions without pictures; ids and targets [images, questions, length],
    targets with -100 where nothing is learnt. `kinds` names each picture's questions in order.
    """

    pixels: Tensor | None
    ids: Tensor
    targets: Tensor
    kinds: tuple[tuple[str, ...], ...]


def make_lesson(rng: random.Random, tokenizer: Tokenizer, curriculum: Curriculum, images: int, questions: int) -> Lesson:
    """Draws a batch of training scenes with `questions` questions of one family each."""
    pictures, rows, kinds = [], [], []
    family = curriculum.draw_family(rng)
    for _ in range(images):
        scene = training_scene(rng)
        pictures.append(draw_scene(scene, rng))
        drawn = curriculum.draw(rng, scene, family, questions)
        kinds.append(tuple(kind for kind, _ in drawn))
        rows += [_tokens_and_targets(question, tokenizer, int(family != TEXT_ONLY)) for _, question in drawn]
    length = max(len(tokens) for tokens, _ in rows)
    ids = torch.tensor([tokens + [0] * (length - len(tokens)) for tokens, _ in rows])
    targets = torch.tensor([wanted + [-100] * (length - len(wanted)) for _, wanted in rows])
    shape = (images, questions, length)
    pixels = None if family == TEXT_ONLY else pixels_of(pictures)
    return Lesson(pixels, ids.view(shape), targets.view(shape), tuple(kinds))


def _tokens_and_targets(question: Question, tokenizer: Tokenizer, images: int) -> tuple[list[int], list[int]]:
    """Ids behind the shared prefix (see `prefix_text`), and what is to be learnt at each."""
    asked = tokenizer.encode(prompt_pieces(question.prompt, images, TEMPLATES["v0"])[-1].removeprefix(SYSTEM)).ids
    answer = tokenizer.encode(f" {question.answer}{END_OF_TEXT}").ids
    return asked + answer[:-1], [-100] * (len(asked) - 1) + answer


def prefix_text(lesson: Lesson) -> str:
    """What stands before every question of a batch: all up to the picture, or the system's sentence, which is one token."""
    return SYSTEM if lesson.pixels is None else prompt_pieces("", 1, TEMPLATES["v0"])[0]


def shared_prefix_attention(
    module: torch.nn.Module,  # noqa: ARG001 - transformers gives it
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001 - the mask follows from prefix and questions
    **settings: Any,
) -> tuple[Tensor, None]:
    """Attention where each question sees the prefix and itself, never another question.

    Shapes: query, key, value [images, heads, prefix + questions * length, width]; returns [images, tokens, heads, width].
    `settings` has ``prefix`` and ``questions`` (numbers of tokens and of questions) and ``scaling``. Four times cheaper
    here than a block mask over the whole row.
    """
    prefix, questions, scaling = settings["prefix"], settings["questions"], settings["scaling"]
    images, heads, _, width = query.shape
    own_shape = (images, heads, questions, -1, width)
    own_query, own_key, own_value = (part[:, :, prefix:].reshape(own_shape) for part in (query, key, value))
    query = query * scaling
    own_query = own_query * scaling
    before = _causal(query[:, :, :prefix] @ key[:, :, :prefix].transpose(-1, -2)).softmax(-1) @ value[:, :, :prefix]
    to_prefix = own_query.flatten(2, 3) @ key[:, :, :prefix].transpose(-1, -2)
    to_own = _causal(own_query @ own_key.transpose(-1, -2))
    length = own_query.shape[3]
    weights = torch.cat([to_prefix.reshape(images, heads, questions, length, prefix), to_own], dim=-1).softmax(-1)
    after = weights[..., :prefix].flatten(2, 3) @ value[:, :, :prefix]
    after = after + (weights[..., prefix:] @ own_value).flatten(2, 3)
    return torch.cat([before, after], dim=2).transpose(1, 2), None


def _causal(scores: Tensor) -> Tensor:
    length = scores.shape[-1]
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, torch.finfo(scores.dtype).min)
