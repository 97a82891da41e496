"""Judging beside the model: an event loop in a thread of its own conducts many dialogues at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from mipha_eval.core.types import Dialogue, Query, Score, Verdict
from mipha_eval.judge.judge import Judge
from mipha_eval.judge.verdicts import Verdicts
from mipha_eval.models.served.spending import Spending, estimated_tokens
from mipha_eval.models.served.stopped import StoppedError
from mipha_eval.scoring.judging.dialogue import UnansweredError, conduct, shortcoming

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """What is to be judged.

    Attributes:
        dialogue: asks at most `most` queries.
        sample: which sample it is about.
        verdicts: where its verdicts are kept.
        anew: whether stored replies led to nothing, so that all are asked for again.
    """

    dialogue: Dialogue[Sequence[Score]]
    sample: str
    verdicts: Verdicts
    most: int
    anew: bool = False


class Session:
    """Conducts the dialogues that are submitted, `concurrency` at a time; equal queries are asked once.

    When the judge stops (a wrong key, a spent budget, nothing but failures), what is left is not asked, and `stopped` says
    why. All that was answered is kept by the verdicts' owners. Its thread is a daemon and no executor's, since Python would
    wait at its end for that, and a second Ctrl-C for a judge's reply.

    Attributes:
        submitted, finished: numbers of dialogues.
        failed: of these, how many ended with a failed query.
    """

    def __init__(self, judge: Judge, concurrency: int, spending: Spending) -> None:
        self.judge, self.spending = judge, spending
        self.submitted = self.finished = self.failed = 0
        self.stopped = ""
        self._concurrency = concurrency
        self._failed_in_a_row = self._useless_in_a_row = 0
        self._bug: BaseException | None = None
        self._under_way: dict[tuple[int, str, str], asyncio.Future[Verdict]] = {}
        self._heard: set[tuple[int, str, str]] = set()  # asked and replied to in this session
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._cases: asyncio.Queue[Case | None] = asyncio.Queue()
        self._thread = threading.Thread(target=self._run, name="judge", daemon=True)

    def __enter__(self) -> Session:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.stop("the run ended early")
        self._loop.call_soon_threadsafe(self._cases.put_nowait, None)
        if kind is None or issubclass(kind, Exception):
            self._thread.join()

    def submit(self, case: Case) -> None:
        """Hands over a dialogue; from any thread."""
        with self._changed:
            self.submitted += 1
        self._loop.call_soon_threadsafe(self._cases.put_nowait, case)

    def wait(self, seconds: float) -> bool:
        """Waits until all that was submitted is finished, or for some time; whether it is. Raises what went wrong here."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._bug or self.finished == self.submitted, seconds)
        if self._bug is not None:
            raise self._bug
        return bool(done)

    def stop(self, reason: str) -> None:
        """Asks nothing further, and says so; what is under way still comes to its end."""
        if not self.stopped:
            self.stopped = reason
            logger.warning("judge %s: %s", self.judge.name, reason)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._work())
        except BaseException as error:  # raised where somebody waits, who would wait for ever
            with self._changed:
                self._bug = self._bug or error
                self._changed.notify_all()
        finally:
            self._loop.close()

    async def _work(self) -> None:
        try:
            await asyncio.gather(*(self._worker() for _ in range(self._concurrency)))
        finally:
            await self.judge.close()

    async def _worker(self) -> None:
        while (case := await self._cases.get()) is not None:
            try:
                await self._conduct(case)
            except Exception as error:  # raised where somebody waits
                self._bug = self._bug or error
                self.stopped = self.stopped or "something went wrong"
            with self._changed:
                self.finished += 1
                self._changed.notify_all()
        self._cases.put_nowait(None)  # for the next worker

    async def _conduct(self, case: Case) -> None:
        if self.stopped:
            return
        try:
            await conduct(case.dialogue, lambda query: self._ask(query, case), case.most)
        except StoppedError as error:
            self.stop(str(error))
        except UnansweredError as error:
            self.failed += 1
            self._useless_in_a_row += 1
            if self._useless_in_a_row >= self._patience:
                self.stop(f"{self._useless_in_a_row} answers in a row could not be judged, the last: {error.reason}")
        else:
            self._useless_in_a_row = 0

    async def _ask(self, query: Query, case: Case) -> Verdict:
        """A stored verdict that counts, that of an equal query of this session, or a new one."""
        own = case.sample if case.verdicts.recorded else ""
        same = (id(case.verdicts), own, query.key)
        stored = case.verdicts.find(query, case.sample)
        if stored is not None and (same in self._heard or (not case.anew and shortcoming(query, stored) is None)):
            return stored
        if same not in self._under_way:
            self._under_way[same] = asyncio.ensure_future(self._ask_anew(query, case))
            self._under_way[same].add_done_callback(lambda _: self._under_way.pop(same))
        verdict = await self._under_way[same]
        self._heard.add(same)
        return verdict

    async def _ask_anew(self, query: Query, case: Case) -> Verdict:
        estimated = estimated_tokens(query.prompt)
        reserved, took = await self.spending.reserve(estimated, query.max_tokens, lambda: self.stopped), (0, 0)
        try:
            verdict = await self.judge.ask(query, case.sample)
            took = verdict.prompt_tokens, verdict.completion_tokens
        finally:
            self.spending.settle(reserved, *took)
        case.verdicts.add(query, case.sample, verdict)
        self._watch_failures(verdict)
        return verdict

    @property
    def _patience(self) -> int:
        """Failures in a row after which nobody is asked thousands of times."""
        return max(self._concurrency, 8)

    def _watch_failures(self, verdict: Verdict) -> None:
        """Stops where a server replies to nobody; one whose replies do not count is another matter."""
        self._failed_in_a_row = self._failed_in_a_row + 1 if verdict.error and not verdict.finish else 0
        if self._failed_in_a_row >= self._patience:
            self.stop(f"{self._failed_in_a_row} queries in a row failed, the last: {verdict.error}")
