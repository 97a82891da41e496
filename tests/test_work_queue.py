"""What is handed to workers that share a run: against brute force, and against fixed shares."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.core.adapter import Cost
from mipha_eval.core.types import Image, Request
from mipha_eval.engine.plan import Limits
from mipha_eval.engine.work_queue import SMALLEST, WorkQueue

#: (picture, tokens shared, tokens of the question)
Row = tuple[int, int, int]


@st.composite
def instances(draw: st.DrawFn) -> list[Row]:
    """Questions about pictures, those about one not always adjacent."""
    shared = draw(st.lists(st.integers(0, 60), min_size=1, max_size=25))
    one = st.tuples(st.integers(0, len(shared) - 1), st.integers(1, 30))
    return [(picture, shared[picture], own) for picture, own in draw(st.lists(one, min_size=1, max_size=90))]


def queue(rows: Sequence[Row], budget: int = 200, size: int | None = None) -> WorkQueue:
    requests = [
        Request(f"question {number}", (Image(f"{picture}", f"/{picture}", bytes),))
        for number, (picture, _, _) in enumerate(rows)
    ]
    return WorkQueue(requests, [Cost(shared, own) for _, shared, own in rows], Limits(budget, size))


def emptied(found: WorkQueue, workers: int) -> list[list[int]]:
    batches = []
    while found:
        batches.append(found.take(workers))
    return batches


def tokens(batch: Sequence[int], rows: Sequence[Row]) -> int:
    """What a batch costs: each picture once, each question."""
    shared = {rows[place][0]: rows[place][1] for place in batch}
    return sum(shared.values()) + sum(rows[place][2] for place in batch)


def whole(rows: Sequence[Row]) -> dict[int, int]:
    """What each picture costs with all its questions."""
    found: dict[int, int] = defaultdict(int)
    for picture, _, own in rows:
        found[picture] += own
    return {picture: own + next(row[1] for row in rows if row[0] == picture) for picture, own in found.items()}


workers_of = st.integers(1, 12)


@given(instances(), workers_of, st.integers(20, 400), st.none() | st.integers(1, 8))
def test_nothing_is_lost_or_handed_out_twice(rows: list[Row], workers: int, budget: int, size: int | None) -> None:
    found = queue(rows, budget, size)
    batches = emptied(found, workers)
    assert sorted(place for batch in batches for place in batch) == list(range(len(rows)))
    assert all(batches)
    assert found.left == 0
    assert found.take(workers) == []


@given(instances(), workers_of, st.integers(20, 400), st.none() | st.integers(1, 8))
def test_limits_hold(rows: list[Row], workers: int, budget: int, size: int | None) -> None:
    """Only a question that alone costs more than the budget is handed out, alone."""
    for batch in emptied(queue(rows, budget, size), workers):
        assert len(batch) == 1 or tokens(batch, rows) <= budget
        assert size is None or len(batch) <= size


@given(instances(), st.integers(100, 400), st.data())
def test_a_lowered_budget_holds_from_then_on(rows: list[Row], budget: int, data: st.DataObject) -> None:
    requests = [Request(f"{number}", (Image(f"{row[0]}", f"/{row[0]}", bytes),)) for number, row in enumerate(rows)]
    limits = Limits(budget)
    found = WorkQueue(requests, [Cost(shared, own) for _, shared, own in rows], limits)
    places: list[int] = []
    while found:
        limits.lower(data.draw(st.integers(10, budget)))
        batch = found.take(3)
        places += batch
        assert len(batch) == 1 or tokens(batch, rows) <= limits.budget
    assert sorted(places) == list(range(len(rows)))


@given(instances(), workers_of, st.integers(20, 400), st.none() | st.integers(1, 8))
def test_pictures_stay_together(rows: list[Row], workers: int, budget: int, size: int | None) -> None:
    """In a batch adjacent; and in one batch, if a batch can hold them, while there are as many pictures as workers."""
    found, left, costs = queue(rows, budget, size), {row[0] for row in rows}, whole(rows)
    counts = {picture: sum(row[0] == picture for row in rows) for picture in left}
    while found:
        before = set(left)
        batch = found.take(workers)
        pictures = [rows[place][0] for place in batch]
        changes = [picture for number, picture in enumerate(pictures) if not number or pictures[number - 1] != picture]
        assert len(changes) == len(set(changes)), "not adjacent"
        for picture in changes:
            counts[picture] -= pictures.count(picture)
            fits = costs[picture] <= budget and (size is None or sum(row[0] == picture for row in rows) <= size)
            if fits and len(before) >= workers:
                assert counts[picture] == 0, "split"
        left = {picture for picture, count in counts.items() if count}


@given(instances())
def test_the_costliest_come_first(rows: list[Row]) -> None:
    """Pictures by what they cost with all their questions, and of a picture the questions by what each costs."""
    costs, first = whole(rows), dict[int, int]()
    for number, batch in enumerate(emptied(queue(rows, max(costs.values())), 1)):
        for place in batch:
            first.setdefault(rows[place][0], number)
        owns = defaultdict(list)
        for place in batch:
            owns[rows[place][0]].append(rows[place][2])
        assert all(each == sorted(each, reverse=True) for each in owns.values())
    numbers = [first[picture] for picture in sorted(costs, key=lambda picture: -costs[picture])]
    assert numbers == sorted(numbers)


@given(instances(), workers_of)
def test_what_splitting_costs_is_what_it_says(rows: list[Row], workers: int) -> None:
    """Where a batch holds any picture, `extra` is what is computed more often than once."""
    found = queue(rows, max(whole(rows).values()))
    batches = emptied(found, workers)
    assert sum(tokens(batch, rows) for batch in batches) == found.total + found.extra
    assert found.total == sum(whole(rows).values())


@given(instances())
def test_one_worker_splits_nothing(rows: list[Row]) -> None:
    found = queue(rows, max(whole(rows).values()))
    emptied(found, 1)
    assert found.extra == 0


def test_the_last_pictures_are_split_where_that_is_shorter() -> None:
    """One picture with many dear questions goes to all; where the picture itself is what costs, to one."""
    dear = queue([(0, 10, 30)] * 40, 2000)
    assert [len(batch) for batch in emptied(dear, 4)] == [10, 10, 10, 10]
    assert dear.extra == 30
    assert len(queue([(0, 10, 30)] * 40, 20_000).take(4)) == 40  # a small part of a batch
    whole_picture = queue([(0, 1000, 1)] * 40, 2000)
    assert len(whole_picture.take(4)) == 40
    assert whole_picture.extra == 0


def test_batches_become_smaller_towards_the_end() -> None:
    """So that workers end together; but no smaller than a part of a full one. At the beginning each gets another size."""
    rows = [(number, 5, 5) for number in range(1000)]
    sizes = [len(batch) for batch in emptied(queue(rows, 400), 4)]
    assert sizes[:4] == [10, 20, 30, 40]
    assert sizes[-2] == 400 // SMALLEST // 10
    assert sizes[4:] == sorted(sizes[4:], reverse=True)


def makespan(rows: Sequence[Row], workers: int, take: Callable[[int], list[int]]) -> int:
    """When the last of some workers is done, where each takes its next batch when it has done one."""
    free = [(0, worker) for worker in range(workers)]
    ends = 0
    while True:
        now, worker = heapq.heappop(free)
        batch = take(worker)
        if batch:
            heapq.heappush(free, (now + tokens(batch, rows), worker))
        ends = max(ends, now)
        if not free:
            return ends


def fixed_shares(rows: Sequence[Row], workers: int, budget: int) -> int:
    """When the last of some workers is done, where each has the questions of a row of as many, as others deal them out."""
    ends = []
    for worker in range(workers):
        share = [rows[place] for place in range(worker, len(rows), workers)]
        alone = queue(share, budget) if share else None
        ends.append(sum(tokens(batch, share) for batch in emptied(alone, 1)) if alone else 0)
    return max(ends)


@settings(max_examples=200)
@given(instances(), st.integers(1, 6))
def test_no_later_than_fixed_shares(rows: list[Row], workers: int) -> None:
    """But for a batch: the last to be begun is small. Fixed shares tear pictures apart, which costs them once more."""
    found = queue(rows, 200)
    ours = makespan(rows, workers, lambda _: found.take(workers))
    longest = max(200 // SMALLEST, *(min(cost, 200) for cost in whole(rows).values()))
    assert ours <= fixed_shares(rows, workers, 200) + longest
    assert ours <= (found.total + found.extra + _again(rows, workers)) / workers + longest


def _again(rows: Sequence[Row], workers: int) -> int:
    """Tokens that are computed once more, since a batch does not hold a picture's questions."""
    found = queue(rows, 200)
    return sum(tokens(batch, rows) for batch in emptied(found, workers)) - found.total - found.extra
