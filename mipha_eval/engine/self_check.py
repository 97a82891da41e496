"""Proof in every run: some answers of a model that shares work are made again alone, and compared."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.errors import DeviceMemoryError, UserError
from mipha_eval.core.types import Request, Response
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

    def __init__(self, folder: RunFolder, adapter: ModelAdapter, asked: int | None, tasks: int) -> None:
        """`asked` is what a user wants checked a task, `tasks` how many tasks have answers to come."""
        self._folder, self._adapter = folder, adapter
        self._asked, self._tasks = asked, tasks
        self._exact = _is_exact(folder)
        self._records: dict[tuple[str, str], Mapping[str, Any]] = {
            (row["task"], row["sample"]): row for row in folder.equivalence()
        }

    def count(self, answers: int) -> int:
        """How many of a task's new answers are checked; none where the model shares nothing."""
        return checks_a_task(self._asked, self._tasks, answers) if self._adapter.shares else 0

    def check(self, label: str, given: Sequence[CheckedAnswer]) -> None:
        """Asks for the same answers alone and writes down how they compare."""
        for each, response in zip(given, self._alone([each.request for each in given]), strict=True):
            found = self._compared(each.response, response)
            self._records[label, each.sample] = {"task": label, "sample": each.sample, **found}
        rows = list(self._records.values())
        self._folder.write_equivalence({"totals": totals(rows), "samples": rows})
        self._say(label)

    def _alone(self, requests: Sequence[Request]) -> list[Response]:
        """The same answers alone; one that cannot be made is a failure, the others are made."""
        try:
            return self._adapter.reference(requests)
        except UserError:
            raise
        except (DeviceMemoryError, MemoryError) as error:
            failure = Response.failure(f"out of memory: {error}")
        except Exception as error:  # an adapter is anybody's code
            failure = Response.failure(f"the model failed: {error!r}")
        return [failure] if len(requests) == 1 else [made for each in requests for made in self._alone([each])]

    def _compared(self, shared: Response, alone: Response) -> dict[str, Any]:
        """In float32 likelihoods must agree, too, even where the likeliest option is the same."""
        record = compare(shared, alone)
        if self._exact and record.get("likelihood_difference", 0.0) > NATS:
            record["identical"] = False
        return record

    def _say(self, label: str) -> None:
        """Tells at once of answers that differ where none may, and of those that could not be made alone."""
        found = totals(self._of(label))
        differ = found["checked"] - found["identical"]
        if differ and self._exact:
            what = f"{differ} of {found['checked']} answers differ from the same made alone, which may not be in float32"
            logger.warning("%s: SHARED != ALONE: %s; see equivalence.json", label, what)
        if found["failed"]:
            logger.warning("%s: %d answers could not be made alone; see equivalence.json", label, found["failed"])

    def summary(self, label: str) -> dict[str, Any]:
        """What a task's result has to say of the checks, under ``equivalence``; empty if nothing was checked."""
        return _summary(self._of(label), exact=self._exact)

    def _of(self, label: str) -> list[Mapping[str, Any]]:
        return [row for (task, _), row in self._records.items() if task == label]


def equivalence_of(label: str, folder: RunFolder) -> dict[str, Any]:
    """What a stored run's checks say of a task, as its result shows it. Raises UserError if they have gone since."""
    found = _summary([row for row in folder.equivalence() if row["task"] == label], exact=_is_exact(folder))
    if not found and any(result.get("equivalence") for result in folder.results_of(label)):
        raise UserError(
            f"{folder.path / 'equivalence.json'} lacks the checks of {label}; the run's command writes the rest anew"
        )
    return found


def _is_exact(folder: RunFolder) -> bool:
    return bool(folder.manifest().get("weights", {}).get("dtype") == EXACT)


def _summary(rows: Sequence[Mapping[str, Any]], *, exact: bool) -> dict[str, Any]:
    """Counts, and whether a difference is an error."""
    if not rows:
        return {}
    found = totals(rows)
    return {"equivalence": {"checked": found["checked"], "identical": found["identical"], "exact": exact}}


def checks_a_task(asked: int | None, tasks: int, answers: int) -> int:
    """How many of a task's answers are checked: what the user asked for, else a few a task and a run, of few one."""
    most = min(A_TASK, A_RUN // max(tasks, 1), answers // ONE_IN)
    return max(1, most) if asked is None else asked


def compare(shared: Response, alone: Response) -> dict[str, Any]:
    """How an answer from a shared batch and one made alone differ, in text and numbers."""
    record: dict[str, Any] = {"shared": shared.text, "reference": alone.text, "identical": shared.text == alone.text}
    if alone.error:
        return {**record, "identical": False, "error": alone.error}
    if len(shared.likelihoods) == len(alone.likelihoods) > 0:
        pairs = zip(shared.likelihoods, alone.likelihoods, strict=True)
        record["likelihood_difference"] = max(abs(one - other) for one, other in pairs)
    logits, others = dict(shared.top), dict(alone.top)
    both = logits.keys() & others.keys()
    if not both and (logits or others):
        record |= {"identical": False, "note": "no token is among the likeliest of both"}
    if both:
        record["logit_difference"] = max(abs(logits[token] - others[token]) for token in both)
    return record


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts over records, and the largest difference of a logit or log-likelihood; None where nothing had numbers."""
    compared = [row for row in rows if "error" not in row]
    identical = sum(row["identical"] for row in compared)
    kinds = ("logit_difference", "likelihood_difference")
    differences = [row[kind] for row in compared for kind in kinds if kind in row]
    return {
        "checked": len(compared),
        "identical": identical,
        "share_identical": identical / len(compared) if compared else None,
        "largest_difference": max(differences, default=None),
        "failed": len(rows) - len(compared),
    }
