"""mipha-eval: exact, fast and honest evaluation of multimodal models.

Its functions are `evaluate`, `evaluate_all`, `score`, `score_again`, `load_run`, `load_runs`, `compare`, `visual_gains` and
`report`; then what they give, and what plugins are made of. Each is imported when it is first asked for. docs/python.md
shows them at work.
"""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mipha_eval.comparison.result import Comparison
    from mipha_eval.core.adapter import ModelAdapter
    from mipha_eval.core.errors import UserError
    from mipha_eval.core.judged_task import JudgedTask
    from mipha_eval.core.metrics import Metric, share
    from mipha_eval.core.reading import Reading
    from mipha_eval.core.task import Task
    from mipha_eval.core.types import Decoding, Image, Request, Response, Sample, Score
    from mipha_eval.core.upload_task import UploadTask
    from mipha_eval.reporting.make import report
    from mipha_eval.runs.compare import compare
    from mipha_eval.runs.evaluate import evaluate, score, score_again
    from mipha_eval.runs.gains import visual_gains
    from mipha_eval.runs.matrix.evaluate_all import evaluate_all
    from mipha_eval.runs.matrix.matrix_result import MatrixResult
    from mipha_eval.runs.run import TasksFailedError
    from mipha_eval.runs.stored_run import Run, load_run, load_runs
    from mipha_eval.runs.task_result import Result

__version__ = "0.2.0"

# tasks and model adapters are part of this package: a wheel has them inside it, a checkout beside it
if not Path(__path__[0], "tasks").is_dir():
    __path__.append(str(Path(__path__[0]).parent))

# what the library says is for whoever sets logging up, such as the command line
logging.getLogger(__name__).addHandler(logging.NullHandler())

#: public names -> the modules that have them
_HOMES = {
    **dict.fromkeys(("evaluate", "score", "score_again"), "runs.evaluate"),
    **dict.fromkeys(("Run", "load_run", "load_runs"), "runs.stored_run"),
    "Result": "runs.task_result",
    "visual_gains": "runs.gains",
    "evaluate_all": "runs.matrix.evaluate_all",
    "MatrixResult": "runs.matrix.matrix_result",
    "TasksFailedError": "runs.run",
    "compare": "runs.compare",
    "Comparison": "comparison.result",
    "report": "reporting.make",
    "UserError": "core.errors",
    "Task": "core.task",
    "JudgedTask": "core.judged_task",
    "UploadTask": "core.upload_task",
    "ModelAdapter": "core.adapter",
    **dict.fromkeys(("Metric", "share"), "core.metrics"),
    "Reading": "core.reading",
    **dict.fromkeys(("Decoding", "Image", "Request", "Response", "Sample", "Score"), "core.types"),
}

__all__ = [
    "Comparison",
    "Decoding",
    "Image",
    "JudgedTask",
    "MatrixResult",
    "Metric",
    "ModelAdapter",
    "Reading",
    "Request",
    "Response",
    "Result",
    "Run",
    "Sample",
    "Score",
    "Task",
    "TasksFailedError",
    "UploadTask",
    "UserError",
    "compare",
    "evaluate",
    "evaluate_all",
    "load_run",
    "load_runs",
    "report",
    "score",
    "score_again",
    "share",
    "visual_gains",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'mipha_eval' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"mipha_eval.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
