"""A table as text, a file a format; each has ``render(table)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mipha_eval.reporting.formats import csv_file, html_page, json_file, latex, markdown
from mipha_eval.reporting.table import Table

RENDERERS: Mapping[str, Callable[[Table], str]] = {
    "md": markdown.render,
    "latex": latex.render,
    "html": html_page.render,
    "csv": csv_file.render,
    "json": json_file.render,
}
#: endings of file names that are not the format's own name
ENDINGS: Mapping[str, str] = {"tex": "latex", "markdown": "md", "htm": "html"}
