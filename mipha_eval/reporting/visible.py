"""Text from outside as a line that shows what is in it."""

from __future__ import annotations

from mipha_eval.core.printable import printable

LONGEST = 200


def visible(text: object, longest: int = LONGEST) -> str:
    """One printable line; longer texts are cut."""
    line = " ".join(str(text)[: 8 * longest].split())
    shown = printable(line)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
