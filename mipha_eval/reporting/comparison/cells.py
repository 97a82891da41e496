"""The words and numbers of a comparison, the same in every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mipha_eval.comparison.difference import Difference
from mipha_eval.comparison.flips import Flips
from mipha_eval.comparison.result import Comparison, NotCompared, Pair, Row, TieGroup, Verdict
from mipha_eval.reporting.decimals import decimals
from mipha_eval.reporting.marks import mark_texts
from mipha_eval.reporting.visible import visible

IDS = 5  # shown of each kind; JSON has all
FEW = 30  # clusters; below, only large differences are found
UNDEFINED = {"effect_size": "effect size", "detectable": "MDE"}  # as notes call them
VERDICTS: Mapping[Verdict, str] = {"better": "better", "worse": "worse", "not significant": "n.s."}
MORE_HEADINGS = ("n", "images", "test")
#: what stands before a task that is not compared, and before one of which only the numbers are
GAP = {False: "not compared", True: "not tested"}
INTERVAL = 5  # its place among the cells of a difference
FLIP_HEADINGS = ("task", "category", "questions", "gained", "lost", "some gained", "some lost")


def run_name(comparison: Comparison, place: int) -> str:
    """A run's name, cut if it is very long, so that what stands behind it in a line is seen."""
    return visible(comparison.runs[place].name)


def difference_headings(comparison: Comparison, runs: tuple[int, int]) -> list[str]:
    first, second = (run_name(comparison, place) for place in runs)
    interval = f"{100 * (1 - comparison.alpha):g}% CI"
    return ["task", "metric", first, second, "difference", interval, "p", "verdict", "effect", "MDE", *MORE_HEADINGS]


def difference_cells(comparison: Comparison, pair: Pair, row: Row) -> list[str]:
    """A line of the table; what weakens a run's score stands beside it."""
    found = row.difference
    places = decimals(found.unit)
    first, second = (
        " ".join([f"{value:.{places}f}", *mark_texts(comparison.runs[place].tasks[pair.task].summary)])
        for place, value in zip(pair.runs, found.values, strict=True)
    )
    numbers = [
        f"{found.value:+.{places}f}",
        _interval_text(found),
        p_text(row.corrected_p),
        VERDICTS[row.verdict],
        "undefined" if found.effect_size is None else f"{found.effect_size:+.2f}",
        "undefined" if found.detectable is None else f"{found.detectable:.{places}f}",
    ]
    return [pair.task, found.metric, first, second, *numbers, f"{found.questions:,}", f"{found.clusters:,}", found.test]


def _interval_text(found: Difference) -> str:
    if found.interval is None:
        return f"none ({found.undefined.get('interval', 'unknown')})"
    (low, high), places = found.interval, decimals(found.unit)
    return f"{low:+.{places}f} to {high:+.{places}f}"


def p_text(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def flip_rows(pair: Pair) -> list[list[str]]:
    """All questions, then those of each category that has a flip."""
    named = [("all", pair.flips), *((name, flips) for name, flips in pair.categories.items() if flips.gained or flips.lost)]
    return [_flip_cells(pair.task, name, flips) for name, flips in named]


def _flip_cells(task: str, name: str, flips: Flips) -> list[str]:
    counts = [f"{flips.questions:,}", f"{len(flips.gained):,}", f"{len(flips.lost):,}"]
    return [task, visible(name), *counts, _some(flips.gained), _some(flips.lost)]


def _some(ids: Sequence[str]) -> str:
    return ", ".join([*map(visible, ids[:IDS]), *(["…"] if len(ids) > IDS else [])])


def pair_notes(comparison: Comparison, pair: Pair) -> list[str]:
    """What else a reader of a pair's numbers must know, a sentence each."""
    names = [run_name(comparison, place) for place in pair.runs]
    notes = [
        f"{pair.task}: {count:,} questions that only {name} scored are left out"
        for name, count in zip(names, pair.left_out, strict=True)
        if count
    ]
    if pair.changed:
        notes.append(f"{pair.task}: OTHER DATA, {pair.changed:,} questions of the same id are not the same and are left out")
    notes += [f"{pair.task}: {pair.gain.text()}"] if pair.gain else []
    notes += [f"{pair.task}: OTHER OPTIONS, {option}" for option in pair.options]
    clusters = pair.rows[0].difference.clusters
    if clusters < FEW:
        notes.append(f"{pair.task}: FEW IMAGES, {clusters}; of so few only large differences are found")
    return [*notes, *(note for row in pair.rows for note in _undefined_notes(pair.task, row.difference))]


def _undefined_notes(task: str, found: Difference) -> list[str]:
    """Why numbers of a line are not there, a sentence for each reason; of an interval it stands in its cell."""
    names: dict[str, list[str]] = {}
    for name, called in UNDEFINED.items():
        if name in found.undefined:
            names.setdefault(found.undefined[name], []).append(called)
    return [f"{task} {found.metric}: no {' and no '.join(each)}: {why}" for why, each in names.items()]


def gap_text(comparison: Comparison, gap: NotCompared) -> str:
    first, second = (run_name(comparison, place) for place in gap.runs)
    told = [_values_text(comparison, gap, metric) for metric in gap.values]
    return f"{gap.task} of {first} and {second}: {'; '.join([*told, gap.reason])}"


def _values_text(comparison: Comparison, gap: NotCompared, metric: str) -> str:
    """Two numbers of which nothing is known but what they are, with what weakens them."""
    results = [comparison.runs[place].results[gap.task] for place in gap.runs]
    places = decimals(results[0].units.get(metric, ""))
    first, second = (
        " ".join([f"{value:.{places}f}", *mark_texts(result)])
        for value, result in zip(gap.values[metric], results, strict=True)
    )
    low, high = gap.values[metric]
    return f"{metric} {first} and {second}, a difference of {high - low:+.{places}f}"


def tie_text(comparison: Comparison, group: TieGroup) -> str:
    """The runs from best to worst, those that cannot be told from the best marked."""
    order = sorted(group.values, key=lambda place: -group.values[place])
    runs = [
        f"{run_name(comparison, place)} {group.values[place]:.2f}{' =' if place in group.tied else ''}" for place in order
    ]
    return f"{group.task} {group.metric}, {group.questions:,} questions that all scored: {', '.join(runs)}"


def how_lines(comparison: Comparison) -> list[str]:
    """How the numbers were made, a sentence each; nothing where no test was made."""
    if not comparison.pairs:
        return []
    tests = f"all {comparison.tests} p-values" if comparison.tests > 1 else "1 p-value"
    return [
        "Differences are of the second run minus the first, on the questions that both scored.",
        "Intervals: paired, clustered by image, Student's t with the variance of the images' differences.",
        "p: two-sided, by McNemar's exact test where each image has one question that is right or wrong, else by sign flips "
        f"of whole images, with Holm's correction over {tests} shown; significant at {comparison.alpha:g}.",
        "effect: difference over the standard deviation of the images' differences (Cohen's d_z).",
        "MDE: the smallest true difference that a test of it alone finds with 80 % power (minimum detectable effect).",
        "gained, lost: questions whose own score is higher or lower in the second run.",
    ]


def outcome_lines(comparison: Comparison) -> list[str]:
    """What the headlines say: those significantly below the baseline, then those above; of tested ones alone."""
    if not comparison.pairs:
        return gate_lines(comparison)
    found: dict[str, list[str]] = {"worse": [], "better": []}
    for pair in comparison.pairs:
        verdict = pair.rows[0].verdict
        if pair.runs[0] == 0 and verdict in found:
            found[verdict].append(f"{pair.task} of {run_name(comparison, pair.runs[1])}")
    words = {"below": found["worse"], "above": found["better"]}
    lines = [
        f"Headlines significantly {word} {run_name(comparison, 0)}: {', '.join(those) or 'none'}."
        for word, those in words.items()
    ]
    return [*lines, *gate_lines(comparison)]


def gate_lines(comparison: Comparison) -> list[str]:
    """What the gate says and why, and what it could have seen; nothing if nobody asked."""
    gate = comparison.gate
    if not gate.asked:
        return []
    told = [f"Gate {each.outcome}: {each.task} of {run_name(comparison, each.run)}: {each.text}." for each in gate.reasons]
    seen = [
        f"{pair.task} of {run_name(comparison, pair.runs[1])} {pair.rows[0].difference.detectable:.2f}"
        for pair in comparison.pairs
        if pair.runs[0] == 0 and pair.rows[0].difference.detectable is not None
    ]
    power = [f"Smallest true differences that would have been seen four times in five: {', '.join(seen)}."] if seen else []
    return [*(told or [f"Gate {gate.outcome}."]), *power]
