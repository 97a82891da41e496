"""The hub's dataset schemas, on small parquet files in a local mirror."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import pytest
from PIL import Image as Pillow

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import CAPTION, LETTER_ANSWER, SHORT_ANSWER, UNANSWERABLE
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.images import ImageError, open_image
from tests.conftest import Cli

Row = Mapping[str, Any]


def typed(names: str, kind: Any = "string") -> dict[str, Any]:
    """Columns of one type."""
    return dict.fromkeys(names.split(), kind)


#: dataset -> column -> type, as the hub has them: a list is a list of its only entry, a dict a struct
COLUMNS: dict[str, dict[str, Any]] = {
    "POPE": {**typed("id question_id question answer image_source"), "image": "image", **typed("category")},
    "MME": {**typed("question_id"), "image": "image", **typed("question answer category")},
    "VQAv2": {
        **typed("question_type multiple_choice_answer answer_type question"),
        "answers": [{**typed("answer answer_confidence"), "answer_id": "int64"}],
        **typed("image_id question_id", "int64"),
        "image": "image",
    },
    "GQA": {
        **typed("id imageId question answer fullAnswer entailed equivalent"),
        "isBalanced": "bool",
        "groups": typed("global local"),
        "types": typed("detailed semantic structural"),
    },
    "textvqa": {
        **typed("image_id question flickr_original_url flickr_300k_url set_name"),
        **typed("question_id image_width image_height", "int32"),
        **typed("question_tokens answers image_classes ocr_tokens", ["string"]),
        "image": "image",
    },
    "MMBench_EN": {
        "index": "int64",
        **typed("question hint answer A B C D category source l2-category comment split"),
        "image": "image",
    },
    "MMBench": {
        "index": "int64",
        **typed("question hint answer A B C D category source L2-category comment split"),
        "image": "image",
    },
    "SEED-Bench": {
        **typed("answer choice_a choice_b choice_c choice_d data_id data_type question question_id"),
        "question_type_id": "int16",
        "image": ["image"],
        "segment": ["int64"],
    },
    "MMVet": {**typed("question_id question answer image_source capability"), "image": "image"},
    "ScienceQA": {
        **typed("question hint task grade subject topic category skill lecture solution"),
        "choices": ["string"],
        "answer": "int8",
        "image": "image",
    },
    "VizWiz-VQA": {**typed("question_id question category"), "answers": ["string"], "image": "image"},
    "COCO-Caption2017": {
        **typed("question_id question file_name coco_url date_captured"),
        "image": "image",
        "answer": ["string"],
        **typed("id license height width", "int64"),
    },
    "NoCaps": {
        **typed("image_coco_url image_date_captured image_file_name image_open_images_id"),
        "image": "image",
        **typed("image_id image_height image_width image_license", "int32"),
        "annotations_ids": ["int32"],
        "annotations_captions": ["string"],
    },
}


def pope_rows() -> Iterable[Row]:
    for number, category in enumerate(["adversarial", "adversarial", "popular", "popular", "random", "random"]):
        thing, answer = (("dog", "yes"), ("cat", "no"))[number % 2]
        yield {
            "id": str(number),
            "question_id": str(number % 2 + 1),
            "question": f"Is there a {thing} in the image?",
            "answer": answer,
            "image_source": "COCO_val2014_000000310196",
            "image": 100,
            "category": category,
        }


def mme_rows() -> Iterable[Row]:
    for number in range(4):
        yield {
            "question_id": f"code_reasoning/000{number // 2}.png",
            "image": number // 2,
            "question": f"Is the output {number}? Please answer yes or no.",
            "answer": ("Yes", "No")[number % 2],
            "category": "code_reasoning",
        }


def vqav2_row(number: int, kind: str, question: str, humans: list[str]) -> Row:
    answers = [
        {"answer": human, "answer_confidence": "yes", "answer_id": place} for place, human in enumerate(humans, start=1)
    ]
    known = {"question_id": number, "image_id": number // 1000, "answer_type": kind, "question": question}
    return {**known, "answers": answers, "image": number // 1000}


def mmbench_row(index: int, options: str, answer: str, **more: Any) -> Row:
    """A row whose missing cells say "nan", as the hub's do."""
    cells = {**dict.fromkeys(("hint", *"ABCD", "comment"), "nan"), **dict(zip("ABCD", options.split(), strict=False))}
    known = {"index": index, "question": "Which one?", "answer": answer, "category": "ocr", "image": index % 100}
    return {**cells, **known, **more}


def seed_row(number: str, kind: int, place: str, frames: Iterable[int], answer: str) -> Row:
    choices = {f"choice_{letter}": f"{letter}{number}" for letter in "abcd"}
    known = {"question_id": number, "question_type_id": kind, "data_id": place, "question": f"What is {number}?"}
    return {**known, **choices, "data_type": "image" if kind < 10 else "video", "answer": answer, "image": list(frames)}


def gqa_row(number: str, image: str, structure: str, answer: str) -> Row:
    types = {"detailed": "d", "semantic": "rel", "structural": structure}
    return {"id": number, "imageId": image, "question": f"What about {image}?", "answer": answer, "types": types}


#: (dataset, file) -> rows; what no loader reads is null. An image is given as its shade, a missing one as None
TABLES: dict[tuple[str, str], Iterable[Row]] = {
    ("POPE", "data/test-00000-of-00001.parquet"): pope_rows(),
    ("MME", "data/test-00000-of-00001.parquet"): mme_rows(),
    ("VQAv2", "data/validation-00000-of-00001.parquet"): [
        vqav2_row(42_000, "yes/no", "Is it raining?", ["no"] * 10),
        vqav2_row(43_001, "other", "What letter is on the sign?", ["b"] * 3 + ["d"] * 7),
    ],
    # the pictures are a table of their own, in another order and one a picture
    ("GQA", "testdev_balanced_images/testdev-00000-of-00001.parquet"): [
        {"id": "n2", "image": 52},
        {"id": "n1", "image": 51},
    ],
    ("GQA", "testdev_balanced_instructions/testdev-00000-of-00001.parquet"): [
        gqa_row("201307251", "n1", "verify", "no"),
        gqa_row("201307252", "n2", "query", "b"),
        gqa_row("201307253", "n1", "choose", "left"),
    ],
    ("textvqa", "data/validation-00000-of-00001.parquet"): [
        {
            "image_id": "003a8ae2ef43b901",
            "question_id": 34602,
            "question": "What is the Brand?",
            "answers": ["Dakota"] * 10,
            "ocr_tokens": ["DAKOTA", "DIGITAL"],
            "image": 61,
        },
        {
            "image_id": "b9dc400eb20bad64",
            "question_id": 34603,
            "question": "which letter?",
            "answers": ["b"] * 10,
            "ocr_tokens": [],
            "image": 62,
        },
    ],
    ("MMBench_EN", "data/dev-00000-of-00001.parquet"): [
        mmbench_row(241, "left right", "B", hint="Look closely.", **{"l2-category": "coarse"}),
        mmbench_row(1_000_241, "right left", "A", hint="Look closely.", **{"l2-category": "coarse"}),
    ],
    ("MMBench_EN", "data/test-00000-of-00001.parquet"): [mmbench_row(2, "red green blue", "nan")],
    ("MMBench", "cn/dev-00000-of-00001.parquet"): [mmbench_row(300, "左 右", "B", **{"L2-category": "粗略"})],
    ("MMBench", "en/dev-00000-of-00001.parquet"): [mmbench_row(301, "never read", "A")],
    ("SEED-Bench", "data/test-00000-of-00001.parquet"): [
        seed_row("101669", 5, "1454426_2591111986", [9], "A"),
        seed_row("101670", 1, "1454426_2591111986", [9], "B"),
        seed_row("v1962", 11, "P03/P03_24.MP4", range(10, 18), "B"),
        seed_row("v1963", 11, "P03/P03_24.MP4", range(30, 38), "C"),
    ],
    ("MMVet", "data/test-00000-of-00001.parquet"): [
        {"question_id": "v1_0", "question": "What is x?", "answer": "b<OR>c", "capability": "ocr,math", "image": 71},
        {"question_id": "v1_12", "question": "How many?", "answer": "two", "capability": "math, rec", "image": 72},
    ],
    ("ScienceQA", "ScienceQA-FULL/test-00000-of-00001.parquet"): [
        {"question": "Which?", "choices": ["ice", "fire"], "answer": 1, "hint": "It burns.", "image": None},
        {"question": "Where?", "choices": ["here", "there", "nowhere"], "answer": 0, "hint": "", "image": 81},
    ],
    ("ScienceQA", "ScienceQA-IMG/test-00000-of-00001.parquet"): [{"question": "never read", "image": 82}],
    ("VizWiz-VQA", "data/val-00000-of-00005-7775fd61bc6a3d98.parquet"): [
        {
            "question_id": "VizWiz_val_00000000",
            "question": "Ok. There is another.",
            "answers": ["unanswerable"] * 10,
            "category": "unanswerable",
            "image": 91,
        },
        {
            "question_id": "VizWiz_val_00000001",
            "question": "Which letter?",
            "answers": ["b"] + ["d"] * 9,
            "category": "other",
            "image": 92,
        },
    ],
    # both releases of the pictures' names occur; `id` is the annotation's, not the picture's
    ("COCO-Caption2017", "data/val-00000-of-00002.parquet"): [
        {"question_id": "COCO_val2014_000000203564.jpg", "answer": ["A red bus.", "a bus"], "id": 5, "image": 21},
        {"question_id": "000000179765.jpg", "answer": ["a motorbike"], "id": 6, "image": 22},
    ],
    ("NoCaps", "data/validation-00000-of-00003.parquet"): [
        {"image_id": 0, "image_file_name": "0013ea2087020901.jpg", "annotations_captions": ["a baby", "kid"], "image": 23},
        {"image_id": 1, "image_file_name": "001464cfae2a30b8.jpg", "annotations_captions": ["a fish"], "image": 24},
    ],
}


def feature(kind: Any) -> Any:
    """A type of `COLUMNS` as the datasets library has it."""
    from datasets import Image, List, Value

    if isinstance(kind, dict):
        return {name: feature(part) for name, part in kind.items()}
    if isinstance(kind, list):
        return List(feature(kind[0]))
    return Image() if kind == "image" else Value(kind)


def cell(kind: Any, value: Any) -> Any:
    """A value as its type wants it: shades become encoded pictures."""
    if kind == ["image"]:
        return [cell("image", shade) for shade in value]
    if kind != "image" or value is None:
        return value
    data = io.BytesIO()
    Pillow.new("RGB", (8, 8), (value, value, value)).save(data, "PNG")
    return {"bytes": data.getvalue(), "path": None}


def write_table(folder: Path, file: str, rows: Iterable[Row]) -> None:
    """Writes a parquet file as the hub stores it, into the configuration that its folder is named after, if not ``data``."""
    from datasets import Dataset, Features

    columns = COLUMNS[folder.name]
    if file.startswith("testdev_balanced_images"):
        columns = {"id": "string", "image": "image"}
    typed = [{name: cell(kind, row.get(name)) for name, kind in columns.items()} for row in rows]
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_list(typed, features=Features(feature(columns))).to_parquet(folder / file)
    config, _, name = file.partition("/")
    if config != "data":
        card = folder / "README.md"
        known = card.read_text().removesuffix("---\n") if card.exists() else "---\nconfigs:\n"
        split = name.partition("-")[0]
        entry = f"- config_name: {config}\n  data_files:\n  - split: {split}\n    path: {config}/{split}-*\n"
        card.write_text(f"{known}{entry}---\n")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every dataset that a task reads from the hub, a few rows each."""
    root = tmp_path_factory.mktemp("mirror")
    for (dataset, file), rows in TABLES.items():
        write_table(root / "lmms-lab" / dataset, file, rows)
    return root


def samples_of(label: str, mirror: Path) -> list[Sample]:
    return list(build_task(label, {}, DataSource("hub", mirror), Registry()).samples())


def shade_of(sample: Sample) -> int | None:
    """The grey of a sample's picture; None if it has none."""
    for image in sample.images:
        pixel = open_image(image).getpixel((0, 0))
        assert isinstance(pixel, tuple)
        return int(pixel[0])
    return None


@dataclass(frozen=True)
class Asked:
    """What a row must become; `image` is the picture's name and shade."""

    lines: str
    label_texts: tuple[str, ...]
    question_id: Hashable
    image: tuple[str, int] | None
    category: str = ""
    parts: tuple[str, ...] = ()
    group: str = ""


def asked(sample: Sample) -> Asked:
    shade = shade_of(sample)
    image = None if shade is None else (sample.images[0].name, shade)
    known = (sample.prompt, sample.label_texts, sample.question_id, image)
    return Asked(*known, sample.category, sample.tags, sample.group)


def pope(number: int, thing: str, answer: str, category: str) -> Asked:
    text = f"Is there a {thing} in the image?\n{SHORT_ANSWER}"
    return Asked(text, (answer,), number, ("COCO_val2014_000000310196.jpg", 100), category)


def mme(number: int) -> Asked:
    name = f"code_reasoning/000{number // 2}.png"
    text, label = f"Is the output {number}?\n{SHORT_ANSWER}", ("Yes", "No")[number % 2]
    return Asked(text, (label,), name, (name, number // 2), "code_reasoning", group=name)


def gqa(number: int, image: str, shade: int, category: str, answer: str) -> Asked:
    text = f"What about {image}?\n{SHORT_ANSWER}"
    return Asked(text, (answer,), str(number), (f"{image}.jpg", shade), category)


def textvqa(ocr_lines: tuple[str, str]) -> list[Asked]:
    first, second = (f"{line}\n{SHORT_ANSWER}" for line in ocr_lines)
    return [
        Asked(f"What is the Brand?{first}", ("Dakota",) * 10, "003a8ae2ef43b901", ("003a8ae2ef43b901.jpg", 61)),
        Asked(f"which letter?{second}", ("b",) * 10, "b9dc400eb20bad64", ("b9dc400eb20bad64.jpg", 62)),
    ]


def mmbench(index: int, lines: str, label_texts: tuple[str, ...], l2: str = "") -> Asked:
    base = str(index % 1_000_000)
    parts = ((f"l2/{l2}",) if l2 else ()) + ("category/ocr",)
    return Asked(lines, label_texts, index, (base, index % 100), "ocr", parts, base)


def seed(number: str, name: str, shade: int, answer: str, about: tuple[str, str]) -> Asked:
    choices = tuple(f"{letter}{number}" for letter in "abcd")
    listed = "\n".join(f"{letter}. {choice}" for letter, choice in zip("ABCD", choices, strict=True))
    text = f"What is {number}?\n{listed}\n{LETTER_ANSWER}"
    return Asked(text, (answer, *choices), number, (name, shade), about[0], about[1:])


EXPECTED: dict[str, list[Asked]] = {
    "coco-cap": [
        Asked(CAPTION, ("A red bus.", "a bus"), 203564, ("COCO_val2014_000000203564.jpg", 21)),
        Asked(CAPTION, ("a motorbike",), 179765, ("000000179765.jpg", 22)),
    ],
    "nocaps": [
        Asked(CAPTION, ("a baby", "kid"), 0, ("0013ea2087020901.jpg", 23)),
        Asked(CAPTION, ("a fish",), 1, ("001464cfae2a30b8.jpg", 24)),
    ],
    "pope@official": [
        pope(1, "dog", "yes", "adversarial"),
        pope(2, "cat", "no", "adversarial"),
        pope(20_000_001, "dog", "yes", "popular"),
        pope(20_000_002, "cat", "no", "popular"),
        pope(10_000_001, "dog", "yes", "random"),
        pope(10_000_002, "cat", "no", "random"),
    ],
    "mme": [mme(number) for number in range(4)],
    "vqav2": [
        Asked(f"Is it raining?\n{SHORT_ANSWER}", ("no",) * 10, 42_000, ("COCO_val2014_000000000042.jpg", 42), "yes/no"),
        Asked(
            f"What letter is on the sign?\n{SHORT_ANSWER}",
            ("b",) * 3 + ("d",) * 7,
            43_001,
            ("COCO_val2014_000000000043.jpg", 43),
            "other",
        ),
    ],
    "gqa": [
        gqa(201307251, "n1", 51, "binary", "no"),
        gqa(201307252, "n2", 52, "open", "b"),
        gqa(201307253, "n1", 51, "binary", "left"),
    ],
    "textvqa@llava-ocr": textvqa(("\nReference OCR token: DAKOTA, DIGITAL", "\nReference OCR token: ")),
    "textvqa@plain": textvqa(("", "")),
    "mmbench@dev": [
        mmbench(
            241, f"Look closely.\nWhich one?\nA. left\nB. right\n{LETTER_ANSWER}", ("B", "left", "right", "", ""), "coarse"
        ),
        mmbench(
            1_000_241,
            f"Look closely.\nWhich one?\nA. right\nB. left\n{LETTER_ANSWER}",
            ("A", "right", "left", "", ""),
            "coarse",
        ),
    ],
    "mmbench@test": [mmbench(2, f"Which one?\nA. red\nB. green\nC. blue\n{LETTER_ANSWER}", ())],
    "mmbench@cn-dev": [mmbench(300, "Which one?\nA. 左\nB. 右\n请直接回答选项字母。", ("B", "左", "右", "", ""), "粗略")],
    "seed@llava": [
        seed("101669", "1454426_2591111986", 9, "A", ("image", "instances_counting")),
        seed("101670", "1454426_2591111986", 9, "B", ("image", "scene_understanding")),
        seed("v1962", "v1962", 14, "B", ("video", "action_prediction")),  # the fifth of eight frames
        seed("v1963", "v1963", 34, "C", ("video", "action_prediction")),
    ],
    "mmvet": [
        Asked("What is x?", ("b<OR>c",), 0, ("v1_0", 71), "only/ocr_math", ("ocr", "math")),
        Asked("How many?", ("two",), 12, ("v1_12", 72), "only/rec_math", ("rec", "math")),
    ],
    "scienceqa": [
        Asked(f"Context: It burns.\nWhich?\nA. ice\nB. fire\n{LETTER_ANSWER}", ("B", "ice", "fire"), "0", None, "text"),
        Asked(
            f"Where?\nA. here\nB. there\nC. nowhere\n{LETTER_ANSWER}",
            ("A", "here", "there", "nowhere"),
            "1",
            ("1/image.png", 81),
            "img",
        ),
    ],
    "vizwiz@val": [
        Asked(
            f"Ok. There is another.\n{UNANSWERABLE}\n{SHORT_ANSWER}",
            ("unanswerable",) * 10,
            0,
            ("VizWiz_val_00000000.jpg", 91),
            "unanswerable",
        ),
        Asked(
            f"Which letter?\n{UNANSWERABLE}\n{SHORT_ANSWER}",
            ("b",) + ("d",) * 9,
            1,
            ("VizWiz_val_00000001.jpg", 92),
            "other",
        ),
    ],
}


@pytest.mark.parametrize("label", EXPECTED)
def test_rows(label: str, mirror: Path) -> None:
    samples = samples_of(label, mirror)
    assert list(map(asked, samples)) == EXPECTED[label]
    assert len({sample.id for sample in samples}) == len(samples)


@pytest.mark.parametrize("label", EXPECTED)
def test_a_location_is_one_picture(label: str, mirror: Path) -> None:
    """Equal names are equal pictures, too; else a stored answer would be taken for another picture's."""
    pictures = {
        (image.location, image.name, shade_of(sample)) for sample in samples_of(label, mirror) for image in sample.images
    }
    for place in range(3):
        assert len({picture[place] for picture in pictures}) == len(pictures)


def test_a_missing_option_is_no_option(tmp_path: Path) -> None:
    """Else "a banana" names two options, the other being "nan"; from a table on disk it names one."""
    rows = [mmbench_row(7, "banana apple", "A")]
    write_table(tmp_path / "lmms-lab/MMBench_EN", "data/dev-00000-of-00001.parquet", rows)
    task = build_task("mmbench", {}, DataSource("hub", tmp_path), Registry())
    (sample,) = task.samples()
    assert task.score(sample, Response("a banana")).reading == "A"


def test_every_task_on_the_hub_is_here() -> None:
    registry = Registry()
    for name in registry.names("tasks"):
        owner, _ = registry.load("tasks", name)
        for protocol in owner.hub:
            assert {name, f"{name}@{protocol}"} & EXPECTED.keys() or (name, protocol) == ("seed", "ppl")


def test_options_to_be_ranked(mirror: Path) -> None:
    task = build_task("seed@ppl", {}, DataSource("hub", mirror), Registry())
    request = task.request(next(iter(task.samples())))
    assert request.text == "What is 101669?"
    assert request.options == ("a101669", "b101669", "c101669", "d101669")


#: what always answering "B" is worth, from `TABLES` by hand
WORTH = {
    "pope@official": {"accuracy": 50.0, "yes_ratio": 100.0},  # read as yes
    "mme@llava": {"cognition": 0.0, "total": 0.0, "code_reasoning": 0.0},  # read as neither
    "vqav2@val": {"accuracy": (0 + 90) / 2, "yes/no": 0.0, "other": 90.0},  # three of ten humans
    "gqa@testdev": {"accuracy": 100 / 3, "binary": 0.0, "open": 100.0},
    "textvqa@llava-ocr": {"accuracy": 50.0},
    "mmbench@dev": {"accuracy": 0.0, "vanilla": 100.0, "l2/coarse": 0.0, "category/ocr": 0.0},
    "mmbench@cn-dev": {"accuracy": 100.0, "l2/粗略": 100.0},
    "seed@llava": {"accuracy": 50.0, "image": 50.0, "video": 50.0, "instances_counting": 0.0, "action_prediction": 50.0},
    "mmvet@v1": {"score[rule]": 50.0, "ocr[rule]": 100.0, "rec[rule]": 0.0, "math[rule]": 50.0},
    "scienceqa@llava": {"img": 0.0, "all": 50.0},
    "coco-cap@val2017": {"CIDEr[treebank]": 0.0, "ROUGE_L[treebank]": 0.0},  # nobody wrote b
    "nocaps@val": {"CIDEr[treebank]": 0.0, "ROUGE_L[treebank]": 0.0},
    "vizwiz@val": {"accuracy": (0 + 30) / 2, "unanswerable": 0.0, "other": 30.0},  # one of ten humans
}


def run(cli: Cli, tasks: str, mirror: Path, output: Path, *more: object) -> Any:
    model = ["--model", "constant", "-a", "answer=B"]
    return cli("run", "--tasks", tasks, *model, "--data", f"hub:{mirror}", "-o", output, "--json", *more)


def test_a_run_over_all_tasks(cli: Cli, mirror: Path, tmp_path: Path) -> None:
    options = ["mmvet.by_rule=true", "coco_cap.tokenizer=treebank", "nocaps.tokenizer=treebank"]
    outcome = run(cli, ",".join(WORTH), mirror, tmp_path, *(word for option in options for word in ("-a", option)))
    results = {result["task"]: result for result in outcome.json["results"]}
    unread = {label for label, result in results.items() if result["unparsed"]}
    assert (outcome.code, unread) == (3, {"pope@official", "mme@llava"}), "B is no answer to a yes/no question"
    assert results.keys() == WORTH.keys()
    for label, metrics in WORTH.items():
        assert {name: results[label]["metrics"][name] for name in metrics} == pytest.approx(metrics), label
        assert (results[label]["failed"], results[label]["missing"], results[label]["unlabelled"]) == (0, 0, 0)
    assert results["mme@llava"]["headline"] == "perception", "no perception question was asked, so there is no number for it"
    assert results["mme@llava"]["metrics"] == WORTH["mme@llava"]


def test_a_run_without_public_labels(cli: Cli, mirror: Path, tmp_path: Path) -> None:
    outcome = run(cli, "mmbench@test", mirror, tmp_path)
    assert outcome.code == 3, outcome.err
    (result,) = outcome.json["results"]
    assert (result["n"], result["unlabelled"], result["metrics"]) == (0, 1, {})


@pytest.mark.parametrize("place", ["lmms-lab", "lmms-lab-encoder", "."])
def test_places_in_a_mirror(place: str, mirror: Path, tmp_path: Path) -> None:
    """The first owner's folder, the second's, or none."""
    for dataset in ("MME", "GQA"):
        shutil.copytree(mirror / "lmms-lab" / dataset, tmp_path / place / dataset)
    for label in ("mme", "gqa"):
        assert list(map(asked, samples_of(label, tmp_path))) == EXPECTED[label]


def test_a_dataset_under_its_old_name(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the hub, or a cache of it, has it under no other."""
    names, load = [], datasets.load_dataset

    def load_old(name: str, config: str | None, split: str) -> datasets.Dataset:
        names.append(name)
        if not name.startswith("lmms-lab/"):
            raise datasets.exceptions.DatasetNotFoundError(name)
        return load(str(mirror / name), config, split=split)

    monkeypatch.setattr(datasets, "load_dataset", load_old)
    source = DataSource("hub")
    assert list(map(asked, build_task("mme", {}, source, Registry()).samples())) == EXPECTED["mme"]
    assert names == ["lmms-lab-encoder/MME", "lmms-lab/MME"]
    assert source.revisions == {}, "files of this machine have none"
    monkeypatch.setattr(datasets, "load_dataset", partial(refused, datasets.exceptions.DatasetNotFoundError))
    with pytest.raises(UserError, match="dataset lmms-lab-encoder/MME cannot be opened"):
        list(build_task("mme", {}, source, Registry()).samples())


def refused(error: type[Exception], name: str, *_: object, **more: object) -> None:
    raise error(name)


def test_revisions_are_in_the_manifest(mirror: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = {"hf://datasets/lmms-lab-encoder/MME@5f1b3c/data/test-00000-of-00001.parquet": {"num_bytes": 1}}
    load = datasets.load_dataset

    def load_pinned(name: str, config: str | None, split: str) -> datasets.Dataset:
        found = load(str(mirror / "lmms-lab" / name.partition("/")[2]), config, split=split)
        found.info.download_checksums = sums
        return found

    monkeypatch.setattr(datasets, "load_dataset", load_pinned)
    assert cli("run", "--tasks", "mme", "--model", "constant", "--data", "hub", "-o", tmp_path, "--json").code in (0, 3)
    (manifest,) = tmp_path.glob("*/manifest.json")
    assert json.loads(manifest.read_text())["datasets"] == {"lmms-lab-encoder/MME": "5f1b3c"}


def test_a_row_without_its_picture_fails_alone(mirror: Path, cli: Cli, tmp_path: Path) -> None:
    rows = [{**row, "image": row["image"] or None} for row in mme_rows()]
    write_table(tmp_path / "mirror/lmms-lab/MME", "data/test-00000-of-00001.parquet", rows)
    first, *_, last = samples_of("mme", tmp_path / "mirror")
    with pytest.raises(ImageError, match="code_reasoning/0000"):
        open_image(first.images[0])
    assert shade_of(last) == 1
    files = ["--data", f"hub:{tmp_path / 'mirror'}", "-o", tmp_path / "r", "--json"]
    outcome = cli("run", "--tasks", "mme", "--model", "mipha-tiny", *files)
    assert outcome.code == 3
    assert (outcome.json["results"][0]["failed"], outcome.json["results"][0]["n"]) == (2, 2)


def test_a_video_without_frames_fails_alone(tmp_path: Path) -> None:
    rows = [seed_row("v1", 10, "a.webm", [], "A"), seed_row("v2", 10, "b.webm", [5, 6, 7], "A")]
    write_table(tmp_path / "lmms-lab/SEED-Bench", "data/test-00000-of-00001.parquet", rows)
    empty, whole = samples_of("seed", tmp_path)
    with pytest.raises(ImageError, match="v1"):
        open_image(empty.images[0])
    assert shade_of(whole) == 6


def test_what_the_hub_does_not_have(cli: Cli, mirror: Path, tmp_path: Path) -> None:
    outcome = run(cli, "pope@llava", mirror, tmp_path)
    assert outcome.code == 2
    assert "pope@llava is not on the hub, only pope@official" in outcome.err
    for name, dataset in {"mme": "lmms-lab-encoder/MME", "mmbench": "lmms-lab/MMBench_EN"}.items():
        outcome = run(cli, name, tmp_path, tmp_path / "r")
        assert outcome.code == 2
        assert f"{dataset} is missing" in outcome.err
