"""Names of tasks that are no plugin's but lead to one: a table of questions, wherever it is, or another suite's task."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from mipha_eval.core.errors import UserError

if TYPE_CHECKING:
    from mipha_eval.core.data_source import DataSource
    from mipha_eval.core.suite_task import SuiteDefinition
    from mipha_eval.core.task import Task

#: how tables of questions end, which a name of a task does not
ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".xlsx")
#: what may stand before a colon: what kind of file it is, a folder, or the hub
SCHEMES = (*(ending.removeprefix(".") for ending in ENDINGS), "folder", "hub")

#: what names of other suites' tasks begin with, and the modules that make tasks of them
SUITES = {"lmms": "mipha_eval.suites.lmms.make"}
HEAD = re.compile(rf"({'|'.join((*SCHEMES, *SUITES))}):")

#: the module whose `make_task` makes a task of a reference; the library reaches it by name, as it does plugins
MAKER = "mipha_eval.scoring.tables.make"


@dataclass(frozen=True)
class Reference:
    """``SCHEME:PLACE?key=value&...``.

    Attributes:
        scheme: empty where the name is a path alone.
        place: a path, a dataset's name, or that of another suite's task.
        settings: columns by what they hold, and how the table is taken: ``kind``, ``scorer``, ``name``, ``split``,
            ``config``.
    """

    scheme: str
    place: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Reference:
        """Of a name that `is_reference`. Raises UserError for settings that are none."""
        head = HEAD.match(text)
        place, mark, query = text[head.end() if head else 0 :].partition("?")
        try:
            settings = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        except ValueError as error:
            raise UserError(f"{text}: what follows the question mark is not of the form key=value&key=value") from error
        if not place:
            what = "a task" if head and head[1] in SUITES else "a file, folder or dataset"
            raise UserError(f"{text}: {what} is missing behind {'the colon' if head else mark}")
        return cls(head[1] if head else "", place, settings)

    def updated(self, settings: Mapping[str, str]) -> Reference:
        """The same with further settings."""
        return Reference(self.scheme, self.place, {**self.settings, **settings})

    def __str__(self) -> str:
        head = f"{self.scheme}:" if self.scheme else ""
        return f"{head}{self.place}{'?' if self.settings else ''}{urlencode(self.settings, safe='/')}"


def is_reference(name: str) -> bool:
    """Whether a task's name leads elsewhere than to a plugin: a kind and a colon, a path, or how tables' files end."""
    plain = name.partition("?")[0]
    return bool(HEAD.match(name)) or "/" in plain or PurePath(plain).suffix.lower() in ENDINGS


def is_table(name: str) -> bool:
    """Whether a task's name leads to a table of questions."""
    return is_reference(name) and not is_suites(name)


def is_suites(name: str) -> bool:
    """Whether a task's name leads to another suite's task, such as ``lmms:pope``."""
    head = HEAD.match(name)
    return bool(head and head[1] in SUITES)


def suites_tasks(name: str) -> list[Task]:
    """The tasks of another suite that a name leads to: one, or those of a group. Raises UserError if it leads to none."""
    reference = Reference.of(name)
    found: list[Task] = importlib.import_module(SUITES[reference.scheme]).make_tasks(reference)
    return found


@contextmanager
def judge_told(names: Iterable[str], model: str, base_url: str | None, key: str) -> Iterator[None]:
    """While entered, the suites whose tasks are named know which judge their own code may ask."""
    heads = [HEAD.match(name) for name in names if is_suites(name)]
    with ExitStack() as suites:
        for scheme in dict.fromkeys(head[1] for head in heads if head):
            suites.enter_context(importlib.import_module(SUITES[scheme]).with_judge(model, base_url, key))
        yield


def stored_suites_task(definition: SuiteDefinition) -> Task:
    """The task of a stored run that another suite defines. Raises UserError for a suite that this version does not know."""
    if definition.scheme not in SUITES:
        raise UserError(f"{definition.name} is a task of {definition.suite}, which this version does not know")
    task: Task = importlib.import_module(SUITES[definition.scheme]).stored_task(definition)
    return task


def referenced_task(name: str, options: Mapping[str, str], source: DataSource) -> Task:
    """The task of a table that a reference leads to. Raises UserError if it leads to none."""
    task: Task = importlib.import_module(MAKER).make_task(Reference.of(name), options, source)
    return task


def split_names(texts: Iterable[str]) -> list[str]:
    """``a,b``, ``a b`` and several such texts to a list of names; a path may have commas and spaces in it."""
    return [name for text in texts for name in ([text] if _is_path(text) else text.replace(",", " ").split())]


def _is_path(text: str) -> bool:
    """Whether all of a text leads to one table of questions."""
    if not is_reference(text):
        return False
    place = text[found.end() if (found := HEAD.match(text)) else 0 :].partition("?")[0]
    return Path(place).expanduser().exists()
