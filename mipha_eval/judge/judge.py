"""What can be asked to judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from mipha_eval.core.json_value import Json
from mipha_eval.core.types import Query, Verdict


class Judge(ABC):
    """Answers queries, many at a time, in one event loop.

    Attributes:
        name: what metrics are called by.
        at_once: queries under way that it can use; None leaves it to the user.
    """

    name: str
    at_once: int | None = None

    @abstractmethod
    async def ask(self, query: Query, sample: str) -> Verdict:
        """A reply, or a verdict that says why there is none, after as many tries as make sense.

        Raises:
            StoppedError: no other query would be answered, either.
        """

    @abstractmethod
    def describe(self) -> Mapping[str, Json]:
        """What decides the replies beside the query, for the notes that travel with a score."""

    def load(self) -> None:  # noqa: B027 - a judge behind a server has nothing to load
        """Makes ready to answer; reads a model's weights. Raises UserError."""

    def give_back(self) -> None:  # noqa: B027 - nothing to give back is a fine default
        """Gives back what loading took, where it may be that nothing was asked; may come behind `close`."""

    async def close(self) -> None:  # noqa: B027 - nothing to close is a fine default
        """Gives connections back."""
