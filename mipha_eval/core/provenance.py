"""By whom or by what a number was made, where that is not the task's own rule alone: a judge, a rule in a judge's place,
a tokenizer.

A metric says so as data. Its name ends with the same in brackets, for people: nothing is ever read from there.
"""

from __future__ import annotations

from dataclasses import dataclass

JUDGE, RULE, TOKENIZER = "judge", "rule", "tokenizer"

#: what tables say of each
WORDS = {JUDGE: "judged by", RULE: "judged by", TOKENIZER: "tokenized by"}


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
