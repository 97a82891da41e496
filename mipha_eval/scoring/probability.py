"""How probable a model holds each of a question's possible answers: area under the ROC curve and calibration.

AUC: Hanley & McNeil, Radiology 143 (1982), ties counting half. Expected calibration error: Guo et al., ICML 2017
(arXiv:1706.04599), of the likeliest answer, in ten bins of equal width. Brier: Monthly Weather Review 78 (1950), summed over
the answers of a question, so 0 to 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from mipha_eval.core.plugins.checks.questions import choices_of
from mipha_eval.core.record import Count, Finite

if TYPE_CHECKING:
    import numpy as np

    from mipha_eval.core.task import Task
    from mipha_eval.core.types import Response, Sample

BINS = 10


@dataclass(frozen=True)
class Beliefs:
    """What a model holds probable about one question.

    Attributes:
        probabilities: of each possible answer, as the model gives them; they need not sum to 1.
        right: which of these answers is right.
    """

    probabilities: tuple[float, ...]
    right: tuple[bool, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The probabilities as parts of their sum."""
        whole = sum(self.probabilities)
        return tuple(chance / whole if whole else 1 / len(self.probabilities) for chance in self.probabilities)


class BeliefSummary(Struct, frozen=True):
    """How probable a model held the possible answers of all questions.

    Attributes:
        n: questions.
        accuracy: of the likeliest answer, in percent, as are `auc`, `calibration_error` and `mass`.
        auc: None where all answers are right, or all wrong.
        brier: 0 to 2.
        mass: the mean sum of the probabilities; the rest is on what is no possible answer.
        bins: (questions, mean confidence, accuracy), 0 to 1, of each bin of confidence that is not empty.
    """

    n: Count
    accuracy: Finite
    auc: Finite | None
    calibration_error: Finite
    brier: Finite
    mass: Finite
    bins: tuple[tuple[Count, Finite, Finite], ...]


def summarize_beliefs(task: Task, samples: Sequence[Sample], responses: Mapping[str, Response]) -> BeliefSummary | None:
    """AUC, calibration and the like over all answered questions that have them; None where no response has any."""
    found = []
    for sample in samples:
        probabilities = responses[sample.id].probabilities if sample.id in responses else ()
        choices = choices_of(task, sample) if probabilities else {}
        if choices and len(choices) == len(probabilities):
            found.append(Beliefs(probabilities, tuple(choices.values())))
    return _numbers(found) if found else None


def _numbers(found: Sequence[Beliefs]) -> BeliefSummary:
    import numpy as np

    confident = np.array([max(each.shares) for each in found])
    likeliest = np.array([each.right[each.shares.index(max(each.shares))] for each in found], dtype=float)
    brier = [sum((share - right) ** 2 for share, right in zip(each.shares, each.right, strict=True)) for each in found]
    bins = reliability(confident, likeliest)
    gaps = sum(count * abs(confidence - accuracy) for count, confidence, accuracy in bins)
    pairs = [pair for each in found for pair in _ranked_pairs(each)]
    area = auc(np.array([share for share, _ in pairs]), np.array([right for _, right in pairs]))
    return BeliefSummary(
        n=len(found),
        accuracy=100 * float(likeliest.mean()),
        auc=None if area is None else 100 * area,
        calibration_error=100 * gaps / len(found),
        brier=float(np.mean(brier)),
        mass=100 * float(np.mean([sum(each.probabilities) for each in found])),
        bins=tuple(bins),
    )


def _ranked_pairs(beliefs: Beliefs) -> list[tuple[float, bool]]:
    """(share, right) of each answer; of two only the first, since the second says the same again."""
    pairs = list(zip(beliefs.shares, beliefs.right, strict=True))
    return pairs[:1] if len(pairs) == 2 else pairs


def reliability(confident: np.ndarray, right: np.ndarray) -> list[tuple[int, float, float]]:
    """(count, mean confidence, accuracy) of each bin that is not empty; both arguments [questions]."""
    import numpy as np

    place = np.minimum((confident * BINS).astype(int), BINS - 1)
    chosen = [place == number for number in range(BINS)]
    return [(int(each.sum()), float(confident[each].mean()), float(right[each].mean())) for each in chosen if each.any()]


def auc(scores: np.ndarray, right: np.ndarray) -> float | None:
    """The chance that a right answer scores higher than a wrong one, 0 to 1; None if there are none of one kind.

    Args:
        scores, right: [answers] each, right as booleans.
    """
    import numpy as np

    positive, negative = scores[right], np.sort(scores[~right])
    if not len(positive) or not len(negative):
        return None
    below = np.searchsorted(negative, positive, side="left")
    until = np.searchsorted(negative, positive, side="right")
    return float((below + until).mean() / (2 * len(negative)))
