"""What many workers bring, and what the driver of them costs: ``python -m bench.cluster``.

``real``: the bench's model on this machine's CPU, two workers against one. ``simulated``: up to 256 workers whose batches
take the time that a cost model says, behind a real driver. ``shares``: our queue beside fixed shares by rank, in virtual
time. Without a name all three. ``--quick`` is a minute's worth of them, to see that they run.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import fixed_shares
from bench.cluster_tasks import SHAPES
from bench.cost_model import Fit, Size
from bench.simulated_run import Taken, Trial, measure_apart

#: tokens a second of a worker: with it a worker does 100 questions of VQAv2's shape in a second. By arithmetic that is
#: LLaVA-1.5-7B on an H100: 2 x 7e9 operations a token are 211 TFLOP/s, a fifth of its dense peak in bfloat16
RATE = 15_070.0
WORKERS = (1, 8, 64, 128, 256)
#: seconds that few workers are measured for; a million questions would take one of them three hours
LONG_ENOUGH = 160
QUICK_SIZE = Size(vision_width=64, vision_layers=3, text_width=128, text_layers=3, image=64, patch=16, vocabulary=640)


def simulated(given: argparse.Namespace) -> Iterator[str]:
    yield (
        "| shape | workers | through Ray | questions | linear/s | seconds asked | of linear | before, after s "
        "| driver's load | CPU us a question | peak GB, at the end | waiting | bytes a question there, back "
        "| first answer s |"
    )
    yield "|---" * 14 + "|"
    for shape in given.shapes:
        for workers in given.workers:
            questions = min(given.questions, round(workers * 100 * LONG_ENOUGH))
            for ray in given.ray:
                yield row(measure_apart(Trial(shape, questions, workers, given.rate, ray)))


def row(taken: Taken) -> str:
    trial = taken.trial
    cells = [
        trial.shape,
        str(trial.workers),
        "yes" if trial.ray else "no",
        f"{trial.questions:,}",
        f"{taken.rate:,.0f}",
        f"{taken.answered:.1f}",
        f"{taken.efficiency:.3f}",
        f"{taken.before:.0f}, {taken.after:.0f}",
        f"{taken.load:.2f}",
        f"{1e6 * taken.load * taken.answered / trial.questions:.0f}",
        f"{taken.peak_asking:.2f}, {taken.peak:.2f}",
        f"{taken.waiting:.1%}",
        f"{taken.sent:.0f}, {taken.received:.0f}",
        f"{taken.planned:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def shares(given: argparse.Namespace) -> Iterator[str]:
    for shape in given.shapes:
        for workers in (8, 64):
            questions = min(given.questions, 100_000)
            yield f"\n{shape}, {questions:,} questions, {workers} workers\n"
            yield from fixed_shares.table(shape, questions, workers, given.rate)


def real(given: argparse.Namespace) -> Iterator[str]:
    from bench import real_workers

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) if given.quick else given.work
        size, fit = (QUICK_SIZE, Fit(pictures=4, each=12)) if given.quick else (Size(), Fit())
        real_workers.prepare(folder, given.real_questions, size, fit)
        yield from real_workers.table(folder, given.real_questions, given.repeats)


PARTS = {"real": real, "simulated": simulated, "shares": shares}


def arguments(texts: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[], help="all of them without a name")
    parser.add_argument("--work", type=Path, default=Path("results/bench"), help="where the checkpoint stays")
    parser.add_argument("--repeats", type=int, default=3, help="of real runs")
    parser.add_argument("--real-questions", type=int, default=540)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=["vqav2", "gqa", "pope"])
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS), help="simulated ones")
    parser.add_argument("--questions", type=int, default=1_000_000, help="that simulated workers answer, at most")
    parser.add_argument("--rate", type=float, default=RATE, help="tokens a second of a simulated worker")
    parser.add_argument("--no-ray", dest="ray", action="store_const", const=[False], default=[True])
    parser.add_argument(
        "--both", dest="ray", action="store_const", const=[False, True], help="simulated with Ray and without"
    )
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(texts)
    if given.quick:
        given.shapes, given.workers, given.questions, given.rate = ["vqav2"], [4], 2_000, 10 * RATE
        given.real_questions, given.repeats = 12, 1
    return given


def main() -> None:
    given = arguments()
    for name in given.parts or PARTS:
        print(f"\n{name}\n", flush=True)
        for line in PARTS[name](given):
            print(line, flush=True)


if __name__ == "__main__":
    main()
