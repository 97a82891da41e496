"""A comparison as JSON: every number unrounded, every question that flipped."""

from __future__ import annotations

from mipha_eval.comparison.flips import Flips
from mipha_eval.comparison.loss import Loss
from mipha_eval.comparison.result import Comparison, NotCompared, Pair, Row
from mipha_eval.core.json_value import Json
from mipha_eval.reporting.marks import mark_texts

SCHEMA = 1


def comparison_record(comparison: Comparison) -> dict[str, Json]:
    """Runs are named by their place in ``runs``."""
    return {
        "schema": SCHEMA,
        "alpha": comparison.alpha,
        "resamples": comparison.resamples,
        "draws": comparison.draws,
        "tests": comparison.tests,
        "runs": [
            {
                "name": run.name,
                "model": run.model,
                "path": str(run.path),
                "marks": {label: mark_texts(result) for label, result in run.results.items()},
            }
            for run in comparison.runs
        ],
        "pairs": [_pair(pair) for pair in comparison.pairs],
        "gate": _gate(comparison),
        "regressions": [{"task": pair.task, "run": pair.runs[1]} for pair in comparison.regressions],
        "ties": [
            {
                "task": group.task,
                "metric": group.metric,
                "values": [
                    {"run": place, "value": value, "tied": place in group.tied} for place, value in group.values.items()
                ],
                "questions": group.questions,
            }
            for group in comparison.ties
        ],
        "not_compared": [
            {"task": gap.task, "runs": list(gap.runs), "reason": gap.reason, "lost": _loss(gap.loss), **_values(gap)}
            for gap in comparison.not_compared
        ],
    }


def _gate(comparison: Comparison) -> dict[str, Json]:
    gate = comparison.gate
    return {
        "outcome": gate.outcome,
        "allow_missing": gate.allow_missing,
        "reasons": [vars(reason) for reason in gate.reasons],
        "detectable": [
            {"task": pair.task, "run": pair.runs[1], "difference": pair.rows[0].difference.detectable}
            for pair in comparison.pairs
            if pair.runs[0] == 0
        ],
    }


def _values(gap: NotCompared) -> dict[str, Json]:
    """The two numbers of each metric, where numbers are all that is known."""
    found: list[Json] = [
        {"metric": metric, "values": [first, second], "difference": second - first}
        for metric, (first, second) in gap.values.items()
    ]
    return {"values": found} if found else {}


def _loss(loss: Loss | None) -> dict[str, int] | None:
    return None if loss is None else dict(vars(loss))


def _pair(pair: Pair) -> dict[str, Json]:
    return {
        "task": pair.task,
        "runs": list(pair.runs),
        "left_out": list(pair.left_out),
        "lost": _loss(pair.loss),
        "changed": pair.changed,
        "other_options": list(pair.options),
        "differences": [_row(row) for row in pair.rows],
        **({"gain": pair.gain.record} if pair.gain else {}),
        "flips": _flips(pair.flips),
        "categories": {name: _flips(flips) for name, flips in pair.categories.items()},
    }


def _row(row: Row) -> dict[str, Json]:
    found = row.difference
    return {
        "metric": found.metric,
        "unit": found.unit,
        "values": list(found.values),
        "difference": found.value,
        "interval": found.interval and list(found.interval),
        "p": found.p,
        "corrected_p": row.corrected_p,
        "verdict": row.verdict,
        "test": found.test,
        "standard_error": found.standard_error,
        "effect_size": found.effect_size,
        "detectable": found.detectable,
        "undefined": dict(found.undefined),
        "questions": found.questions,
        "clusters": found.clusters,
    }


def _flips(flips: Flips) -> dict[str, Json]:
    return {"questions": flips.questions, "gained": flips.gained, "lost": flips.lost}
