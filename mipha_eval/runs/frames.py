"""Results and samples as pandas frames: a row a metric, a row a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mipha_eval.core.format_lines import question_core
from mipha_eval.core.task import UNGRADED
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.reporting.marks import mark_texts
from mipha_eval.scoring.result_record import ResultRecord

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("task", "metric", "value", "low", "high", "n", "headline", "marks")
SAMPLES = ("task", "id", "question", "answer", "reading", "right", "score", "image")


def metrics_frame(summaries: Sequence[ResultRecord]) -> pd.DataFrame:
    """A row a metric: its value, the ends of its 95 % interval, and what weakens it (`marks`), as tables print it."""
    import pandas as pd

    rows = [
        (
            summary.task,
            name,
            value,
            *(summary.intervals.get(name) or (None, None)),
            summary.n,
            name == summary.headline,
            " ".join(mark_texts(summary)),
        )
        for summary in summaries
        for name, value in summary.metrics.items()
    ]
    return pd.DataFrame(rows, columns=list(METRICS))


def samples_frame(
    label: str, samples: Sequence[Sample], responses: Mapping[str, Response], scores: Sequence[Score]
) -> pd.DataFrame:
    """A row a sample, in the benchmark's order. What failed or was not judged has no score, what was not answered no answer.

    `score` is what the answer is worth, 0 to 1, and `right` whether that is all of it; `image` is the first picture's place.
    """
    import pandas as pd

    by_sample = {score.sample: score for score in scores if score.rule not in UNGRADED}
    rows = []
    for sample in samples:
        response, score = responses.get(sample.id), by_sample.get(sample.id)
        rows.append(
            (
                label,
                sample.id,
                sample.question or question_core(sample.prompt),
                response.text if response and not response.error else None,
                score.reading if score else None,
                score.value == 1 if score else None,
                score.value if score else None,
                sample.images[0].location if sample.images else None,
            )
        )
    return pd.DataFrame(rows, columns=list(SAMPLES))
