"""What was measured of a model, and what that foretells, as lines and for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from mipha_eval.core.json_value import Json
from mipha_eval.runs.forecast import Forecast
from mipha_eval.runs.probe import Probe

#: what a forecast leaves out
WITHOUT = (
    "not in it: reading data, starting Ray, storing, scoring, a judge; answers that a run has stored already are counted"
)


def probe_lines(probe: Probe, forecasts: Sequence[Forecast]) -> Iterator[str]:
    """What was measured, a line a number of workers, and what is not known."""
    where = f" on {probe.device}" if probe.device else ""
    questions, measured = sum(each.questions for each in probe.measured), len(probe.measured)
    failed = sum(each.failed for each in probe.measured)
    yield f"model {probe.model}{where}: loaded in {in_words(probe.loading)}, warm-up {in_words(probe.warming_up)}"
    yield (
        f"measured: {measured:,} {'batch' if measured == 1 else 'batches'}, {questions:,} of "
        f"{len(probe.workload.requests):,} distinct questions{f', {failed:,} of them without an answer' if failed else ''}; "
        f"{probe.speed.batch:.3g} s a batch + {1e3 * probe.speed.token:.3g} s for 1,000 tokens, "
        f"off by at most {100 * probe.residual:.0f} %"
    )
    yield from map(_line, forecasts)
    yield "by this machine's speed, each worker as fast as this process"
    yield WITHOUT


def probe_record(probe: Probe, forecasts: Sequence[Forecast]) -> dict[str, Json]:
    """For JSON: times in seconds, parts as fractions."""
    measured: dict[str, Json] = {
        "model": probe.model,
        "device": probe.device,
        "questions": probe.questions,
        "distinct": len(probe.workload.requests),
        "loading": probe.loading,
        "warming_up": probe.warming_up,
        "seconds_a_batch": probe.speed.batch,
        "seconds_a_token": probe.speed.token,
        "largest_residual": probe.residual,
        "measured": [asdict(each) for each in probe.measured],
    }
    return {"probe": measured, "forecasts": [asdict(each) for each in forecasts]}


def in_words(seconds: float) -> str:
    """Seconds as ``2 h 10 min``: to the minute from an hour on."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole >= 3600:
        whole = 60 * round(seconds / 60)
    parts = {"d": whole // 86400, "h": whole // 3600 % 24, "min": whole // 60 % 60, "s": whole % 60}
    told = [f"{count} {unit}" for unit, count in parts.items() if count]
    return " ".join(told)


def _line(each: Forecast) -> str:
    workers = "1 worker" if each.workers == 1 else f"{each.workers:,} workers"
    split = f"; splitting at the end {100 * each.extra:.2g} % more tokens, {in_words(each.splitting)}" if each.extra else ""
    digits = ".3g" if each.questions_per_second < 100 else ",.0f"
    speed = f"{each.worker_hours:.2g} worker-hours, {each.questions_per_second:{digits}} questions/s"
    return f"{workers}: {in_words(each.seconds)}, {speed}, {100 * each.efficiency:.0f} % of linear{split}"
