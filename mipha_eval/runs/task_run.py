"""One task while a run goes on: what is stored, what is asked, and what comes of it."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import random
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import GivenUpError, PluginError, UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.plugins.blame import blaming, told
from mipha_eval.core.plugins.checks.models import identity_of
from mipha_eval.core.stage import stage
from mipha_eval.core.types import Image, Request, Response, Sample
from mipha_eval.engine.distinct import IndexedResponses
from mipha_eval.engine.self_check import CheckedAnswer
from mipha_eval.engine.task_input import TaskInput, task_record
from mipha_eval.judge.grading import Grading, JudgeQueue
from mipha_eval.judge.session import Session
from mipha_eval.runs.scored_before import inputs_digest, scored_before
from mipha_eval.scoring.result import Scored, score_responses
from mipha_eval.scoring.result_record import CheckCounts, Effort
from mipha_eval.scoring.run_context import RunContext
from mipha_eval.store.effort import effort_of
from mipha_eval.store.journal import Appender
from mipha_eval.store.responses import Stored, response_json
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.status import TaskStatus
from mipha_eval.store.workers_note import workers_note

Digest = Callable[[Image], str]

TRIED = 20  # answers drawn for each one to be checked, since failed ones are of no use


@dataclass
class TaskRun:
    """The main thread asks and calls `receive`; `announce`, `store` and `finish` are done beside it.

    Attributes:
        journal: where responses are appended.
        run_context: what a result says of the model and the data beside its numbers.
        digest: identifies an image's bytes.
        requests: one a sample.
        responses: by sample id, stored and new.
        todo: places of the samples that are asked now.
        drawn: those of them whose answers may be checked, in the order in which they were drawn.
        generated: how many of these have been answered.
        judge_queue: hands answers to a judge; None where none is asked.
        announced: whether the run's status says that it is being asked.
        failure: why it has no result; what was answered is kept all the same.
        seconds: that these took.
        took: seconds that an answer took, by sample id, those of before among them; of what was not measured there are none.
        installation: as it was when the run began, see `installation_digest`; "" where results are not to be sealed.
        inputs: of the result that this command has written, see `inputs_digest`; "" where it has written none.
        anew: whether it was scored by this command.
    """

    work: TaskInput
    folder: RunFolder
    journal: Appender
    run_context: RunContext
    digest: Digest
    requests: Sequence[Request]
    responses: dict[str, Response] = field(default_factory=dict)
    todo: list[int] = field(default_factory=list)
    drawn: Mapping[int, None] = field(default_factory=dict)
    generated: int = 0
    seconds: float = 0.0
    took: dict[str, float] = field(default_factory=dict)
    announced: bool = False
    judge_queue: JudgeQueue | None = None
    result: Scored | None = None
    failure: Exception | None = None
    installation: str = ""
    inputs: str = ""
    anew: bool = False

    @property
    def label(self) -> str:
        return self.work.task.label

    @property
    def left(self) -> int:
        """How many answers are still to come."""
        return len(self.todo) - self.generated

    def announce(self) -> None:
        """Notes in the run's status, once, that the task is being asked."""
        if not self.announced:
            self.folder.set_status(self.label, TaskStatus("infer", total=len(self.work.samples)))
            self.announced = True

    def receive(self, answered: IndexedResponses, share: float) -> None:
        """Notes (place in `todo`, response) pairs.

        Args:
            share: seconds that each took, its part of the batch's time. So the seconds of tasks that share pictures add up
                to the time of the run, and no time is counted twice.
        """
        share = round(share, 8)  # as it is stored
        for number, response in answered:
            name = self.work.samples[self.todo[number]].id
            self.responses[name], self.took[name] = response, share
        self.generated += len(answered)
        self.seconds += share * len(answered)

    def store(self, answered: IndexedResponses) -> None:
        """Appends what was received to ``responses.jsonl``; what only checks look at is kept of the drawn ones alone."""
        self.announce()
        self._append((self.todo[number], response) for number, response in answered)
        for number, response in answered:
            if response.top and self.todo[number] not in self.drawn:
                self.responses[self.work.samples[self.todo[number]].id] = response.without_top
        if self.judge_queue is not None:
            self._judge(
                self.judge_queue, ((self.work.samples[self.todo[number]], response) for number, response in answered)
            )

    def _append(self, answers: Iterable[tuple[int, Response]]) -> None:
        """Writes (place, response) pairs."""
        rows = []
        for place, response in answers:
            request, name = self.requests[place], self.work.samples[place].id
            own: dict[str, Json] = {"sample": name, "key": request.key, "images": self.seen(request)}
            time = {"seconds": self.took[name]} if name in self.took else {}
            rows.append({**own, **response_json(response), **time})
        self.journal.append(rows)

    def is_answered_by(self, place: int, stored: Stored) -> bool:
        """Whether a stored response counts: its request is the same, and its images have the same bytes. A failed one is
        tried again.
        """
        request = self.requests[place]
        return not stored.response.error and stored.key == request.key and stored.images == self.seen(request)

    def take(self, stored: Mapping[str, Stored], places: Iterable[int], run: str) -> None:
        """Takes another run's answers to these places' questions as far as they count, and stores them as its own.

        Args:
            run: what the other run is called, for the log.
        """
        found = {place: stored.get(self.work.samples[place].id) for place in places}
        taken = {
            place: dataclasses.replace(each.response.repeated, worker=None)  # the number is another run's
            for place, each in found.items()
            if each is not None and self.is_answered_by(place, each)
        }
        if taken:
            self._append(taken.items())
            self.responses |= {self.work.samples[place].id: response for place, response in taken.items()}
            self.todo = [place for place in self.todo if place not in taken]
            self.folder.log.note(f"{self.label}: {len(taken)} answers to the same requests are taken from {run}")

    def _judge(self, judge_queue: JudgeQueue, answers: Iterable[tuple[Sample, Response]]) -> None:
        """Hands answers to the judge."""
        try:
            with blaming():
                for sample, response in answers:
                    judge_queue.add(sample, response)
        except PluginError as error:  # this task's alone
            self.judge_queue = None
            self.fail(error)

    def draw(self, count: int) -> None:
        """Draws which of this command's answers may be checked, with a fixed seed: enough for `count` that did not fail."""
        self.drawn = dict.fromkeys(random.Random(self.label).sample(self.todo, min(len(self.todo), TRIED * count)))

    def some_answers(self, count: int) -> list[CheckedAnswer]:
        """Up to `count` of the drawn answers, once all are there; failed ones are left out."""
        asked = ((self.work.samples[place].id, self.requests[place]) for place in self.drawn)
        given = [CheckedAnswer(name, request, self.responses[name]) for name, request in asked]
        return [each for each in given if not each.response.error][:count]

    def effort(self) -> Effort:
        """What the answers took that are there, whatever commands made them; `generated` are this command's."""
        before, now = self.folder.task(self.label).effort_of_all(), Effort(self.seconds, self.generated, self.generated)
        return effort_of(self.responses, self.took, before, now)

    def finish(self, checks: CheckCounts | None) -> None:
        """Scores everything that was answered, and writes scores and result; what fails there is this task's failure alone.

        Args:
            checks: what the result says of answers that were made again alone.
        """
        if self.failure is not None:
            return
        try:
            with stage(f"scoring {self.label}"), blaming():
                self._finish(checks)
        except GivenUpError:
            self.folder.log.note(f"{self.label}: not scored, since the run was stopped")
        except Exception as error:  # the other tasks of the run go on
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Notes why the task has no result, in the run's status, too."""
        self.failure = error
        note_failure(self.folder, self.label, error, total=len(self.work.samples), answered=len(self.responses))

    def _finish(self, checks: CheckCounts | None) -> None:
        label, place, total = self.label, self.folder.task(self.label), len(self.work.samples)
        self.folder.set_status(label, TaskStatus("score", total=total, answered=len(self.responses)))
        judged = self.judge_queue.judged if self.judge_queue else None
        self.requests = ()  # a million of them are memory that scoring needs
        inputs = inputs_digest(self.work, self.responses, judged, self.installation)
        before = scored_before(place, inputs)
        result = before or score_responses(self.work.task, self.work.samples, self.responses, judged)
        note = workers_note(self.responses.values(), self.folder.manifest())
        summary = result.summary.of_run(self.run_context, self.effort(), checks, note)
        self.anew = before is None
        if before is None:
            place.write_scores(result.scores)
        if before is None or summary != before.summary:
            place.write_result(summary)
            self.inputs = inputs
        pending = summary.judge is not None and summary.judge.pending
        state = "infer" if summary.missing else "judge" if pending else "done"
        counts = {key: getattr(summary, key) for key in ("n", "missing", "failed", "unparsed")}
        self.folder.set_status(label, TaskStatus(state, **counts))
        told = "scored" if self.anew else "scored before"
        self.folder.log.note(
            f"{label}: {summary.n} {told}, {self.generated} generated in {self.seconds:.1f} s, {summary.failed} failed"
        )
        self.result = dataclasses.replace(result, summary=summary)

    def seal(self) -> None:
        """Notes what the result was made of, so that it need not be made again."""
        with contextlib.suppress(UserError):  # without the note it is made again
            if self.inputs:
                self.folder.task(self.label).write_seal(self.inputs)

    def send_to(self, grading: Grading, session: Session, files: ExitStack) -> None:
        """Has a judge grade the answers, if it is one for this task: those that are stored now, the others as they come.

        Args:
            files: closes the file of verdicts; must outlive the session.
        """
        if not grading.use.applies(self.work.task):
            return
        verdicts = files.enter_context(grading.verdicts(self.folder.task(self.label).path))
        self.judge_queue = JudgeQueue(self.work.task, self.work.samples, grading.judged(verdicts), session)
        stored = [sample for sample in self.work.samples if sample.id in self.responses]
        self._judge(self.judge_queue, ((sample, self.responses[sample.id]) for sample in stored))

    def seen(self, request: Request) -> tuple[str, ...]:
        """Digests of a request's images."""
        return tuple([self.digest(image) for image in request.images])


def note_failure(folder: RunFolder, label: str, error: Exception, **counts: int) -> None:
    """Writes into a run's status and log that a task failed and why, as far as anything can be written."""
    reason = str(error) if isinstance(error, UserError) else told(error)
    with contextlib.suppress(UserError):
        folder.set_status(label, TaskStatus("failed", reason, **counts))
        folder.log.note(f"{label}: failed: {reason}", logging.ERROR)


def open_task(work: TaskInput, folder: RunFolder, journal: Appender, run_context: RunContext, digest: Digest) -> TaskRun:
    """Writes down what is asked, and finds what is answered already, see `TaskRun.is_answered_by`."""
    place = folder.task(work.task.label)
    requests = [work.request(sample) for sample in work.samples]
    otherwise = work.control is not None or bool(work.asking.given)
    place.write_samples(work.samples, [request.key for request in requests] if otherwise else ())
    place.write_task(task_record(work, run_context))
    task = TaskRun(work, folder, journal, run_context, digest, requests)
    stored = place.responses()
    for number, sample in enumerate(work.samples):
        entry = stored.get(sample.id)
        if entry is not None and task.is_answered_by(number, entry):
            task.responses[sample.id] = entry.response
            if entry.seconds is not None:
                task.took[sample.id] = entry.seconds
        else:
            task.todo.append(number)
    return task


def known_responses(tasks: Sequence[TaskRun], adapter: ModelAdapter) -> dict[Hashable, Response]:
    """Stored responses by request identity, for other tasks that ask the same; none if nothing is asked."""
    if not any(task.todo for task in tasks):
        return {}
    return {
        identity_of(adapter, request): task.responses[sample.id]
        for task in tasks
        for sample, request in zip(task.work.samples, task.requests, strict=True)
        if sample.id in task.responses
    }
