"""The workers that answered a run's questions, as its manifest has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from mipha_eval.core.json_value import Json
from mipha_eval.core.record import Count, Finite, Text, checked, record_json


class WorkerRecord(Struct, frozen=True, kw_only=True):
    """A process with a model of its own, on what it ran, and what it did.

    Attributes:
        index: its number within the run, which its answers carry; a command that goes on counts further.
        node: the host's name.
        device: as the device calls itself, such as ``NVIDIA H100 80GB HBM3``; ``cpu`` for none.
        gpus: that it held; may be a fraction.
        python: the version; `packages`: versions of what decides answers, by the package's name.
        answered: how many questions.
        busy, waited: seconds that it computed, and that it had nothing to compute.
        seconds: from when it was ready until its end.
        ended: why it ended, such as ``killed``; empty for as planned.
    """

    index: Count
    node: Text
    device: Text
    gpus: Finite = 0.0
    python: Text
    packages: Mapping[str, str]
    answered: Count = 0
    busy: Finite = 0.0
    waited: Finite = 0.0
    seconds: Finite = 0.0
    ended: str = ""


def with_workers(stored: Json, workers: Iterable[WorkerRecord], place: str) -> list[Json]:
    """Stored records with others in their places, or behind them where there is none of that number; by number.

    Raises:
        UserError: what is stored is damaged; the message begins with `place`.
    """
    known = checked(tuple[WorkerRecord, ...], stored, place)
    entries = stored if isinstance(stored, list) else []
    by_index: dict[int, Json] = {each.index: entry for each, entry in zip(known, entries, strict=True)}
    by_index |= {each.index: record_json(each) for each in workers}
    return [by_index[index] for index in sorted(by_index)]
