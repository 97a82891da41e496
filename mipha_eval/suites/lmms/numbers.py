"""Numbers that lmms-eval's code makes of all answers, as formulas over sums: exact on all, and what each answer adds.

Each score carries, by metric, one of three entries:

- a number from 0 to 1, where the metric is the mean of such numbers;
- ``{"worth": x}``, where it is the mean of other numbers;
- ``{"all": value, "of": n, "move": x}``, the number itself, of n answers, and by how much this answer moves it as if it
  were a mean; without ``move`` nothing is known of that, and ``why_not`` says why. It is no number of other answers than
  these n, so that of fewer there is none. ``share`` says whether it lies between 0 and 1 on all parts of the answers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mipha_eval.core.json_value import Json
from mipha_eval.core.metrics import Metric, Number, Totals
from mipha_eval.suites.lmms.moves import NoMovesError, halves, moves

if TYPE_CHECKING:
    from mipha_eval.suites.lmms.own_task import OwnTask

#: numbers as lmms-eval prints them, of which 1 is the most where they are shares
SHARE, PLAIN = "of 1", "as given"
UNMOVED = "lmms-eval's code gives no number of parts of the answers"
#: parts of the answers on which a number that seems to be a mean is looked at again
TRIED = 8


def worth_of(payload: object) -> float | None:
    """What a payload says one answer is worth, 0 to 1; None if it says nothing of the kind."""
    value = payload.get("score") if isinstance(payload, Mapping) else payload
    number = _number(value)
    return number if number is not None and 0 <= number <= 1 else None


def _number(value: object) -> float | None:
    """A finite number, numpy's among them; None for anything else."""
    if isinstance(value, str | bytes) or value is None:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever has __float__
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def entries_of(own: OwnTask, metric: str, payloads: Sequence[Any], clusters: Sequence[str]) -> list[Json]:
    """What each score is told of a metric; nothing for one that is no number, such as a file to upload."""
    aggregation = own.aggregation(metric)
    value = _number(aggregation(payloads))
    if value is None:
        return []
    numbers = [_number(payload) for payload in payloads]
    if own.is_mean(metric) and all(number is not None for number in numbers):
        known = [number for number in numbers if number is not None]
        within = all(0 <= number <= 1 for number in known)
        return [number if within else {"worth": number} for number in known]
    worths = [worth_of(payload) for payload in payloads]

    seen = [value]

    def without(places: Sequence[int]) -> float:
        found = _number(aggregation([payloads[place] for place in places]))
        seen.append(math.nan if found is None else found)
        return seen[-1]

    told: dict[str, Json] = {"all": value, "of": len(payloads)}
    try:
        if _is_mean(value, worths, without):
            return [worth for worth in worths if worth is not None]
        found = moves(value, clusters, without)
        told["share"] = all(0 <= each <= 1 for each in seen) and None not in worths
        return [told | {"move": move} for move in found]
    except NoMovesError as error:
        return [told | {"why_not": str(error)} for _ in payloads]


def _is_mean(value: float, worths: Sequence[float | None], without: Any) -> bool:
    """Whether a number is the mean of what single answers are worth, on all and on parts of them."""
    known = [worth for worth in worths if worth is not None]
    if len(known) != len(worths) or sum(known) / len(known) != value:
        return False
    for start in range(min(TRIED, len(known) - 1)):
        places = [place for place in range(len(known)) if place % TRIED != start]
        mean = sum(known[place] for place in places) / len(places)
        try:
            if without(places) != mean:
                return False
        except Exception:  # anybody's code
            return False
    return len(known) > 1


def counts_of(metric: str, entry: Json) -> dict[str, float]:
    """What a score counts for a metric."""
    if isinstance(entry, int | float):
        return {f"{metric}/right": float(entry), f"{metric}/asked": 1.0}
    told = entry if isinstance(entry, dict) else {}
    if "worth" in told:
        return {f"{metric}/worth": float(str(told["worth"])), f"{metric}/answers": 1.0}
    high, low = halves(float(str(told["all"])))
    counts = {f"{metric}/high": high, f"{metric}/low": low, f"{metric}/of": 1.0, f"{metric}/all": float(str(told["of"]))}
    counts |= {f"{metric}/share": 1.0} if told.get("share") else {}
    return counts | ({f"{metric}/move": float(str(told["move"]))} if "move" in told else {f"{metric}/unmoved": 1.0})


def usual_metric(name: str) -> Metric:
    """The metric of a share; what a metric is taken for where nothing was counted."""
    return Metric(name, lambda sums: _ratio(sums, name, ("right",), "asked"), SHARE, (f"{name}/asked",), bounds=(0, 1))


def metric_of(name: str, counted: Collection[str], totals: Totals) -> Metric | None:
    """The metric of such counts; None where there are none of it."""
    if f"{name}/asked" in counted:
        return usual_metric(name)
    if f"{name}/answers" in counted:
        return Metric(name, lambda sums: _ratio(sums, name, ("worth",), "answers"), PLAIN, (f"{name}/answers",))
    if f"{name}/of" not in counted or totals[f"{name}/all"] != totals[f"{name}/of"] ** 2:
        return None
    still = f"{name}/unmoved" in counted
    parts = ("high", "low") if still else ("high", "low", "move")
    why, share = UNMOVED if still else "", f"{name}/share" in counted
    unit, bounds = (SHARE, (0.0, 1.0)) if share else (PLAIN, None)
    return Metric(name, lambda sums: _ratio(sums, name, parts, "of"), unit, (f"{name}/of",), bounds=bounds, unmoved=why)


def _ratio(sums: Totals, name: str, parts: Sequence[str], whole: str) -> Number:
    """Each part by the whole, added up: so two halves of a number come together without rounding."""
    found: Number = 0.0
    for part in parts:
        found = found + sums.ratio(sums[f"{name}/{part}"], sums[f"{name}/{whole}"])
    return found
