"""From a reference to a table of questions to its task."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.data_source import DataSource, ImageFolder
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.plugins.checks.classes import NAME, PROTOCOL
from mipha_eval.core.plugins.model import option_name
from mipha_eval.core.plugins.references import Reference
from mipha_eval.core.prompt_pattern import Pattern
from mipha_eval.core.task import Task
from mipha_eval.data.question_table.columns import ROLES, find_columns, names_of
from mipha_eval.data.question_table.folder import METADATA, table_in
from mipha_eval.data.question_table.hub_table import hub_table
from mipha_eval.data.question_table.pictures import Pictures
from mipha_eval.data.question_table.table import QuestionTable, file_table
from mipha_eval.data.rows import row_at
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.scorers import SCORERS, scorer_class
from mipha_eval.scoring.tables.definition import Definition
from mipha_eval.scoring.tables.kind import kind_of, usual_scorer
from mipha_eval.scoring.tables.remarks import nearly_yes_no, swallowed_rows, unread_columns
from mipha_eval.scoring.tables.sidecar import KINDS, Sidecar, read_sidecar
from mipha_eval.scoring.tables.table_task import TableRows, built, table_class

logger = logging.getLogger(__name__)

#: names of files that tell no benchmark from another
ANYBODYS = (METADATA, "questions", "data", "dataset", "annotations", "test", "validation", "val", "dev", "train")

#: settings of a reference beside columns
TAKEN = ("kind", "scorer", "name", "split", "config")


def make_task(reference: Reference, options: Mapping[str, str], source: DataSource) -> Task:
    """The task of a table of questions.

    Args:
        options: of all tasks, ``task.key`` -> text; without a dot, of this one.
        source: where the hub is, and folders of pictures.

    Raises:
        UserError: there is no such table, a column is missing, or nothing says how answers are to be scored.
    """
    wrong = next((key for key in reference.settings if key not in (*TAKEN, *ROLES)), None)
    if wrong is not None:
        raise UserError(f"{reference}: {unknown('setting', wrong, (*TAKEN, *ROLES))}")
    path = _path_of(reference)
    sidecar = read_sidecar(path.with_suffix(".toml")) if path else Sidecar()
    table = file_table(path) if path else _on_hub(reference, source)
    name = _name(reference, sidecar, path)
    given = {**sidecar.columns, **{role: reference.settings[role] for role in ROLES if role in reference.settings}}
    first = table.first_rows()
    columns = find_columns(table.name, names_of(row for _, row in first), given)
    for line in unread_columns([row for _, row in first], columns):
        _say(str(reference), f"{table.name}: {line}", logging.WARNING if "picture" in line else logging.INFO)
    if table.texts and (line := swallowed_rows(first)):
        _say(str(reference), f"{table.name}: {line}", logging.WARNING)
    plain = option_name(name)
    folder = next((each for task, each in source.image_dirs.items() if option_name(task) == plain), table.folder)
    rows = TableRows(
        str(reference), table, columns, Pictures(str(path or table.name), ImageFolder(folder) if folder else None)
    )
    questions = [_question(rows, place, number, row) for number, (place, row) in enumerate(first)]
    owner = table_class(_definition(name, _chosen(reference, sidecar, questions, table), sidecar), rows)
    prefix = plain + "."
    own = {key.removeprefix(prefix): text for key, text in options.items() if key.startswith(prefix) or "." not in key}
    data = source if path is None else DataSource("folder", path.resolve().parent, source.image_dirs)
    if path is not None:
        source.note(path)
    return built(owner, data, own)


def _question(rows: TableRows, place: str, number: int, row: Mapping[str, object]) -> Question:
    with row_at(place):
        return rows.question(place, number, row)


def _path_of(reference: Reference) -> Path | None:
    """The file of a reference; None for the hub's."""
    if reference.scheme == "hub":
        return None
    path = Path(reference.place).expanduser()
    if reference.scheme == "folder" or path.is_dir():
        return table_in(path)
    if not path.is_file():
        raise UserError(f"{reference}: there is no file {path}")
    if reference.scheme and path.suffix.lower() != f".{reference.scheme}":
        raise UserError(f"{path} does not end in .{reference.scheme}; name it by its own ending, or by its path alone")
    return path


def _on_hub(reference: Reference, source: DataSource) -> QuestionTable:
    if reference.place.count("/") != 1:
        raise UserError(f"{reference}: a dataset of the hub is named hub:OWNER/NAME")
    hub = source if source.kind == "hub" else DataSource("hub", image_dirs=source.image_dirs)
    return hub_table(hub, reference.place, reference.settings.get("split", ""), reference.settings.get("config", ""))


def _name(reference: Reference, sidecar: Sidecar, path: Path | None) -> str:
    """The task's name: the user's, the author's, else the file's, or the folder's where other files are called so, too."""
    said = reference.settings.get("name") or sidecar.name
    if said:
        if not NAME.fullmatch(said):
            raise UserError(f"{reference}: name {said!r} must be small letters, digits, - . _, at most 60 of them")
        return said
    parts = [reference.place.rpartition("/")[2], *(reference.settings.get(key, "") for key in ("config", "split"))]
    stem = path.stem if path else "-".join(filter(None, parts))
    stem = path.resolve().parent.name if path and stem.lower() in ANYBODYS else stem
    plain = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:60]
    if not NAME.fullmatch(plain):
        raise UserError(f"{reference}: nothing says what the task is called; add ?name=NAME")
    return plain


@dataclass(frozen=True)
class Chosen:
    """How a table is scored.

    Attributes:
        scorer: the user's, the author's, else that of the kind of questions.
        authors: whether it is also what it is without the user's word.
    """

    scorer: str
    authors: bool


def _chosen(reference: Reference, sidecar: Sidecar, questions: list[Question], table: QuestionTable) -> Chosen:
    said = reference.settings
    kind, scorer = said.get("kind") or sidecar.kind, said.get("scorer") or ("" if "kind" in said else sidecar.scorer)
    if kind is not None and kind not in KINDS:
        raise UserError(unknown("kind of questions", kind, KINDS), flag="--kind")
    found = kind if kind in KINDS else kind_of(questions)
    chosen = scorer or usual_scorer(found, questions)
    kinds = scorer_class(chosen).kinds
    if kind and kind not in kinds:
        raise UserError(f"scorer {chosen} is for questions of kind {' or '.join(kinds)}, not {kind}", flag="--scorer")
    if not scorer:
        how = "" if kind else ", by its first rows"
        others = ", ".join(name for name in SCORERS if name != chosen and found in scorer_class(name).kinds)
        more = f" (also {others})" if others else ""
        _say(str(reference), f"{table.name}: questions of kind {found}{how}, scored by {chosen}{more}")
    if not kind and not scorer and (odd := nearly_yes_no(found, questions)):
        _say(str(reference), f"{table.name}: {odd}", logging.WARNING)
    return Chosen(chosen, chosen == (sidecar.scorer or usual_scorer(sidecar.kind or kind_of(questions), questions)))


@functools.cache
def _say(reference: str, line: str, level: int = logging.INFO) -> None:  # noqa: ARG001  # the cache looks at it
    """Once for a table, however often its task is built; `reference` tells tables of one name apart."""
    logger.log(level, "%s", line)


def _definition(name: str, chosen: Chosen, sidecar: Sidecar) -> Definition:
    """What the table is as a benchmark; a scorer that is not the author's has a protocol of its own."""
    protocol = sidecar.protocol or chosen.scorer
    if protocol in SCORERS and protocol != chosen.scorer:
        raise UserError(f"{name}: protocol {protocol!r} is the name of a scorer, and {chosen.scorer} scores it")
    names = Pattern(sidecar.prompt).names
    if sidecar.prompt and not names & {"question", "options"} and chosen.scorer in ("choice", "circular"):
        raise UserError(
            f"{name}: prompt shows no options, which {chosen.scorer} needs; it lacks {{question}} or {{options}}"
        )
    if not chosen.authors and sidecar.protocol:
        protocol = f"{sidecar.protocol}-{chosen.scorer}"
    if not PROTOCOL.fullmatch(protocol):
        raise UserError(f"{name}: protocol {protocol!r} must be letters, digits, - . _, and not begin with demo")
    return Definition(
        name=name,
        protocol=protocol,
        scorer=chosen.scorer,
        about=sidecar.about,
        pattern=sidecar.prompt,
        format_line=sidecar.format if chosen.authors else None,
        metrics=sidecar.metrics if chosen.authors else (),
        max_new_tokens=sidecar.max_new_tokens,
        options={key: str(value) for key, value in sidecar.options.items()} if chosen.authors else {},
        licence=sidecar.licence,
        citation=sidecar.citation,
    )
