"""The processes that compute a model together: one leads, the others follow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from mipha_eval.core.types import Request

Made = TypeVar("Made")


class Group(Protocol):
    """What an adapter knows of the processes.

    Attributes:
        inside: whether what is computed now is computed by all of them, or there is no other.
    """

    @property
    @abstractmethod
    def inside(self) -> bool: ...

    def together(self, what: str, own: Callable[[], Made], batch: Sequence[Request] | None) -> Made:
        """Has all do something; see `GenericAdapter.together`."""

    def close(self) -> None:
        """Ends the others."""


class Alone:
    """This process has no other, or follows one that says what is done."""

    inside = True

    def together(self, what: str, own: Callable[[], Made], batch: Sequence[Request] | None) -> Made:
        """Does it."""
        return own()

    def close(self) -> None:
        """There is nobody to end."""
