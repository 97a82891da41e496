"""Other libraries' progress bars as a stage of ours: they count, and show nothing themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from mipha_eval.core.stage import BYTES, Stage, stage


def bars_of(told: Stage) -> type[Any]:
    """A class of tqdm's bars that tell a stage how far they are; of several at once, the one that is farthest.

    Where the stage counts bytes, so do the bars that are heeded.
    """

    class StageBar(tqdm):  # type: ignore[misc]  # it has no types
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "disable": False, "gui": True})  # with `gui` it prints nothing

        def display(self, *_: object, **__: object) -> None:
            if self.total and (not told.unit or told.unit == self.unit):
                told.total, told.done = self.total, max(told.done, self.n)

    return StageBar


@contextmanager
def weights_read() -> Iterator[None]:
    """While entered, what transformers reads of a checkpoint is a stage."""
    from transformers.utils import logging

    with stage("reading weights") as reading:
        bars = bars_of(reading)

        before = logging.set_tqdm_hook(lambda _, arguments, options: bars(*arguments, **options))
        try:
            yield
        finally:
            logging.set_tqdm_hook(before)


@contextmanager
def fetched(name: str) -> Iterator[type[Any]]:
    """While entered, a repository is fetched from the hub, with bars of the class that this yields."""
    with stage(f"fetching {name}", unit=BYTES) as fetching:
        yield bars_of(fetching)
