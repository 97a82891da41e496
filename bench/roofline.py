"""How near a run comes to the machine's arithmetic: ``python -m bench.roofline --path CHECKPOINT``.

Operations that the run cannot avoid (`bench/flops.py`), by the seconds of the engine's loop in this process, as a share of
the best matrix product measured before and after it in the same number format. The loop includes reading, decoding and
resizing pictures; start-up and loading are left out, and so is a first question that warms up.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from bench.flops import count, group, read_shape
from bench.pope_set import make_set, write_llava
from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.options import parse_pairs
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model, build_task
from mipha_eval.core.types import Request, Response
from mipha_eval.data.questions import read_samples
from mipha_eval.engine.engine import Engine

SIZES = (1024, 2048, 3072)


def peak(dtype: torch.dtype, device: str, seconds: float = 1.0) -> float:
    """The best matrix product's operations a second, over several sizes."""
    best = 0.0
    for size in SIZES:
        left, right = (torch.randn(size, size, dtype=torch.float32).to(device, dtype) for _ in range(2))
        out = torch.mm(left, right)
        stop = time.perf_counter() + seconds
        while time.perf_counter() < stop:
            started = time.perf_counter()
            torch.mm(left, right, out=out)
            finish(device)
            best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


def finish(device: str) -> None:
    """Waits for what was asked of a GPU."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def made_requests(folder: Path, questions: int, each: int) -> list[Request]:
    write_llava(make_set(questions, each), folder)
    registry = Registry([Path(__file__).with_name("pope_task.py")])
    task = build_task("bench-pope", {}, DataSource("folder", folder), registry)
    return [task.request(sample) for sample in read_samples(task)]


def answer(adapter: ModelAdapter, requests: Sequence[Request], device: str) -> tuple[list[Response], float]:
    """All responses and the seconds of the engine's loop. Raises RuntimeError if a request fails."""
    started = time.perf_counter()
    answered = dict(pair for batch in Engine(adapter).run(requests) for pair in batch)
    finish(device)
    seconds = time.perf_counter() - started
    responses = [answered[place] for place in range(len(requests))]
    failed = next((response.error for response in responses if response.error), None)
    if failed:
        raise RuntimeError(failed)
    return responses, seconds


def measure(given: argparse.Namespace, requests: Sequence[Request]) -> None:
    options = {"path": given.path, **parse_pairs(given.options), "device": given.device, "dtype": given.dtype}
    adapter = build_model(given.model, options, Registry()).adapter
    adapter.load()
    answer(adapter, requests[:1], given.device)
    dtype = getattr(torch, given.dtype)
    before = peak(dtype, given.device)
    responses, seconds = answer(adapter, requests, given.device)
    best = max(before, peak(dtype, given.device))
    shape = read_shape(given.path)
    prompts = [
        (adapter.encode(request).ids, [image.location for image in request.images], response.tokens)  # type: ignore[attr-defined]
        for request, response in zip(requests, responses, strict=True)
    ]
    parts = count(group(prompts, shape), shape)
    total = sum(parts.values())
    print(f"{len(requests)} questions in {seconds:.2f} s, {len(requests) / seconds:.2f} a second")
    print(f"{total / 1e9:.0f} GFLOP: " + ", ".join(f"{name} {part / total:.1%}" for name, part in parts.items()))
    print(
        f"{total / seconds / 1e9:.1f} GFLOP/s, {total / seconds / best:.1%} of the peak of {best / 1e9:.1f} ({given.dtype})"
    )
    if given.profile:
        with torch.profiler.profile() as profiler:
            answer(adapter, requests, given.device)
        print(profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=15, max_name_column_width=40))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="checkpoint in the form of LLaVA or Mipha")
    parser.add_argument("--model", default="hf-chat")
    parser.add_argument("-a", dest="options", action="append", default=[], help="further options of the model, key=value")
    parser.add_argument("--questions", type=int, default=180)
    parser.add_argument("--each", type=int, nargs="+", default=[6], help="questions about a picture")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--profile", action="store_true", help="a second run under torch.profiler")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    torch.set_num_threads(given.threads)
    for each in given.each:
        print(f"\n{each} questions about a picture, {given.threads} threads")
        with tempfile.TemporaryDirectory() as folder:
            measure(given, made_requests(Path(folder), given.questions, each))


if __name__ == "__main__":
    main()
