"""Tasks of lmms-eval that cannot be asked here, and why; most is known before their data are touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: kinds of requests that are asked here
ASKED = ("generate_until", "multiple_choice", "loglikelihood")
REASONS = {
    "generate_until_multi_round": "it asks in several turns",
    "generate_until_agentic": "it asks in several turns",
    "generate_visual_cot": "it has pictures made",
}
#: features of a data set, by the names of their types
MEDIA = {"Video": "videos", "Audio": "sounds"}
#: what only data sets of videos say
OF_VIDEOS = ("video", "From_YouTube")


def why_not_asked(config: Mapping[str, object]) -> str:
    """Why a task is not asked, by its definition alone; "" if it may be."""
    kind = config.get("output_type") or ASKED[0]
    if kind not in ASKED:
        return REASONS.get(str(kind), f"its requests are of kind {kind}")
    data = config.get("dataset_kwargs")
    if isinstance(data, Mapping) and any(data.get(key) for key in OF_VIDEOS):
        return "it is about videos"
    repeats = config.get("repeats")
    if isinstance(repeats, int) and repeats > 1:
        return f"it draws {repeats} answers to each question, and nothing is drawn here"
    return ""


def why_not_shown(features: Mapping[str, object]) -> str:
    """Why a task's data cannot be shown, by the types of their columns; "" if they can."""
    for name, feature in features.items():
        media = MEDIA.get(type(feature).__name__)
        if media:
            return f"it is about {media} (column {name})"
    return ""


def greedy_metrics(kind: str, metrics: Sequence[str]) -> dict[str, str]:
    """Metrics that ask whether an option is what the model would have written, by name, and why they are not told."""
    wanted = {"loglikelihood": "acc", "multiple_choice": "exact_match"}.get(kind)
    why = "whether an option is the greedy answer is not asked"
    return {name: why for name in metrics if name == wanted}
