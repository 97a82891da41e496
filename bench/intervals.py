"""Seconds and memory of intervals and tests: ``python bench/intervals.py --data FOLDER --answers FOLDER``.

Real answers of LLaVA-1.5-13B to POPE, MME and GQA against the benchmarks' own files; of larger sets, made-up counts.
The second run of a comparison is the first with one answer in ten turned around. One core; a process each.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mipha_eval.core.metrics import ClusterCounts, Metric, Totals, group_scores, share
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.runs.evaluate import score

RESAMPLES = 10_000
GQA_HEAD = "gqa/data/ood_testdev_head.json"  # a part of testdev whose labels can be had in a small file
Runs = tuple[list[ClusterCounts], list[Metric]]


def real_runs(name: str, data: Path, answers: Path) -> Runs:
    """Counts of a task's stored answers and of a changed copy, and the task's metrics."""
    annotations = data / GQA_HEAD if name == "gqa" else None
    file = answers / f"{name}.jsonl"
    scores = score(name, file, data=parse_source(str(data), {}, annotations), subset=name == "gqa").answers.scores
    task = build_task(name, {}, parse_source(str(data), {}), Registry())
    rng = random.Random(0)
    changed = [task.with_outcome(score, value=not score.value) if rng.random() < 0.1 else score for score in scores]
    runs = []
    for own in (scores, changed):
        counts = ClusterCounts()
        for group in group_scores(own):
            counts.add(group[0].cluster, task.tally(group))
        runs.append(counts)
    totals = Totals(runs[0].totals)
    return runs, [metric for metric in task.metrics_for(totals) if metric.defined(totals)]


def made_up_runs(questions: int, images: int, grades: int) -> Runs:
    """Two runs of graded questions, `grades` different values, spread evenly over images."""
    rng = random.Random(1)
    runs = [ClusterCounts(), ClusterCounts()]
    for number in range(questions):
        for counts in runs:
            counts.add(str(number % images), {"right": rng.randrange(grades) / (grades - 1), "asked": 1.0})
    return runs, [share("accuracy")]


def measure(name: str, make: Callable[..., Runs], *arguments: object) -> None:
    """Prints seconds of all metrics' intervals, and of the whole comparison of two runs in the headline.

    Beside them the seconds of a paired bootstrap, as leaderboards make for ranks.
    """
    from mipha_eval.stats.bootstrap import bootstrap_values
    from mipha_eval.stats.interval import run_intervals
    from mipha_eval.stats.paired_interval import paired_interval
    from mipha_eval.stats.paired_test import paired_test
    from mipha_eval.stats.panel import Panel
    from mipha_eval.stats.standard_error import difference_error

    runs, metrics = make(*arguments)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    run_intervals(runs[0], metrics)
    intervals = time.perf_counter()
    panel = Panel.of(runs, metrics[0])
    bootstrap_values(panel, RESAMPLES)
    drawn = time.perf_counter()
    paired_interval(panel)
    paired = time.perf_counter()
    test = paired_test(panel, RESAMPLES).test
    difference_error(panel)
    done = time.perf_counter()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (1e9 if sys.platform == "darwin" else 1e6)
    print(
        f"{name:<34} {panel.clusters:>9,} clusters; {len(metrics):>2} metrics {intervals - started:5.2f} s, "
        f"bootstrap {drawn - intervals:5.2f} s, paired {paired - drawn:5.2f} s, "
        f"test {done - paired:5.2f} s ({test}), {grown:4.2f} GB more",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="LLaVA's eval layout")
    parser.add_argument("--answers", type=Path, required=True, help="LLaVA's answer files, TASK.jsonl")
    given = parser.parse_args()
    jobs: list[tuple[object, ...]] = [(name, real_runs, name, given.data, given.answers) for name in ("pope", "mme", "gqa")]
    jobs += [
        ("12,578 questions, as GQA has", made_up_runs, 12_578, 398, 2),
        ("214,354 questions, as VQAv2 val", made_up_runs, 214_354, 40_504, 11),
        ("1,000,000 questions, 1 an image", made_up_runs, 1_000_000, 1_000_000, 2),
        ("1,000,000 questions, 4 an image", made_up_runs, 1_000_000, 250_000, 11),
    ]
    for job in jobs:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=job)
        process.start()
        process.join()


if __name__ == "__main__":
    main()
