"""Whether a task was scored before from the very same: then its result is read, and nothing is scored again."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping

from mipha_eval.core.json_line import to_json
from mipha_eval.core.plugins.blame import foreign_parts
from mipha_eval.core.plugins.selection import task_options
from mipha_eval.core.record import record_json
from mipha_eval.core.suite_task import SuiteTask
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.engine.task_input import TaskInput, task_record
from mipha_eval.judge.judged import Judged
from mipha_eval.scoring.result import Scored
from mipha_eval.scoring.tables.table_task import definition_of
from mipha_eval.store.responses import response_json
from mipha_eval.store.task_folder import TaskFolder

#: fields of a response that no scorer is given: what only checks look at, and which of a run's workers made it
UNSCORED = ("top", "worker")


def inputs_digest(work: TaskInput, responses: Mapping[str, Response], judged: Judged | None, installation: str) -> str:
    """Identifies all that decides a task's scores and numbers; "" where that cannot be told.

    What a run says beside the numbers (`ResultRecord.of_run`) is not in it: that is put together anew each time.

    Args:
        responses: by sample id.
        installation: see `installation_digest`.
    """
    task = work.task
    if not installation or not is_known(task):
        return ""
    source = task.data
    folders = {name: str(folder) for name, folder in source.image_dirs.items()}
    options = {name: repr(value) for name, value in task_options(task).items()}
    record = [record_json(task_record(work)), type(task).__module__, type(task).__qualname__, options]
    digest = hashlib.sha256(to_json([installation, record, str(source), str(source.annotations), folders]).encode())
    for sample in work.samples:
        digest.update(_line(sample, responses.get(sample.id)))
    digest.update(to_json(judged.settled if judged else None).encode())
    return digest.hexdigest()


def _line(sample: Sample, response: Response | None) -> bytes:
    """A question with its answer."""
    names = [image.name for image in sample.images]
    texts = (sample.id, sample.prompt, sample.target, sample.choices, sample.category, sample.group, sample.tags)
    told: list[object] = [texts, sample.question, repr(sample.question_id), names]
    if response is not None:
        told.append({name: value for name, value in response_json(response).items() if name not in UNSCORED})
    return f"{to_json(told)}\n".encode()


def is_known(task: Task) -> bool:
    """Whether all that scores a task is known: this package's code, or that for a table of questions.

    A plugin's code may read whatever it likes, a list of synonyms or the time; so do other suites.
    """
    owner = type(task)
    own = getattr(sys.modules.get(owner.__module__), owner.__qualname__, None) is owner and not foreign_parts(owner)
    return not isinstance(task, SuiteTask) and (own or definition_of(task) is not None)


def scored_before(place: TaskFolder, inputs: str) -> Scored | None:
    """What a task's folder has, if it was made of these inputs; None if it was not, or is not as it was written."""
    if not inputs or not place.is_sealed(inputs):
        return None
    return Scored(place.scores(), place.results()[0])
