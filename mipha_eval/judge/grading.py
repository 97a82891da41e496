"""The order of judging: which judge, which answers, where its verdicts are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.plugins.checks.scores import checked_score
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model
from mipha_eval.core.stage import stage
from mipha_eval.core.suite_task import SuiteTask
from mipha_eval.core.task import Task
from mipha_eval.core.types import Answer, Response, Sample
from mipha_eval.engine.backend import InProcess
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.engine.progress.progress import Progress
from mipha_eval.engine.task_input import TaskInput
from mipha_eval.judge.adapter_judge import AdapterJudge
from mipha_eval.judge.calibrations import find_calibration
from mipha_eval.judge.judge import Judge
from mipha_eval.judge.judged import Judged, JudgeSettings
from mipha_eval.judge.openai_judge import OpenAIJudge
from mipha_eval.judge.recorded import RecordedGrades
from mipha_eval.judge.session import Session
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.judge.verdicts import Verdicts, stored_judges, stored_rows
from mipha_eval.models.served.spending import Spending
from mipha_eval.scoring.judging.judge_notes import judge_notes
from mipha_eval.scoring.judging.prompts import prompts_digest
from mipha_eval.scoring.judging.ungraded import answer_groups
from mipha_eval.scoring.result import Scored, score_responses
from mipha_eval.store.run_folder import RunFolder


@dataclass(frozen=True)
class Grading:
    """A judge ready to be asked, and what it is asked for."""

    judge: Judge
    use: JudgeSettings
    choice: JudgeChoice | None = None

    @property
    def notes(self) -> dict[str, Json]:
        """What stands beside the verdicts, and travels with scores."""
        price = self.choice.prices if self.choice else None
        return {
            **self.judge.describe(),
            "prompts": prompts_digest(),
            "runs": self.use.runs,
            "correctness": self.use.correctness,
            **({"usd_per_million_tokens": [price.prompt, price.reply]} if price else {}),
        }

    def check(self, tasks: Sequence[Task]) -> None:
        """Raises UserError for a judge that no task has use for, or one beside a rule that stands in for it."""
        if not any(self.use.applies(task) or (isinstance(task, SuiteTask) and task.asks_judge) for task in tasks):
            labels = ", ".join(task.label for task in tasks)
            raise UserError(
                f"{labels}: no judge grades this, unless it is asked whether answers are correct", flag="--judge-correctness"
            )
        judged = (task for task in tasks if isinstance(task, JudgedTask))
        ruled = next((task for task in judged if task.stand_in and task.data.kind != "demo"), None)
        if ruled is not None:
            raise UserError(f"{ruled.label} is graded by rule, as asked, or by a judge, not both; leave one out")

    def verdicts(self, folder: Path | None, prefix: str = "") -> Verdicts:
        return Verdicts(folder, self.judge.name, self.notes, prefix)

    def judged(self, verdicts: Verdicts) -> Judged:
        return Judged(verdicts, self.use, find_calibration(self.judge.name, self.notes))

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """While entered, the judge is ready to answer. Raises UserError if it cannot be."""
        try:
            with stage(f"loading judge {self.judge.name}"):
                self.judge.load()
            yield
        finally:
            self.judge.give_back()

    @contextmanager
    def session(self, interrupted: Callable[[], bool], *, quiet: bool) -> Iterator[Session]:
        """A session to submit cases to; waits for them all when it is left."""
        choice = self.choice or JudgeChoice("recorded")
        spending = Spending(choice.budget, choice.prices)
        with Session(self.judge, self.judge.at_once or choice.concurrency, spending) as session:
            yield session
            wait_for(session, interrupted, quiet=quiet)


def begin_grading(choice: JudgeChoice | None, grades: Path | None, registry: Registry) -> Grading | None:
    """The judge that was asked for, if any; a model in this process is not loaded yet.

    Raises:
        UserError: no key, no such model, a broken grade file, or two judges at once.
    """
    if choice is not None and grades is not None:
        raise UserError(
            "recorded grades are replayed and a judge is asked for new ones; give one of them", flag="--grades, --judge"
        )
    if grades is not None:
        recorded = RecordedGrades(grades)
        return Grading(recorded, JudgeSettings(recorded.runs))
    if choice is None:
        return None
    return Grading(build_judge(choice, registry), JudgeSettings(choice.runs, choice.correctness), choice)


def build_judge(choice: JudgeChoice, registry: Registry) -> Judge:
    """A judge behind a server, or the model at a path, which `Judge.load` reads, here or in workers."""
    if choice.local is None:
        return OpenAIJudge(choice)
    if choice.base_url is not None:
        raise UserError(
            f"judge {choice.model} is loaded here; leave the server's address out, or name a model of that server"
        )
    model = build_model("hf-text", {"path": str(choice.local)}, registry)
    if choice.workers is None:
        return AdapterJudge(choice.name, InProcess(model.adapter))
    from mipha_eval.cluster.of_model import workers_of

    return AdapterJudge(choice.name, workers_of(model, choice.workers), choice.workers.count or 1)


def wait_for(session: Session, interrupted: Callable[[], bool], *, quiet: bool) -> None:
    """Waits for all that was submitted. Ctrl-C lets what is under way come to its end; a second one does not."""
    label, told = f"judge {session.judge.name}", session.finished
    with Progress({label: (session.submitted, told)}, quiet) as progress:
        done = False
        while not done:
            done = session.wait(0.2)
            progress.advance(label, session.finished - told)
            told = session.finished
            if interrupted():
                session.stop("stopped by the user")


class JudgeQueue:
    """Hands a task's answers to a judge, a group as soon as its last answer is there."""

    def __init__(self, task: Task, samples: Sequence[Sample], judged: Judged, session: Session) -> None:
        self.judged = judged
        self._task, self._session = task, session
        self._places = {sample.id: place for place, sample in enumerate(samples)}
        self._left = Counter(sample.group or sample.id for sample in samples)
        self._answered: dict[str, list[tuple[Sample, Response]]] = {}

    def add(self, sample: Sample, response: Response) -> None:
        """Notes an answer, perhaps a failed one, which nobody judges."""
        name = sample.group or sample.id
        self._left[name] -= 1
        self._answered.setdefault(name, []).append((sample, response))
        if not self._left[name]:
            group = sorted(self._answered.pop(name), key=lambda pair: self._places[pair[0].id])
            fine = [(each, given) for each, given in group if not given.error and each.target]
            scores = [checked_score(self._task, each.id, self._task.score(each, given)) for each, given in fine]
            by_id = {each.id: each for each, _ in fine}
            for answers in answer_groups(by_id, {each.id: given for each, given in fine}, scores):
                submit(self._session, self._task, self.judged, answers)


def submit(session: Session, task: Task, judged: Judged, answers: Sequence[Answer]) -> None:
    """Hands a group of answers to the judge, unless stored verdicts settle it."""
    case = judged.case(task, answers)
    if case is not None:
        session.submit(case)


@dataclass(frozen=True)
class TaskAnswers:
    """A task, its questions and the responses to them, by sample id.

    Attributes:
        took: seconds that a response took, by sample id, as far as they are stored.
    """

    task: Task
    samples: Sequence[Sample]
    responses: Mapping[str, Response]
    took: Mapping[str, float] = field(default_factory=dict)

    def score(self, judged: Judged | None) -> Scored:
        return score_responses(self.task, self.samples, self.responses, judged)


def stored_answers(folder: RunFolder, task: Task) -> TaskAnswers:
    """A task's questions as a run keeps them, and the responses that belong to them: to what was asked last."""
    stored = folder.task(task.label)
    rows = stored.stored_samples()
    samples = [row.sample for row in rows]
    work = TaskInput(task, samples, len(samples), stored.read_task().probabilities)
    keys = {sample.id: row.asked or work.request(sample).key for row, sample in zip(rows, samples, strict=True)}
    answered = stored.responses()
    counted = {name: entry for name, entry in answered.items() if keys.get(name) == entry.key}
    took = {name: entry.seconds for name, entry in counted.items() if entry.seconds is not None}
    return TaskAnswers(task, samples, {name: entry.response for name, entry in counted.items()}, took)


def judge_answers(work: Sequence[tuple[TaskAnswers, Verdicts]], grading: Grading) -> list[Judged]:
    """Asks a judge what the verdicts on answers still lack, in one session and with one budget. Ctrl-C ends it early."""
    found = [grading.judged(verdicts) for _, verdicts in work]
    with Interrupt() as interrupt, ExitStack() as files:
        for judged in found:
            files.enter_context(judged.verdicts)
        files.enter_context(grading.loaded())
        with grading.session(interrupt.asked, quiet=False) as session:
            for (answered, _), judged in zip(work, found, strict=True):
                there = [sample for sample in answered.samples if sample.id in answered.responses]
                judge_queue = JudgeQueue(answered.task, there, judged, session)
                for sample in there:
                    judge_queue.add(sample, answered.responses[sample.id])
    return found


def judges_of(folder: Path) -> list[Judged]:
    """The judges whose verdicts on a task are stored, ready for scoring."""
    judges = stored_judges(folder)
    unknown = {row.judge for row in stored_rows(folder)} - judges.keys()
    if unknown:
        raise UserError(f"{folder / 'judges.json'} does not know {min(unknown)}, whose verdicts are there; judge again")
    found = []
    for name, notes in judges.items():
        known = judge_notes(notes)
        use = JudgeSettings(known.runs or 1, bool(known.correctness))
        found.append(Judged(Verdicts(folder, name, notes), use, find_calibration(name, notes)))
    return found
