"""A small booktabs table of headline scores, to be copied from a page."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    **{letter: f"\\{letter}" for letter in "&%$#_"},
}


def latex_table(runs: Sequence[str], tasks: Sequence[tuple[str, Sequence[Mapping[str, Any] | None]]]) -> str:
    """Runs as rows, tasks as columns; marks become letters that are explained below.

    Args:
        tasks: label, and a result of each run as `runs.result_facts` gives it, None where there is none.
    """
    letters: dict[str, str] = {}
    heads = [" & ".join(escape(label) for label in ["Model", *(label for label, _ in tasks)])]
    heads += [" & ".join(["", *(escape(_metric(results)) for _, results in tasks)])] if tasks else []
    rows = [
        " & ".join([escape(name), *(_cell(results[place], letters) for _, results in tasks)])
        for place, name in enumerate(runs)
    ]
    lines = [
        "% needs \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{l{'r' * len(tasks)}}}",
        "\\toprule",
        *(f"{head} \\\\" for head in heads),
        "\\midrule",
        *(f"{row} \\\\" for row in rows),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    notes = [f"\\textsuperscript{{{letter}}}\\,{escape(mark)}" for mark, letter in letters.items()]
    return "\n".join([*lines, *([f"\n\\smallskip\\footnotesize {'; '.join(notes)}"] if notes else [])]) + "\n"


def _metric(results: Sequence[Mapping[str, Any] | None]) -> str:
    """The headlines of a column, which judges make differ."""
    return ", ".join(dict.fromkeys(result["headline"] for result in results if result))


def _cell(result: Mapping[str, Any] | None, letters: dict[str, str]) -> str:
    if result is None:
        return "--"
    marks = [letters.setdefault(mark, _letter(len(letters))) for mark in result["marks"]]
    return escape(result["score"]) + (f"\\textsuperscript{{{','.join(marks)}}}" if marks else "")


def _letter(number: int) -> str:
    """a to z, then aa, ab and so on."""
    return (_letter(number // 26 - 1) if number >= 26 else "") + chr(ord("a") + number % 26)


def escape(text: str) -> str:
    """Text as TeX prints it; what does not print (control characters, marks of direction) becomes its code point."""
    return "".join(SPECIAL.get(letter) or _printed(letter) for letter in text).replace("--", "-{}-")


def _printed(letter: str) -> str:
    if letter in "\n\t ":
        return " "
    return f"[U+{ord(letter):04X}]" if unicodedata.category(letter)[0] in "CZ" else letter
