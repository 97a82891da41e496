"""Demo scenes as MM-Vet, COCO-caption and nocaps files."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from pathlib import Path

from mipha_eval.demo.held_out import held_out_scenes, save_images, write_json
from mipha_eval.demo.scenes import Scene
from mipha_eval.demo.sentences import (
    ADD_ONE,
    DESCRIBE,
    OPENINGS,
    READ,
    caption,
    colour_question,
    place_of,
    place_question,
)

MMVET_QUESTIONS = 15  # of each kind
CAPTIONED = 80
#: domain -> fewest and most things in a scene
DOMAINS: Mapping[str, tuple[int, int]] = {"in-domain": (1, 2), "near-domain": (3, 3), "out-domain": (4, 5)}
CAPTIONED_IN_DOMAIN = 25

Open = Callable[[Scene], tuple[str, str, list[str]]]  # question, answer in MM-Vet's form, capabilities


def _colour(scene: Scene) -> tuple[str, str, list[str]]:
    return colour_question(scene.things[0].shape), scene.things[0].colour, ["rec"]


def _place(scene: Scene) -> tuple[str, str, list[str]]:
    thing = scene.things[0]
    return place_question(thing.shape), place_of(thing).replace(" ", "<AND>"), ["rec", "spat"]


def _reading(scene: Scene) -> tuple[str, str, list[str]]:
    return READ, scene.text, ["ocr"]


def _sum(scene: Scene) -> tuple[str, str, list[str]]:
    return ADD_ONE, str(len(scene.things) + 1), ["rec", "math"]


def _description(scene: Scene) -> tuple[str, str, list[str]]:
    parts = [f"{thing.colour} {thing.shape}" for thing in scene.things] + [scene.text]
    return DESCRIBE, "<AND>".join(parts), ["rec", "ocr", "gen"]


def write_mmvet(folder: Path, rng: random.Random) -> None:
    """Open questions; the answers are what a rule looks for, in MM-Vet's notation."""
    images: dict[str, Scene] = {}
    questions: dict[str, object] = {}
    scenes = held_out_scenes(rng, (1, 4), text_share=1.0)
    kinds: tuple[Open, ...] = (_colour, _place, _reading, _sum, _description)
    for number, (kind, scene) in enumerate(zip(kinds * MMVET_QUESTIONS, scenes, strict=False)):
        question, answer, capabilities = kind(scene)
        name = f"v1_{number}.png"
        images[name] = scene
        questions[f"v1_{number}"] = {
            "imagename": name,
            "imagesource": "demo",
            "question": question,
            "answer": answer,
            "capability": capabilities,
        }
    save_images(folder / "images", images, rng)
    write_json(folder / "mm-vet.json", questions)


def human_captions(rng: random.Random, scene: Scene) -> list[str]:
    """Five captions that name the same things, in other words and orders."""
    orders = [None, *(rng.sample(scene.things, len(scene.things)) for _ in OPENINGS[1:])]
    return [caption(scene, opening, order) for opening, order in zip(OPENINGS, orders, strict=True)]


def write_captions(folder: Path, rng: random.Random) -> None:
    """val2017 in COCO's form."""
    scenes = [("", scene) for scene in itertools.islice(held_out_scenes(rng), CAPTIONED)]
    _write_coco(folder / "annotations" / "captions_val2017.json", folder / "val2017", scenes, rng)


def write_nocaps(folder: Path, rng: random.Random) -> None:
    """The more things, the farther from COCO."""
    scenes = [
        (domain, scene)
        for domain, things in DOMAINS.items()
        for scene in itertools.islice(held_out_scenes(rng, things), CAPTIONED_IN_DOMAIN)
    ]
    _write_coco(folder / "nocaps_val_4500_captions.json", folder / "val", scenes, rng)


def _write_coco(annotations: Path, folder: Path, scenes: list[tuple[str, Scene]], rng: random.Random) -> None:
    images: dict[str, Scene] = {}
    rows: list[dict[str, object]] = []
    captions: list[dict[str, object]] = []
    for number, (domain, scene) in enumerate(scenes, start=1):
        name = f"{number:012}.jpg"
        images[name] = scene
        rows.append({"id": number, "file_name": name, **({"domain": domain} if domain else {})})
        for text in human_captions(rng, scene):
            captions.append({"id": len(captions) + 1, "image_id": number, "caption": text})
    save_images(folder, images, rng)
    write_json(annotations, {"images": rows, "annotations": captions})
