"""A table of questions as a task: each gets a class of its own, of the scorer's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import RowError, UserError
from mipha_eval.core.metrics import Metric, Totals
from mipha_eval.core.options import typed_options, unknown
from mipha_eval.core.task import Task
from mipha_eval.data.question_table.cells import choices_of_cell, text_of_cell, texts_of_cell
from mipha_eval.data.question_table.columns import Columns
from mipha_eval.data.question_table.pictures import Pictures, held_bytes
from mipha_eval.data.question_table.table import QuestionTable, Row
from mipha_eval.data.rows import row_at
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.scorers import scorer_class
from mipha_eval.scoring.stock.stock_task import StockTask
from mipha_eval.scoring.tables.definition import Definition

#: what a cell holds -> the field of a question that it is
TEXTS = {"question": "text", "hint": "hint", "id": "id", "category": "category", "group": "group"}


@dataclasses.dataclass(frozen=True)
class TableRows:
    """The rows of a table as questions.

    Attributes:
        reference: how the table was named.
        columns: what the table has in which column.
        pictures: makes images of its cells.
    """

    reference: str
    table: QuestionTable
    columns: Columns
    pictures: Pictures

    def questions(self) -> Iterator[Question]:
        """Raises RowError for a row that is no question, with its place."""
        for number, (place, row) in enumerate(self.table.read()):
            with row_at(place):
                yield self.question(place, number, row)

    def question(self, place: str, number: int, row: Row) -> Question:
        """A row as a question. Raises ValueError for a cell that is not what its column holds."""
        if odd := self.columns.unread(row):
            raise ValueError(odd)
        cells = {role: row.get(column) for role, column in self.columns.of.items()}
        again = partial(self._held, number) if self.table.again else None
        texts = {name: text_of_cell(cells[role]) for role, name in TEXTS.items() if role in cells}
        return Question(
            answers=texts_of_cell(cells["answer"], listed=self.table.texts),
            images=self.pictures.of_cell(cells.get("image"), again),
            choices=self._choices(row, cells) if self.columns.has_choices else (),
            place=place,
            **texts,
        )

    def _choices(self, row: Row, cells: Mapping[str, object]) -> tuple[str, ...]:
        if "choices" in cells:
            return choices_of_cell(cells["choices"])
        found = [text_of_cell(row.get(letter)) for letter in self.columns.letters]
        while found and not found[-1]:
            found.pop()
        return tuple(found)

    def _held(self, number: int, picture: int) -> bytes:
        """The bytes of a row's picture, read again."""
        row = self.table.again(number) if self.table.again else {}
        return held_bytes(row[self.columns.of["image"]], picture)


class TableTask(StockTask):
    """What tasks of tables have in common; `table_class` puts a scorer to it."""

    definition: ClassVar[Definition]
    rows_of: ClassVar[TableRows | None]
    own_data: ClassVar[bool] = True

    def questions(self) -> Iterator[Question]:
        if self.rows_of is None:
            raise UserError(f"{self.label} was made of a stored run, which has its own copy of the questions")
        for question in self.rows_of.questions():
            if not question.text.strip() and "caption" not in self.kinds:
                raise RowError(f"{question.place} is not in the expected form: it has no question")
            yield question

    @property
    def named(self) -> str:
        return self.rows_of.reference if self.rows_of else self.label


class WithChosenMetrics(TableTask):
    """A table whose author says which metrics there are."""

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        return chosen_metrics(super().metrics_for(totals), self.definition)


def table_class(definition: Definition, rows: TableRows | None = None) -> type[TableTask]:
    """The class of a table's task.

    Args:
        rows: None where the questions are a stored run's own.

    Raises:
        UserError: there is no such scorer, or it has no such metric.
    """
    scorer = scorer_class(definition.scorer)
    own = {
        "name": definition.name,
        "protocols": {definition.protocol: definition.about or f"scored by {definition.scorer}"},
        "licence": definition.licence,
        "citation": definition.citation,
        "pattern": definition.pattern,
        "definition": definition,
        "rows_of": rows,
        "__module__": __name__,
        "__doc__": definition.about or f"A table of questions, scored by {definition.scorer}.",
    }
    if definition.metrics:
        own["metrics"] = chosen_metrics(scorer.metrics, definition)
    if definition.format_line is not None:
        own["format_line"] = definition.format_line
    if definition.max_new_tokens is not None:
        own["max_new_tokens"] = definition.max_new_tokens
    # options of a scorer are fields of its class, so that the new one must be a dataclass of its own
    table = WithChosenMetrics if definition.metrics else TableTask
    return dataclasses.dataclass(frozen=True)(type("TableOfQuestions", (table, scorer), own))


def built(owner: type[TableTask], source: DataSource, options: Mapping[str, str]) -> Task:
    """The task of a table's class.

    Args:
        options: without the task's name; those of the definition hold where there are none.
    """
    (protocol,) = owner.protocols
    values: dict[str, Any] = typed_options(owner, {**owner.definition.options, **options}, owner.name)
    return owner(protocol=protocol, data=source, **values)


def definition_of(task: Task) -> Definition | None:
    """What a task's table is as a benchmark; None for a task that is of no table."""
    return task.definition if isinstance(task, TableTask) else None


def chosen_metrics(metrics: Sequence[Metric], definition: Definition) -> Sequence[Metric]:
    """The metrics that a definition shows, in its order; all where it names none."""
    by_name = {metric.plain: metric for metric in metrics}
    if not definition.metrics:
        return metrics
    if definition.metrics[0] not in by_name:
        raise UserError(unknown("metric", definition.metrics[0], by_name, f"scorer {definition.scorer} has"))
    return [by_name[name] for name in definition.metrics if name in by_name]
