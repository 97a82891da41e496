"""What weakens a score: the words in capitals that stand in its cell, wherever it is printed.

`marks` alone decides them; tables, pages, comparisons and the terminal print what it says. To add one for a count that a
result has, add a line to `COUNTED`; for anything else, a function to `FOUND`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.printable import printable
from mipha_eval.core.task import JUDGE_FAILED, NOT_JUDGED
from mipha_eval.scoring.gaps import UNPARSED_MOST, UNPARSED_TOLD, unparsed_share
from mipha_eval.scoring.judging.calibration import Calibration
from mipha_eval.scoring.judging.prompts import TABLE_MARKS
from mipha_eval.scoring.result_record import ResultRecord

DEMO, FLOOR = "DEMO", "FLOOR"


@dataclass(frozen=True)
class Mark:
    """A reason to read a score with care.

    Attributes:
        name: in capitals, short enough for a crowded table.
        detail: how many, or which; "" if the name says it all.
        doubt: whether a score with it is not ranked with others that have none.
    """

    name: str
    detail: str = ""
    doubt: bool = True

    @property
    def text(self) -> str:
        """All of it, as it stands beside a score."""
        return f"{self.name} {self.detail}" if self.detail else self.name


def marks(result: ResultRecord) -> list[Mark]:
    """What a reader must know before comparing the score, in the order in which it is told."""
    return [mark for find in FOUND for mark in find(result)]


def mark_texts(result: ResultRecord) -> list[str]:
    """The same as texts."""
    return [mark.text for mark in marks(result)]


def shortened(text: str, most: int = 60) -> str:
    """A text that fits in a note; all of it stands in the result."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def share(part: int, whole: int) -> str:
    """A count and its share, as ``3 (1.5%)``."""
    return f"{part:,} ({100 * part / whole:.1f}%)" if part and whole else str(part)


def _conditions(result: ResultRecord) -> Iterator[Mark]:
    """How the model was asked."""
    if result.demo:
        yield Mark(DEMO)
    if result.asked_under == "blind":
        yield Mark("BLIND")
    elif result.asked_under:
        yield Mark("CONTROL", result.asked_under)
    if result.asked:
        told = ", ".join(f"{name}={shortened(printable(text))}" for name, text in result.asked.items())
        yield Mark("AS PUBLISHED" if result.as_published else "ASKED WITH", told, doubt=bool(result.reworded))
    if result.limited:
        asked = result.n + result.missing + result.failed + result.unlabelled
        asked += result.rules.get(JUDGE_FAILED, 0)  # these are not in n
        yield Mark("LIMITED", f"{asked:,}/{result.total or 0:,}")


def _judging(result: ResultRecord) -> Iterator[Mark]:
    """What a judge did not grade, what it graded unreadably, and how far it is from a trusted one."""
    judge = result.judge
    if judge is None:
        if NOT_JUDGED in result.rules:
            yield Mark("NOT JUDGED")
        return
    counts = {"NOT JUDGED": judge.pending, "JUDGE FAILED": judge.failed, "UNREADABLE VERDICTS": judge.unreadable}
    counts["TABLE MARKS"] = judge.remarks.get(TABLE_MARKS, 0)
    yield from (Mark(name, f"{count:,}") for name, count in counts.items() if count)
    if judge.calibration:
        yield _bias(judge.calibration)


def _bias(found: Calibration) -> Mark:
    """How many points a calibrated judge adds to the total, with a 95 % interval: the error bar of its scores."""
    bounds = found.bias_interval
    interval = f" ({bounds[0]:+.1f} to {bounds[1]:+.1f})" if bounds else ""
    return Mark("JUDGE", f"{found.bias:+.1f}{interval} VS {found.reference}", doubt=False)


def _data(result: ResultRecord) -> Iterator[Mark]:
    """What was asked, if it is not what the task's name says."""
    if result.unlabelled:
        yield Mark("NO PUBLIC LABELS", "(see mipha-eval submit)" if result.for_server else "")
    rows, wanted = result.total or 0, result.expected_rows
    if result.annotations:
        yield Mark("ANNOTATIONS", result.annotations)
    elif wanted and not result.demo and rows not in wanted:
        yield Mark("ROWS", f"{rows:,}, NOT {wanted[0]:,}")
    if result.odd_labels:
        yield Mark("ODD LABELS", f"{sum(result.odd_labels.values()):,}")


def _serving(result: ResultRecord) -> Iterator[Mark]:
    """A server that says that another model answered than was asked for, or refuses to decode greedily."""
    served = result.served
    if served is not None and served.served_as_another:
        yield Mark("ANOTHER MODEL", printable(", ".join(served.served_as_another)))
    if served is not None and "temperature" in served.left_out:
        yield Mark("NOT GREEDY")


def _workers(result: ResultRecord) -> Iterator[Mark]:
    """Answers of workers on several kinds of device, or with several versions of a package."""
    if result.workers_note:
        yield Mark("UNLIKE WORKERS", shortened(printable(result.workers_note), 180), doubt=False)


def _sharing(result: ResultRecord) -> Iterator[Mark]:
    """An answer that is another when it is made alone, in a precision where it may not be."""
    check = result.equivalence
    if check is not None and check.exact and check.checked != check.identical:
        yield Mark("SHARED != ALONE", f"{check.checked - check.identical}/{check.checked}")


def _wrapped(result: ResultRecord) -> Iterator[Mark]:
    """Answers that hold reasoning or special tokens, which official rules take for a part of them."""
    yield from (Mark(f"HOLD {printable(name)}", f"{count:,}") for name, count in result.wrapped.items())


def _floor(result: ResultRecord) -> Iterator[Mark]:
    """That it is no model's score."""
    if result.floor:
        yield Mark(FLOOR)


def _counts(result: ResultRecord) -> Iterator[Mark]:
    counts = {name: count(result) for name, count in COUNTED.items()}
    yield from (Mark(name, f"{count:,}") for name, count in counts.items() if count)


def _unparsed(result: ResultRecord) -> Iterator[Mark]:
    """Answers that nobody could read, from a share on that models which know the format do not reach."""
    found = unparsed_share(result)
    if found >= UNPARSED_TOLD:
        yield Mark("UNPARSED", share(result.unparsed, result.n), doubt=found > UNPARSED_MOST)


#: the mark's name -> a count of a result that is one where it is not 0
COUNTED: Mapping[str, Callable[[ResultRecord], int | None]] = {
    "UNVERIFIED": lambda result: result.unverified,
    "NOT UTF-8": lambda result: result.undecoded,
    "MISSING": lambda result: result.missing,
    "FAILED": lambda result: result.failed,
}
#: what finds marks, in the order in which they are told
FOUND: Sequence[Callable[[ResultRecord], Iterator[Mark]]] = (
    _conditions,
    _judging,
    _data,
    _serving,
    _workers,
    _sharing,
    _wrapped,
    _counts,
    _unparsed,
    _floor,
)
