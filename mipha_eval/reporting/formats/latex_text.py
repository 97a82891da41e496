"""Text for LaTeX that every engine sets, with fonts of any encoding."""

from __future__ import annotations

import re
import unicodedata

from mipha_eval.reporting.visible import visible

ESCAPES = r"""
\ \textbackslash{}  ~ \textasciitilde{}  ^ \textasciicircum{}  | \textbar{}  < \textless{}  > \textgreater{}
` \textasciigrave{}  … \ldots{}  † \textdagger{}  · \textperiodcentered{}  • \textbullet{}  – --  — ---
“ ``  ” \'\'  ‘ {`}  ’ \'  ° $^\circ$  × $\times$  ± $\pm$  ≤ $\leq$  ≥ $\geq$  ≈ $\approx$  → $\rightarrow$  ∞ $\infty$
α $\alpha$  β $\beta$  γ $\gamma$  λ $\lambda$  µ $\mu$  π $\pi$  σ $\sigma$  τ $\tau$
ß \ss{}  ø \o{}  Ø \O{}  ł \l{}  Ł \L{}  ı \i{}  æ \ae{}  Æ \AE{}  œ \oe{}  Œ \OE{}
""".replace(r"\'", "'").split()
MARKS = ["̀", "`", "́", "'", "̂", "^", "̃", "~", "̄", "=", "̆", "u", "̇", ".", "̈", '"', "̊", "r", "̋", "H", "̌", "v", "̧", "c"]

ACCENTS = dict(zip(MARKS[::2], MARKS[1::2], strict=True))
SPECIAL = {
    **dict(zip(ESCAPES[::2], ESCAPES[1::2], strict=True)),
    **{letter: f"\\{letter}" for letter in "#$%&_{}"},
    **{letter: f"{{{letter}}}" for letter in "[]*"},  # else an argument of the \\ before it
    '"': r'{\string"}',  # some languages of babel make it a command
}
LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=,)(?=,)|(?<=')(?=')")
UNBROKEN = 20  # longer words may be broken after a mark


def latex_text(text: str, longest: int = 200) -> str:
    """Text that LaTeX prints as it is.

    Letters that LaTeX's own fonts lack are printed by XeTeX and LuaTeX, which take fonts of the system, and as their code
    points by pdfTeX.
    """
    words = (_word(word) for word in visible(text, longest).split(" "))
    return " ".join(words)


def _word(word: str) -> str:
    if len(word) <= UNBROKEN:
        return _escaped(word)
    return r"\allowbreak{}".join(_escaped(part) for part in re.split(r"(?<=[/:@.,_])(?=.)", word))


def _escaped(text: str) -> str:
    plain = LIGATURES.sub("\u200b", text)  # a mark that `visible` leaves in no text
    found = "".join(_letter(letter) for letter in plain)
    return re.sub(r"(?:\0.\0)+", _for_new_engines, found)


def _letter(letter: str) -> str:
    if letter == "\u200b":
        return "{}"
    if letter in SPECIAL:
        return SPECIAL[letter]
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if base.isascii() and all(mark in ACCENTS for mark in marks) and len(marks) < 2:
        return f"\\{ACCENTS[marks[0]]}{{{base}}}" if marks else base
    return f"\0{letter}\0"


def _for_new_engines(run: re.Match[str]) -> str:
    letters = run[0].replace("\0", "")
    codes = " ".join(f"U+{ord(letter):04X}" for letter in letters)
    return rf"{{\ifdefined\Umathchar {letters}\else{{[}}{codes}{{]}}\fi}}"
