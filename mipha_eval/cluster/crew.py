"""The workers of a run: begun, replaced when they die, more of them when there are more devices."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Sequence

from mipha_eval.cluster.cluster import Cluster, Death
from mipha_eval.cluster.member import Member
from mipha_eval.cluster.messages import Broken, Said, WorkerFacts
from mipha_eval.core.errors import PluginError, UserError
from mipha_eval.core.library_messages import take_off_terminal
from mipha_eval.core.printable import printable

#: seconds between looks at whether there are more devices
SECONDS_BETWEEN_LOOKS = 5.0
#: deaths in a row, with no answer from anybody between them, behind which a run is given up; those over what is suspect
#: anyway do not count, which come to an end by themselves
MOST_IN_A_ROW = 8
#: deaths of any kind in a row behind which it is doubtful whether what is suspect is to blame
DOUBTFUL = 4
#: workers in a row that may die while they load the model, behind which none is begun any more
MOST_STILLBORN = 3

#: looks at a worker's facts; raises UserError for one that may not take part
Accept = Callable[[Member, WorkerFacts], None]

logger = logging.getLogger(__name__)


class Crew:
    """Workers by number, the dead ones among them.

    Attributes:
        count: how many are to be at work; None for as many as there is room for.
        timeout: seconds that a worker may take for a batch.
        begun: whether the first ones are there; before that, what is wrong with one is wrong with the run.
        changed: called when there is another worker, or one less.
    """

    def __init__(self, cluster: Cluster, count: int | None, timeout: float, accept: Accept) -> None:
        self.members: dict[int, Member] = {}
        self.begun = False
        self.changed: Callable[[], None] = lambda: None
        self._cluster, self._count, self._timeout, self._accept = cluster, count, timeout, accept
        self._numbers = itertools.count()
        self._wanted = self._unfit = self._stillborn = self._in_a_row = self._deaths = self._room = 0
        self._looked = float("-inf")
        self._heard = {"mipha_eval"}

    @property
    def living(self) -> list[Member]:
        return [member for member in [*self.members.values()] if not member.ended]

    @property
    def ready(self) -> list[Member]:
        return [member for member in [*self.members.values()] if member.ready]  # listed: progress looks from its own thread

    @property
    def expected(self) -> int:
        """How many can be ready soon: those that are begun, as far as there is room."""
        return min(len(self.living), max(self._room, 1))

    @property
    def doubtful(self) -> bool:
        """Whether one worker after the other has died, without an answer from anybody between them."""
        return self._deaths >= DOUBTFUL

    def fill(self) -> None:
        """Begins workers where some are missing. Raises UserError if none may be begun and none is there."""
        now = time.monotonic()
        if now - self._looked > SECONDS_BETWEEN_LOOKS:
            self._looked = now
            before, self._room = self._room, self._cluster.room()
            if self._count is None:
                self._wanted = max(self._wanted, self._room)
            elif not self.begun:
                self._wanted = self._count
                if before != self._room < self._count:
                    logger.warning(
                        "there is room for %d of %d workers; the others begin when there is more", self._room, self._count
                    )
        for _ in range(self._wanted - self._unfit - len(self.living)):
            number = next(self._numbers)
            self.members[number] = Member(number)
            self._cluster.start(number)
        if not self.living:
            raise UserError("no worker can load the model any more; what was answered is stored")

    def hanging(self) -> list[tuple[Member, str]]:
        """Workers that take too long for a batch, and why they are to end."""
        reason = f"gave no answer for {self._timeout:g} s"
        return [(member, reason) for member in self.living if member.hangs(self._timeout)]

    def welcome(self, member: Member, facts: WorkerFacts) -> None:
        """A worker is ready. Raises UserError for one of the first that may not take part."""
        member.facts, member.began = facts, time.monotonic()
        self.say(member, facts.said)
        try:
            self._accept(member, facts)
        except UserError as error:
            if not self.begun:
                raise
            self._turn_away(member, str(error))
            return
        self._stillborn = 0
        self.changed()

    def refuse(self, member: Member, broken: Broken) -> None:
        """A worker cannot load the model. Raises UserError for one of the first."""
        self.say(member, broken.said)
        if not self.begun:
            raise told_of(broken)
        self._turn_away(member, broken.reason)

    def bury_stillborn(self, member: Member, death: Death) -> None:
        """A worker died while it loaded the model. Raises UserError for one of the first, unless its whole node is gone."""
        reason = death.reason
        if not self.begun and not death.with_node:
            raise UserError(f"a worker {reason} while it loaded the model")
        self._stillborn += not death.with_node
        if self._stillborn >= MOST_STILLBORN:
            self._turn_away(member, f"{reason} while it loaded the model, as others before it")
        else:
            member.end(reason)
            self._cluster.kill(member.number)  # where it can only not be reached, it would keep its device
            logger.warning("%s %s while it loaded the model; another is begun", self.name(member), reason)

    def bury(self, member: Member, reason: str, *, suspected: bool) -> None:
        """A worker has died. Raises UserError where one after the other does, and nobody answers anything.

        Args:
            suspected: whether it was asked what others have died of.
        """
        member.end(reason)
        self._deaths += 1
        self._in_a_row += not suspected
        if self._in_a_row >= max(MOST_IN_A_ROW, 2 * self._wanted):
            raise UserError(f"{self._in_a_row} workers ended one after the other without an answer; the last one {reason}")
        self.changed()

    def praise(self) -> None:
        """Somebody has answered something."""
        self._in_a_row = self._deaths = 0

    def name(self, member: Member) -> str:
        return f"worker {member.number}" + (f" on {member.facts.node}" if member.facts else "")

    def say(self, member: Member, said: Sequence[Said]) -> None:
        """Says here what a worker said; other libraries' words not by their own handlers, as here."""
        for name, level, text in said:
            library = name.partition(".")[0]
            if library not in self._heard:
                self._heard.add(library)
                take_off_terminal(library)
            there = logging.getLogger(name)
            if there.isEnabledFor(level):
                line = printable(f"{self.name(member)}: {text}")
                there.handle(there.makeRecord(name, level, __file__, 0, line, (), None))

    def _turn_away(self, member: Member, reason: str) -> None:
        self._unfit += 1
        member.end(reason)
        self._cluster.kill(member.number)
        logger.warning("%s takes no part: %s; the others go on", self.name(member), reason)


def told_of(broken: Broken) -> UserError:
    """What is wrong with a worker's model, as it is told where the model is in this process."""
    return UserError(broken.reason, flag=broken.flag) if broken.fault else PluginError(broken.reason)
