"""Pictures that are decoded and resized in worker threads while the model is busy with others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from mipha_eval.core.types import Image

#: what images are read as
Made = TypeVar("Made")

#: decoding and resizing run outside Python's lock; more than a few threads would take the model's cores on a CPU
MOST_THREADS = 8

#: calls of `prefetch` after which a picture is given up: all questions about it failed before it was looked at
KEPT = 8


class ReadAhead(Generic[Made]):
    """Reads the images of prompts ahead of time; what was expected is held until it is taken.

    Args:
        read: from the images of a prompt to what the model takes.
    """

    def __init__(self, read: Callable[[tuple[Image, ...]], Made]) -> None:
        self._read = read
        self._pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "pictures")
        self._futures: dict[tuple[str, ...], Future[Made]] = {}
        self._times: dict[tuple[str, ...], int] = {}
        self._time = 0

    def prefetch(
        self, groups: Iterable[tuple[Image, ...]], then: Callable[[tuple[Image, ...], Made], None] | None = None
    ) -> None:
        """Begins to read the images of some prompts, those that are the same once; forgets what nobody took for long.

        `then` is called with images and what they were read as, in the same thread, before they can be taken.
        """
        self._time += 1
        for images in groups:
            key = _key(images)
            if images and key not in self._futures:
                self._futures[key] = self._pool.submit(self._read_and, images, then)
                self._times[key] = self._time
        for key in [key for key, time in self._times.items() if time < self._time - KEPT]:
            self._futures.pop(key, None)
            del self._times[key]

    def _read_and(self, images: tuple[Image, ...], then: Callable[[tuple[Image, ...], Made], None] | None) -> Made:
        made = self._read(images)
        if then:
            then(images, made)
        return made

    def take(self, images: tuple[Image, ...]) -> Made:
        """What `read` gives, or raises; waits for what was expected, reads now what was not."""
        future = self._futures.pop(_key(images), None)
        self._times.pop(_key(images), None)
        return self._read(images) if future is None else future.result()


def _key(images: Iterable[Image]) -> tuple[str, ...]:
    return tuple(image.view for image in images)
