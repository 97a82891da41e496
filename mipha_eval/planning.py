"""What a run would ask for, before anything is spent: questions and images, and a judge's calls, tokens and price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mipha_eval.answer_files import read_answers
from mipha_eval.judge.choice import JudgeChoice
from mipha_eval.judge.judged import Use, answer_groups
from mipha_eval.judge.prompts import CORRECTNESS_TRIES, GRADE_TEMPERATURES, MATCH_TRIES
from mipha_eval.judge.spending import estimated_tokens
from mipha_eval.prepare import prepare
from mipha_eval.task import Task
from mipha_eval.types import Answer, Query, Response, Sample

#: tokens of a readable reply: a grade, a letter, a word
REPLY_TOKENS = 3


@dataclass(frozen=True)
class JudgePlan:
    """What judging one task takes; tokens are estimates by the length of texts, prices in US dollars.

    Attributes:
        calls, prompt_tokens: if every reply can be read at once; None where nobody can know before the answers are there.
        most_calls: if a reply is unreadable as often as it is asked for again.
        assumed: what stands in for answers that are not there yet.
    """

    calls: int | None
    prompt_tokens: int | None
    usd: float | None
    most_calls: int
    most_tokens: int
    most_usd: float | None
    assumed: str


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
    work = prepare(task, limit, blind=False)
    requests = {task.request(sample).identity for sample in work.samples}
    images = {image.location for sample in work.samples for image in sample.images}
    use = Use(choice.runs, choice.correctness) if choice else Use()
    judge = None
    if choice is not None and use.applies(task):
        found = None if answers is None else read_answers(answers, task, work.samples, subset=True).responses
        judge = plan_judge(task, work.samples, choice, found)
    return TaskPlan(task.label, len(work.samples), len(requests), len(images), judge)


def plan_judge(
    task: Task, samples: Sequence[Sample], choice: JudgeChoice, responses: Mapping[str, Response] | None
) -> JudgePlan:
    """Follows every dialogue with replies that can be read; without answers, with the accepted ones in their place."""
    use = Use(choice.runs, choice.correctness)
    unknown = responses is None and task.judged and task.lettered  # how many answers rules cannot read
    stand_in = "" if unknown else None
    given = responses or {each.id: Response(_accepted(each) if stand_in is None else stand_in) for each in samples}
    by_id = {sample.id: sample for sample in samples if sample.references}
    answered = {name: response for name, response in given.items() if name in by_id and not response.error}
    scores = [task.score(by_id[name], response) for name, response in answered.items()]
    queries = [query for answers in answer_groups(by_id, answered, scores) for query in expected_queries(task, answers, use)]
    prompt = sum(estimated_tokens(query.prompt) for query in queries)
    tries = tries_of(task)
    most_reply = tries * sum(query.max_tokens for query in queries)
    price = choice.prices
    return JudgePlan(
        calls=None if unknown else len(queries),
        prompt_tokens=None if unknown else prompt,
        usd=price.of(prompt, REPLY_TOKENS * len(queries)) if price and not unknown else None,
        most_calls=tries * len(queries),
        most_tokens=tries * prompt + most_reply,
        most_usd=price.of(tries * prompt, most_reply) if price else None,
        assumed="" if responses else "no answer can be read by rules" if unknown else "answers as long as the accepted ones",
    )


def _accepted(sample: Sample) -> str:
    return sample.references[0] if sample.references else ""


def tries_of(task: Task) -> int:
    """How often an unreadable reply is asked for at most."""
    if not task.judged:
        return CORRECTNESS_TRIES
    return MATCH_TRIES if task.lettered else len(GRADE_TEMPERATURES)


def expected_queries(task: Task, answers: Sequence[Answer], use: Use) -> list[Query]:
    """What a judge is asked that says of every answer that it is right."""
    letters = (answer.sample.references[0] for answer in answers if not answer.score.parsed)
    dialogue, queries = use.dialogue(task, answers), []
    try:
        query = next(dialogue)
        while True:
            queries.append(query)
            query = dialogue.send(next(letters) if task.lettered else "1.0" if task.judged else "yes")
    except StopIteration:
        return queries
