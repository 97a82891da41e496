"""Writes the same answers as other suites write them, from their published forms; by hand, without any of their code."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mipha_eval.core.types import Sample
from tests.conftest import write_jsonl

Row = dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """A question with the answer to it.

    Attributes:
        bare: the question without hint and options.
        row: its number in the suite's split.
        number: its number within its category, from 1.
        hint: what stands before the question, in a column of its own.
    """

    sample: Sample
    text: str
    bare: str
    row: int
    number: int
    hint: str = ""

    @property
    def name(self) -> str:
        return self.sample.images[0].name if self.sample.images else ""

    @property
    def label(self) -> str:
        return self.sample.target[0]


def question_of(sample: Sample) -> tuple[str, str]:
    """Hint and question, without options and format lines."""
    if sample.question:
        return "", sample.question
    if not sample.choices:
        return "", sample.prompt.split("\n")[0]
    text = sample.prompt.rpartition("\nA. ")[0]
    if not text.startswith("Context: "):
        return "", text
    hint, _, question = text.removeprefix("Context: ").rpartition("\n")
    return hint, question


def answered(samples: Sequence[Sample], texts: Mapping[str, str], order: Sequence[str] = ()) -> list[Answered]:
    """Answers in a suite's order: its categories one after the other in `order`, if that is given."""
    places = {name: place for place, name in enumerate(order)}
    ordered = sorted(samples, key=lambda sample: places.get(sample.category, 0)) if order else list(samples)
    seen: Counter[str] = Counter()
    found = []
    for row, sample in enumerate(ordered):
        seen[sample.category] += 1
        if sample.id in texts:
            hint, bare = question_of(sample)
            found.append(Answered(sample, texts[sample.id], bare, row, seen[sample.category], hint))
    return found


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def cells(answer: Answered) -> Row:
    """A question's options as columns."""
    return dict(zip("ABCDE", answer.sample.choices, strict=False))


# ---- lmms-eval: what its metrics are given differs by task


def payload(task: str, answer: Answered) -> Row:  # noqa: PLR0911
    sample = answer.sample
    if task == "pope":  # its ids begin anew in each category
        given = {"question_id": str(answer.number), "score": 1.0, "prediction": answer.text, "ground_truth": answer.label}
        return {"pope_accuracy": given, "pope_f1_score": given}
    if task == "mme":
        return {"mme_perception_score": {"question_id": sample.question_id, "category": sample.category, "score": 1.0}}
    if task == "mmbench":
        given = {"index": sample.question_id, "question": answer.bare, "answer": answer.label, "category": sample.category}
        return {
            "gpt_eval_score": {**given, "prediction": answer.text, **cells(answer)},
            "submission": {"index": sample.question_id},
        }
    if task == "seed":
        return {"seed_all": {"pred": answer.text, "answer": answer.label, "question_id": sample.question_id}}
    if task == "mmvet":
        given = {"question_id": sample.id, "question": answer.bare, "gt_answer": answer.label, "pred_answer": answer.text}
        return {"gpt_eval_score": {**given, "score": 0.0, "eval_model": "gpt-4"}}
    if task == "textvqa":
        return {"exact_match": 1.0, "submission": {"question_id": int(sample.id), "answer": answer.text.lower()}}
    if task == "vizwiz@val":
        return {"exact_match": 1.0, "submission": {"image": answer.name, "answer": answer.text.lower()}}
    if task == "coco-cap":
        return {"coco_CIDEr": {"answer": list(sample.target), "pred": answer.text, "image_id": sample.question_id}}
    return {"exact_match": 1.0}


def document(task: str, answer: Answered) -> Row:
    sample = answer.sample
    own = {"pope": str(answer.number), "textvqa": sample.id, "mmvet": sample.id}.get(task, sample.question_id)
    known = {"question_id": own, "question": answer.bare, "answer": answer.label, "category": sample.category}
    return {**known, "image_source": answer.name.partition(".")[0]} if answer.name else known


def lmms_rows(task: str, answers: Iterable[Answered]) -> list[Row]:
    return [
        {
            "doc_id": answer.row,
            "target": answer.label if len(answer.sample.target) == 1 else str(list(answer.sample.target)),
            "filtered_resps": answer.text,
            "token_counts": [{"output_tokens": 1}],
            "doc_hash": "0" * 64,
            **payload(task, answer),
            "input": answer.sample.prompt,
        }
        for answer in answers
    ]


def lmms_eval(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    return write_jsonl(folder / f"20261101_010101_samples_{task}.jsonl", lmms_rows(task, answers))


def lmms_eval_with_documents(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    """As versions before 0.3 wrote it, in a log of one object."""
    rows = [
        {
            "doc_id": answer.row,
            "doc": document(task, answer),
            "target": answer.label,
            "arguments": [[answer.sample.prompt, {"max_new_tokens": 16}]],
            "resps": [[answer.text]],
            "filtered_resps": [answer.text],
            **payload(task, answer),
        }
        for answer in answers
    ]
    return write_json(
        folder / f"{task}.json", {"args": {}, "model_configs": {"task": task}, "logs": rows, "time": "1101_0101"}
    )


# ---- VLMEvalKit


def vlmevalkit_rows(answers: Iterable[Answered], *, pictures: bool) -> list[Row]:
    rows = []
    for answer in answers:
        sample = answer.sample
        row: Row = {"index": sample.question_id if sample.group.isdecimal() else answer.row, "question": answer.bare}
        if answer.hint:
            row["hint"] = answer.hint
        row |= {**cells(answer), "answer": answer.label.title(), "category": sample.category}
        if pictures and answer.name:
            row["image_path"] = answer.name
        rows.append({**row, "prediction": answer.text})
    return rows


def write_tsv(path: Path, rows: Sequence[Row]) -> Path:
    import csv

    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n", restval="")
        table.writeheader()
        table.writerows(rows)
    return path


def write_sheet(path: Path, rows: Sequence[Row]) -> Path:
    from openpyxl import Workbook

    columns = list(dict.fromkeys(name for row in rows for name in row))
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(columns)
    for row in rows:
        sheet.append([row.get(name) for name in columns])
    book.save(path)
    return path


def vlmevalkit(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    return write_tsv(folder / f"m_{task}.tsv", vlmevalkit_rows(answers, pictures=True))


def vlmevalkit_sheet(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    return write_sheet(folder / f"m_{task}.xlsx", vlmevalkit_rows(answers, pictures=True))


def vlmevalkit_json(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    return write_json(folder / f"m_{task}.json", vlmevalkit_rows(answers, pictures=True))


def vlmevalkit_pope(folder: Path, answers: Sequence[Answered], *, pictures: bool) -> Path:
    """A row for each question about a picture, with the categories that ask it."""
    groups: dict[tuple[str, str], list[Answered]] = {}
    for answer in answers:
        groups.setdefault((answer.name, answer.bare), []).append(answer)
    rows = [
        {
            **vlmevalkit_rows([group[0]], pictures=pictures)[0],
            "index": number,
            "category": ",".join(each.sample.category for each in group),
        }
        for number, group in enumerate(groups.values())
    ]
    return write_tsv(folder / "m_POPE.tsv", rows)


# ---- EvalScope: a file a category


def evalscope_messages(answer: Answered) -> list[Row]:
    text = f"{answer.sample.prompt}\nPlease answer shortly."
    return [
        {
            "id": "1",
            "role": "user",
            "content": [{"type": "text", "text": text}, {"type": "image", "image": "data:image/png;base64,AA"}],
        }
    ]


def metadata(task: str, answer: Answered) -> Row:
    if task == "pope":
        return {"id": str(answer.number), "category": answer.sample.category, "question_id": str(answer.number)}
    if task == "mmbench":
        return {"index": answer.sample.question_id, "category": answer.sample.category}
    if task == "seed":
        return {"question_id": answer.sample.question_id}
    return {"category": answer.sample.category}


def by_category(answers: Sequence[Answered]) -> dict[str, list[Answered]]:
    found: dict[str, list[Answered]] = {}
    for answer in answers:
        found.setdefault(answer.sample.category.replace("/", "-") or "default", []).append(answer)
    return found


def evalscope_predictions(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    for category, rows in by_category(answers).items():
        written = [
            {
                "index": number,
                "model": "m",
                "model_output": {
                    "model": "m",
                    "choices": [{"message": {"role": "assistant", "content": answer.text}, "stop_reason": "stop"}],
                },
                "messages": evalscope_messages(answer),
                "metadata": metadata(task, answer),
            }
            for number, answer in enumerate(rows)
        ]
        write_jsonl(folder / f"{task}_{category}.jsonl", written)
    return folder


def evalscope_reviews(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    for category, rows in by_category(answers).items():
        written = [
            {
                "index": number,
                "input": f"**User**: \n{answer.sample.prompt}\n![image](data:image/png;base64,AA)",
                "target": answer.label.upper() if len(answer.label) < 4 else answer.label,
                "sample_score": {
                    "score": {"value": {"acc": 1.0}, "extracted_prediction": answer.text, "prediction": answer.text},
                    "sample_id": number,
                    "sample_metadata": metadata(task, answer),
                },
            }
            for number, answer in enumerate(rows)
        ]
        write_jsonl(folder / f"{task}_{category}.jsonl", written)
    return folder


# ---- Inspect


def inspect_samples(task: str, answers: Iterable[Answered]) -> list[Row]:
    return [
        {
            "id": number,
            "epoch": 1,
            "input": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "attachment://q"}, {"type": "image", "image": "attachment://p"}],
                }
            ],
            "target": answer.label if len(answer.sample.target) == 1 else list(answer.sample.target),
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "attachment://q"}, {"type": "image", "image": "attachment://p"}],
                },
                {"role": "assistant", "content": answer.text},
            ],
            "output": {
                "model": "m",
                "choices": [
                    {
                        "message": {
                            "role": "assistant",
                            "content": [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": answer.text}],
                        },
                        "stop_reason": "stop",
                    }
                ],
            },
            "scores": {"match": {"value": "C", "answer": answer.text}},
            "metadata": metadata(task, answer) if task != "scienceqa" else {},
            "attachments": {"q": answer.sample.prompt, "p": "data:image/png;base64,AA"},
        }
        for number, answer in enumerate(answers, start=1)
    ]


def inspect_head(task: str) -> Row:
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": task, "model": "m", "created": "2026-11-01T01:01:01+00:00"},
        "plan": {},
    }


def inspect_json(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    return write_json(folder / f"{task}.json", {**inspect_head(task), "samples": inspect_samples(task, answers)})


def inspect_eval(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    path = folder / f"{task}.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps(inspect_head(task)))
        for sample in inspect_samples(task, answers):
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps(inspect_head(task)))
    return path


def inspect_parts(task: str, answers: Sequence[Answered]) -> dict[str, bytes]:
    """The members of a log whose samples are folders, their lists in pieces of one entry."""
    found: dict[str, object] = {"header.json": inspect_head(task)}
    for sample in inspect_samples(task, answers):
        folder = f"samples/{sample['id']}_epoch_1"
        head = {key: value for key, value in sample.items() if key not in ("messages", "attachments", "metadata")}
        text = json.dumps({"head": head, "messages": sample["messages"]})
        counted = json.loads(text.replace("attachment://q", "attachment://0").replace("attachment://p", "attachment://1"))
        found[f"{folder}/sample.json"] = counted["head"]
        found[f"{folder}/metadata.json"] = sample["metadata"]
        found[f"{folder}/skeleton.json"] = found[f"{folder}/events/stats.json"] = {}
        found[f"{folder}/events/0.json"] = [{"event": "model"}]
        for number, message in enumerate(counted["messages"]):
            found[f"{folder}/messages/{number}.json"] = [message]
        for number, attached in enumerate(sample["attachments"].values()):
            found[f"{folder}/attachments/{number}.json"] = [attached]
    return {name: json.dumps(value).encode() for name, value in found.items()}


def zip_of(members: Mapping[str, bytes], method: int, pack: Callable[[bytes], bytes]) -> bytes:
    """A zip whose members are packed by any method, which Python's own module could not write."""
    body, central = b"", b""
    for name, data in members.items():
        packed, title = pack(data), name.encode()
        fields = (20, 0, method, 0, 33, zlib.crc32(data), len(packed), len(data), len(title), 0)
        central += b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, *fields, 0, 0, 0, 0, len(body)) + title
        body += b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", *fields) + title + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(central), len(body), 0)
    return body + central + b"PK\x05\x06" + end


# ---- InternVL, Qwen-VL, LLaVA


def internvl(task: str, folder: Path, answers: Sequence[Answered]) -> Path:
    if task == "pope":
        rows = [
            {"question_id": each.sample.question_id, "text": each.text, "model_id": "m", "metadata": {}} for each in answers
        ]
    elif task == "mmvet":
        return write_json(folder / "mmvet.json", {each.sample.id: each.text for each in answers})
    elif task == "gqa":
        rows = [
            {"question": each.sample.prompt, "questionId": each.sample.id, "answer": each.text, "annotation": each.label}
            for each in answers
        ]
    elif task == "scienceqa":
        shown = [each for each in answers if each.sample.images]
        named = [
            {
                "question": each.sample.prompt,
                "answer": each.text,
                "gt_answers": each.label,
                "image_path": f"images/{each.name}",
            }
            for each in shown
        ]
        return write_jsonl(folder / "sqa.jsonl", named)
    elif task == "seed":
        lines = [
            {
                "question_id": each.sample.question_id,
                "question": each.sample.prompt,
                "prediction": each.text,
                "answer": each.label,
            }
            for each in answers
        ]
        return write_jsonl(folder / "seed.jsonl", lines)
    elif task == "mmbench":
        rows = vlmevalkit_rows(answers, pictures=False)
        return write_sheet(
            folder / "mmbench.xlsx", [{name: cell for name, cell in row.items() if name != "category"} for row in rows]
        )
    else:
        rows = [{"question": each.sample.prompt, "question_id": each.sample.id, "answer": each.text} for each in answers]
    return write_json(folder / f"{task}_261101.json", rows)


def compressed(path: Path) -> Path:
    target = path.with_name(f"{path.name}.gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target
