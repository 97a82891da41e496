"""How lmms-eval wants answers generated, in this engine's words; the same for its tasks here and our models there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mipha_eval.core.types import Decoding

#: what its own models take where a task says nothing
MOST_NEW_TOKENS = 1024
#: what it adds to every task that names no end; its own models do not end there
NO_END = "\n\n"
#: what stands for a picture in a prompt; ours stand before the text
IMAGE_MARK = "<image>"


@dataclass(frozen=True)
class Generation:
    """How an answer is generated.

    Attributes:
        stops: texts at which it ends; what follows them is no part of it.
        sampled: whether lmms-eval would draw it.
    """

    decoding: Decoding
    stops: tuple[str, ...] = ()
    sampled: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> Generation:
        """Of lmms-eval's ``generation_kwargs``. Raises ValueError for numbers that are none."""
        until = settings.get("until")
        stops = [until] if isinstance(until, str) else until if isinstance(until, Iterable) else []
        temperature = settings.get("temperature") or 0
        beams = settings.get("num_beams") or 1
        decoding = Decoding(int(str(settings.get("max_new_tokens") or MOST_NEW_TOKENS)), num_beams=int(str(beams)))
        drawn = bool(settings.get("do_sample")) and float(str(temperature)) > 0
        return cls(decoding, tuple(stop for stop in map(str, stops) if stop and stop != NO_END), drawn)


def ended(text: str, stops: Iterable[str]) -> str:
    """An answer up to the first of the texts at which it ends."""
    for stop in stops:
        text = text.split(stop, maxsplit=1)[0]
    return text


def without_marks(context: str) -> str:
    """A prompt without the marks of its pictures, which stand before its text."""
    return context.replace(IMAGE_MARK, "").lstrip() if IMAGE_MARK in context else context
