"""lmms-eval's data in small: parquet files in the columns that its tasks read, and YAML files that lead its tasks there."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

Row = Mapping[str, Any]
ROWS = 24
#: questions about a picture
EACH = 3
LETTERS = "ABCD"
THINGS = ("dog", "cat", "red circle", "blue square", "train", "7", "3.5", "left")


@dataclass(frozen=True)
class Set:
    """A task's data.

    Attributes:
        yaml: where lmms-eval's own definition is, below its folder of tasks.
        split: the one that is evaluated.
        row: number of a question and a source of chance -> its columns, but for the picture.
        changed: what the definition says otherwise here.
        rows: how many questions there are.
    """

    yaml: str
    split: str
    row: Callable[[int, random.Random], Row]
    changed: Mapping[str, object] | None = None
    rows: int = ROWS


def picture(number: int) -> bytes:
    """A drawn picture as a PNG file."""
    rng = random.Random(f"picture {number}")
    image = Image.new("RGB", (96 + 8 * (number % 5), 80), tuple(rng.randrange(256) for _ in range(3)))
    canvas = ImageDraw.Draw(image)
    for _ in range(4):
        left, top = rng.randrange(60), rng.randrange(50)
        canvas.rectangle((left, top, left + 20, top + 20), fill=tuple(rng.randrange(256) for _ in range(3)))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def _pope(number: int, rng: random.Random) -> Row:
    return {
        "id": str(number),
        "question_id": str(number),
        "question": f"Is there a {rng.choice(THINGS)} in the image?",
        "answer": ("yes", "no")[number % 2],
        "image_source": f"picture_{number // EACH}",
        "category": ("adversarial", "popular", "random")[number % 3],
    }


def _mme(number: int, rng: random.Random) -> Row:
    """Two questions an id, the one right, the other wrong; of perception and cognition."""
    pair = number // 2
    return {
        "question_id": f"{pair}.png",
        "question": f"Is there a {rng.choice(THINGS)} in {number}? Please answer yes or no.",
        "answer": ("Yes", "No")[number % 2],
        "category": ("existence", "count", "code_reasoning", "color")[pair % 4],
    }


def _options(rng: random.Random) -> list[str]:
    return rng.sample(THINGS, 4)


def _science(number: int, rng: random.Random) -> Row:
    return {
        "question": f"Which of these is it ({number})?",
        "choices": _options(rng)[: 2 + number % 3],
        "answer": number % 2,
        "hint": ("", "It is in the middle.")[number % 2],
    }


def _mmbench(number: int, rng: random.Random) -> Row:
    category = ("object_localization", "ocr", "image_style")[number % 3]
    return {
        "index": number,
        "question": f"What is shown in {number}?",
        "hint": ("nan", "Look at the middle.")[number % 2],
        "answer": LETTERS[number % 4],
        **dict(zip(LETTERS, _options(rng), strict=True)),
        "category": category,
        "source": "drawn",
        "L2-category": ("finegrained_perception", "coarse_perception")[number % 2],
        "comment": "nan",
        "split": "dev",
    }


def _gqa(number: int, rng: random.Random) -> Row:
    return {
        "id": str(number),
        "imageId": str(number // EACH),
        "question": f"What is it ({number})?",
        "answer": rng.choice(THINGS),
    }


def _textvqa(number: int, rng: random.Random) -> Row:
    answers = [rng.choice(THINGS[:3]) for _ in range(10)]
    return {"question_id": number, "question": f"what does it say ({number})?", "answers": answers, "ocr_tokens": ["7"]}


def _chartqa(number: int, rng: random.Random) -> Row:
    return {
        "question": f"How many are there in {number}?",
        "answer": str((rng.randrange(1, 50), "dog", "12.5%")[number % 3]),
        "type": ("human_test", "augmented_test")[number % 2],
    }


def _ai2d(number: int, rng: random.Random) -> Row:
    return {"question": f"Which part is it ({number})?", "options": _options(rng), "answer": str(number % 4)}


def _mmstar(number: int, rng: random.Random) -> Row:
    first = ("coarse perception", "math", "logical reasoning")[number % 3]
    options = ", ".join(f"{letter}: {text}" for letter, text in zip(LETTERS, _options(rng), strict=True))
    return {
        "index": number,
        "question": f"What is it ({number})?\nOptions: {options}",
        "answer": LETTERS[number % 4],
        "category": first,
        "l2_category": f"{first} {number % 2}",
    }


def _realworldqa(number: int, rng: random.Random) -> Row:
    return {"question": f"Which is nearer ({number})?", "answer": (*LETTERS[:3], "left", "7")[number % 5]}


def _mmvet(number: int, rng: random.Random) -> Row:
    return {
        "question_id": f"v1_{number}",
        "question": f"What is x in equation {number}?",
        "answer": str(rng.randrange(9)),
        "capability": "ocr,math",
    }


SETS: Mapping[str, Set] = {
    "pope": Set("pope/pope.yaml", "test", _pope),
    "mme": Set("mme/mme.yaml", "test", _mme),
    "scienceqa_img": Set("scienceqa/scienceqa_img.yaml", "test", _science),
    "mmbench_en_dev_static": Set("mmbench/mmbench_en_dev_static.yaml", "dev", _mmbench),
    "gqa": Set("gqa/gqa.yaml", "testdev", _gqa, {"process_docs": None}),
    "textvqa_val": Set("textvqa/textvqa_val.yaml", "validation", _textvqa),
    "chartqa": Set("chartqa/chartqa.yaml", "test", _chartqa),
    "ai2d": Set("ai2d/ai2d.yaml", "test", _ai2d),
    "mmstar": Set("mmstar/mmstar.yaml", "val", _mmstar),
    "realworldqa": Set("realworldqa/realworldqa.yaml", "test", _realworldqa, rows=15),
}

#: tasks whose code asks a judge
JUDGED: Mapping[str, Set] = {"mmvet": Set("mmvet/mmvet.yaml", "test", _mmvet)}

#: of ai2d's pictures and options, a task that ranks these
RANKED = {
    "include": "ai2d/ai2d.yaml",
    "task": "local_ranked",
    "output_type": "multiple_choice",
    "generation_kwargs": None,
    "filter_list": None,
    "model_specific_target_kwargs": None,
    "doc_to_text": "question",
    "doc_to_choice": "options",
    "doc_to_target": "{{answer}}",
    "metric_list": [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")],
}

#: groups with a number of their own: of tasks as large as they are, with one among them that has other metrics; of tasks
#: alike, within it; of a single task; and one without a number
GROUPS = (
    {
        "group": "local_outer",
        "task": ["local_inner", "local_realworldqa", "local_mmstar", "local_plain"],
        "aggregate_metric_list": [{"metric": "exact_match", "aggregation": "mean", "weight_by_size": True}],
    },
    {
        "group": "local_inner",
        "task": ["local_gqa", "local_ai2d"],
        "aggregate_metric_list": [{"metric": "exact_match", "aggregation": "mean", "weight_by_size": False}],
    },
    {
        "group": "local_ranks",
        "task": ["local_ranked"],
        "aggregate_metric_list": [{"metric": "acc", "aggregation": "mean", "weight_by_size": True}],
    },
    {"group": "local_plain", "task": ["local_scienceqa_img"]},
)

WRITTEN = {**SETS, **JUDGED}


def local(name: str) -> str:
    """What a task that reads these files is called."""
    return f"local_{name}"


def rows_of(name: str) -> list[dict[str, Any]]:
    """A task's rows with their pictures; in MME's data both questions about a picture have one id."""
    rng = random.Random(name)
    each = 2 if name == "mme" else EACH
    own = WRITTEN[name]
    held = [{"bytes": picture(number // each), "path": None} for number in range(own.rows)]
    return [{**own.row(number, rng), "image": held[number]} for number in range(own.rows)]


def write_sets(folder: Path, tasks: Path, names: Sequence[str] = (*SETS, *JUDGED)) -> None:
    """Parquet files, and a YAML file each that includes lmms-eval's own.

    Args:
        tasks: lmms-eval's folder of tasks.
    """
    import datasets

    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        own = WRITTEN[name]
        file = folder / f"{name}.parquet"
        table = datasets.Dataset.from_list(rows_of(name)).cast_column("image", datasets.Image())
        table.to_parquet(str(file))
        definition = {
            "include": str(tasks / own.yaml),
            "task": local(name),
            "dataset_path": "parquet",
            "dataset_name": None,
            "dataset_kwargs": {"data_files": {own.split: str(file)}},
            **(own.changed or {}),
        }
        _write_task(folder, definition)
    data = {"dataset_path": "parquet", "dataset_kwargs": {"data_files": {"test": str(folder / "ai2d.parquet")}}}
    _write_task(folder, {**RANKED, **data, "include": str(tasks / str(RANKED["include"]))})
    _write_task(folder, {"group": "local_letters", "task": [local("ai2d"), local("mmstar")]})
    for group in GROUPS:
        _write_task(folder, group)


def _write_task(folder: Path, definition: Mapping[str, object]) -> None:
    name = definition.get("group") or definition["task"]
    (folder / f"{name}.yaml").write_text(json.dumps(definition), encoding="utf-8")  # JSON is YAML


def answers_to(name: str) -> list[str]:
    """An answer to each question: right ones, wrong ones, in many dresses."""
    rng = random.Random(f"answers to {name}")
    dresses = (
        "{}",
        "{}",
        "{}",
        "{}",
        "{}",
        "{}",
        "{}.",
        " {} ",
        "The answer is {}.",
        "{}. it is",
        "({})",
        "{} % of them",
        "**{}**",
    )
    found = []
    for row in rows_of(name):
        right = row.get("answer", row.get("answers", [""])[0])
        right = LETTERS[int(right)] if name in ("scienceqa_img", "ai2d") else right
        text = rng.choice([str(right)] * 4 + ["yes", "no"] * 2 + ["B", "7", "dog"])
        found.append(rng.choice(dresses).format(rng.choice([text, text.lower(), text.capitalize()])))
    return found
