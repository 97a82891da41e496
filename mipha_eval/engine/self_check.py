"""Proof in every run: some answers of a model that shares work are made again alone, and compared."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Request, Response
from mipha_eval.engine.asked_alone import asked_alone
from mipha_eval.engine.backend import Backend
from mipha_eval.scoring.result_record import CheckCounts
from mipha_eval.store.equivalence import Check, Checks, CheckTotals
from mipha_eval.store.run_folder import RunFolder

logger = logging.getLogger(__name__)

A_TASK, A_RUN = 3, 8  # answers that are checked unless a user says otherwise
ONE_IN = 100  # so that a short run does not spend its time on them
EXACT = "torch.float32"  # a dtype in which an answer may not depend on its neighbours
NATS = 0.05  # by which a log-likelihood may differ there; rounding makes thousandths of them


@dataclass(frozen=True)
class CheckedAnswer:
    """What a sample was asked and what was answered."""

    sample: str
    request: Request
    response: Response


class SelfCheck:
    """Checks answers of a run, and keeps what earlier checks of the same run found, in ``equivalence.json``."""

    def __init__(self, folder: RunFolder, adapter: ModelAdapter, backend: Backend, asked: int | None, tasks: int) -> None:
        """For a model that answers at `backend`.

        Args:
            asked: what a user wants checked a task.
            tasks: how many tasks have answers to come.
        """
        self._folder, self._adapter, self._backend = folder, adapter, backend
        self._asked, self._tasks = asked, tasks
        self._exact = _is_exact(folder)
        self._records = {(check.task, check.sample): check for check in folder.equivalence()}

    def count(self, answers: int) -> int:
        """How many of a task's new answers are checked: none where the model shares nothing, unless it may answer the same
        request otherwise and a user wants to know.
        """
        if not self._adapter.shares and (self._adapter.steady or self._asked is None):
            return 0
        return checks_a_task(self._asked, self._tasks, answers)

    def check(self, label: str, given: Sequence[CheckedAnswer]) -> None:
        """Asks for the same answers alone and writes down how they compare."""
        for each, response in zip(
            given, asked_alone(self._backend.reference, [each.request for each in given]), strict=True
        ):
            self._records[label, each.sample] = self._compared(label, each, response)
        checks = tuple(self._records.values())
        self._folder.write_equivalence(Checks(totals(checks), checks))
        self._say(label)

    def _compared(self, label: str, given: CheckedAnswer, alone: Response) -> Check:
        """In float32 likelihoods must agree, too, even where the likeliest option is the same."""
        found = compare(label, given, alone)
        apart = self._exact and (found.likelihood_difference or 0.0) > NATS
        return msgspec.structs.replace(found, identical=False) if apart else found

    def _say(self, label: str) -> None:
        """Tells at once of answers that differ where none may, and of those that could not be made alone."""
        found = totals(self._of(label))
        differ = found.checked - found.identical
        if differ and self._exact:
            what = f"{differ} of {found.checked} answers differ from the same made alone, which may not be in float32"
            logger.warning("%s: SHARED != ALONE: %s; see equivalence.json", label, what)
        if found.checked and not self._adapter.steady:
            told = f"{differ} of {found.checked} ({100 * differ / found.checked:.1f} %) are others now"
            logger.info("%s: answers that were asked for again: %s", label, told)
        if found.failed:
            logger.warning("%s: %d answers could not be made alone; see equivalence.json", label, found.failed)

    def summary(self, label: str) -> CheckCounts | None:
        """What a task's result has to say of the checks; None if nothing was checked."""
        return _summary(self._of(label), exact=self._exact)

    def _of(self, label: str) -> list[Check]:
        return [check for (task, _), check in self._records.items() if task == label]


def equivalence_of(label: str, folder: RunFolder) -> CheckCounts | None:
    """What a stored run's checks say of a task, as its result shows it. Raises UserError if they have gone since."""
    found = _summary([check for check in folder.equivalence() if check.task == label], exact=_is_exact(folder))
    if found is None and any(result.equivalence for result in folder.results_of(label)):
        raise UserError(
            f"{folder.path / 'equivalence.json'} lacks the checks of {label}; the run's command writes the rest anew"
        )
    return found


def _is_exact(folder: RunFolder) -> bool:
    return folder.manifest().weights.get("dtype") == EXACT


def _summary(checks: Sequence[Check], *, exact: bool) -> CheckCounts | None:
    """Counts, and whether a difference is an error."""
    if not checks:
        return None
    found = totals(checks)
    return CheckCounts(found.checked, found.identical, exact)


def checks_a_task(asked: int | None, tasks: int, answers: int) -> int:
    """How many of a task's answers are checked: what the user asked for, else a few a task and a run, of few one."""
    most = min(A_TASK, A_RUN // max(tasks, 1), answers // ONE_IN)
    return max(1, most) if asked is None else asked


def compare(label: str, given: CheckedAnswer, alone: Response) -> Check:
    """How an answer from a shared batch and one made alone differ, in text and numbers."""
    shared = given.response
    found = Check(
        task=label,
        sample=given.sample,
        shared=shared.text,
        reference=alone.text,
        identical=shared.text == alone.text,
    )
    if alone.error:
        return msgspec.structs.replace(found, identical=False, error=alone.error)
    likelihoods, logits = _likelihood_difference(shared, alone), _logit_difference(shared, alone)
    found = msgspec.structs.replace(found, likelihood_difference=likelihoods, logit_difference=logits)
    if logits is None and (shared.top or alone.top):
        return msgspec.structs.replace(found, identical=False, note="no token is among the likeliest of both")
    return found


def _likelihood_difference(shared: Response, alone: Response) -> float | None:
    """The largest of all options; None where these are not the same number."""
    if not len(shared.likelihoods) == len(alone.likelihoods) > 0:
        return None
    return max(abs(one - other) for one, other in zip(shared.likelihoods, alone.likelihoods, strict=True))


def _logit_difference(shared: Response, alone: Response) -> float | None:
    """The largest of the tokens that are among the likeliest of both; None where there is none."""
    logits, others = dict(shared.top), dict(alone.top)
    return max((abs(logits[token] - others[token]) for token in logits.keys() & others.keys()), default=None)


def totals(checks: Sequence[Check]) -> CheckTotals:
    """Counts over checks, and the largest difference of a logit or log-likelihood; None where nothing had numbers."""
    compared = [check for check in checks if not check.error]
    identical = sum(check.identical for check in compared)
    pairs = [pair for check in compared for pair in (check.logit_difference, check.likelihood_difference)]
    return CheckTotals(
        checked=len(compared),
        identical=identical,
        share_identical=identical / len(compared) if compared else None,
        largest_difference=max((difference for difference in pairs if difference is not None), default=None),
        failed=len(checks) - len(compared),
    )
