"""Untrusted text made harmless: names, ids and answers appear as text, whatever they hold."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
#: control, format (right-to-left marks), surrogate and private characters; line and paragraph separators
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
#: what has a meaning in Markdown; an underscore within a word has none
MARKUP = re.compile(r"[\\`*\[\]<>|&~#$!]|(?<![^\W_])_|_(?![^\W_])")


def visible(value: object, longest: int = LONGEST) -> str:
    r"""One line without characters that a terminal or browser obeys: an escape character becomes ``\x1b``."""
    text = str(value)
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    return "".join(
        _escape(letter) if unicodedata.category(letter) in INVISIBLE else letter for letter in " ".join(cut.split())
    )


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def markdown(value: object) -> str:
    """Text for a Markdown table cell or line that is no markup and no link there."""
    return MARKUP.sub(r"\\\g<0>", visible(value))
