"""Text from outside, on a terminal and in files for people."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with what is no visible character spelled out."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
