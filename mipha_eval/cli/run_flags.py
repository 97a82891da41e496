"""Flags of verbs that ask a model: what is asked, of whom, with which files, how it runs and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags, worker_flags
from mipha_eval.cli.completion import model_names, task_names
from mipha_eval.cli.flag_groups import FlagGroup, is_typed
from mipha_eval.cli.judge_flags import JudgeFlags
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.core.plugins.references import is_suites, is_table, split_names
from mipha_eval.runs.defaults import OUTPUT

DEFAULT_MODEL = "mipha-tiny"

Tasks = Annotated[
    Optional[list[str]],
    typer.Option("--tasks", "-t", autocompletion=task_names, help="Tasks as a,b@protocol or repeated; all for all."),
]
Limit = Annotated[Optional[int], typer.Option("--limit", "-L", min=1, help="About N questions a task.")]
Blind = Annotated[bool, typer.Option("--blind", help="Short for --control blind.")]
Probabilities = Annotated[
    bool, typer.Option("--probabilities", help="Also how probable each possible answer is: AUC, calibration.")
]
Model = Annotated[
    Optional[str],
    typer.Option(
        "--model",
        "-m",
        autocompletion=model_names,
        help="A model; see `mipha-eval list models`.",
        show_default=DEFAULT_MODEL,
    ),
]
Models = Annotated[
    Optional[Path],
    typer.Option(
        "--models", exists=True, help="A TOML file of models, options and controls, evaluated one after the other."
    ),
]
Check = Annotated[
    Optional[int],
    typer.Option(
        "--check", min=0, help="Make N answers a task again, sharing nothing, and compare; 0 for none, else a few a run."
    ),
]
Plan = Annotated[bool, typer.Option("--plan", help="Tell what is stored already and what is left to ask, and do nothing.")]
Output = Annotated[Path, typer.Option("--output", "-o", envvar="MIPHA_EVAL_OUT", help="Folder for run folders.")]


@dataclass(frozen=True)
class TableFlags(FlagGroup):
    """What is said of tasks whose name alone does not say all: tables of questions, and lmms-eval's."""

    heading = "Tables of questions, and lmms-eval's tasks"
    rare = frozenset({"columns", "kind", "scorer", "lmms_include"})

    columns: flags.Columns = None
    kind: flags.Kind = None
    scorer: flags.Scorer = None
    lmms_include: flags.LmmsInclude = None

    def completed(self, names: Sequence[str]) -> list[str]:
        """Names of tasks, with what these flags say of them. Raises UserError for what is typed and says nothing of them."""
        table, include = any(map(is_table, names)), any(map(is_suites, names))
        texts = (getattr(self, name) if table or is_typed(name) else None for name in ("columns", "kind", "scorer"))
        folders = self.lmms_include if include or is_typed("lmms_include") else None
        return flags.with_include(flags.with_table(names, *texts), folders)


@dataclass(frozen=True)
class TaskFlags(TableFlags):
    """What is asked."""

    heading = "What is asked"
    rare = TableFlags.rare | {"blind"}

    tasks: Tasks = None
    limit: Limit = None
    control: flags.ControlName = None
    probabilities: Probabilities = False
    blind: Blind = False

    @property
    def named(self) -> list[str]:
        """Names of tasks, with what other flags say of them. Raises UserError."""
        return self.completed(split_names(self.tasks or ()))


@dataclass(frozen=True)
class ModelFlags(FlagGroup):
    """Who is asked."""

    heading = "Model"
    rare = frozenset({"as_published", "dtype", "no_share", "compile", "allow_bin", "serve"})

    model: Model = None
    options: flags.Options = None
    models: Models = None
    plugin: flags.Plugins = None
    device: flags.Device = None
    dtype: flags.Dtype = None
    no_share: flags.NoShare = False
    compile: flags.Compile = False
    allow_bin: flags.AllowBin = False
    serve: flags.Serve = None
    as_published: flags.AsPublished = False

    @property
    def name(self) -> str:
        """The model that is named, else the small one that is always there."""
        return self.model or DEFAULT_MODEL

    @property
    def flagged(self) -> dict[str, str]:
        """Options of the model that have flags of their own, as far as these were given."""
        return flags.model_options(self.device, self.dtype, self.no_share, self.compile, self.allow_bin, self.serve)


@dataclass(frozen=True)
class DataFlags(FlagGroup):
    """Where the tasks' files are."""

    heading = "Data"
    rare = frozenset({"annotations", "image_dir"})

    data: flags.Data = None
    annotations: flags.Annotations = None
    image_dir: flags.ImageDirs = None

    @property
    def image_dirs(self) -> dict[str, Path]:
        """Folders of images by task. Raises UserError for one that does not exist."""
        return flags.image_dirs(self.image_dir)


@dataclass(frozen=True)
class HowFlags(FlagGroup):
    """How it runs."""

    heading = "How it runs"
    rare = frozenset({"threads", "cluster", "gpus_per_worker", "worker_timeout", "plan"})

    batch_size: flags.BatchSize = "auto"
    fresh: flags.Fresh = False
    check: Check = None
    workers: worker_flags.Workers = None
    cluster: worker_flags.Cluster = None
    gpus_per_worker: worker_flags.Gpus = None
    worker_timeout: worker_flags.Timeout = WorkerSettings.timeout
    threads: flags.Threads = None
    plan: Plan = False

    @property
    def batch(self) -> int | None:
        """Requests a batch; None for as many as fit. Raises UserError."""
        return flags.batch_size(self.batch_size)

    @property
    def crew(self) -> WorkerSettings | None:
        """Who answers; None for this process. Raises UserError."""
        return worker_flags.settings(self.workers, self.cluster, self.gpus_per_worker, self.worker_timeout, self.threads)


@dataclass(frozen=True)
class OutputFlags(FlagGroup):
    """What comes out."""

    heading = "Output"

    output: Output = Path(OUTPUT)
    json: flags.Json = False


@dataclass(frozen=True)
class RunFlags:
    """All that a user says of a run, by groups."""

    what: TaskFlags
    who: ModelFlags
    where: DataFlags
    judge: JudgeFlags
    how: HowFlags
    out: OutputFlags
