"""What one run has on one task, question by question, as it stored it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.task import UNGRADED, Task
from mipha_eval.core.types import Image, Response, Sample, Score
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.judge.grading import stored_answers
from mipha_eval.judge.stored_task import StoredTask
from mipha_eval.page.runs import ShownRun, built_task, stored_result
from mipha_eval.page.thumbnails import Origin
from mipha_eval.page.verdicts import Said, stored_verdicts
from mipha_eval.store.equivalence import Check
from mipha_eval.store.manifest import Manifest

#: what became of a question; the letter is small where nobody could say what was answered
RIGHT, PARTLY, WRONG, FAILED, MISSING, UNLABELLED, UNJUDGED, NOT_ASKED = "RPWFMUJ-"


@dataclass(frozen=True)
class Outcomes:
    """A run's questions and what it made of them; everything but `samples` by sample id.

    Attributes:
        samples: in the run's order, by what makes a question the same in two runs.
        task: what the run's task was; None if it cannot be built here, for want of its plugin.
        verdicts: what judges said.
        checks: records of ``equivalence.json``.
        origin: finds pictures that are no files.
    """

    samples: Mapping[Hashable, Sample]
    responses: Mapping[str, Response]
    scores: Mapping[str, Score]
    verdicts: Mapping[str, list[Said]]
    checks: Mapping[str, Check]
    task: Task | None
    origin: Origin

    def standing(self, question: Hashable) -> tuple[str, float | None]:
        """A letter for what became of a question, and what its answer is worth, where it was scored."""
        sample = self.samples.get(question)
        if sample is None:
            return NOT_ASKED, None
        score, response = self.scores.get(sample.id), self.responses.get(sample.id)
        if response is not None and response.error:
            return FAILED, None
        if score is None:
            return UNLABELLED if response is not None and not sample.target else MISSING, None
        if score.rule in UNGRADED:
            return UNJUDGED, None
        state = RIGHT if score.value >= 1 else WRONG if score.value <= 0 else PARTLY
        return state if score.parsed else state.lower(), score.value


def question_key(sample: Sample) -> Hashable:
    """What makes a question the same in two runs: not its id alone, since releases change under the same ids."""
    return sample.id, sample.prompt, sample.label_texts, tuple(image.name for image in sample.images)


def read_outcomes(run: ShownRun, label: str, registry: Registry) -> Outcomes:
    """Raises UserError if a stored file is damaged."""
    place = run.folder.task(label)
    task, stored = built_task(run, label, registry), stored_result(run, label, registry)
    samples = place.samples()
    responses = _responses(run, label, task)
    scores = _scores(run, label, stored)
    return Outcomes(
        samples={question_key(sample): sample for sample in samples},
        responses=responses,
        scores={score.sample: score for score in scores},
        verdicts={} if task is None else stored_verdicts(place, task, samples, responses, scores),
        checks={check.sample: check for check in run.folder.equivalence() if check.task == label},
        task=task,
        origin=Origin(lambda: {} if task is None else pictures_of(task, run.manifest)),
    )


def _responses(run: ShownRun, label: str, task: Task | None) -> Mapping[str, Response]:
    """Those that belong to the questions as they are asked now; a task that is another today cannot tell."""
    place = run.folder.task(label)
    if task is not None and place.read_task().version == task.version:
        return stored_answers(run.folder, task).responses
    return {name: entry.response for name, entry in place.responses().items()}


def _scores(run: ShownRun, label: str, stored: StoredTask | None) -> Sequence[Score]:
    """Those that led to the result that is shown, perhaps by a further judge; none before the task was scored."""
    if label not in run.results:
        return []
    return run.folder.task(label).scores() if stored is None else stored.scores


def pictures_of(task: Task, manifest: Manifest) -> dict[str, Image]:
    """The pictures of the data that a run had, by location; empty if they are not there any more."""
    data = manifest.data
    # a run does not say whether a folder is LLaVA's layout or a mirror of the hub
    for source in (data,) if data in ("demo", "hub") else (data, f"hub:{data}"):
        with contextlib.suppress(UserError):
            samples = read_samples(dataclasses.replace(task, data=parse_source(source, {})))
            return {image.location: image for sample in samples for image in sample.images}
    return {}
