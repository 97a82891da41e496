"""The judge that a user names, for tasks of other suites, whose own code asks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.references import is_suites, judge_told
from mipha_eval.judge.settings import JudgeChoice, api_key
from mipha_eval.models.served.price import Budget


@contextmanager
def suites_judge(names: Iterable[str], choice: JudgeChoice | None) -> Iterator[None]:
    """While entered, tasks are made and scored: what their code reads of a judge, it reads when it is loaded, or later.

    Raises:
        UserError: the judge is no server's, or has a budget, which nothing holds such code to.
    """
    suites = [name for name in names if is_suites(name)]
    if choice is None or not suites:
        yield
        return
    if choice.local is not None:
        raise UserError(
            f"{suites[0]}: its code asks a judge at a server, and {choice.model} is loaded here; name another one"
        )
    if choice.budget != Budget():
        raise UserError(
            f"{suites[0]}: its code asks the judge itself, so that no budget holds; leave it out", flag="--judge-budget"
        )
    with judge_told(suites, choice.model, choice.base_url, api_key(choice)):
        yield
