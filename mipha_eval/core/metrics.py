"""Numbers from scores.

Every metric is a formula over sums. A task tallies each group of scores into named counts; totals of these counts are all
that a formula sees. So any metric, also one that is not a mean (F1, MME's sum), can be resampled by adding up whole
clusters, many resamples at a time.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mipha_eval.core.options import unknown
from mipha_eval.core.provenance import Provenance
from mipha_eval.core.types import Score

if TYPE_CHECKING:
    import numpy as np

Tally = Mapping[str, float]
Number = Any  # a float, or an array with one entry a resample


class UnknownCountError(LookupError):
    """A formula looks up a count that no tally made."""


class Totals:
    """Sums of counts by name. A name that was never counted is an error, since it may be a slip; `get` takes it for 0."""

    def __init__(self, counts: Mapping[str, Number]) -> None:
        self._counts = counts

    def __getitem__(self, name: str) -> Number:
        """Raises UnknownCountError, naming the counts that there are."""
        try:
            return self._counts[name]
        except KeyError:
            if not self._counts:  # nothing was scored, so that no name is known, and no metric is defined
                return 0.0
        known = unknown("count", name, self._counts, "tallies made")
        raise UnknownCountError(f"{known}; one that may be missing is looked up with totals.get")

    def get(self, name: str) -> Number:
        """A sum; 0 for what was never counted, such as a category that no question was asked of."""
        return self._counts.get(name, 0.0)

    def ratio(self, part: Number, whole: Number) -> Number:
        """part / whole, and 0 where the whole is 0."""
        if isinstance(whole, float | int):
            return part / whole if whole else 0.0
        return part / whole.clip(min=1e-300) * (whole > 0)

    def names(self) -> Iterable[str]:
        return self._counts.keys()


@dataclass(frozen=True)
class Share:
    """A part of a whole, 0 to 1, that a metric is made of: intervals near 0 and 1 need to know of how many answers it is.

    Attributes:
        part, whole: names of counts and how much one of each is worth. A whole that has a name of the part is made of
            answers, as in F1, else of what was asked.
        asked: names of counts of which there are any if anything was asked that the share is about; empty for those of
            `whole`.
    """

    part: tuple[tuple[str, float], ...]
    whole: tuple[tuple[str, float], ...]
    asked: tuple[str, ...] = ()

    @classmethod
    def of(cls, part: Mapping[str, float], whole: Mapping[str, float], asked: Sequence[str], *, prefix: str) -> Share:
        """With `prefix` before every name."""
        parts, wholes = (tuple((f"{prefix}{name}", worth) for name, worth in each.items()) for each in (part, whole))
        return cls(parts, wholes, tuple(f"{prefix}{name}" for name in asked))


@dataclass(frozen=True)
class Metric:
    """A named number.

    Attributes:
        formula: must work on floats and on arrays of resamples alike.
        unit: ``%`` or ``points``; of another suite's numbers, which stand as it gives them, ``of 1`` or ``as given``.
        needs: beginnings of names of counts; without any such count the metric is not defined (no question was asked). None
            for a metric that needs no particular one.
        shares: what the formula is a weighted sum of; empty for counts called ``right`` and ``asked``, alone or behind the
            same beginning, which are known, and for what is no share.
        provenance: by whom or what it was made, see `made`; None for the task's own rule alone.
        bounds: the least and the greatest value; None for 0 to 100 if the unit is ``%``, else for any number.
        unmoved: why nobody knows how answers move it, so that it has no interval and is in no comparison; else empty.
    """

    name: str
    formula: Callable[[Totals], Number]
    unit: str = "%"
    needs: tuple[str, ...] | None = None
    shares: tuple[Share, ...] = ()
    bounds: tuple[float, float] | None = None
    provenance: Provenance | None = None
    unmoved: str = ""

    @property
    def plain(self) -> str:
        """The name without its provenance."""
        return self.provenance.metric if self.provenance else self.name

    def made(self, by: str, name: str) -> Metric:
        """The same made by a judge, a tool or the like, which then stands in its name."""
        provenance = Provenance(self.plain, by, name)
        return replace(self, name=provenance.label, provenance=provenance)

    def defined(self, totals: Totals) -> bool:
        return any(self.needs is None or name.startswith(self.needs) for name in totals.names())

    @property
    def range(self) -> tuple[float, float]:
        """Least and greatest value; infinite where nothing is known."""
        return self.bounds or ((0.0, 100.0) if self.unit == "%" else (-math.inf, math.inf))


def share(name: str, part: str = "") -> Metric:
    """Percentage of right among asked, of all samples or of a part (a category)."""
    prefix = f"{part}/" if part else ""

    def formula(totals: Totals) -> Number:
        return 100 * totals.ratio(totals[f"{prefix}right"], totals[f"{prefix}asked"])

    return Metric(name, formula, needs=(f"{prefix}asked",))


def shares_of_parts(totals: Totals, kinds: tuple[str, ...]) -> list[Metric]:
    """A share for each part that was counted under a name like ``kind/part``, in alphabetical order."""
    asked = [name.removesuffix("/asked") for name in totals.names() if name.endswith("/asked")]
    return [share(part, part) for part in sorted(asked) if part.partition("/")[0] in kinds]


def group_scores(scores: Sequence[Score]) -> Iterator[list[Score]]:
    """Scores that are tallied together, in order of first appearance."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        if score.group:
            groups.setdefault(score.group, []).append(score)
    for score in scores:
        if not score.group:
            yield [score]
        elif score.group in groups:
            yield groups.pop(score.group)


def add_tallies(tallies: Iterable[Tally]) -> dict[str, float]:
    """Sums counts by name."""
    totals: dict[str, float] = {}
    for tally in tallies:
        for name, count in tally.items():
            totals[name] = totals.get(name, 0.0) + count
    return totals


class ClusterCounts:
    """Counts by cluster and name, added up as tallies come, so that a million tallies need not be kept."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = {}
        self._clusters: dict[str, int] = {}
        self._names: dict[str, int] = {}
        # one entry for each count of each tally
        self._rows, self._columns, self._values = array("q"), array("q"), array("d")

    def add(self, cluster: str, tally: Tally) -> None:
        row = self._clusters.setdefault(cluster, len(self._clusters))
        for name, count in tally.items():
            self.totals[name] = self.totals.get(name, 0.0) + count
            self._rows.append(row)
            self._columns.append(self._names.setdefault(name, len(self._names)))
            self._values.append(count)

    def tallies(self, names: Sequence[str]) -> int:
        """Of how many tallies the name is that most of them have."""
        import numpy as np

        wanted = [self._names[name] for name in names if name in self._names]
        times = np.bincount(np.asarray(self._columns), minlength=len(self._names))
        return int(times[wanted].max(initial=0))

    def clusters(self) -> list[str]:
        """The clusters of the rows of `table`."""
        return list(self._clusters)

    def table(self, names: Sequence[str] | None = None) -> np.ndarray:
        """Sums [clusters, names], by default of all names in the order of `totals`."""
        import numpy as np

        names = list(self._names) if names is None else names
        place = np.full(len(self._names) + 1, -1)
        place[[self._names.get(name, -1) for name in names]] = np.arange(len(names))
        place[-1] = -1  # names that never occurred
        columns = place[np.asarray(self._columns)]
        wanted = columns >= 0
        shape = len(self._clusters), len(names)
        places = np.asarray(self._rows)[wanted] * shape[1] + columns[wanted]
        return np.bincount(places, np.asarray(self._values)[wanted], shape[0] * shape[1]).reshape(shape)
