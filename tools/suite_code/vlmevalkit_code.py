"""Runs VLMEvalKit's own evaluation of a sheet, without a judge; needs a checkout on PYTHONPATH, pandas and xlsxwriter.

Its package and the packages of its data sets import everything, models too; they are left empty here, and only what a
benchmark's evaluation needs is imported.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Outcome = dict[str, Any]


def empty_packages() -> None:
    """Packages whose ``__init__`` is not run, and the module that builds judges."""
    root = next((Path(folder) / "vlmeval" for folder in sys.path if (Path(folder) / "vlmeval" / "smp").is_dir()), None)
    if root is None:
        raise SystemExit("no checkout of VLMEvalKit is on PYTHONPATH")
    for name in ("", ".dataset", ".dataset.utils"):
        package = types.ModuleType(f"vlmeval{name}")
        package.__path__ = [str(root / name.replace(".", "/").strip("/"))]
        sys.modules[f"vlmeval{name}"] = package
    utils: Any = sys.modules["vlmeval.dataset.utils"]
    utils.build_judge, utils.DEBUG_MESSAGE = None, ""


empty_packages()
PANDAS = importlib.import_module("pandas")
SMP = importlib.import_module("vlmeval.smp")


def data_set(module: str, owner: str, name: str) -> Any:
    """An instance of a data set's class without its data, which would be downloaded."""
    kind = getattr(importlib.import_module(f"vlmeval.dataset.{module}"), owner)
    made = kind.__new__(kind)
    made.dataset_name = name
    return made


def sheet(folder: Path, name: str, table: Mapping[str, Sequence[Any]]) -> str:
    """A file of answers, as its inference writes one."""
    path = str(folder / f"model_{name}.xlsx")
    SMP.dump(PANDAS.DataFrame(table), path)
    return path


def yes_no(rows: Rows, name: str, folder: Path) -> tuple[Any, dict[str, str]]:
    """The numbers and what was extracted, by id."""
    table = {
        "index": [row["id"] for row in rows],
        "question": [row["question"] for row in rows],
        "category": [row["category"] for row in rows],
        "image_path": [row["image_path"] for row in rows],
        "answer": ["No" if row["target"][0].lower() == "no" else "Yes" for row in rows],
        "prediction": [row["said"] for row in rows],
    }
    path = sheet(folder, name, table)
    numbers = data_set("image_yorn", "ImageYORNDataset", name).evaluate(path, model="exact_matching")
    extracted = SMP.load(SMP.get_intermediate_file_path(path, "_auxmatch"))["extracted"]
    return numbers, {row["id"]: str(said) for row, said in zip(rows, extracted, strict=True)}


def pope(rows: Rows, folder: Path) -> dict[str, Outcome]:
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:  # its table has equal questions once
        kept = first.setdefault(
            (row["images"][0], row["question"].replace("imange", "image")), {**row, "category": "", "image_path": ""}
        )
        kept["category"] = ",".join(filter(None, [kept["category"], row["category"]]))
    numbers, extracted = yes_no(list(first.values()), "POPE", folder)
    by_row = {
        row["id"]: extracted[first[row["images"][0], row["question"].replace("imange", "image")]["id"]] for row in rows
    }
    overall = float(numbers[numbers["split"] == "Overall"]["Overall"].iloc[0])
    return {"POPE: Overall": _yes_no_outcome(rows, overall, by_row)}


def mme(rows: Rows, folder: Path) -> dict[str, Outcome]:
    asked = [{**row, "image_path": row["group"]} for row in rows]
    numbers, extracted = yes_no(asked, "MME", folder)
    outcomes = {}
    for name, cognition in (("perception", False), ("reasoning", True)):
        chosen = [row for row in rows if (row["category"] in COGNITION) == cognition]
        outcomes[f"MME: {name}"] = _yes_no_outcome(chosen, float(numbers[name].iloc[0]), extracted)
    return outcomes


COGNITION = {"code_reasoning", "commonsense_reasoning", "numerical_calculation", "text_translation"}


def _yes_no_outcome(rows: Rows, number: float, extracted: Mapping[str, str]) -> Outcome:
    said = {row["id"]: extracted[row["id"]].lower().replace("unknown", "") for row in rows}
    truths = {row["id"]: "no" if row["target"][0].lower() == "no" else "yes" for row in rows}
    worths = {key: float(answer == truths[key]) for key, answer in said.items()}
    return {
        "number": number,
        "worths": worths,
        "answers": said,
        "asked": [key for key, answer in said.items() if not answer],
    }


def gqa(rows: Rows, folder: Path) -> dict[str, Outcome]:
    table = {"index": [row["id"] for row in rows], "answer": [row["target"][0] for row in rows]}
    return {"GQA_TestDev_Balanced: Overall": _short_answers(rows, "GQA_TestDev_Balanced", table, folder)}


def textvqa(rows: Rows, folder: Path) -> dict[str, Outcome]:
    table = {"index": [row["id"] for row in rows], "answer": [str(list(row["target"])) for row in rows]}
    return {"TextVQA_VAL: Overall": _short_answers(rows, "TextVQA_VAL", table, folder)}


def _short_answers(rows: Rows, name: str, table: Mapping[str, Sequence[Any]], folder: Path) -> Outcome:
    path = sheet(folder, name, {**table, "prediction": [row["said"] for row in rows]})
    numbers = data_set("image_vqa", "ImageVQADataset", name).evaluate(path)
    found = SMP.load(SMP.get_intermediate_file_path(path, "_results"))
    worths = {row["id"]: float(worth) for row, worth in zip(rows, found["eval_score"], strict=True)}
    return {"number": float(numbers["Overall"].iloc[0]), "worths": worths, "answers": {}}


def vizwiz(rows: Rows, folder: Path) -> dict[str, Outcome]:
    module = importlib.import_module("vlmeval.dataset.image_vqa")
    process = importlib.import_module("vlmeval.dataset.utils.vqa_eval").process_line
    table = {"index": [row["id"] for row in rows], "answers": [str(list(row["target"])) for row in rows]}
    path = sheet(folder, "VizWiz", {**table, "prediction": [row["said"] for row in rows]})
    number = float(module.VizWiz.evaluate(path)["Overall"].iloc[0])
    lines = [{"answer": row["answers"], "prediction": str(row["prediction"])} for _, row in SMP.load(path).iterrows()]
    read = [process(line) for line in lines]
    worths = {row["id"]: sum(each["match"]) / len(each["match"]) for row, each in zip(rows, read, strict=True)}
    said = {row["id"]: each["pred"] for row, each in zip(rows, read, strict=True)}
    return {"VizWiz: Overall": {"number": number, "worths": worths, "answers": said}}


def scienceqa(rows: Rows, folder: Path) -> dict[str, Outcome]:
    chosen = [row for row in rows if row["images"]]
    return {"ScienceQA_TEST: Overall": _choices(chosen, "ScienceQA_TEST", folder)}


def seed(rows: Rows, folder: Path) -> dict[str, Outcome]:
    chosen = [row for row in rows if row["category"] == "image"]
    return {"SEEDBench_IMG: Overall": _choices(chosen, "SEEDBench_IMG", folder)}


def mmbench(rows: Rows, folder: Path, protocol: str) -> dict[str, Outcome]:
    name = "MMBench_DEV_CN" if protocol == "cn-dev" else "MMBench_DEV_EN"
    return {f"{name}: Overall": _choices([{**row, "index": int(row["id"])} for row in rows], name, folder)}


def _choices(rows: Rows, name: str, folder: Path) -> Outcome:
    """One row of an answer file each; a column for each letter that any question has."""
    places = range(max(len(row["choices"]) for row in rows))
    letters = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[place]: [row["choices"][place] if place < len(row["choices"]) else None for row in rows]
        for place in places
    }
    table = {
        "index": [row.get("index", number) for number, row in enumerate(rows)],
        "question": [row["question"] or "?" for row in rows],
        **letters,
        "answer": [row["target"][0] for row in rows],
        "category": ["all"] * len(rows),
        "prediction": [row["said"] for row in rows],
    }
    path = sheet(folder, name, table)
    made = data_set("image_mcq", "ImageMCQDataset", name)
    made.data = SMP.load(path).drop(columns="prediction")
    number = 100 * float(made.evaluate(path, model="exact_matching")["Overall"].iloc[0])
    prefetch: Callable[[Any], str | bool] = importlib.import_module("vlmeval.dataset.utils.multiple_choice").prefetch_answer
    read = [prefetch(item) for item in _items(path)]
    answers = {row["id"]: said if isinstance(said, str) else "" for row, said in zip(rows, read, strict=True)}
    worths = {row["id"]: float(answers[row["id"]] == row["target"][0]) for row in rows}
    answers = {key: said if said != "Z" else "" for key, said in answers.items()}
    return {"number": number, "worths": worths, "answers": answers}


def _items(path: str) -> Iterator[Any]:
    """The rows as its evaluation reads them, in the sheet's order."""
    data = SMP.load(path)
    data["prediction"] = [str(text) for text in data["prediction"]]
    return (data.iloc[place] for place in range(len(data)))


TASKS: dict[str, Callable[[Rows, Path], dict[str, Outcome]]] = {
    function.__name__: function for function in (pope, mme, gqa, textvqa, vizwiz, scienceqa, seed)
}


def main(given: Path, result: Path) -> None:
    """Reads what is given, and writes what comes of it."""
    asked = json.loads(given.read_text(encoding="utf-8"))
    outcomes = []
    for texts in asked["rounds"]:
        rows = [{**row, "said": text} for row, text in zip(asked["rows"], texts, strict=True)]
        with tempfile.TemporaryDirectory() as folder:
            if asked["task"] == "mmbench":
                outcomes.append(mmbench(rows, Path(folder), asked["protocol"]))
            else:
                outcomes.append(TASKS[asked["task"]](rows, Path(folder)))
    result.write_text(json.dumps(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
