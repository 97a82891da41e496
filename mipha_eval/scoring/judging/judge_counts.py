"""What a result says of its judge."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.record import Count, Finite, Text
from mipha_eval.scoring.judging.calibration import Calibration
from mipha_eval.scoring.judging.judge_notes import JudgeNotes, judge_notes


class JudgeCounts(Struct, frozen=True, kw_only=True):
    """Who graded, how often that led to no grade, and what it took.

    Attributes:
        own_prompt: whether it grades in place of the task's own rule, else it gives second opinions.
        runs: grades of each answer.
        pending: answers that are not judged yet.
        failed: answers for which no reply came, or none that was complete.
        unreadable: answers whose replies were complete, and could not be read.
        failures: why answers were not judged, or not readably -> how many.
        remarks: what weakens prompts -> in how many dialogues.
        replies, failed_queries, prompt_tokens, completion_tokens: of all queries.
        seconds: of waiting for replies.
        left_out: parameters that the judge refuses.
        served: names that its server gave itself; `served_as_another` has those that are not the model's that was asked for.
        notes: how it describes itself, see `JudgeNotes`.
        calibration: how far it is from a trusted one, where that is known.
    """

    name: Text
    own_prompt: bool = False
    runs: Count = 1
    pending: Count
    failed: Count
    unreadable: Count
    failures: Mapping[str, Count] = {}
    remarks: Mapping[str, Count] = {}
    replies: Count = 0
    failed_queries: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    seconds: Finite = 0.0
    left_out: tuple[str, ...] = ()
    served: tuple[str, ...] = ()
    served_as_another: tuple[str, ...] = ()
    notes: Mapping[str, Json] = {}
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which says that the record is damaged."""
        try:
            _ = self.known
        except UserError as error:
            raise ValueError(str(error)) from error

    @property
    def known(self) -> JudgeNotes:
        """What is read of its notes."""
        return judge_notes(self.notes)

    @property
    def ungraded(self) -> bool:
        """Whether an answer has no grade of this judge's."""
        return bool(self.pending or self.failed or self.unreadable)
