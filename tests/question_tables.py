"""One set of questions, written in every form that a table of questions may have."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas
from datasets import Dataset, Features, Image, Value
from datasets import Sequence as ListOf
from PIL import Image as Pillow

COLOURS = ("red", "green", "blue", "yellow", "black")
FIELDS = ("id", "image", "question", "answer", "category")

Row = dict[str, Any]


def picture(colour: str) -> bytes:
    """A plain square as a PNG."""
    data = io.BytesIO()
    Pillow.new("RGB", (32, 32), colour).save(data, "PNG")
    return data.getvalue()


def draw(folder: Path) -> None:
    """The pictures, as ``images/COLOUR.png``."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for colour in COLOURS:
        (folder / "images" / f"{colour}.png").write_bytes(picture(colour))


def rows() -> list[Row]:
    """Two questions a picture, whose names in files are those of the colours."""
    first = [
        {
            "id": f"c{number}",
            "image": f"images/{colour}.png",
            "question": "What colour?",
            "answer": colour,
            "category": "colour",
        }
        for number, colour in enumerate(COLOURS)
    ]
    second = [
        {
            "id": f"n{number}",
            "image": f"images/{colour}.png",
            "question": "How many?",
            "answer": str(number),
            "category": "count",
        }
        for number, colour in enumerate(COLOURS)
    ]
    return [row for pair in zip(first, second, strict=True) for row in pair]


def held(row: Row) -> str:
    """The picture of a row in base64."""
    return base64.b64encode(picture(Path(row["image"]).stem)).decode()


def write_jsonl(path: Path, found: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return path


def _jsonl(folder: Path) -> str:
    return str(write_jsonl(folder / "colours.jsonl", rows()))


def _json(folder: Path) -> str:
    (folder / "colours.json").write_text(json.dumps(rows()), encoding="utf-8")
    return f"json:{folder / 'colours.json'}"


def _text(folder: Path, ending: str, delimiter: str) -> str:
    with (folder / f"colours.{ending}").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows())
    return f"{ending}:{folder}/colours.{ending}"


def _xlsx(folder: Path) -> str:
    pandas.DataFrame(rows()).to_excel(folder / "colours.xlsx", index=False)
    return str(folder / "colours.xlsx")


def _base64(folder: Path) -> str:
    return str(write_jsonl(folder / "colours.jsonl", [{**row, "image": held(row)} for row in rows()]))


def _data_uri(folder: Path) -> str:
    uri = "data:image/png;base64,{}"
    return str(write_jsonl(folder / "colours.jsonl", [{**row, "image": uri.format(held(row))} for row in rows()]))


def _lists(folder: Path) -> str:
    found = [{**row, "image": [row["image"]], "answer": [row["answer"]]} for row in rows()]
    return str(write_jsonl(folder / "colours.jsonl", found))


def _whole_paths(folder: Path) -> str:
    found = [{**row, "image": str((folder / row["image"]).resolve())} for row in rows()]
    return str(write_jsonl(folder / "colours.jsonl", found))


def _parquet(folder: Path) -> str:
    """With the hub's image type."""
    kinds = Features({**dict.fromkeys(FIELDS, Value("string")), "image": Image()})
    found = [{**row, "image": {"bytes": base64.b64decode(held(row)), "path": None}} for row in rows()]
    Dataset.from_list(found, features=kinds).to_parquet(str(folder / "colours.parquet"))
    return f"parquet:{folder}/colours.parquet"


def _parquet_lists(folder: Path) -> str:
    """With lists of the hub's images, in a column called otherwise."""
    kinds = Features(
        {**dict.fromkeys((name for name in FIELDS if name != "image"), Value("string")), "images": ListOf(Image())}
    )
    found = [
        {
            **{key: value for key, value in row.items() if key != "image"},
            "images": [{"bytes": base64.b64decode(held(row)), "path": None}],
        }
        for row in rows()
    ]
    Dataset.from_list(found, features=kinds).to_parquet(str(folder / "colours.parquet"))
    return f"{folder}/colours.parquet"


def _plain_parquet(folder: Path) -> str:
    """As pandas writes it, with names of files."""
    pandas.DataFrame(rows()).to_parquet(folder / "colours.parquet")
    return f"{folder}/colours.parquet"


def _image_folder(folder: Path) -> str:
    """The hub's form of a folder of pictures."""
    found = [{"file_name": row["image"], **{key: value for key, value in row.items() if key != "image"}} for row in rows()]
    write_jsonl(folder / "metadata.jsonl", found)
    return f"folder:{folder}?name=colours"


def _described_folder(folder: Path) -> str:
    write_jsonl(folder / "colours.jsonl", rows())
    write_jsonl(folder / "other.jsonl", rows())
    (folder / "colours.toml").write_text('licence = "CC0-1.0"\n', encoding="utf-8")
    return f"{folder}/"


#: the form's name -> writes it into a folder that has the pictures, and says how the task is named
FORMS: Mapping[str, Callable[[Path], str]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": lambda folder: _text(folder, "csv", ","),
    "tsv": lambda folder: _text(folder, "tsv", "\t"),
    "xlsx": _xlsx,
    "base64": _base64,
    "data-uri": _data_uri,
    "lists": _lists,
    "whole-paths": _whole_paths,
    "parquet": _parquet,
    "parquet-lists": _parquet_lists,
    "plain-parquet": _plain_parquet,
    "image-folder": _image_folder,
    "described-folder": _described_folder,
}
