"""The suites whose files can be written, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mipha_eval.core.errors import UserError
from mipha_eval.suites.write import evalscope, inspect_log, llava, lmms_eval, vlmevalkit
from mipha_eval.suites.write.answered import AnsweredTask, RunFacts, Written


class Suite(NamedTuple):
    """A suite.

    Attributes:
        title: as it calls itself.
        refusal: why it has no form for a task; "" if it has one.
        write: the files of a run's tasks, none of which it refuses.
    """

    title: str
    refusal: Callable[[AnsweredTask], str]
    write: Callable[[RunFacts, Sequence[AnsweredTask]], Iterator[Written]]


SUITES: Mapping[str, Suite] = {
    "lmms-eval": Suite("lmms-eval", lmms_eval.refusal, lmms_eval.write),
    "vlmevalkit": Suite("VLMEvalKit", vlmevalkit.refusal, vlmevalkit.write),
    "inspect": Suite("Inspect", inspect_log.refusal, inspect_log.write),
    "llava": Suite("LLaVA", llava.refusal, llava.write),
    "evalscope": Suite("EvalScope", evalscope.refusal, evalscope.write),
}


def find_suite(name: str) -> Suite:
    """A suite by its name. Raises UserError with those that there are."""
    found = SUITES.get(name.lower())
    if found is None:
        raise UserError(f"no suite is called {name!r}; there are {', '.join(SUITES)}", flag="--to")
    return found
