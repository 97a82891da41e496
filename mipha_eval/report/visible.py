"""Text from outside as a line that shows what is in it."""

from __future__ import annotations

LONGEST = 200


def visible(text: object, longest: int = LONGEST) -> str:
    """One line without a character that acts instead of showing: each such is written as ``[U+202E]``.

    These are control characters (NUL, the escape that begins a terminal's commands), marks that turn the direction of
    writing, invisible ones and lone surrogates. Longer texts are cut.
    """
    line = " ".join(str(text)[: 8 * longest].split())
    shown = "".join(letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in line)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
