"""What an author ought to hear of a table that is read as it is: columns that nobody reads, labels that nearly fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mipha_eval.data.question_table.cells import shown
from mipha_eval.data.question_table.columns import Columns, names_of
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.stock_task import QuestionKind
from mipha_eval.scoring.tables.kind import YES_NO

#: what separates the columns of text tables
MARKS = ",;\t"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")


def unread_columns(rows: Sequence[Mapping[str, object]], columns: Columns) -> Iterator[str]:
    """Lines on columns that hold nothing of a question."""
    read = {*columns.of.values(), *columns.letters}
    unread = [name for name in names_of(rows) if name not in read]
    pictures = [name for name in unread if "image" not in columns.of and any(_is_picture(row.get(name)) for row in rows)]
    for name in pictures:
        yield f"column {name} holds pictures, which nobody is shown; it is to be named, as image={name}"
    others = [name for name in unread if name not in pictures]
    if others:
        yield f"columns that are not read: {', '.join(others)}"


def _is_picture(cell: object) -> bool:
    if isinstance(cell, Mapping):
        return "bytes" in cell
    return isinstance(cell, str) and cell.lower().endswith(PICTURES)


def swallowed_rows(rows: Sequence[tuple[str, Mapping[str, object]]]) -> str:
    """The first row of a text table with a cell of lines that look like rows themselves, as behind a stray quote."""
    for place, row in rows:
        for cell in row.values():
            behind = str(cell).split("\n")[1:] if isinstance(cell, str) else []
            if len(row) > 1 and any(line.count(mark) >= len(row) - 1 for line in behind for mark in MARKS):
                return f"a cell holds what looks like further rows; is there a stray quote before? ({place})"
    return ""


def nearly_yes_no(kind: QuestionKind, questions: Sequence[Question]) -> str:
    """That most answers are yes or no, and which is the first that is not; "" where it is not so."""
    if kind in ("yesno", "choice"):
        return ""
    said = [(question.place, answer) for question in questions for answer in question.answers]
    odd = [(place, answer) for place, answer in said if answer.strip().lower() not in YES_NO]
    if not odd or len(odd) * 2 > len(said):
        return ""
    place, answer = odd[0]
    return f"{len(said) - len(odd)} of {len(said)} answers are yes or no, and {shown(answer)} is neither ({place})"
