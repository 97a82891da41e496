"""By whom or by what a number was made, where that is not the task's own rule alone: a judge, a rule in a judge's place,
a tokenizer.

A metric says so as data. Its name ends with the same in brackets, for people: nothing is ever read from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mipha_eval.core.errors import UserError

JUDGE, RULE, TOKENIZER = "judge", "rule", "tokenizer"

#: what tables say of each
WORDS = {JUDGE: "judged by", RULE: "judged by", TOKENIZER: "tokenized by"}

#: what made the metrics of results that were written before they said so, beside judges
MADE_BEFORE = ((RULE, "rule"), (TOKENIZER, "ptb"), (TOKENIZER, "treebank"))
OLD_NAME = re.compile(r"(?P<metric>.+?)\[(?P<judge>.+)\]")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who or what made a metric.

    Attributes:
        metric: its name without this, which tables ask for.
        by: ``judge``, ``rule`` (in a judge's place), ``tokenizer``, or a word of a plugin's own.
        name: the judge's, the rule's or the tool's.
    """

    metric: str
    by: str
    name: str

    @property
    def label(self) -> str:
        """The metric's whole name."""
        return f"{self.metric}[{self.name}]"

    @property
    def told(self) -> str:
        """In words, such as ``judged by gpt-4``."""
        return f"{WORDS.get(self.by, self.by)} {self.name}"

    @property
    def judge(self) -> str:
        """Who graded, ``rule`` for a rule in a judge's place; "" where nobody had to."""
        return self.name if self.by in (JUDGE, RULE) else ""


def provenances(result: Mapping[str, object]) -> dict[str, Provenance]:
    """What a stored result says of its metrics, by their whole names; those that only the task's rule made are not there.

    Raises:
        UserError: it is damaged.
    """
    stored = result.get("provenance")
    if stored is None:
        return dict(_before(result))
    damaged = UserError(f"the provenance of metrics in a result of {result.get('task')} is damaged")
    if not isinstance(stored, Mapping):
        raise damaged
    try:
        found = {str(name): Provenance(**entry) for name, entry in stored.items()}
    except TypeError as error:
        raise damaged from error
    if not all(isinstance(text, str) for each in found.values() for text in (each.metric, each.by, each.name)):
        raise damaged
    return found


def plain_metric(result: Mapping[str, object], name: str) -> str:
    """A metric's name without its provenance."""
    found = provenances(result).get(name)
    return found.metric if found else name


def _before(result: Mapping[str, object]) -> Iterator[tuple[str, Provenance]]:
    """Of a result that was written before metrics said so: by the makers that there were then.

    One that says nothing of a judge, as judges' results do since there are any, has the judge in brackets.
    """
    judge, metrics = result.get("judge"), result.get("metrics")
    makers = list(MADE_BEFORE)
    if isinstance(judge, Mapping) and judge.get("name"):
        makers.insert(0, (JUDGE, judge["name"]))
    for name in dict.fromkeys([*(metrics if isinstance(metrics, Mapping) else ()), str(result.get("headline", ""))]):
        made = [Provenance(name.removesuffix(f"[{maker}]"), by, maker) for by, maker in makers]
        if "judge" not in result and (old := OLD_NAME.fullmatch(name)):
            made.append(Provenance(old["metric"], JUDGE, old["judge"]))
        found = next((each for each in made if each.label == name), None)
        if found is not None:
            yield name, found
