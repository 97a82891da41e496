"""What a result says of the model and the data beside its numbers."""

from __future__ import annotations

from msgspec import Struct

from mipha_eval.core.record import Count


class RunContext(Struct, frozen=True):
    """Under what conditions a run asked a task's questions.

    Attributes:
        model: its name.
        total: questions of the task, before a limit.
        limited: whether some of them were not asked.
        demo: whether drawn scenes stood in for the benchmark.
        blind: whether the model saw grey pictures.
        annotations: the file's name, where it was not the task's own.
    """

    model: str
    total: Count
    limited: bool
    demo: bool
    blind: bool
    annotations: str | None = None
