"""A small booktabs table of headline scores, to be copied from a page."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.page.facts import ResultFacts
from mipha_eval.reporting.formats.latex_text import latex_text

Results = Sequence[ResultFacts | None]


def latex_table(runs: Sequence[str], tasks: Sequence[tuple[str, Results]]) -> str:
    """Runs as rows, tasks as columns; marks become letters that are explained below.

    Args:
        tasks: label, and a result of each run, None where there is none.
    """
    letters: dict[str, str] = {}
    rows = [
        ["Model", *(latex_text(label) for label, _ in tasks)],
        ["", *(latex_text(_metrics(results)) for _, results in tasks)],
        *([latex_text(name), *(_cell(results[place], letters) for _, results in tasks)] for place, name in enumerate(runs)),
    ]
    lines = [" & ".join(row) + r" \\" for row in rows]
    notes = [rf"\textsuperscript{{{letter}}}\,{latex_text(mark)}" for mark, letter in letters.items()]
    table = [
        r"% needs \usepackage{booktabs}",
        rf"\begin{{tabular}}{{@{{}}l{'r' * len(tasks)}@{{}}}}",
        r"\toprule",
        *lines[:2],
        r"\midrule",
        *lines[2:],
        r"\bottomrule",
        r"\end{tabular}",
    ]
    below = [r"\par\smallskip{\footnotesize " + "; ".join(notes) + "}"] if notes else []
    return "\n".join([*table, *below, ""])


def _metrics(results: Results) -> str:
    """The headlines of a column, which judges may make differ."""
    return ", ".join(dict.fromkeys(result.headline for result in results if result))


def _cell(result: ResultFacts | None, letters: dict[str, str]) -> str:
    if result is None:
        return "--"
    marks = [letters.setdefault(mark, _letter(len(letters))) for mark in result.marks]
    return latex_text(result.score) + (rf"\textsuperscript{{{','.join(marks)}}}" if marks else "")


def _letter(number: int) -> str:
    """a to z, then aa, ab and so on."""
    return (_letter(number // 26 - 1) if number >= 26 else "") + chr(ord("a") + number % 26)
