"""Texts as parts of file names."""

from __future__ import annotations

import hashlib


def plain_name(text: str) -> str:
    """A text as part of a file name, of at most 60 letters; texts that look alike then stay apart."""
    plain = "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in text[:50])
    return plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
