"""Text from outside, on a terminal and in files for people."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with what acts instead of showing written as ``[U+202E]``: control characters (NUL, the escape that begins a
    terminal's commands), marks that turn the direction of writing, invisible ones and lone surrogates.
    """
    return "".join(letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in text)
