"""Stored runs as a page shows them: how each is called, how it was made, and what its results say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.judge.stored_task import StoredTask, choose_result, stored_task
from mipha_eval.reporting.marks import marks
from mipha_eval.reporting.measured import run_name
from mipha_eval.reporting.model_size import named_size, noted_size
from mipha_eval.reporting.summary import effort, judge_line, lenient_text, score_text, wrapped_lines
from mipha_eval.store.run_folder import RunFolder

#: entries of a manifest that a page shows, see `run.open_run`
MADE = ("model", "started", "mipha_eval", "options", "task_options", "weights", "data", "annotations", "machine", "packages")


@dataclass(frozen=True)
class ShownRun:
    """A run on a page.

    Attributes:
        name: the model's name, with what tells it from the page's other runs.
        results: by label of the task, as ``result.json`` has them; of several judges' the one that is shown.
        others: those of further judges.
    """

    name: str
    folder: RunFolder
    manifest: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]
    others: Mapping[str, Sequence[Mapping[str, Any]]]


def read_runs(paths: Sequence[Path]) -> list[ShownRun]:
    """Raises UserError if one is no run folder, or has not begun a task."""
    folders = [_open(path) for path in dict.fromkeys(path.resolve() for path in paths)]
    manifests = [folder.manifest() for folder in folders]
    names = distinct_names([(folder.path.name, manifest) for folder, manifest in zip(folders, manifests, strict=True)])
    runs = []
    for folder, name, manifest in zip(folders, names, manifests, strict=True):
        if not folder.tasks():
            raise UserError(f"{folder.path} has begun no task; the same command that began it goes on")
        found = {label: folder.results_of(label) for label in folder.tasks()}
        shown = {label: choose_result(results) for label, results in found.items() if results}
        others = {
            label: [each for each in results if each is not shown[label]] for label, results in found.items() if results
        }
        runs.append(ShownRun(name, folder, manifest, shown, others))
    return runs


def stored_result(run: ShownRun, label: str, registry: Registry) -> StoredTask | None:
    """The task of a run with the result that is shown; None if it cannot be built here, for want of its plugin."""
    try:
        task = stored_task(run.folder, label, registry)
    except (UserError, KeyError):
        return None
    record = run.folder.task(label).read_task()
    return StoredTask(run.folder.path, run.name, label, task, record, run.results.get(label, {}))


def _open(path: Path) -> RunFolder:
    if not (path / "manifest.json").is_file():
        inside = len(list(path.glob("*/manifest.json")))
        hint = f"; it holds {inside} runs, name some of them or use mipha-eval leaderboard" if inside else ""
        raise UserError(f"{path} is no run folder: it has no manifest.json{hint}")
    folder = RunFolder.open(path)
    if not isinstance(folder.manifest().get("model"), str):
        raise UserError(f"{path / 'manifest.json'} is damaged: it names no model")
    return folder


def distinct_names(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """What each run is called: its model, if need be with what is special about it, and at last with its folder's name.

    Args:
        runs: name of the folder and manifest.
    """
    plain = [run_name(manifest) for _, manifest in runs]
    names = []
    for name, (folder, manifest) in zip(plain, runs, strict=True):
        own = _features(manifest)
        alike = [_features(other) for (_, other), model in zip(runs, plain, strict=True) if model == name]
        differing = [text for key, text in own.items() if text and any(other.get(key, "") != text for other in alike)]
        unique = sum(features == own for features in alike) == 1
        told = ", ".join([*differing, *([] if unique else [folder.rpartition("__")[2]])])
        names.append(f"{name} ({told})" if told else name)
    return names


def _features(manifest: Mapping[str, Any]) -> dict[str, str]:
    """What may tell two runs of a model apart, as short texts."""
    options = {
        key: f"{key}={value}" for key, value in {**manifest.get("options", {}), **manifest.get("task_options", {})}.items()
    }
    dtype = str(manifest.get("weights", {}).get("dtype", "")).removeprefix("torch.")
    return {**options, " dtype": dtype, " blind": "blind" if manifest.get("blind") else ""}


def run_facts(run: ShownRun) -> dict[str, Any]:
    """What a page says of a run as a whole."""
    made = [(key.replace("_", " "), flat_text(run.manifest[key])) for key in MADE if run.manifest.get(key)]
    return {"name": run.name, "folder": run.folder.path.name, "size": model_size(run.manifest), "made": made}


def flat_text(value: Any) -> str:
    """A manifest's entry as text; of options those that are set."""
    if not isinstance(value, Mapping):
        return str(value)
    return ", ".join(f"{key} {entry}" for key, entry in value.items() if entry not in (None, "None", "", {}))


def model_size(manifest: Mapping[str, Any]) -> float | None:
    """Parameters in billions: as the run noted them, else as the model's name has it (``llava-1.5-13b``)."""
    noted = noted_size(manifest)
    return named_size(run_name(manifest)) if noted is None else noted


def result_facts(result: Mapping[str, Any], others: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What a page shows of a result. Raises UserError if it was not written by a run."""
    try:
        headline = result["headline"]
        metrics, intervals, most = result["metrics"], result["intervals"], result.get("maximum", {})
        kept = (
            "n",
            "missing",
            "failed",
            "unparsed",
            "unlabelled",
            "envelope",
            "lenient",
            "rules",
            "failures",
            "probabilities",
        )
        return {
            "headline": headline,
            "score": score_text(result, headline, metrics.get(headline)),
            "marks": [mark.text for mark in marks(result)],
            "shortMarks": [mark.name for mark in marks(result)],
            "metrics": [
                {
                    "name": name,
                    "value": value,
                    "interval": intervals.get(name),
                    "no_interval": result.get("interval_notes", {}).get(name, ""),
                    "unit": result["units"].get(name, ""),
                    "most": 100 if result["units"].get(name) == "%" else most.get(name),
                }
                for name, value in metrics.items()
            ],
            **{name: result[name] for name in kept},
            "lenient": lenient_text(result),
            "wrapped": wrapped_lines(result),
            **{name: result.get(name) for name in ("total", "equivalence", "certificate")},
            **dict(zip(("seconds", "speed"), effort(result), strict=True)),
            "judges": [line for each in (result, *others) if (line := _judged(each))],
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"a result of {result.get('task', 'a run')} is damaged: {error!r}; mipha-eval run writes it anew"
        ) from error


def _judged(result: Mapping[str, Any]) -> str:
    """A judge's result in a line; empty without a judge."""
    line = judge_line(result)
    name = result["headline"]
    return f"{name} {score_text(result, name, result['metrics'].get(name))}; {line}" if line else ""
