"""``equivalence.json``: answers of a run that were made again without sharing, and how they compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from mipha_eval.core.atomic import write_json
from mipha_eval.core.files import read_object
from mipha_eval.core.record import Count, Finite, Text, checked, record_json
from mipha_eval.store.migrations import CHECK, renamed

HINT = "remove it to go on"


class Check(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer that was made again alone.

    Attributes:
        shared, reference: the text from a batch that shares work, and the one made alone.
        identical: whether they are the same, and their numbers as near as they must be.
        error: why it could not be made alone.
        likelihood_difference, logit_difference: the largest, of the options and of the likeliest first tokens.
        note: what else they differ in.
    """

    task: Text
    sample: Text
    shared: str
    reference: str
    identical: bool
    error: str = ""
    likelihood_difference: float | None = None
    note: str = ""
    logit_difference: float | None = None


class CheckTotals(Struct, frozen=True):
    """Counts over checks, without those that could not be made (`failed`).

    Attributes:
        largest_difference: of a logit or log-likelihood; None where nothing had numbers.
    """

    checked: Count
    identical: Count
    share_identical: Finite | None
    largest_difference: float | None
    failed: Count


class Checks(Struct, frozen=True):
    """All of ``equivalence.json``."""

    totals: CheckTotals
    samples: tuple[Check, ...]


class StoredChecks(Struct, frozen=True):
    """What is read of it again."""

    samples: tuple[Check, ...]


def read_checks(path: Path) -> Sequence[Check]:
    """Nothing if there is no file. Raises UserError if it is damaged."""
    if not path.exists():
        return ()
    found = read_object(path, HINT)
    rows = found.get("samples")
    if isinstance(rows, list):
        found = {**found, "samples": [renamed(row, CHECK) for row in rows]}
    return checked(StoredChecks, found, str(path), HINT).samples


def write_checks(path: Path, checks: Checks) -> None:
    write_json(path, record_json(checks))
