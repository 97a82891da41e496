"""How often intervals hold the truth, and how wide they are: ``python bench/coverage.py [--repeats 1000] [--only mme]``.

Made-up answers with a known true value: 6 questions an image (MME 2), independent or with an image effect (normal, standard
deviation 1 on the logit). The true value is the population's, with the effect averaged out. Prints a Markdown table of
nominal 95 % intervals: how often they hold the truth, how often the percentile bootstrap over images does, and how many
times as wide ours are on average. Then of two equally good runs: how often the interval of their difference leaves out 0.

One core; some eight minutes for 1,000 repeats. Seeds are fixed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.scoring.binary import binary_metrics
from mipha_eval.stats.bootstrap import resample_sums
from mipha_eval.stats.interval import Interval, run_interval
from mipha_eval.stats.paired_interval import paired_interval
from mipha_eval.stats.panel import Panel

IMAGES = (12, 30, 100, 300)
TRUTHS = (0.5, 0.88, 0.99, 0.999)
QUESTIONS = 6  # an image
ROTATIONS = 4
SUBTASKS = ("existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR")
CATEGORIES = ("adversarial", "popular", "random")
BOOTSTRAPPED = 100  # repeats whose percentile interval is computed, too, with so many resamples:
RESAMPLES = 500

Chances = np.ndarray  # [repeats, images], that an answer is right
Counts = np.ndarray  # [repeats, images, names]


@dataclass(frozen=True)
class Simulated:
    """A metric on made-up answers.

    Attributes:
        images: how many there are, and what that is called.
        value: of the metric, 0 to 1, where an answer is right with some probability.
        draw: counts from probabilities, in the order of `names`.
        most: what the metric is where all is right.
    """

    metric: Metric
    names: tuple[str, ...]
    images: Sequence[tuple[int, str]]
    value: Callable[[np.ndarray], np.ndarray]
    draw: Callable[[np.random.Generator, Chances], Counts]
    most: float = 100.0


def right_and_asked(generator: np.random.Generator, chances: Chances) -> Counts:
    right = generator.binomial(QUESTIONS, chances)
    return np.stack([np.full(right.shape, QUESTIONS), right], axis=2).astype(float)


def circular(generator: np.random.Generator, chances: Chances) -> Counts:
    return right_and_asked(generator, chances**ROTATIONS)


def yes_no(generator: np.random.Generator, chances: Chances) -> Counts:
    """A present and an absent object in each of three categories."""
    said_right = generator.random((*chances.shape, len(CATEGORIES), 2)) < chances[..., None, None]
    present, absent = said_right[..., 0], said_right[..., 1]
    cells = np.stack([~present, ~absent, absent, present], axis=3)  # fn, fp, tn, tp
    return cells.reshape(*chances.shape, -1).astype(float)


def pairs(generator: np.random.Generator, chances: Chances) -> Counts:
    """Two questions an image, the images spread evenly over the subtasks."""
    right = generator.binomial(2, chances)
    own = np.arange(chances.shape[1]) % len(SUBTASKS)
    counts = np.zeros((*chances.shape, len(SUBTASKS), 4))
    asked = np.full(right.shape, 2)
    counts[:, np.arange(len(own)), own] = np.stack([asked, right == 2, asked / 2, right], axis=2)
    return counts.reshape(*chances.shape, -1)


def simulations() -> dict[str, Simulated]:
    """Name -> simulation."""
    mme, _ = Registry().load("tasks", "mme")
    images = [(number, f"{number}") for number in IMAGES]
    plain = ("asked", "right")
    cells = tuple(f"{category}/{cell}" for category in CATEGORIES for cell in ("fn", "fp", "tn", "tp"))
    names = tuple(f"{subtask}/{count}" for subtask in SUBTASKS for count in ("asked", "both", "images", "right"))
    few = [(number * len(SUBTASKS), f"{number} a subtask") for number in (2, 5)]
    return {
        "accuracy": Simulated(share("accuracy"), plain, images, lambda chance: chance, right_and_asked),
        "POPE F1": Simulated(binary_metrics(CATEGORIES)[0], cells, images, lambda chance: chance, yes_no),
        "MME perception": Simulated(
            mme.metrics[0], names, [*few, *images], lambda chance: (chance + chance**2) / 2, pairs, 200.0 * len(SUBTASKS)
        ),
        "circular accuracy": Simulated(share("accuracy"), plain, images, lambda chance: chance**ROTATIONS, circular),
    }


def mean_logit(value: Callable[[np.ndarray], np.ndarray], truth: float, deviation: float) -> float:
    """Of which logit, with a normal effect of that deviation, the metric's mean is the truth."""
    effects = np.linspace(-6, 6, 2001)
    weights = norm.pdf(effects) / norm.pdf(effects).sum()
    return float(brentq(lambda logit: weights @ value(expit(logit + deviation * effects)) - truth, -20, 20))


def panels(simulated: Simulated, drawn: Sequence[Counts]) -> Iterator[Panel]:
    """A panel a repeat, of as many runs as there are draws."""
    tallies = drawn[0].shape[1] * QUESTIONS
    for counts in np.stack(drawn, axis=1):
        yield Panel(simulated.metric, simulated.names, counts, tallies)


def percentile(panel: Panel) -> Interval:
    """Of whole images drawn from all, as intervals were made before."""
    values = panel.values(resample_sums(panel.counts[0], RESAMPLES))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval((float(low), float(high)))


def holds(intervals: Sequence[Interval], truth: float) -> float:
    """In how many of 100; an interval that is not printed counts as one that does not."""
    return 100 * float(
        np.mean([found.bounds is not None and found.bounds[0] <= truth <= found.bounds[1] for found in intervals])
    )


def width(intervals: Sequence[Interval]) -> float:
    return float(np.mean([found.bounds[1] - found.bounds[0] for found in intervals if found.bounds is not None]))


def coverage(simulated: Simulated, images: int, deviation: float, repeats: int) -> Iterator[str]:
    """A cell for each truth: how often ours holds it, how often the percentile interval does, times as wide."""
    for truth in TRUTHS:
        generator = np.random.default_rng([images, round(1000 * truth), int(deviation)])
        logit = mean_logit(simulated.value, truth, deviation)
        chances = expit(logit + deviation * generator.standard_normal((repeats, images)))
        drawn = list(panels(simulated, [simulated.draw(generator, chances)]))
        found = [run_interval(panel) for panel in drawn]
        theirs = [percentile(panel) for panel in drawn[:BOOTSTRAPPED]]
        true, narrow = truth * simulated.most, width(theirs)
        times = f"{width(found[:BOOTSTRAPPED]) / narrow:.2f}" if narrow else "–"
        yield f"{holds(found, true):.1f} / {holds(theirs, true):.0f} / {times}"


def level(simulated: Simulated, images: int, deviation: float, repeats: int) -> Iterator[str]:
    """A cell for each truth of two equally good runs, with an image effect of each (0.5) beside the common one."""
    for truth in TRUTHS:
        generator = np.random.default_rng([images, round(1000 * truth), int(deviation), 1])
        logit = mean_logit(simulated.value, truth, deviation * 1.25**0.5)
        common = generator.standard_normal((repeats, images))
        own = [generator.standard_normal((repeats, images)) for _ in range(2)]
        chances = [expit(logit + deviation * (common + 0.5 * each)) for each in own]
        drawn = panels(simulated, [simulated.draw(generator, each) for each in chances])
        found = [interval for interval in map(paired_interval, drawn) if interval.bounds is not None]
        yield "none" if not found else f"{100 - holds(found, 0.0):.1f}"


def print_table(
    chosen: Mapping[str, Simulated], more: Sequence[tuple[int, str]], cells: Callable[..., Iterator[str]]
) -> None:
    """A row for each number of images; `more` beside those of a simulation."""
    print(f"| metric | images | questions | {' | '.join(f'truth {truth:g}' for truth in TRUTHS)} |")
    print(f"|---|---|---|{'---|' * len(TRUTHS)}")
    for name, simulated in chosen.items():
        for images, called in (*more, *simulated.images):
            for deviation, kind in ((0.0, "independent"), (1.0, "correlated")):
                print(f"| {' | '.join((name, called, kind, *cells(simulated, images, deviation)))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--only", default="", help="metrics whose name contains this")
    given = parser.parse_args()
    chosen = {name: each for name, each in simulations().items() if given.only.lower() in name.lower()}
    print("Holds the truth, % / the percentile bootstrap does, % / times as wide\n")
    print_table(chosen, [], partial(coverage, repeats=given.repeats))
    print("\nOf two equally good runs: the interval of the difference leaves out 0, %\n")
    print_table(chosen, [(5, "5")], partial(level, repeats=given.repeats))


if __name__ == "__main__":
    main()
