"""Demo scenes as POPE and MME files.

The wordings are balanced: each question of MME is asked as often with the answer yes as with no, so that the question alone
gives chance; POPE's three ways to choose absent objects leave a small rest.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from mipha_eval.core.format_lines import SHORT_ANSWER
from mipha_eval.demo.held_out import held_out_scenes, save_images, write_lines
from mipha_eval.demo.questions import (
    HALVES,
    colour_text,
    count_text,
    existence_text,
    in_half,
    opposite,
    pope_text,
    position_text,
    reading_text,
)
from mipha_eval.demo.scenes import COLOURS, DIGITS, SHAPES, WORDS, Scene

POPE_SCENES = 60
POPE_QUESTIONS = 6  # about each image in each category, half of them with the answer yes

T = TypeVar("T")
Pair = tuple[str, str, Callable[[Scene], bool]]  # question with answer yes, with answer no, which scenes fit


def write_pope(folder: Path, rng: random.Random) -> None:
    """60 scenes, six questions about each in each of the three categories."""
    scenes = list(itertools.islice(held_out_scenes(rng, (3, 5)), POPE_SCENES))
    names = [f"scene_{number:04}.png" for number in range(1, POPE_SCENES + 1)]
    save_images(folder / "val2014", dict(zip(names, scenes, strict=True)), rng)
    absent = {category: [choose(scene) for scene in scenes] for category, choose in _absent_choosers(scenes, rng).items()}
    present = _balanced_present(scenes, absent)
    for category, chosen in absent.items():
        rows: list[dict[str, object]] = []
        for name, yes, no in zip(names, present, chosen, strict=True):
            for shape, label in [
                entry for pair in zip(yes, no, strict=True) for entry in zip(pair, ("yes", "no"), strict=True)
            ]:
                rows.append({"question_id": len(rows) + 1, "image": name, "text": pope_text(shape), "label": label})
        write_lines(folder / "coco" / f"coco_pope_{category}.json", rows)


def _absent_choosers(scenes: list[Scene], rng: random.Random) -> dict[str, Callable[[Scene], list[str]]]:
    """POPE's three ways: any absent shape, the most frequent ones, those that most often come with what is there."""
    frequency = Counter(thing.shape for scene in scenes for thing in scene.things)
    together = Counter(
        (one.shape, other.shape) for scene in scenes for one, other in itertools.permutations(scene.things, 2)
    )
    half = POPE_QUESTIONS // 2

    def missing(scene: Scene) -> list[str]:
        return [shape for shape in SHAPES if scene.find(shape) is None]

    def popular(scene: Scene) -> list[str]:
        return sorted(missing(scene), key=lambda shape: -frequency[shape])[:half]

    def adversarial(scene: Scene) -> list[str]:
        company = {shape: sum(together[thing.shape, shape] for thing in scene.things) for shape in missing(scene)}
        return sorted(company, key=lambda shape: -company[shape])[:half]

    return {
        "adversarial": adversarial,
        "random": lambda scene: rng.sample(missing(scene), half),
        "popular": popular,
    }


def _balanced_present(scenes: list[Scene], absent: dict[str, list[list[str]]]) -> list[list[str]]:
    """Three shapes of each scene to ask for, those first that are more often asked for in vain."""
    wanting = Counter(shape for chosen in absent.values() for shapes in chosen for shape in shapes)
    present = []
    for scene in scenes:
        shapes = sorted((thing.shape for thing in scene.things), key=lambda shape: -wanting[shape])[: POPE_QUESTIONS // 2]
        wanting.subtract({shape: len(absent) for shape in shapes})
        present.append(shapes)
    return present


def write_mme(folder: Path, rng: random.Random) -> None:
    """Five subtasks of MME, two questions about each image, one with the answer yes and one with no."""
    questions: list[dict[str, object]] = []
    seen: set[Scene] = set()
    for subtask, pairs in mme_pairs().items():
        images = {}
        labels = []
        for number, (yes, no, fits) in enumerate(pairs, start=1):
            scene = next(
                scene for scene in held_out_scenes(rng, (1, 5), text_share=0.7) if fits(scene) and scene not in seen
            )
            seen.add(scene)
            name = f"{number:04}.png"
            images[name] = scene
            for text, label in ((yes, "Yes"), (no, "No")):
                labels.append(f"{name}\t{text} Please answer yes or no.\t{label}")
                place = f"{subtask}/{name}"
                row: dict[str, object] = {
                    "question_id": place,
                    "image": place,
                    "text": f"{text}\n{SHORT_ANSWER}",
                    "category": subtask,
                }
                questions.append(row)
        save_images(folder / "MME_Benchmark_release_version" / subtask, images, rng)
        results = folder / "eval_tool" / "Your_Results"
        results.mkdir(parents=True, exist_ok=True)
        (results / f"{subtask}.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")
    write_lines(folder / "llava_mme.jsonl", questions)


def mme_pairs() -> dict[str, list[Pair]]:
    """For each subtask its pairs of questions; over a subtask every wording is asked equally often with both answers."""
    return {
        "existence": [
            (existence_text(shape), existence_text(other), _has_but_not(shape, other))
            for shift in range(1, 7)
            for shape, other in _shifted(SHAPES, shift)
        ],
        "count": [
            (count_text(count), count_text(other), _counts(count))
            for shift in (1, 2, 3, 4) * 2
            for count, other in _shifted((1, 2, 3, 4, 5), shift)
        ],
        "position": [
            (position_text(shape, half), position_text(shape, opposite(half)), _lies_in(shape, half))
            for shape in SHAPES * 2
            for half in HALVES
        ],
        "color": [
            (colour_text(colour, shape), colour_text(other, shape), _shows(colour, shape))
            for shape in SHAPES
            for colour, other in _shifted(tuple(COLOURS), 1)
        ],
        "OCR": [
            (reading_text(text), reading_text(other), _reads(text))
            for family in (WORDS, DIGITS)
            for shift in (1, 3)
            for text, other in _shifted(family, shift)
        ],
    }


def _shifted(values: tuple[T, ...], shift: int) -> Iterator[tuple[T, T]]:
    return zip(values, values[shift:] + values[:shift], strict=True)


def _has_but_not(shape: str, other: str) -> Callable[[Scene], bool]:
    return lambda scene: scene.find(shape) is not None and scene.find(other) is None


def _counts(count: int) -> Callable[[Scene], bool]:
    return lambda scene: len(scene.things) == count


def _lies_in(shape: str, half: str) -> Callable[[Scene], bool]:
    return lambda scene: in_half(scene, shape, half)


def _shows(colour: str, shape: str) -> Callable[[Scene], bool]:
    return lambda scene: any(thing.shape == shape and thing.colour == colour for thing in scene.things)


def _reads(text: str) -> Callable[[Scene], bool]:
    return lambda scene: scene.text == text
