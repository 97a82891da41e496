"""Demo scenes as ScienceQA, MMBench and SEED-Bench files."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

from mipha_eval.core.alphabet import LETTERS, lettered
from mipha_eval.demo.choices import HINTS, Choice, make_category_choice, make_choice
from mipha_eval.demo.held_out import held_out_scenes, save_images, write_json
from mipha_eval.demo.scenes import Scene, draw_scene

QUESTIONS = 24  # of each kind
COLUMNS = LETTERS[:4]  # of options in MMBench's table
ROTATION = 1_000_000  # MMBench's step in the index from one rotation to the next

#: kind of question -> MMBench's l2-category, SEED-Bench's question_type_id
CATEGORIES = {
    "colour": ("attribute_reasoning", 3),
    "shape": ("finegrained_perception (instance-level)", 2),
    "count": ("coarse_perception", 5),
    "reading": ("finegrained_perception (instance-level)", 9),
    "where": ("relation_reasoning", 4),
}


def choices(rng: random.Random, kind: str, options: int = 4) -> Iterator[tuple[Scene, Choice]]:
    """Questions of a kind, each about a scene of its own; some with a hint."""
    scenes = held_out_scenes(rng)
    found = ((scene, make_choice(kind, rng, scene, options)) for scene in scenes)
    for number, (scene, choice) in enumerate(itertools.islice(((s, c) for s, c in found if c), QUESTIONS)):
        yield scene, dataclasses.replace(choice, hint=HINTS[number % 3] if number % 4 == 0 else "")


def write_scienceqa(folder: Path, rng: random.Random) -> None:
    """Problems with a picture, and a fifth of them without."""
    problems: dict[str, object] = {}
    prompts, images = [], {}
    pictured = [pair for kind in CATEGORIES for pair in choices(rng, kind, 3)]
    plain = [(None, make_category_choice(rng, 4)) for _ in range(QUESTIONS)]
    for number, (scene, choice) in enumerate([*pictured, *plain], start=1):
        asked = dataclasses.replace(choice, hint=f"Context: {choice.hint}" if choice.hint and scene else "").question()
        row: dict[str, object] = {"id": str(number)}
        if scene is not None:
            images[f"{number}/image.png"] = scene
            row["image"] = f"{number}/image.png"
        text = f"{'<image>' if scene else ''}\n{asked.text}".strip()
        prompts.append({**row, "conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": choice.letter}]})
        problems[str(number)] = {
            "question": choice.text,
            "choices": list(choice.options),
            "answer": choice.right,
            "hint": choice.hint if scene else "",
            "image": "image.png" if scene else None,
            "split": "test",
        }
    save_images(folder / "images" / "test", images, rng)
    write_json(folder / "problems.json", problems)
    write_json(folder / "pid_splits.json", {"test": list(problems)})
    write_json(folder / "llava_test_CQM-A.json", prompts)


def write_mmbench(folder: Path, rng: random.Random) -> None:
    """The official table, every question with all its rotations."""
    base: list[dict[str, object]] = []
    rotated: list[dict[str, object]] = []
    numbers = itertools.count(1)
    for kind, (l2_category, _) in CATEGORIES.items():
        for scene, choice in choices(rng, kind):
            index = next(numbers)
            picture = io.BytesIO()
            draw_scene(scene, rng).save(picture, "PNG")
            image = base64.b64encode(picture.getvalue()).decode()
            for place in range(len(choice.options)):
                turned = choice.rotated(place)
                row = {"index": index + place * ROTATION, "question": choice.text, "hint": choice.hint}
                row |= dict.fromkeys(COLUMNS, "") | dict(lettered(turned.options))
                row |= {"answer": turned.letter, "category": kind, "image": image, "source": "demo"}
                row |= {"l2-category": l2_category, "comment": "", "split": "dev"}
                (rotated if place else base).append(row)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "mmbench_dev_20230712.tsv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(base[0]), delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows([*base, *rotated])


def write_seed(folder: Path, rng: random.Random) -> None:
    """Questions about pictures; the demo has no videos."""
    images, rows = {}, []
    numbers = itertools.count(1)
    for kind, (_, question_type) in CATEGORIES.items():
        for scene, choice in choices(rng, kind):
            number = next(numbers)
            images[f"{number}.png"] = scene
            options = {f"choice_{letter.lower()}": option for letter, option in lettered(choice.options)}
            row = {"question_id": str(number), "question": choice.text, **options, "answer": choice.letter}
            rows.append({**row, "data_id": f"{number}.png", "data_type": "image", "question_type_id": question_type})
    save_images(folder / "SEED-Bench-image", images, rng)
    write_json(folder / "SEED-Bench.json", {"questions": rows})
