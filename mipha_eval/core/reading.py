"""What a rule made of an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as a rule read it.

    Attributes:
        span: where in the text the rule found it; None if the rule looked at the whole text or found nothing.
        parsed: False if the text says nothing that the benchmark could understand, whatever the rule made of it.
    """

    answer: str
    rule: str
    span: tuple[int, int] | None = None
    parsed: bool = True
