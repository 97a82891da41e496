"""The whole order of a run: data, model, answers, scores, report. The one place that knows it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import platform
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mipha_eval import __version__
from mipha_eval.adapter import ModelAdapter
from mipha_eval.data.images import grey_image, image_digest
from mipha_eval.data.source import DataSource
from mipha_eval.engine.engine import Engine
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.engine.progress import Progress
from mipha_eval.errors import UserError
from mipha_eval.journal import naming
from mipha_eval.options import option_fields, parse_pairs
from mipha_eval.plugins import Registry
from mipha_eval.scoring import Result, score_responses
from mipha_eval.selection import (
    ModelChoice,
    build_adapter,
    build_tasks,
    check_texts,
    has_samples,
    parse_source,
    read_samples,
    task_options,
)
from mipha_eval.store import RunFolder, TaskFolder, locked
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
        The run's folder and a result for each task. Stopped by Ctrl-C, questions that were not reached count as missing.

    Raises:
        UserError: anything that the user can mend. What was answered before stays stored.
    """
    check_writable(config.output)
    adapter, data_default = build_adapter(config.model, registry)
    source = parse_source(config.data or data_default or "hub", config.image_dirs)
    source = dataclasses.replace(source, annotations=config.annotations)
    work = [prepare(task, config) for task in find_tasks(config, source, registry)]
    if adapter.reads_images:
        for item in work:
            check_images(item.samples)
    adapter.load()
    folder = open_run(config, adapter, source)
    with locked(folder.path / "run"), Interrupt() as interrupt:
        for item in work:
            folder.set_status(item.task.label, "pending", total=len(item.samples))
        folder.log(f"model {config.model.name} ready; tasks {', '.join(item.task.label for item in work)}")
        engine = Engine(adapter, config.batch_size, stop=interrupt.asked)
        results = [run_task(item, engine, folder, config) for item in work]
        folder.log("stopped by the user" if interrupt.asked() else "finished")
    return folder, results


def find_tasks(config: RunConfig, source: DataSource, registry: Registry) -> list[Task]:
    """The tasks that were named; ``all`` stands for those whose files the data source has."""
    names = [name for name in config.tasks if name != "all"]
    if "all" in config.tasks:
        for name in registry.names("tasks"):
            try:
                (task,) = build_tasks([name], (), dataclasses.replace(source, image_dirs={}), registry)
                has_samples(task)
                names.append(name)
            except UserError as error:
                print(f"left out {name}: {error}", file=sys.stderr)
        if not names:
            raise UserError(f"{source} has the files of no task")
    return build_tasks(names, config.model.options, source, registry)


def prepare(task: Task, config: RunConfig) -> Work:
    """Reads a task's questions and applies --limit and --blind."""
    samples = read_samples(task)
    check_texts(task, samples)
    total = len(samples)
    samples = limit_samples(samples, config.limit)
    if config.blind:
        samples = [
            dataclasses.replace(sample, images=tuple(grey_image(image) for image in sample.images)) for sample in samples
        ]
    return Work(task, samples, total)


def check_images(samples: Sequence[Sample], tried: int = 20) -> None:
    """Raises UserError if not one of the first images is there: then a folder is wrong, not an image."""
    images = list(itertools.islice(dict.fromkeys(image for sample in samples for image in sample.images), tried))
    if images and not any(image_digest(image) for image in images):
        raise UserError(
            f"none of the first {len(images)} images is there, e.g. {images[0].location}; use --image-dir TASK=DIR"
        )


def limit_samples(samples: list[Sample], limit: int | None) -> list[Sample]:
    """About `limit` samples drawn with a fixed seed: from every category its share, groups kept whole, order kept."""
    if limit is None or limit >= len(samples):
        return samples
    groups: dict[str, dict[str, list[Sample]]] = {}
    for sample in samples:
        groups.setdefault(sample.category, {}).setdefault(sample.group or sample.id, []).append(sample)
    rng = random.Random(0)
    queues = [rng.sample(list(members.values()), len(members)) for members in groups.values()]
    # every category keeps pace with the others: next is the one that has had the smallest part of its groups
    order = sorted(
        ((place + 0.5) / len(queue), number, place) for number, queue in enumerate(queues) for place in range(len(queue))
    )
    chosen: set[str] = set()
    for _, number, place in order:
        if len(chosen) >= limit:
            break
        chosen.update(sample.id for sample in queues[number][place])
    return [sample for sample in samples if sample.id in chosen]


def open_run(config: RunConfig, adapter: ModelAdapter, source: DataSource) -> RunFolder:
    """The run that was begun with the same model and data, else a new one."""
    same = {
        "model": config.model.name,
        "options": {key: str(getattr(adapter, key)) for key in option_fields(type(adapter))},
        "task_options": {key: text for key, text in parse_pairs(config.model.options).items() if "." in key},
        "weights": dict(adapter.describe()),
        "data": str(source),
        "annotations": source.annotations,
        "image_dirs": dict(source.image_dirs),
        "blind": config.blind,
    }
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
    standing = {
        "model": config.model.name,
        "total": work.total,
        "limited": len(work.samples) < work.total,
        "demo": work.task.data.kind == "demo",
        "blind": config.blind,
        "annotations": config.annotations and config.annotations.name,
    }
    place.write_samples(work.samples)
    place.write_task({**task_record(work), "standing": standing})
    folder.set_status(label, "infer", total=len(work.samples))
    started = time.perf_counter()
    responses, generated = answer(work, engine, place, config.quiet)
    seconds = time.perf_counter() - started
    folder.set_status(label, "score", total=len(work.samples), answered=len(responses))
    result = score_responses(work.task, work.samples, responses)
    summary = {**result.summary, **standing, "seconds": round(seconds, 3), "generated": generated}
    result = dataclasses.replace(result, summary=summary)
    place.write_scores(result.scores)
    place.write_result(summary)
    state = "infer" if summary["missing"] else "done"
    folder.set_status(label, state, **{key: summary[key] for key in ("n", "missing", "failed", "unparsed")})
    folder.log(f"{label}: {summary['n']} scored, {generated} generated in {seconds:.1f} s, {summary['failed']} failed")
    return result


def task_record(work: Work) -> dict[str, Any]:
    """What is needed to build a task again and to know its data."""
    task = work.task
    rows = [
        (sample.id, sample.question, sample.references, [image.name for image in sample.images]) for sample in work.samples
    ]
    return {
        "name": task.name,
        "protocol": task.protocol,
        "version": task.version,
        "options": {key: None if value is None else str(value) for key, value in task_options(task).items()},
        "data_sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest(),
    }


def answer(work: Work, engine: Engine, place: TaskFolder, quiet: bool) -> tuple[dict[str, Response], int]:
    """Responses by sample id, stored ones first; and how many were asked for now.

    A stored response counts if its request is the same and its images have the same bytes; a failed one is tried again.
    """
    requests = {sample.id: work.task.request(sample) for sample in work.samples}
    digest = functools.cache(image_digest if engine.adapter.reads_images else lambda _: "")

    def seen(sample: str) -> tuple[str, ...]:
        return tuple(map(digest, requests[sample].images))

    responses = {}
    for sample, stored in place.responses().items():
        same = sample in requests and stored.key == requests[sample].key and not stored.response.error
        if same and stored.images == seen(sample):
            responses[sample] = stored.response
            engine.known[engine.adapter.identity(requests[sample])] = stored.response
    todo = [sample for sample in requests if sample not in responses]
    begun = len(responses)
    with place.append_responses() as store, Progress(work.task.label, len(requests), begun, quiet) as progress:
        for answered in engine.run([requests[sample] for sample in todo]):
            rows = []
            for index, response in answered:
                sample = todo[index]
                responses[sample] = response
                own = {"sample": sample, "key": requests[sample].key, "images": seen(sample)}
                rows.append({**own, **dataclasses.asdict(response)})
            store.append(rows)
            progress.advance(len(answered))
    return responses, len(responses) - begun


def check_writable(folder: Path) -> None:
    """Raises UserError before any work if results could not be stored."""
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
