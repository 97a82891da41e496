"""What a result says of the model and the data beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mipha_eval.core.controls import Control
from mipha_eval.core.json_value import Json
from mipha_eval.core.record import Count, Finite


class RunContext(Struct, frozen=True):
    """Under what conditions a run asked a task's questions.

    Attributes:
        model: its name.
        total: questions of the task, before a limit.
        limited: whether some of them were not asked.
        demo: whether drawn scenes stood in for the benchmark.
        blind: whether the model saw grey pictures.
        control: what it was asked without, grey pictures among it; None for nothing.
        floor: whether it is no model but there to be compared with; None for a model.
        expectation: of answers that are drawn, the exact expectation of the metrics that have one, by whole name.
        annotations: the file's name, where it was not the task's own.
        asked: how the model was asked, where that is otherwise than the benchmark and the model's own configuration have it,
            as options are called; None where nothing is.
        as_published: whether that is how the model's paper or card asked it; None where it is not.
        differs: what of the published way no option brings about, or is uncertain; None where there is nothing.
        settings_left_out: generation settings of the checkpoint that were not in force; None where there are none.
    """

    model: str
    total: Count
    limited: bool
    demo: bool
    blind: bool
    annotations: str | None = None
    control: Control | None = None
    floor: bool | None = None
    expectation: Mapping[str, Finite] | None = None
    asked: Mapping[str, str] | None = None
    as_published: bool | None = None
    differs: tuple[str, ...] | None = None
    settings_left_out: Mapping[str, Json] | None = None
