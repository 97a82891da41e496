"""What is handed to workers that share a run. Pure: no model, no files."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from mipha_eval.core.adapter import Cost
from mipha_eval.core.types import Request
from mipha_eval.engine.plan import Limits, by_images

logger = logging.getLogger(__name__)

#: batches that each worker is to get, at least, of what is left: so large that none waits long for the others at the end
SHARES = 2
#: parts of a full batch below which batches are not made smaller for that
SMALLEST = 8
#: of a group's tokens, what its largest part may have, so that splitting it shortens the run more than it costs
WORTHWHILE = 0.8


@dataclass(frozen=True, slots=True)
class Group:
    """Requests about the same images.

    Attributes:
        places: of the requests, the costliest first.
        own: tokens that each needs alone.
        shared: tokens that all share.
        part: whether it is a worker's part of a larger group, which travels alone.
    """

    places: Sequence[int]
    own: Sequence[int]
    shared: int
    part: bool = False

    @property
    def tokens(self) -> int:
        return self.shared + sum(self.own)

    def cut(self, count: int) -> tuple[Group, Group]:
        """The first so many requests, and the others."""
        first, others = replace(self, places=self.places[:count], own=self.own[:count]), Group([], [], 0)
        if count < len(self.places):
            others = replace(self, places=self.places[count:], own=self.own[count:])
        return first, others

    def parts(self, count: int) -> list[Group]:
        """The same in so many parts of about equal cost, or fewer."""
        dealt = [range(number, len(self.places), count) for number in range(min(count, len(self.places)))]
        return [
            Group([self.places[at] for at in part], [self.own[at] for at in part], self.shared, part=True) for part in dealt
        ]


class WorkQueue:
    """Requests about the same images stay together and are handed out the costliest first, so that what remains at the end
    is small.

    Towards the end batches become smaller, so that all workers finish at about the same time. The first ones are of all
    sizes: workers that begin together would else answer together, again and again, and then wait for whoever hands out
    the next ones. A group of requests is cut where no batch can hold it, and where fewer groups than workers remain and it
    would take notably longer whole.

    Attributes:
        left: tokens that are not handed out yet.
        extra: tokens that are computed more than once, since groups were split among workers at the end.
        total: tokens of all, without these.
        ahead: requests that will be added.
    """

    def __init__(self, requests: Sequence[Request], costs: Sequence[Cost], limits: Limits) -> None:
        self._limits = limits
        self._groups: deque[Group] = deque()
        self._added: list[Group] = []
        self._known = self._taken = 0
        self.left = self.total = self.extra = 0
        self.ahead = len(requests)
        self.add(by_images(requests), dict(enumerate(costs)))

    def __bool__(self) -> bool:
        return bool(self._groups or self._added)

    def add(self, groups: Iterable[Sequence[int]], costs: Mapping[int, Cost]) -> None:
        """Adds requests by their places, those about the same images together, and what they cost."""
        made = [self._group(places, costs) for places in groups]
        self._added += made
        tokens = sum([group.tokens for group in made])
        self.left += tokens
        self.total += tokens
        self.ahead -= len(costs)
        self._known += len(costs)

    def take(self, workers: int) -> list[int]:
        """Places of the next batch, those about the same images adjacent; none if nothing is left.

        Args:
            workers: how many share what is left.
        """
        if self._added and not (self._groups and self.ahead):
            self._sort()
        if self._groups and len(self._groups) < workers and not self.ahead:
            self._split_first(workers)
        unknown = self.ahead * self.total // max(self._known, 1)
        target = min((self.left + unknown) // (SHARES * workers), self._limits.budget)
        self._taken += 1
        if self._taken < workers:
            target = target * self._taken // workers
        target = max(target, self._limits.budget // SMALLEST)
        batch: list[int] = []
        spent = 0
        while self._groups:
            group = self._groups[0]
            tokens = group.tokens
            if self._limits.hold(spent + tokens, len(batch) + len(group.places)) and (
                not batch or (spent + tokens <= target and not group.part)
            ):
                self._groups.popleft()
            elif batch:
                break
            else:
                group, tokens = self._begin(group)
            batch += group.places
            spent += tokens
            self.left -= tokens
            if group.part:
                break
        return batch

    def take_cheapest(self, groups: int) -> list[int]:
        """Places of so many of the cheapest groups, or of fewer where a batch holds no more; perhaps of none."""
        self._sort()
        batch: list[int] = []
        spent = 0
        for _ in range(min(groups, len(self._groups))):
            group = self._groups[-1]
            if group.part or not self._limits.hold(spent + group.tokens, len(batch) + len(group.places)):
                break
            self._groups.pop()
            batch += group.places
            spent += group.tokens
        self.left -= spent
        return batch

    def _sort(self) -> None:
        """Puts what was added among the others; while more is ahead, not before there are no others."""
        self._groups = deque(sorted([*self._groups, *self._added], key=attrgetter("tokens"), reverse=True))
        self._added = []

    def _group(self, places: Sequence[int], costs: Mapping[int, Cost]) -> Group:
        ordered = sorted(places, key=lambda place: -costs[place].own)
        return Group(ordered, [costs[place].own for place in ordered], max(costs[place].shared for place in places))

    def _begin(self, group: Group) -> tuple[Group, int]:
        """As much of the first group as a batch holds, at least a request; the others stay first."""
        count, spent = 0, group.shared
        while count < len(group.places) and (count == 0 or self._limits.hold(spent + group.own[count], count + 1)):
            spent += group.own[count]
            count += 1
        first, others = group.cut(count)
        self._groups.popleft()
        if others.places:
            self._groups.appendleft(others)
            self.left += others.shared
        return first, spent

    def _split_first(self, workers: int) -> None:
        """Splits the costliest group among the workers that would have nothing to do, if that pays."""
        group = self._groups[0]
        if group.part or group.tokens <= self._limits.budget // SMALLEST:
            return
        parts = group.parts(math.ceil(workers / len(self._groups)))
        if parts[0].tokens > WORTHWHILE * group.tokens:
            return
        self._groups.popleft()
        self._groups.extend(parts)  # behind the others, which are whole, but no more than these
        self._groups = deque(sorted(self._groups, key=attrgetter("tokens"), reverse=True))
        more = group.shared * (len(parts) - 1)
        self.extra += more
        self.left += more
