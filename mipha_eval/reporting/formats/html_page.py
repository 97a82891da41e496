"""Tables as HTML: a fragment to be put into a page, or a page of its own that loads nothing."""

from __future__ import annotations

from mipha_eval.core.plugins.registry import plugin_folder
from mipha_eval.reporting.contrast import contrast_words
from mipha_eval.reporting.notes import Footnotes
from mipha_eval.reporting.table import Table
from mipha_eval.reporting.visible import visible


def render(table: Table) -> str:
    """A page."""
    return _filled("table_page.html.j2", table)


def fragment(table: Table) -> str:
    """The ``<figure>`` with the table and its notes; ``table.css.j2`` has its looks."""
    return _filled("table.html.j2", table)


def _filled(template: str, table: Table) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(plugin_folder("reports") / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template(template).render(
        table=table, notes=Footnotes(table), levels=list(table.levels()), differences=contrast_words(table.contrasts)
    )
