"""The answer that names everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mipha_eval.core.alphabet import lettered
from mipha_eval.core.types import Sample

MOST = 50  # labels of other questions that it names


def everything(samples: Sequence[Sample]) -> Mapping[str, str]:
    """By id an answer with every option's letter and text, or else with the question's and the most frequent labels."""
    counts = Counter(label for sample in samples for label in dict.fromkeys(sample.target))
    common = [label for label, _ in counts.most_common(MOST)]
    return {sample.id: _of(sample, common) for sample in samples}


def _of(sample: Sample, common: Sequence[str]) -> str:
    options = [f"{letter}. {option}" for letter, option in lettered(sample.choices) if option]
    named = list(dict.fromkeys((*common, *sample.target)))
    return "\n".join(options) if options else ", ".join(named if len(named) > 1 else (*named, "or anything else"))
