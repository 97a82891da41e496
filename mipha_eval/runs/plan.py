"""What a run would ask for, before anything is spent: questions and images, and a judge's calls, tokens and price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.plugins.checks.scores import checked_score
from mipha_eval.core.task import Task
from mipha_eval.core.types import Answer, Query, Response, Sample, Verdict
from mipha_eval.engine.task_input import prepare
from mipha_eval.judge.judged import JudgeSettings
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.models.served.price import Price
from mipha_eval.models.served.spending import estimated_tokens
from mipha_eval.scoring.answer_files import Taken, read_answers
from mipha_eval.scoring.judging.dialogue import Talk, UnansweredError
from mipha_eval.scoring.judging.ungraded import answer_groups

#: tokens of a readable reply: a grade, a letter, a word
REPLY_TOKENS = 3


@dataclass(frozen=True)
class JudgePlan:
    """What judging one task takes; tokens are estimates by the length of texts, prices in US dollars.

    Attributes:
        calls, prompt_tokens: if every reply can be read at once; None where nobody can know before the answers are there.
        most_calls: if a reply is unreadable as often as it is asked for again.
        most_tokens: None where nobody can know.
        assumed: what stands in for answers that are not there yet.
        at_least: whether `calls`, `prompt_tokens` and `usd` hold the first queries alone of some dialogues, since nobody can
            know which reply would content a plugin's.
        broken: why dialogues came to no end in the plan; empty where all do.
    """

    calls: int | None
    prompt_tokens: int | None
    usd: float | None
    most_calls: int
    most_tokens: int | None
    most_usd: float | None
    assumed: str
    at_least: bool = False
    broken: str = ""


@dataclass(frozen=True)
class Course:
    """What a dialogue asks.

    Attributes:
        queries: if every reply is the likely one; where it does not end with these, those that it asks whatever the replies.
        ended: whether it came to its end.
        broken: why it did not, if that is its own fault.
    """

    queries: Sequence[Query]
    ended: bool
    broken: str = ""


@dataclass(frozen=True)
class TaskPlan:
    """What one task takes."""

    task: str
    questions: int
    requests: int
    images: int
    judge: JudgePlan | None


def plan_task(task: Task, limit: int | None, choice: JudgeChoice | None, answers: Path | None = None) -> TaskPlan:
    """Reads the questions, and nothing else. Raises UserError as a run would.

    Args:
        answers: an answer file, with which a judge's work is known.
    """
    work = prepare(task, limit)
    requests = {work.request(sample).identity for sample in work.samples}
    images = {image.location for sample in work.samples for image in sample.images}
    use = JudgeSettings(choice.runs, choice.correctness) if choice else JudgeSettings()
    judge = None
    if choice is not None and use.applies(task):
        found = None if answers is None else read_answers(answers, task, work.samples, Taken(subset=True)).responses
        judge = plan_judge(task, work.samples, choice, found)
    return TaskPlan(task.label, len(work.samples), len(requests), len(images), judge)


def plan_judge(
    task: Task, samples: Sequence[Sample], choice: JudgeChoice, responses: Mapping[str, Response] | None
) -> JudgePlan:
    """Follows every dialogue with replies that can be read; without answers, with the accepted ones in their place."""
    use = JudgeSettings(choice.runs, choice.correctness)
    unknown = responses is None and isinstance(task, JudgedTask) and task.lettered  # how many answers rules cannot read
    stand_in = "" if unknown else None
    given = responses or {each.id: Response(_accepted(each) if stand_in is None else stand_in) for each in samples}
    by_id = {sample.id: sample for sample in samples if sample.target}
    answered = {name: response for name, response in given.items() if name in by_id and not response.error}
    scores = [checked_score(task, name, task.score(by_id[name], response)) for name, response in answered.items()]
    courses = [expected_course(task, answers, use) for answers in answer_groups(by_id, answered, scores)]
    assumed = "" if responses else "no answer can be read by rules" if unknown else "answers as long as the accepted ones"
    return _sum(courses, use, choice.prices, assumed, known=not unknown)


def _sum(courses: Sequence[Course], use: JudgeSettings, price: Price | None, assumed: str, *, known: bool) -> JudgePlan:
    queries = [query for course in courses for query in course.queries]
    prompts = [estimated_tokens(query.prompt) for query in queries]
    most_prompt = sum(tokens * (1 + query.again) for tokens, query in zip(prompts, queries, strict=True))
    most_reply = sum(query.max_tokens * (1 + query.again) for query in queries)
    at_least = not all(course.ended for course in courses)
    open_ended = use.most_queries * sum(not course.ended for course in courses)
    ended = sum(1 + query.again for course in courses if course.ended for query in course.queries)
    reply = 0 if at_least else REPLY_TOKENS * len(queries)
    return JudgePlan(
        calls=len(queries) if known else None,
        prompt_tokens=sum(prompts) if known else None,
        usd=price.of(sum(prompts), reply) if price and known else None,
        most_calls=ended + open_ended,
        most_tokens=None if at_least else most_prompt + most_reply,
        most_usd=None if at_least or price is None else price.of(most_prompt, most_reply),
        assumed=assumed,
        at_least=at_least,
        broken=next((course.broken for course in courses if course.broken), ""),
    )


def _accepted(sample: Sample) -> str:
    return sample.target[0] if sample.target else ""


def expected_course(task: Task, answers: Sequence[Answer], use: JudgeSettings) -> Course:
    """What a judge is asked that says of every answer that it is right.

    Followed as far as queries say which reply is likely (`Query.likely`): behind one that does not, nobody can know.
    """
    talk, queries = Talk(use.dialogue(task, answers), use.most_queries), list[Query]()
    try:
        query = talk.begin()
        while query is not None:
            queries.append(query)
            if not query.likely:
                return Course(queries[:1], ended=False)
            query = talk.hear(query, Verdict(query.likely, finish="stop"))
    except UnansweredError as error:
        return Course(queries[:1], ended=False, broken=error.reason)
    return Course(queries, ended=True)
