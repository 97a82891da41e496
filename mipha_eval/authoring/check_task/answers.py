"""Answers that are tried, and what they are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import Metric, Totals, add_tallies, group_scores
from mipha_eval.core.plugins.checks.questions import checked_request, choices_of
from mipha_eval.core.plugins.checks.scores import checked_score, checked_scores, checked_totals, metric_value
from mipha_eval.core.task import NOT_JUDGED, Task
from mipha_eval.core.types import Response, Sample, Score, Verdict
from mipha_eval.judge.judged import JudgeSettings
from mipha_eval.scoring.judging.dialogue import replay
from mipha_eval.scoring.judging.ungraded import answer_groups, without_judge
from mipha_eval.scoring.measuring import Measuring

REFUSAL = "I'm sorry, but I can't help with that."
STAND_IN = "stand-in"
LIKELY, UNLIKELY = -1.0, -9.0  # log-probabilities of an option that is chosen, and of the others


@dataclass(frozen=True)
class Outcome:
    """What answers to all questions come to.

    Attributes:
        value: of the headline; None where nothing was asked that it needs.
        judged: whether a judge's stand-in graded, which takes every answer for right.
    """

    scores: Sequence[Score]
    metric: Metric
    value: float | None
    judged: bool = False

    @property
    def text(self) -> str:
        """The headline with its number."""
        return f"{self.metric.plain} {'none' if self.value is None else f'{self.value:.1f}'}"


def read_one(task: Task, sample: Sample, response: Response) -> Score:
    """How one answer is read, looked at as in a run."""
    return checked_score(task, sample.id, task.score(sample, response))


def is_ranked(task: Task, sample: Sample) -> bool:
    """Whether options are ranked by their likelihood, and nothing is generated."""
    return bool(checked_request(task, task.request(sample)).options)


def saying(task: Task, sample: Sample, text: str) -> Response:
    """An answer; where options are ranked, the one that a text or letter names is the likeliest, else none is."""
    options = checked_request(task, task.request(sample)).options
    if not options:
        return Response(text)
    named = option_of(sample, text)
    chosen = options.index(named) if named in options else -1
    ranks = tuple(LIKELY if place == chosen else UNLIKELY for place in range(len(options)))
    return Response("", likelihoods=ranks, option_tokens=(1,) * len(options))


def option_of(sample: Sample, text: str) -> str:
    """The option that a letter stands for; else the text itself."""
    letters = LETTERS[: len(sample.choices)]
    return sample.choices[letters.index(text)] if len(text) == 1 and text in letters else text


def accepted(task: Task, sample: Sample) -> list[str]:
    """The right answers as a model would give them: as the task spells them, and as the labels stand."""
    right = [text for text, fits in choices_of(task, sample).items() if fits]
    return list(dict.fromkeys((*right, *sample.target)))


def best_answer(task: Task, sample: Sample) -> tuple[str, float]:
    """The accepted answer that is worth the most, and its worth; a judge's or a set's work is not in it."""
    texts = accepted(task, sample)
    worths = {text: read_one(task, sample, saying(task, sample, text)).value for text in texts}
    best = max(texts, key=worths.__getitem__)
    return best, worths[best]


def outcome(task: Task, samples: Sequence[Sample], responses: Mapping[str, Response], *, judge: bool = False) -> Outcome:
    """What answers come to, as in a run without a judge.

    Args:
        judge: whether a stand-in that takes every answer for right replies where a judge is asked.
    """
    by_id = {sample.id: sample for sample in samples}
    scores: Sequence[Score] = [read_one(task, sample, responses[sample.id]) for sample in samples]
    waiting = without_judge(task, by_id, responses, scores)
    judged = judge and any(score.rule == NOT_JUDGED for score in waiting)
    scores = list(_graded(task, by_id, responses, scores)) if judged else waiting
    scores = checked_scores(task, "finish", scores, task.finish(by_id, scores))
    return measured(task, scores, judged=judged)


def measured(task: Task, scores: Sequence[Score], *, judged: bool = False) -> Outcome:
    """The headline of scores."""
    measuring = Measuring(task, STAND_IN if judged else "")
    counts = add_tallies(measuring.tally(group) for group in group_scores(scores))
    checked_totals(task, counts)
    totals = Totals(counts)
    metric = measuring.metrics(totals)[0]
    value = metric_value(task, metric, totals) if counts and metric.defined(totals) else None
    return Outcome(scores, metric, value, judged)


def _graded(
    task: Task, samples: Mapping[str, Sample], responses: Mapping[str, Response], scores: Sequence[Score]
) -> Iterator[Score]:
    """Scores that a judge gives who finds every answer right. Raises UnansweredError where nobody can know its reply."""
    use, graded = JudgeSettings(), dict[str, Score]()
    for answers in answer_groups(samples, responses, scores):
        found = replay(use.dialogue(task, answers), lambda query: Verdict(query.likely, finish="stop"))
        graded |= {score.sample: score for score in found}
    return (graded.get(score.sample, score) for score in scores)


def waits_for_judge(task: Task, sample: Sample) -> bool:
    """Whether only a judge can grade the answers to a question."""
    return isinstance(task, JudgedTask) and read_one(task, sample, Response("some answer")).rule == NOT_JUDGED


def constants_of(task: Task, samples: Sequence[Sample], most: int = 20) -> list[str]:
    """Answers to give to every question: the possible ones, then the most frequent labels."""
    possible = dict.fromkeys(text for sample in samples for text in choices_of(task, sample))
    if possible:
        return list(possible)
    counts = Counter(sample.target[0] for sample in samples)
    frequent = sorted(counts, key=lambda text: (-counts[text], text))
    return list({plain(text): text for text in reversed(frequent)}.values())[::-1][:most]


def plain(text: str) -> str:
    """A label as it is compared: whatever its case, without spaces and full stops around it."""
    return text.strip().rstrip(".").strip().casefold()
