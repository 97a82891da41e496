"""Which format a comparison is written in, and its text."""

from __future__ import annotations

import json
from pathlib import Path

from mipha_eval.comparison.result import Comparison
from mipha_eval.core.errors import UserError
from mipha_eval.reporting.comparison.page import render_comparison
from mipha_eval.reporting.comparison.record import comparison_record

ENDINGS = {".md": "md", ".json": "json", ".html": "html", ".htm": "html"}


def chosen_format(form: str | None, output: Path | None) -> str | None:
    """The format that was asked for, else the one of the file's ending; None for a table on the terminal.

    Raises:
        UserError: a file whose ending says nothing.
    """
    if form is not None or output is None:
        return form
    if output.suffix.lower() not in ENDINGS:
        raise UserError(f"{output} ends in none of {', '.join(ENDINGS)}; give a format", flag="--format")
    return ENDINGS[output.suffix.lower()]


def comparison_text(comparison: Comparison, form: str) -> str:
    """The text of a file; `form` is md, json or html."""
    if form == "json":
        return json.dumps(comparison_record(comparison), indent=2) + "\n"
    return render_comparison(comparison, "html" if form == "html" else "md")
