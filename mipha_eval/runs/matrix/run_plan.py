"""What a matrix will take: of each run what is stored already, what is left to ask, and about how long that takes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mipha_eval.core.controls import Control
from mipha_eval.core.errors import ControlError, PluginError, UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.record import record_json
from mipha_eval.engine.task_input import TaskInput, prepare
from mipha_eval.runs.matrix.matrix import Matrix, PlannedRun
from mipha_eval.runs.open_run import decided
from mipha_eval.runs.settings import source_of
from mipha_eval.store.run_folder import RunFolder

#: seconds -> their unit, from the largest
UNITS = {86400: "days", 3600: "hours", 60: "minutes", 1: "seconds"}


@dataclass(frozen=True)
class RunPlan:
    """What one run will take.

    Attributes:
        folder: of the run that it goes on with, if the weights are what they were; None for a new one.
        stored: answers that are there; `questions`: of how many.
        speed: answers a second, by what the stored ones took; None where nobody knows.
        left_out: why tasks will have no result, by label.
    """

    label: str
    folder: Path | None
    stored: int
    questions: int
    speed: float | None
    left_out: Mapping[str, str]

    @property
    def left(self) -> int:
        return self.questions - self.stored

    @property
    def seconds(self) -> float | None:
        """About what the rest takes; None where nobody knows."""
        return 0.0 if not self.left else self.left / self.speed if self.speed else None

    @property
    def record(self) -> dict[str, Json]:
        """For JSON."""
        return {
            "name": self.label,
            "run": str(self.folder) if self.folder else None,
            "questions": self.questions,
            "stored": self.stored,
            "seconds": self.seconds,
            "left_out": dict(self.left_out),
        }


def plan_matrix(matrix: Matrix) -> list[RunPlan]:
    """Reads the questions and what is stored, and nothing else; a model's speed is also that of its controls.

    Raises:
        UserError: the files of a task are not there, or no task has questions.
    """
    asked = {control: _prepared(matrix, control) for control in dict.fromkeys([None, *(run.control for run in matrix.runs)])}
    own = asked[None]
    if all(isinstance(item, str) for item in own.values()):
        raise UserError("; ".join(f"{label}: {why}" for label, why in own.items()))
    beside = [] if matrix.shared.fresh else stored_runs(Path(matrix.shared.output))
    plans = []
    for runs in matrix.by_model():
        part = [_plan(run, asked[run.control], matrix, beside) for run in runs]
        known = next((plan.speed for plan in part if plan.speed), None)
        plans += [replace(plan, speed=plan.speed or known) for plan in part]
    return plans


def _prepared(matrix: Matrix, control: Control | None) -> dict[str, TaskInput | str]:
    """The questions of each task, or why there are none, by its label."""
    found: dict[str, TaskInput | str] = {}
    for task in matrix.tasks:
        try:
            with blaming():
                item = prepare(task, matrix.shared.limit, control)
            found[task.label] = replace(item, probabilities=matrix.shared.probabilities)
        except (PluginError, ControlError) as error:
            found[task.label] = str(error)
    return found


def plan_lines(plans: Sequence[RunPlan]) -> Iterator[str]:
    """A line a run, and the sum of all."""
    for number, plan in enumerate(plans, start=1):
        stored = f"{plan.stored:,} of {plan.questions:,} answers stored" if plan.stored else f"{plan.questions:,} questions"
        left = f", {plan.left:,} to ask{_about(plan.seconds)}" if plan.stored and plan.left else _about(plan.seconds or None)
        place = f" ({plan.folder})" if plan.folder else ""
        yield f"{number}/{len(plans)} {plan.label}: {stored}{left}{place}"
        yield from (f"  {label}: {why}" for label, why in plan.left_out.items())
    yield _total(plans)


def _total(plans: Sequence[RunPlan]) -> str:
    left, stored = sum(plan.left for plan in plans), sum(plan.stored for plan in plans)
    known = sum(plan.seconds or 0.0 for plan in plans)
    unknown = sum(plan.seconds is None for plan in plans)
    beside = f", beside {unknown} whose speed nobody knows yet" if known and unknown else ""
    kept = f", {stored:,} answers are stored" if stored else ""
    return f"{len(plans)} runs: {left:,} questions to ask{_about(known or None)}{beside}{kept}"


def duration(seconds: float) -> str:
    """Seconds in words, as ``2.5 hours``."""
    size, unit = next(((size, unit) for size, unit in UNITS.items() if seconds >= 1.5 * size), (1, "seconds"))
    return f"{seconds / size:.2g} {unit}"


def stored_runs(output: Path) -> list[tuple[RunFolder, dict[str, Json]]]:
    """The runs in a folder with what their manifests say, the newest last."""
    found = []
    for path in sorted(output.glob("*/manifest.json"), key=lambda path: path.parent.name.split("__")[-2:]):
        with contextlib.suppress(UserError):  # a damaged one is no run to go on with
            folder = RunFolder(path.parent)
            found.append((folder, record_json(folder.manifest())))
    return found


def _plan(
    run: PlannedRun,
    tasks: Mapping[str, TaskInput | str],
    matrix: Matrix,
    beside: Sequence[tuple[RunFolder, Mapping[str, Json]]],
) -> RunPlan:
    wanted = json.loads(
        json.dumps(decided(run.model, matrix.shared.task_options, source_of(matrix.tasks), run.control), default=str)
    )
    wanted = {"control": None, "code": None, **wanted}
    same = [folder for folder, manifest in beside if all(manifest.get(key) == value for key, value in wanted.items())]
    asked = {label: item for label, item in tasks.items() if isinstance(item, TaskInput)}
    plan = RunPlan(
        label=run.label,
        folder=None,
        stored=0,
        questions=sum(len(item.samples) for item in asked.values()),
        speed=None,
        left_out={label: item for label, item in tasks.items() if isinstance(item, str)},
    )
    return _going_on(plan, same[-1], asked) if same else plan


def _going_on(plan: RunPlan, folder: RunFolder, asked: Mapping[str, TaskInput]) -> RunPlan:
    """A plan with what a run has stored, and how fast that was answered."""
    efforts = [folder.task(label).effort() for label in asked]
    seconds, timed = sum(effort.seconds for effort in efforts), sum(effort.timed for effort in efforts)
    stored, left_out = 0, dict(plan.left_out)
    for label, item in asked.items():
        try:
            with blaming():
                stored += _stored(folder, item)
        except UserError as error:  # damaged, which this run alone will fail at
            left_out[label] = str(error)
    speed = timed / seconds if seconds else None
    return replace(plan, folder=folder.path, stored=stored, speed=speed, left_out=left_out)


def _stored(folder: RunFolder, item: TaskInput) -> int:
    """How many questions have an answer. Whether pictures are what they were is seen when the run goes on."""
    found = folder.task(item.task.label).responses()
    entries = ((found.get(sample.id), item.request(sample).key) for sample in item.samples)
    return sum(entry is not None and not entry.response.error and entry.key == key for entry, key in entries)


def _about(seconds: float | None) -> str:
    return "" if seconds is None else f", about {duration(seconds)}"
