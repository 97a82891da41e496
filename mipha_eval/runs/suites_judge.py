"""The judge that a user names, for tasks of other suites, whose own code asks it."""

from __future__ import annotations

from collections.abc import Iterable

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.references import is_suites, tell_judge
from mipha_eval.judge.settings import JudgeChoice, api_key
from mipha_eval.models.served.price import Budget


def tell_suites(names: Iterable[str], choice: JudgeChoice | None) -> None:
    """Before tasks are made: what their code reads of a judge, it reads when it is loaded.

    Raises:
        UserError: the judge is no server's, or has a budget, which nothing holds such code to.
    """
    suites = [name for name in names if is_suites(name)]
    if choice is None or not suites:
        return
    if choice.local is not None:
        raise UserError(
            f"{suites[0]}: its code asks a judge at a server, and {choice.model} is loaded here; name another one"
        )
    if choice.budget != Budget():
        raise UserError(
            f"{suites[0]}: its code asks the judge itself, so that no budget holds; leave it out", flag="--judge-budget"
        )
    tell_judge(suites, choice.model, choice.base_url, api_key(choice))
