"""From stored verdicts to scores: what a judge made of a task's answers, and how often it did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mipha_eval.core.alphabet import lettered
from mipha_eval.core.format_lines import question_core
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.plugins.checks.scores import checked_scores
from mipha_eval.core.record import record_json
from mipha_eval.core.task import JUDGE_FAILED, NOT_JUDGED, Task
from mipha_eval.core.types import Answer, Dialogue, Query, Response, Sample, Score, Verdict
from mipha_eval.judge.session import Case
from mipha_eval.judge.verdicts import Verdicts
from mipha_eval.scoring.judging.calibration import Calibration
from mipha_eval.scoring.judging.dialogue import (
    MOST_QUERIES,
    BrokenDialogueError,
    NoReplyError,
    UnansweredError,
    replay,
    shortcoming,
)
from mipha_eval.scoring.judging.judge_counts import JudgeCounts
from mipha_eval.scoring.judging.prompts import is_correct
from mipha_eval.scoring.judging.ungraded import answer_groups


@dataclass(frozen=True)
class JudgeSettings:
    """What a judge is used for.

    Attributes:
        runs: grades of each answer, of which the mean counts.
        correctness: whether tasks without a judge's prompt of their own are judged, too, by yes or no.
    """

    runs: int = 1
    correctness: bool = False

    def applies(self, task: Task) -> bool:
        return isinstance(task, JudgedTask) or self.correctness

    @property
    def most_queries(self) -> int:
        """How many queries a dialogue may ask."""
        return MOST_QUERIES * self.runs

    def dialogue(self, task: Task, answers: Sequence[Answer]) -> Dialogue[Sequence[Score]]:
        """What the judge is asked about a group of answers."""
        return _graded(task, answers, self.runs) if isinstance(task, JudgedTask) else _second_opinions(task, answers)

    def unread(self, task: Task, scores: Sequence[Score]) -> int:
        """How many scores of a dialogue say that the judge's words could not be read."""
        if isinstance(task, JudgedTask):
            return sum(score.rule.startswith("judge-") and not score.parsed for score in scores)
        return sum(score.judged is None for score in scores)


def _graded(task: JudgedTask, answers: Sequence[Answer], runs: int) -> Dialogue[Sequence[Score]]:
    """A task's own dialogue; begun here, so that whatever it does wrong is done inside a dialogue."""
    dialogue = task.grade(answers, runs)
    if not isinstance(dialogue, Generator):
        raise BrokenDialogueError(f"its grade() gave a {type(dialogue).__name__}, which is no dialogue")
    given = yield from dialogue
    scores = checked_scores(task, "grade", [answer.score for answer in answers], given)
    if [score.sample for score in scores] != [answer.sample.id for answer in answers]:
        raise BrokenDialogueError("its dialogue came to other scores than those of the answers it is about")
    return scores


def _second_opinions(task: Task, answers: Sequence[Answer]) -> Dialogue[Sequence[Score]]:
    scores = []
    for answer in answers:
        question = answer.sample.question or question_core(answer.sample.prompt)
        opinion = yield from is_correct(question, _accepted(task, answer.sample), answer.text)
        scores.append(replace(answer.score, judged=None if opinion is None else float(opinion)))
    return scores


def _accepted(task: Task, sample: Sample) -> Sequence[str]:
    """The answers that count as right: of a question with options its letter, and what that stands for."""
    if not task.lettered:
        return sample.target
    (letter,) = sample.target
    return letter, *(option for name, option in lettered(sample.choices) if name == letter)


@dataclass
class Counts:
    """Answers by what became of them.

    Attributes:
        pending: not judged yet.
        failed: the judge was asked, and gave no reply, or none that was complete.
        unreadable: its replies were complete, and could not be read.
        reasons: of failures, and of what could not be read.
        remarks: what weakens prompts -> in how many dialogues.
    """

    pending: int = 0
    failed: int = 0
    unreadable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Judged:
    """One judge's verdicts on one task's answers, ready for scoring.

    Attributes:
        calibration: how well this judge agrees with a trusted one, if that is known.
    """

    verdicts: Verdicts
    use: JudgeSettings
    calibration: Calibration | None = None

    @property
    def name(self) -> str:
        return self.verdicts.judge

    @property
    def settled(self) -> JsonObject:
        """All of it that decides scores and what a result says of the judge."""
        return {
            "judge": self.name,
            "notes": self.verdicts.notes,
            "use": [self.use.runs, self.use.correctness],
            "verdicts": self.verdicts.digest(),
            "calibration": record_json(self.calibration) if self.calibration else None,
        }

    def regrade(
        self, task: Task, samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
    ) -> tuple[list[Score], JudgeCounts]:
        """The scores that the verdicts come to, in the same order, and what a result says of the judge."""
        counts = Counts()
        graded: dict[str, Score] = {}
        for answers in answer_groups(samples, responses, scores):
            for score in self._grade(task, answers, counts):
                graded[score.sample] = score
        return [graded.get(score.sample, score) for score in scores], self._summary(task, counts)

    def case(self, task: Task, answers: Sequence[Answer]) -> Case | None:
        """What a judge is to be asked about a group of answers; None if stored verdicts settle it."""
        sample, anew = answers[0].sample.id, False
        try:
            scores = self._replay(task, answers, [])
            if not self.use.unread(task, scores):
                return None
        except BrokenDialogueError:
            anew = True  # the replies counted one by one, but led to nothing
        except UnansweredError:
            pass  # whatever has no reply that counts is asked
        return Case(self.use.dialogue(task, answers), sample, self.verdicts, self.use.most_queries, anew)

    def _replay(self, task: Task, answers: Sequence[Answer], heard: list[tuple[Query, Verdict]]) -> Sequence[Score]:
        """Raises UnansweredError. What stored verdicts are found, with their queries, is put into `heard`."""
        sample = answers[0].sample.id

        def known(query: Query) -> Verdict | None:
            verdict = self.verdicts.find(query, sample)
            if verdict is not None:
                heard.append((query, verdict))
            return verdict

        return replay(self.use.dialogue(task, answers), known, self.use.most_queries)

    def _grade(self, task: Task, answers: Sequence[Answer], counts: Counts) -> Sequence[Score]:
        heard: list[tuple[Query, Verdict]] = []
        try:
            scores = self._replay(task, answers, heard)
            unread = self.use.unread(task, scores)
            lacking = [found.reason for pair in heard if unread and (found := shortcoming(*pair))]
            counts.reasons.update(dict.fromkeys(lacking[-1:], unread))
            counts.unreadable += unread
        except UnansweredError as error:
            scores = self._ungraded(task, answers, error, counts)
        counts.remarks.update({query.remark for query, _ in heard if query.remark})
        return scores

    def _ungraded(self, task: Task, answers: Sequence[Answer], error: UnansweredError, counts: Counts) -> Sequence[Score]:
        """The scores of answers that a judge has no grade for: in no metric of the judge's."""
        unreadable = isinstance(error, NoReplyError) and error.whole
        if error.reason:
            counts.failed += 0 if unreadable else len(answers)
            counts.unreadable += len(answers) if unreadable else 0
            counts.reasons[error.reason] += len(answers)
        else:
            counts.pending += len(answers)
        kept = [answer.score for answer in answers]
        if not isinstance(task, JudgedTask):
            return kept
        rule = JUDGE_FAILED if error.reason else NOT_JUDGED
        return [replace(score, rule=rule, value=0.0, parsed=score.parsed and not unreadable) for score in kept]

    def _summary(self, task: Task, counts: Counts) -> JudgeCounts:
        return JudgeCounts(
            name=self.name,
            own_prompt=isinstance(task, JudgedTask),
            runs=self.use.runs,
            pending=counts.pending,
            failed=counts.failed,
            unreadable=counts.unreadable,
            failures=dict(counts.reasons.most_common(20)),
            remarks=dict(counts.remarks),
            **self.verdicts.totals()._asdict(),
            notes=dict(self.verdicts.notes),
            calibration=self.calibration,
        )
