"""The same model, pictures and questions through lmms-eval and through mipha-eval: ``python -m bench.peers``.

Each is a whole process, start-up included, and they take turns. Answers have to be the same.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import lmms
from bench.pope_set import Question, make_set, write_llava, write_parquet
from bench.scoring import apart
from mipha_eval.tasks.pope import FIRST_ID

ROOT = Path(__file__).parents[1]
THEIRS = {"lmms-eval": "llava_hf", "lmms-eval --model mipha_eval": "mipha_eval"}
OURS: Mapping[str, Sequence[str]] = {
    "mipha-eval": (),
    "mipha-eval --no-share": ("--no-share",),
    "mipha-eval --batch-size 1": ("--batch-size", "1"),
}


@dataclass(frozen=True)
class Contender:
    """A command line that writes into `output`, and how its answers are read from there by question."""

    name: str
    command: Sequence[str]
    output: Path
    read: Callable[[], dict[str, str]]


@dataclass(frozen=True)
class Measured:
    """What one process took; `cpu` is user and system time, `memory` its peak in GB."""

    seconds: float
    cpu: float
    memory: float
    answers: Mapping[str, str]


def measure(contender: Contender, environment: Mapping[str, str], log: Path) -> Measured:
    """Raises RuntimeError if the process fails, or ends well without answers; what it printed is in `log`."""
    shutil.rmtree(contender.output, ignore_errors=True)
    with log.open("w") as printed:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            contender.command, stdout=printed, stderr=subprocess.STDOUT, env=environment, cwd=ROOT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{contender.name} failed with exit code {process.returncode}:\n{log.read_text()[-2000:]}")
    memory = usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    try:
        answers = contender.read()
    except (OSError, ValueError) as error:
        printed_text = log.read_text(errors="replace")
        why = lmms.what_failed(printed_text) or printed_text[-2000:]
        raise RuntimeError(f"{contender.name} ended with exit code 0, but {error}: {why}") from error
    return Measured(seconds, usage.ru_utime + usage.ru_stime, memory, answers)


def prepare(folder: Path, questions: Sequence[Question]) -> None:
    write_llava(questions, folder)
    write_parquet(questions, folder / "pope.parquet")


def build(folder: Path, tokenizer: Path | None) -> None:
    from bench.cost_model import build_checkpoint

    build_checkpoint(folder, tokenizer)


def theirs(work: Path, data: Path, python: Path, questions: Sequence[Question]) -> list[Contender]:
    """lmms-eval with its own model, and with ours in it."""
    lmms.write_task(python, data / "lmms-eval", data / "pope.parquet")
    found = []
    for name, model in THEIRS.items():
        output = work / f"lmms-eval-{model}"
        command = lmms.command(python, work / "checkpoint", data / "lmms-eval", output, model)
        found.append(Contender(name, command, output, functools.partial(lmms.read_answers, output, list(truths(questions)))))
    return found


def ours(work: Path, data: Path) -> list[Contender]:
    output = work / "mipha-eval"
    asked = ["--tasks=bench-pope", "--plugin=bench/pope_task.py", f"--data={data}", f"--output={output}", "--json"]
    model = ["--model=hf-chat", "-a", f"path={work / 'checkpoint'}", "--dtype=float32", "--device=cpu"]
    command = [sys.executable, "-m", "mipha_eval", "run", *asked, *model]
    read = functools.partial(read_answers, output)
    return [Contender(name, [*command, *flags], output, read) for name, flags in OURS.items()]


def truths(questions: Sequence[Question]) -> dict[str, str]:
    """Labels by the id that `tasks/pope.py` gives a question."""
    return {str(FIRST_ID[question.category] + question.number): question.label for question in questions}


def read_answers(output: Path) -> dict[str, str]:
    """A failed request has no text, so it differs from any answer."""
    (file,) = output.rglob("responses.jsonl")
    rows = map(json.loads, file.read_text().splitlines())
    return {row["sample"]: row.get("error") or row["text"].strip() for row in rows}


def compare(labels: Mapping[str, str], runs: Mapping[str, Sequence[Measured]]) -> int:
    """Prints medians; returns the number of answers that differ from those of the first run."""
    every = list(runs.values())
    first, slowness = every[0][0].answers, statistics.median(run.seconds for run in every[0])
    print("\n| | samples/s | wall s | CPU s | GB | times as fast | right | answers that differ |")
    print("|---|---|---|---|---|---|---|---|")
    total = 0
    for name, measured in runs.items():
        seconds = statistics.median(run.seconds for run in measured)
        cpu = statistics.median(run.cpu for run in measured)
        memory = max(run.memory for run in measured)
        right = sum(measured[0].answers.get(key, "").lower() == label for key, label in labels.items()) / len(labels)
        # an answer that is missing on both sides differs, too
        different = sum(first.get(key, "") != run.answers.get(key) for run in measured for key in labels)
        cells = f"{len(labels) / seconds:.2f} | {seconds:.1f} | {cpu:.1f} | {memory:.2f} | {slowness / seconds:.2f}"
        print(f"| {name} | {cells} | {right:.1%} | {different} |")
        total += different
    return total


def race(rivals: Sequence[Contender], repeats: int, threads: int, work: Path) -> dict[str, list[Measured]]:
    """All in turn, then all again."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(work / "hf"),
    }
    runs: dict[str, list[Measured]] = {rival.name: [] for rival in rivals}
    for _ in range(repeats):
        for rival in rivals:
            found = measure(rival, environment, work / "last.log")
            runs[rival.name].append(found)
            print(f"{rival.name:<28} {found.seconds:7.1f} s wall {found.cpu:7.1f} s CPU {found.memory:5.2f} GB", flush=True)
    return runs


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "results" / "bench", help="folder for all that is made")
    parser.add_argument("--tokenizer", type=Path, help="folder with a tokenizer.json; one is trained without it")
    parser.add_argument("--python", type=Path, help="Python with lmms-eval; an environment is made without it")
    parser.add_argument("--questions", type=int, default=180)
    parser.add_argument("--each", type=int, nargs="+", default=[1, 2, 6, 18], help="questions about a picture")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=[*THEIRS, *OURS], default=[*THEIRS, *OURS])
    return parser.parse_args()


def main() -> None:
    given = arguments()
    work: Path = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    apart(build, work / "checkpoint", given.tokenizer)
    python = given.python or lmms.environment(work / "environment")
    lmms.put_ours(python)
    print(f"{platform.platform()}, {os.cpu_count()} cores, {given.threads} threads, {time.strftime('%Y-%m-%d')}")
    different = 0
    for each in given.each:
        questions = make_set(given.questions, each)
        data = work / f"pope-{given.questions}-{each}"
        if not (data / "pope.parquet").is_file():  # written last
            apart(prepare, data, questions)
        print(f"\n{given.questions} questions, {each} about a picture")
        rivals = [rival for rival in (*theirs(work, data, python, questions), *ours(work, data)) if rival.name in given.only]
        different += compare(truths(questions), race(rivals, given.repeats, given.threads, work))
    if different:
        sys.exit(f"\nTHE ANSWERS DIFFER: {different}")


if __name__ == "__main__":
    main()
