"""The whole order of a run: data, model, answers, scores, report. The one place that knows it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mipha_eval import __version__
from mipha_eval.adapter import ModelAdapter
from mipha_eval.data.images import grey_image
from mipha_eval.data.source import DataSource, parse_source
from mipha_eval.engine.engine import Engine
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.engine.progress import Progress
from mipha_eval.options import option_fields
from mipha_eval.plugins import Registry
from mipha_eval.scoring import Result, score_responses
from mipha_eval.selection import ModelChoice, build_adapter, build_tasks, read_samples
from mipha_eval.store import RunFolder, TaskFolder, naming_the_file
from mipha_eval.task import Task
from mipha_eval.types import Response, Sample

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "pillow", "numpy", "datasets")


@dataclass(frozen=True)
class RunConfig:
    """What a user asks for; see ``mipha-eval run --help``."""

    tasks: Sequence[str]
    model: ModelChoice
    data: str | None = None
    annotations: Path | None = None
    image_dirs: Mapping[str, Path] = field(default_factory=dict)
    output: Path = Path("results/runs")
    limit: int | None = None
    batch_size: int | None = None
    blind: bool = False
    fresh: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Work:
    """A task with its questions, `total` of them before the limit."""

    task: Task
    samples: Sequence[Sample]
    total: int


def run(config: RunConfig, registry: Registry) -> tuple[RunFolder, list[Result]]:
    """Evaluates a model on tasks.

    Returns:
        The run's folder and a result for each task. Stopped by Ctrl-C, results of unfinished tasks count as missing.

    Raises:
        UserError: anything that the user can mend. What was answered before stays stored.
    """
    check_writable(config.output)
    adapter, data_default = build_adapter(config.model, registry)
    source = parse_source(config.data or data_default or "hub", config.image_dirs)
    source = dataclasses.replace(source, annotations=config.annotations)
    work = [prepare(task, config) for task in build_tasks(config.tasks, config.model.options, source, registry)]
    adapter.load()
    folder = open_run(config, adapter, source)
    for item in work:
        folder.set_status(item.task.label, "pending", total=len(item.samples))
    with Interrupt() as interrupt:
        engine = Engine(adapter, config.batch_size, stop=interrupt.asked)
        results = [run_task(item, engine, folder, config) for item in work]
    return folder, results


def prepare(task: Task, config: RunConfig) -> Work:
    """Reads a task's questions and applies --limit and --blind."""
    samples = read_samples(task)
    total = len(samples)
    samples = limit_samples(samples, config.limit)
    if config.blind:
        samples = [
            dataclasses.replace(sample, images=tuple(grey_image(image) for image in sample.images)) for sample in samples
        ]
    return Work(task, samples, total)


def limit_samples(samples: list[Sample], limit: int | None) -> list[Sample]:
    """About `limit` samples, evenly spread over the benchmark so that every category is there, groups kept whole."""
    if limit is None or limit >= len(samples):
        return samples
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.group or sample.id, []).append(sample)
    ordered = list(groups.values())
    count = max(1, round(limit * len(ordered) / len(samples)))
    chosen = {sample.id for index in range(count) for sample in ordered[index * len(ordered) // count]}
    return [sample for sample in samples if sample.id in chosen]


def open_run(config: RunConfig, adapter: ModelAdapter, source: DataSource) -> RunFolder:
    """The run that was begun with the same model and data, else a new one."""
    described = dict(adapter.describe())
    limits = {"limit": config.limit, "blind": config.blind}
    options = {key: str(getattr(adapter, key)) for key in option_fields(type(adapter))}
    same = {"model": config.model.name, "options": options, "weights": described, "data": str(source), **limits}
    identity = hashlib.sha256(json.dumps(same, sort_keys=True, default=str).encode()).hexdigest()[:16]
    found = None if config.fresh else RunFolder.find(config.output, identity)
    if found is not None:
        return found
    manifest = {
        "identity": identity,
        "mipha_eval": __version__,
        "argv": sys.argv[1:],
        "config": dataclasses.asdict(config),
        **same,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "packages": _package_versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    return RunFolder.create(config.output, config.model.name, json.loads(json.dumps(manifest, default=str)))


def _package_versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def run_task(work: Work, engine: Engine, folder: RunFolder, config: RunConfig) -> Result:
    """Answers what is not stored yet, then scores everything."""
    label, place = work.task.label, folder.task(work.task.label)
    place.write_samples(work.samples)
    folder.set_status(label, "infer", total=len(work.samples))
    started = time.perf_counter()
    responses, generated = answer(work, engine, place, config.quiet)
    seconds = time.perf_counter() - started
    folder.set_status(label, "score", total=len(work.samples), answered=len(responses))
    result = score_responses(work.task, work.samples, responses)
    summary = {
        **result.summary,
        "model": config.model.name,
        "total": work.total,
        "limited": len(work.samples) < work.total,
        "demo": work.task.data.kind == "demo",
        "blind": config.blind,
        "seconds": round(seconds, 3),
        "generated": generated,
    }
    result = dataclasses.replace(result, summary=summary)
    place.write_scores(result.scores)
    place.write_result(summary)
    state = "done" if summary["missing"] == 0 else "infer"
    folder.set_status(label, state, **{key: summary[key] for key in ("n", "missing", "failed", "unparsed")})
    return result


def answer(work: Work, engine: Engine, place: TaskFolder, quiet: bool) -> tuple[dict[str, Response], int]:
    """Responses by sample id, stored ones first; and how many were asked for now.

    A stored response counts if its request is the same; one that failed is tried again.
    """
    requests = {sample.id: work.task.request(sample) for sample in work.samples}
    responses = {}
    for sample, (key, response) in place.responses().items():
        if sample in requests and requests[sample].key == key and not response.error:
            responses[sample] = response
            engine.known[engine.adapter.identity(requests[sample])] = response
    todo = [sample for sample in requests if sample not in responses]
    stored = len(responses)
    with place.append_responses() as store, Progress(work.task.label, len(requests), stored, quiet) as progress:
        for answered in engine.run([requests[sample] for sample in todo]):
            rows = []
            for index, response in answered:
                sample = todo[index]
                responses[sample] = response
                rows.append({"sample": sample, "key": requests[sample].key, **dataclasses.asdict(response)})
            store.append(rows)
            progress.advance(len(answered))
    return responses, len(responses) - stored


def check_writable(folder: Path) -> None:
    """Raises UserError before any work if results could not be stored."""
    with naming_the_file(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".write-test"
        probe.touch()
        probe.unlink()
