"""Demo scenes as VQAv2, GQA, TextVQA and VizWiz files."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from mipha_eval.core.format_lines import OCR_TOKENS
from mipha_eval.demo.held_out import held_out_scenes, save_images, write_json
from mipha_eval.demo.questions import COUNT_WORDS, KINDS, Question, text_family
from mipha_eval.demo.scenes import Scene

QUESTIONS = 60  # of each kind
HUMANS = 10
UNANSWERABLE_SHARE = 1 / 3


def asked(rng: random.Random, kind: str, count: int = QUESTIONS) -> Iterator[tuple[Scene, Question]]:
    """`count` questions of a kind, each about a scene of its own, no two with the same wording and answer in a row."""
    scenes = held_out_scenes(rng)
    found = ((scene, KINDS[kind](rng, scene)) for scene in scenes)
    yield from itertools.islice(((scene, question) for scene, question in found if question), count)


def human_answers(rng: random.Random, truth: str) -> list[str]:
    """What ten people might have written: mostly the truth, some of it in other words, and sometimes a slip."""
    others = [truth.capitalize(), f"{truth}."]
    if truth.isdigit() and int(truth) < len(COUNT_WORDS):
        others.append(COUNT_WORDS[int(truth)])
    if rng.random() < 0.4:
        return [truth] * HUMANS
    slips = rng.choices([*others, "not sure"], k=rng.randint(1, 3))
    answers = [truth] * (HUMANS - len(slips)) + slips
    rng.shuffle(answers)
    return answers


def write_vqav2(folder: Path, rng: random.Random) -> None:
    """Questions and annotations of val2014 in the official form."""
    types = {"colour_match": "yes/no", "existence": "yes/no", "count": "number", "colour": "other", "reading": "other"}
    images, questions, annotations = {}, [], []
    numbers = itertools.count(1)
    for kind, answer_type in types.items():
        for scene, question in asked(rng, kind):
            image_id = next(numbers)
            images[f"COCO_val2014_{image_id:012}.jpg"] = scene
            key = {"question_id": image_id * 1000, "image_id": image_id}
            questions.append({**key, "question": question.text})
            humans = [
                {"answer": answer, "answer_confidence": "yes", "answer_id": number}
                for number, answer in enumerate(human_answers(rng, question.answer.lower()), start=1)
            ]
            annotations.append({**key, "answer_type": answer_type, "question_type": kind, "answers": humans})
    save_images(folder / "val2014", images, rng)
    subset = {"data_type": "mscoco", "data_subtype": "val2014", "task_type": "Open-Ended"}
    write_json(folder / "v2_OpenEnded_mscoco_val2014_questions.json", {**subset, "questions": questions})
    write_json(folder / "v2_mscoco_val2014_annotations.json", {**subset, "annotations": annotations})


def write_gqa(folder: Path, rng: random.Random) -> None:
    """testdev_balanced questions in the official form."""
    structures = {"colour_match": "verify", "position": "verify", "colour": "query", "shape": "query", "where": "choose"}
    images, questions = {}, {}
    numbers = itertools.count(1)
    for kind, structure in structures.items():
        for scene, question in asked(rng, kind):
            number = f"{next(numbers):06}"
            images[f"n{number}.jpg"] = scene
            questions[number] = {
                "imageId": f"n{number}",
                "question": question.text,
                "answer": question.answer.lower(),
                "isBalanced": True,
                "types": {"structural": structure, "semantic": "attr", "detailed": kind},
            }
    save_images(folder / "data" / "images", images, rng)
    write_json(folder / "data" / "testdev_balanced_questions.json", questions)


def write_textvqa(folder: Path, rng: random.Random) -> None:
    """Questions whose OCR tokens hold the answer and a false reading, so that the tokens alone give half."""
    images, rows = {}, []
    for number, (scene, question) in enumerate(asked(rng, "reading", 2 * QUESTIONS), start=1):
        image_id = f"{number:016x}"
        images[f"{image_id}.jpg"] = scene
        tokens = [scene.text, rng.choice([text for text in text_family(scene.text) if text != scene.text])]
        rng.shuffle(tokens)
        rows.append(
            {
                "question_id": 34602 + number,
                "image_id": image_id,
                "question": question.text.partition(f"\n{OCR_TOKENS}")[0],
                "answers": human_answers(rng, question.answer),
                "ocr_tokens": tokens,
            }
        )
    save_images(folder / "train_images", images, rng)
    write_json(folder / "TextVQA_0.5.1_val.json", {"dataset_type": "val", "data": rows})


def write_vizwiz(folder: Path, rng: random.Random) -> None:
    """Questions of which a third cannot be answered."""
    images: dict[str, Scene] = {}
    rows: list[dict[str, object]] = []
    pool = asked(rng, "answerable", 100 * QUESTIONS)
    wanted = 3 * QUESTIONS
    left = {True: round(wanted * UNANSWERABLE_SHARE), False: wanted - round(wanted * UNANSWERABLE_SHARE)}
    while any(left.values()):
        scene, question = next(pool)
        unanswerable = question.answer == "unanswerable"
        if not left[unanswerable]:
            continue
        left[unanswerable] -= 1
        name = f"VizWiz_val_{len(rows):08}.jpg"
        images[name] = scene
        rows.append({"image": name, "question": question.text, **_crowd(rng, question.answer)})
    save_images(folder / "val", images, rng)
    write_json(folder / "val.json", rows)


def _crowd(rng: random.Random, truth: str) -> dict[str, object]:
    answers: Sequence[str] = human_answers(rng, truth)
    kind = "unanswerable" if truth == "unanswerable" else "number" if truth.isdigit() else "other"
    people = [{"answer": answer, "answer_confidence": "yes"} for answer in answers]
    return {"answers": people, "answer_type": kind, "answerable": int(kind != "unanswerable")}
