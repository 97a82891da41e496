"""lmms-eval's ``*_results.json``: numbers of whole tasks, without answers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mipha_eval.core.json_value import Json

#: what its protocols begin with
SUITE = "lmms-eval"
STDERR = "_stderr"


@dataclass(frozen=True)
class LmmsScores:
    """What lmms-eval printed of one task.

    Attributes:
        task: as lmms-eval calls it.
        metrics, errors: by name, in the file's order; standard errors where the file has one.
        n: documents that were asked; None if the file does not say so.
        total: of them before a limit.
    """

    task: str
    metrics: Mapping[str, float]
    errors: Mapping[str, float]
    n: int | None
    total: int | None


@dataclass(frozen=True)
class LmmsResults:
    """A whole file.

    Attributes:
        version: of lmms-eval, or branch and commit; "" if the file does not say so.
        model: as the file calls it; "" if it does not.
    """

    version: str
    model: str
    tasks: tuple[LmmsScores, ...]

    @property
    def protocol(self) -> str:
        """What stands behind the tasks' names."""
        return "-".join(filter(None, [SUITE, re.sub(r"[^\w.]+", "-", self.version).strip("-")]))


def lmms_results(content: Json) -> LmmsResults | None:
    """The results that a JSON object holds; None if it is something else."""
    if not isinstance(content, Mapping):
        return None
    results, configs = content.get("results"), content.get("configs")
    if not (isinstance(results, Mapping) and isinstance(configs, Mapping)):
        return None
    asked = content.get("n-samples")
    found = [_scores(name, row, asked) for name, row in results.items() if isinstance(row, Mapping)]
    told = [content.get(key) for key in ("lmms_eval_version", "model_name")]
    version, model = (text if isinstance(text, str) else "" for text in told)
    return LmmsResults(version, model, tuple(scores for scores in found if scores.metrics))


def _scores(task: str, row: Mapping[str, Json], asked: Json) -> LmmsScores:
    metrics, errors = {}, {}
    for key, value in row.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            continue  # such as "N/A", or a name
        name, mark, which = key.partition(",")
        if not mark:
            continue
        whole = name if which == "none" else key
        if name.endswith(STDERR):
            errors[whole.replace(STDERR, "", 1)] = float(value)
        elif STDERR not in name:  # others are errors of another kind
            metrics[whole] = float(value)
    counts = asked.get(task) if isinstance(asked, Mapping) else None
    n, total = (counts.get(key) if isinstance(counts, Mapping) else None for key in ("effective", "original"))
    return LmmsScores(task, metrics, errors, n if isinstance(n, int) else None, total if isinstance(total, int) else None)
