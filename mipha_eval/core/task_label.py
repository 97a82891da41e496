"""What a score belongs to: ``task@protocol``, and ``+variation`` where somebody varied the task."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: where words begin in the name of a class
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")


@dataclass(frozen=True)
class TaskLabel:
    """A task as it is named.

    Attributes:
        protocol: empty for the default.
        variation: empty for the task itself.
    """

    name: str
    protocol: str = ""
    variation: str = ""

    @classmethod
    def of(cls, text: str) -> TaskLabel:
        """Of ``name``, ``name@protocol``, ``name@protocol+variation`` or ``name+variation``."""
        name, _, protocol = text.partition("@")
        name, _, first = name.partition("+")
        plain, _, second = protocol.partition("+")
        if first and second and first != second:
            return cls(name, protocol, first)  # two variations, of which the second is no protocol that there is
        return cls(name, plain, second or first)

    @property
    def plugin(self) -> str:
        """The name of the plugin."""
        return f"{self.name}+{self.variation}" if self.variation else self.name

    def __str__(self) -> str:
        protocol = f"@{self.protocol}" if self.protocol else ""
        return f"{self.name}{protocol}{'+' if self.variation else ''}{self.variation}"


def varied_name(owner: str) -> str:
    """The name of a variation by that of its class: ``InGerman`` is ``in-german``."""
    return "-".join(filter(None, WORD.split(owner))).lower() or "varied"
