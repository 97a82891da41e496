"""Published scores: what others wrote, where they wrote it, and which protocol of ours it is, if it is one.

``results/published/*.csv`` has a row for every number in every source; ``protocols.toml`` beside it says which of them are
the same quantity as a metric of a task under a protocol.
"""

from __future__ import annotations

import csv
import functools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import open_text, read_toml
from mipha_eval.core.plugins.registry import plugin_folder
from mipha_eval.core.record import checked

COLUMNS = (
    *("model", "params_b", "llm", "vision_encoder", "resolution", "train_data"),
    *("benchmark", "split", "metric", "value", "source_kind", "source", "note"),
)
Standing = Literal["same", "assumed", "other"]
FILTERS = ("benchmark", "split", "metric", "source", "note")
THIRD_PARTY = "third_party"


@dataclass(frozen=True)
class Quote:
    """One number in one source.

    Attributes:
        value: as it was printed, so that its digits are known.
        split, metric: in the words of the source.
        own: whether those who made the model published it.
        source: repository@commit:file, or an address.
        file: the CSV file that it stands in, and `line` there, counted from 1.
    """

    model: str
    parameters: str
    llm: str
    vision: str
    resolution: str
    data: str
    benchmark: str
    split: str
    metric: str
    value: str
    own: bool
    source: str
    note: str
    file: Path
    line: int

    @property
    def place(self) -> Path:
        """The file as people know it, wherever the package is installed."""
        return Path("results/published") / self.file.name if self.file.parent == published_folder() else self.file

    @property
    def number(self) -> float:
        return float(self.value)

    @property
    def decimals(self) -> int:
        return len(self.value.partition(".")[2])


@dataclass(frozen=True)
class Target:
    """What a quote is in our terms.

    Attributes:
        standing: ``same`` quantity; ``assumed`` where the source leaves it open but custom does not; ``other`` where it
            is another quantity, or nobody can know.
        taken_for: a metric that tables print it as, though it is another.
        judge: who graded; "" where nobody did.
        why: what a reader should know, above all why it is another quantity.
    """

    task: str
    metric: str
    standing: Standing
    taken_for: str = ""
    judge: str = ""
    why: str = ""

    def seen_as(self, metric: str) -> Target:
        """The same in a column of `metric`."""
        return self if metric == self.metric else replace(self, metric=metric, standing="other")


Texts = str | tuple[str, ...]


class StoredRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"ours": "as"}):
    """An entry as it stands in the file, `ours` being the metric of the target; see `Rule` and `Target`."""

    benchmark: Texts | None = None
    split: Texts | None = None
    metric: Texts | None = None
    source: Texts | None = None
    note: Texts | None = None
    task: str
    ours: str
    standing: Standing
    taken_for: str = ""
    judge: str = ""
    why: str = ""


@dataclass(frozen=True)
class Rule:
    """An entry of ``protocols.toml``: the quotes that it is about, and what they are.

    Attributes:
        filters: benchmark, split, metric -> exact texts, one of which it must be; source -> its beginning; note -> a part.
    """

    filters: Mapping[str, Sequence[str]]
    target: Target

    def covers(self, quote: Quote) -> bool:
        return all(_fits(key, getattr(quote, key), wanted) for key, wanted in self.filters.items())


def _fits(key: str, text: str, wanted: Sequence[str]) -> bool:
    if key == "note":
        return any(part in text for part in wanted)
    return text.startswith(tuple(wanted)) if key == "source" else text in wanted


def published_folder() -> Path:
    return plugin_folder("results/published")


@functools.cache
def read_published(*extra: Path) -> tuple[Quote, ...]:
    """All bundled quotes, then those of other files with the same columns.

    Raises:
        UserError: a file cannot be read, lacks a column, or has a value that is no number.
    """
    return tuple(quote for file in [*sorted(published_folder().glob("*.csv")), *extra] for quote in _read_file(file))


def _read_file(file: Path) -> Iterator[Quote]:
    try:
        with open_text(file, newline="") as lines:
            rows = csv.DictReader(lines)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise UserError(f"{file} has no column {', '.join(missing)}; published scores need {', '.join(COLUMNS)}")
            for row in rows:
                yield _quote(row, file, rows.line_num)
    except csv.Error as error:
        raise UserError(f"cannot read published scores from {file}: {error}") from error


def _quote(row: Mapping[str, str | None], file: Path, line: int) -> Quote:
    texts = {name: (row[name] or "").strip() for name in COLUMNS}
    if not re.fullmatch(r"-?\d+(\.\d+)?", texts["value"]) or not math.isfinite(float(texts["value"])):
        raise UserError(f"{file}, line {line}: value {texts['value']!r} is no number")
    if not (texts["model"] and texts["benchmark"] and texts["source"]):
        raise UserError(f"{file}, line {line}: a published score needs model, benchmark and source")
    own = texts.pop("source_kind") != THIRD_PARTY
    renamed = {"parameters": texts.pop("params_b"), "vision": texts.pop("vision_encoder"), "data": texts.pop("train_data")}
    return Quote(**texts, **renamed, own=own, file=file, line=line)


@functools.cache
def read_rules() -> tuple[Rule, ...]:
    """The bundled ``protocols.toml``. Raises UserError, naming the entry, if it is not in its form."""
    path = published_folder() / "protocols.toml"
    entries = read_toml(path).get("is")
    if not isinstance(entries, list):
        raise UserError(f"cannot read {path}: it has no entries called is")
    return tuple(_rule(entry, f"{path}, entry {number}") for number, entry in enumerate(entries, start=1))


def _rule(entry: object, place: str) -> Rule:
    found = checked(StoredRule, entry, place)
    texts = {key: getattr(found, key) for key in FILTERS}
    filters = {key: (text,) if isinstance(text, str) else text for key, text in texts.items() if text is not None}
    target = Target(found.task, found.ours, found.standing, found.taken_for, found.judge, found.why)
    return Rule(filters, target)


@functools.cache
def target_of(quote: Quote) -> Target | None:
    """What a quote is in our terms; None if we have no such task."""
    return next((rule.target for rule in read_rules() if rule.covers(quote)), None)


@dataclass(frozen=True)
class Candidate:
    """A quote and what it is in the column that asks for it."""

    quote: Quote
    target: Target


def candidates(quotes: Iterable[Quote], model: str, tasks: Sequence[str], metric: str) -> list[Candidate]:
    """What was published of a model for a metric of one of the tasks, the preferred first.

    Preferred is what a model's own authors published, then the protocol that is the same, then the earlier of `tasks`. Of
    several numbers of the authors' own, the first in the files, where the newer stands; of others', the one that most give.
    """
    found = []
    for quote in quotes:
        target = target_of(quote) if quote.model == model else None
        if target is not None and target.task in tasks and metric in (target.metric, target.taken_for):
            found.append(Candidate(quote, target.seen_as(metric)))
    votes = Counter((each.target, each.quote.number) for each in found)
    standings = get_args(Standing)
    return sorted(
        found,
        key=lambda each: (
            not each.quote.own,
            standings.index(each.target.standing),
            tasks.index(each.target.task),
            0 if each.quote.own else -votes[each.target, each.quote.number],
        ),
    )


def find_model(quotes: Iterable[Quote], name: str) -> str | None:
    """A published model's name, whatever its capitals; None if there is no such model."""
    return next((quote.model for quote in quotes if quote.model.casefold() == name.casefold()), None)
