"""VLMEvalKit's tables, ``MODEL/MODEL_DATASET.xlsx``: its data set's columns without the pictures, and ``prediction``.

By open-compass/VLMEvalKit at e8e78f0: ``inference.py`` and ``smp/file.py`` write the table, ``dataset/image_*.py`` read it.
A failed request is a prediction that begins with `FAILED`. The tables of ScienceQA and SEED-Bench have row numbers of
VLMEvalKit's own, by which its scorer looks answers up; nobody but its own tables knows them, and so the index is a text that
none of its rows has: its scorer then says so, and gives no wrong number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.sheet import sheet_bytes, unfit_row
from mipha_eval.suites.write.answered import (
    AnsweredTask,
    RunFacts,
    SuiteFile,
    Written,
    encodable,
    left_out,
    options_of,
    parts_of,
)

#: how it begins the prediction of a failed request
FAILED = "Failed to obtain answer"
Cells = dict[str, str | int | None]
Columns = Callable[[int, Sample], Cells]
#: rows that are in LLaVA's and Mipha's release of MMBench's dev set, and not in VLMEvalKit's
MMBENCH_DEV_ROWS = 4377


@dataclass(frozen=True)
class Table:
    """A data set of VLMEvalKit.

    Attributes:
        name: its name there.
        columns: (place, question) -> a row without its prediction.
        only: the category of the questions that it has; empty for all.
        own_index: whether its scorer needs row numbers that only its own table knows.
    """

    name: str
    columns: Columns
    only: str = ""
    own_index: bool = False


def refusal(task: AnsweredTask) -> str:
    """Why the suite has no form for a task; empty if it has one."""
    return "" if task.benchmark in TABLES else "it has no data set for it"


def write(run: RunFacts, tasks: Sequence[AnsweredTask]) -> Iterator[Written]:
    """The tables of a run, below the folder that ``--work-dir`` names."""
    for task in tasks:
        table = TABLES[task.benchmark]
        rows = list(_rows(task, table))
        number = unfit_row(rows)
        ending, content = ("xlsx", sheet_bytes(rows)) if number is None else ("tsv", _text_table(rows))
        notes = [*left_out(task, failures=False), *_notes(task, table)]
        if not rows:
            yield Written(task.label, (), tuple(notes))
            continue
        if number is not None:
            notes.append(f"{task.label}: row {number} has a text that no sheet can hold, so the table is tab-separated text")
        path = f"{run.file_name}/{run.file_name}_{table.name}.{ending}"
        yield Written(task.label, (SuiteFile(path, content),), tuple(notes))


def _notes(task: AnsweredTask, table: Table) -> Iterator[str]:
    others = sum(sample.category != table.only for sample in task.samples) if table.only else 0
    if others:
        yield f"{task.label}: left out {others:,} of {len(task.samples):,} questions, which {table.name} does not have"
    if table.own_index:
        yield (
            f"{task.label}: {table.name} numbers its rows itself; take these from its own table, by the questions, before "
            "its scorer reads this one"
        )
    if task.benchmark == ("mmbench", "dev") and len(task.samples) == MMBENCH_DEV_ROWS:
        yield (
            f"{task.label}: VLMEvalKit's own table is the later release with 48 rows fewer, and its scorer refuses a table "
            "with others"
        )


def _rows(task: AnsweredTask, table: Table) -> Iterable[JsonObject]:
    answers = sorted([*task.answered, *task.failed], key=lambda each: each[0])
    kept = [(sample, predicted(response)) for _, sample, response in answers if table.only in ("", sample.category)]
    if task.name == "pope":
        return _pope_rows(kept)
    filled = [_clean({**table.columns(place, sample), "prediction": text}) for place, (sample, text) in enumerate(kept)]
    # every row has every column, also where its question has fewer options
    columns = sorted({name for row in filled for name in row}, key=_position)
    return [{name: row.get(name) for name in columns} for row in filled]


def predicted(response: Response) -> str:
    """What stands in the column ``prediction``."""
    return f"{FAILED}: {response.error}" if response.error else response.text


def _pope_rows(answers: Iterable[tuple[Sample, str]]) -> Iterable[JsonObject]:
    """A row a picture and question, with all categories that have it; two where one was answered in two ways."""
    grouped: dict[tuple[str, str, str, str], list[str]] = {}
    for sample, text in answers:
        key = sample.images[0].name, parts_of(sample).stem, sample.target[0].capitalize(), text
        grouped.setdefault(key, []).append(sample.category)
    for place, ((image, question, answer, text), categories) in enumerate(grouped.items()):
        row: Cells = {"index": place, "image_path": image, "question": question, "answer": answer}
        yield _clean({**row, "category": ",".join(dict.fromkeys(categories)), "prediction": text})


def _clean(row: Cells) -> Cells:
    return {name: encodable(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


def _position(column: str) -> tuple[int, str]:
    """Where a column stands: options in the order of their letters, the prediction last."""
    order = ("index", "image_path", "question", "hint")
    behind = ("answer", "answers", "category", "l2-category", "split", "prediction")
    if column in order:
        return order.index(column), ""
    return (100 + behind.index(column), "") if column in behind else (50, column)


def _text_table(rows: Sequence[JsonObject]) -> bytes:
    """As pandas writes it with every cell in quotes, which is what VLMEvalKit does."""
    file = io.StringIO(newline="")
    table = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writeheader()
    table.writerows(rows)
    return file.getvalue().encode()


def _choice(sample: Sample) -> Cells:
    """Of a question with options."""
    parts = parts_of(sample)
    right = sample.target[0] if sample.target else None
    return {"question": parts.stem, "hint": parts.hint or None, **options_of(sample), "answer": right}


def _mmbench(_: int, sample: Sample) -> Cells:
    l2 = next((tag.removeprefix("l2/") for tag in sample.tags if tag.startswith("l2/")), None)
    return {
        "index": int(str(sample.question_id)),
        **_choice(sample),
        "category": sample.category or None,
        "l2-category": l2,
    }


def _scienceqa(_: int, sample: Sample) -> Cells:
    return {"index": f"scienceqa-{sample.id}", **_choice(sample)}


def _seed(_: int, sample: Sample) -> Cells:
    return {"index": f"seed-{sample.id}", **_choice(sample), "category": sample.tags[0] if sample.tags else None}


def _yes_no(place: int, sample: Sample) -> Cells:
    """MME, whose scorer pairs the questions of a picture."""
    shown = {"image_path": str(sample.question_id), "question": parts_of(sample).stem}
    return {"index": place, **shown, "answer": sample.target[0].capitalize(), "category": sample.category}


def _short(place: int, sample: Sample) -> Cells:
    """With one accepted answer."""
    return {"index": place, **_asked(sample), "answer": sample.target[0]}


def _humans(place: int, sample: Sample) -> Cells:
    """With several, as Python writes a list; its scorer evaluates the cell."""
    return {"index": place, **_asked(sample), "answer": str(list(sample.target))}


def _vizwiz(place: int, sample: Sample) -> Cells:
    return {"index": place, **_asked(sample), "answers": str(list(sample.target))}


def _mmvet(place: int, sample: Sample) -> Cells:
    shown = {"image_path": sample.images[0].name, "question": sample.prompt}
    return {"index": place, **shown, "answer": sample.target[0], "category": ",".join(sample.tags)}


def _asked(sample: Sample) -> Cells:
    return {"image_path": sample.images[0].name, "question": parts_of(sample).stem or sample.prompt}


#: (benchmark, protocol) -> its data set there
TABLES: Mapping[tuple[str, str], Table] = {
    ("pope", "llava"): Table("POPE", _yes_no),
    ("pope", "official"): Table("POPE", _yes_no),
    ("mme", "llava"): Table("MME", _yes_no),
    ("mmbench", "dev"): Table("MMBench_DEV_EN", _mmbench),
    ("mmbench", "cn-dev"): Table("MMBench_DEV_CN", _mmbench),
    ("mmbench", "test"): Table("MMBench_TEST_EN", _mmbench),
    ("scienceqa", "llava"): Table("ScienceQA_TEST", _scienceqa, "img", own_index=True),
    ("seed", "llava"): Table("SEEDBench_IMG", _seed, "image", own_index=True),
    ("textvqa", "plain"): Table("TextVQA_VAL", _humans),
    ("textvqa", "llava-ocr"): Table("TextVQA_VAL", _humans),
    ("gqa", "testdev"): Table("GQA_TestDev_Balanced", _short),
    ("vizwiz", "val"): Table("VizWiz", _vizwiz),
    ("mmvet", "v1"): Table("MMVet", _mmvet),
    ("mmvet", "v1-mipha"): Table("MMVet", _mmvet),
    ("coco-cap", "val2017"): Table("COCO_VAL", _humans),
}
