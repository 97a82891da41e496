"""May a candidate pass beside its baseline? A gate passes only what it could have failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mipha_eval.comparison.loss import Loss
from mipha_eval.comparison.matched import Matched
from mipha_eval.comparison.result import ComparedRun, Gate, NotCompared, Outcome, Pair, Reason


@dataclass(frozen=True)
class Rule:
    """What a user asks of the gate; see `Gate`."""

    asked: bool = False
    allow_missing: int = 0


def worst_p(matched: Matched, metric: str, draws: int) -> float:
    """The p of a candidate with every answer wrong, or as near to that as the task can say; 1 if that is not below.

    So it is seen whether a test on these questions, beside this baseline, can find any regression at all.
    """
    from mipha_eval.stats.paired_test import paired_test
    from mipha_eval.stats.panel import Panel

    base, right = matched.tasks[0], matched.scores[0]
    wrong = [base.task.with_outcome(score, False) for score in right]
    worst = Matched([base], [wrong], (0,), 0)
    pair = Panel.of([matched.counts[0], worst.counts[0]], matched.metrics[metric])
    first, second = pair.values()
    if wrong == list(right) and first > 0:  # captions: none is wrong, so that the images alone say what can be found
        return float(min(1.0, 2.0 ** (1 - pair.clusters)))
    return paired_test(pair, draws).p if second < first else 1.0


def decide(
    runs: Sequence[ComparedRun], pairs: Sequence[Pair], gaps: Sequence[NotCompared], rule: Rule, alpha: float
) -> Gate:
    """The gate's outcome.

    Args:
        pairs: with p-values corrected for all that the comparison shows; those with the baseline count.
        gaps: tasks of the baseline that were not compared.
    """
    reasons: list[Reason] = []
    for pair in pairs:
        if pair.runs[0] == 0:
            found = [*_worse(pair), *_lost(pair.loss, rule), *_untold(runs, pair), *_powerless(pairs, pair, alpha)]
            reasons += [Reason(outcome, pair.task, pair.runs[1], text) for outcome, text in found]
    for gap in gaps:
        found = [*_lost(gap.loss, rule), ("cannot tell", f"not compared, {gap.reason}")]
        reasons += [Reason(outcome, gap.task, gap.runs[1], text) for outcome, text in found]
    return Gate(reasons, rule.allow_missing, rule.asked)


Found = Iterator[tuple[Outcome, str]]


def _worse(pair: Pair) -> Found:
    headline = pair.rows[0]
    if headline.verdict == "worse":
        first, second = headline.difference.values
        yield "failed", f"{headline.difference.metric} is significantly lower, {second:.2f} after {first:.2f}"


def _lost(loss: Loss | None, rule: Rule) -> Found:
    if loss is not None and loss.lost > rule.allow_missing:
        yield (
            "failed",
            f"{loss.lost:,} answers that the baseline has are lost ({loss.text}), {rule.allow_missing:,} are allowed",
        )


def _untold(runs: Sequence[ComparedRun], pair: Pair) -> Found:
    """What makes the two something else than one model before and after."""
    if pair.loss is not None and pair.loss.unasked:
        yield "cannot tell", f"{pair.loss.unasked:,} questions of the baseline were not asked"
    if pair.changed:
        yield "cannot tell", f"{pair.changed:,} questions of the same id are not the same questions"
    if pair.options:
        yield "cannot tell", f"other options, {'; '.join(pair.options)}"
    controls = {runs[place].tasks[pair.task].summary.asked_under for place in pair.runs}
    if len(controls) > 1:
        told = " and ".join(sorted(control for control in controls if control))
        what = "saw no pictures" if "blind" in controls else f"was asked under the control {told}"
        yield "cannot tell", f"one of the two {what}"


def _powerless(pairs: Sequence[Pair], pair: Pair, alpha: float) -> Found:
    """Whether not even a candidate with every answer wrong would have failed beside what else the comparison tests."""
    from mipha_eval.stats.holm import holm

    if pair.worst_p is None:
        return
    others = [row.difference.p for each in pairs for row in (each.rows[1:] if each is pair else each.rows)]
    corrected = holm([pair.worst_p, *others])[0]
    if corrected > alpha:
        found = pair.rows[0].difference
        yield (
            "cannot tell",
            f"no regression could have been found on {found.clusters:,} {'image' if found.clusters == 1 else 'images'} with "
            f"{found.metric} {found.values[0]:.2f} before: with every answer wrong p would be {corrected:.4g}",
        )
