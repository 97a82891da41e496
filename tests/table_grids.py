"""What tables say, read back from what they were written as, without the code that wrote them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

#: elements that a table's HTML may have
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "figure", "figcaption", "div", "p", "br"),
    *("table", "thead", "tbody", "tr", "th", "td", "bdi", "sup", "sub", "strong", "u", "ins", "em"),
}
EMPTY = {"meta", "br"}
STYLES = {"strong": "best", "u": "second", "ins": "second", "em": "grey"}


@dataclass
class Shown:
    """A cell as a reader sees it."""

    text: str = ""
    below: str = ""
    above: str = ""
    styles: set[str] = field(default_factory=set)


class TableReader(HTMLParser):
    """Collects rows of cells, and everything that should not be there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[Shown]] = []
        self.odd: list[str] = []
        self.footnotes: dict[str, str] = {}
        self._letter: str | None = None
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag not in ALLOWED:
            self.odd.append(tag)
        self.odd += [f"{name}={value}" for name, value in attrs if name.startswith("on") or name in ("href", "src")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            styles = {"grey"} if "grey" in (attributes.get("class") or "").split() else set()
            self.rows[-1].append(Shown(styles=styles))
        if tag in ("p", "br"):
            self._letter = None
        if tag in STYLES and self._in_cell():
            self.rows[-1][-1].styles.add(STYLES[tag])
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag not in EMPTY and self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._in_cell():
            cell = self.rows[-1][-1]
            if "sup" in self._open:
                cell.above += data
            elif "sub" in self._open:
                cell.below += data
            else:
                cell.text += data
        elif "p" in self._open and "sup" in self._open:
            self._letter = data
        elif self._letter is not None:
            self.footnotes[self._letter] = self.footnotes.get(self._letter, "") + data.strip()

    def _in_cell(self) -> bool:
        return "td" in self._open or "th" in self._open


def read_html(text: str) -> TableReader:
    reader = TableReader()
    reader.feed(text)
    reader.close()
    return reader


def read_markdown(text: str) -> TableReader:
    """As GitHub would show it: raw HTML passes."""
    return read_html(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


COMMANDS = {"textbf": "best", "underline": "second", "textcolor{gray}": "grey"}


def read_latex(text: str) -> list[list[Shown]]:
    """The rows between the rules."""
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    lines = [line.removesuffix(r" \\") for line in body.split("\n") if line.endswith(r"\\")]
    return [[_latex_cell(cell) for cell in re.split(r"(?<!\\) & ", line)] for line in lines]


def _latex_cell(cell: str) -> Shown:
    shown = Shown()
    for command, style in COMMANDS.items():
        found = re.match(rf"\\{re.escape(command)}\{{([^{{}}]*)\}}", cell)
        if found:
            shown.styles.add(style)
            cell = found[1] + cell[found.end() :]
    for command, name in (("textsuperscript", "above"), ("textsubscript", "below")):
        found = re.search(rf"\\{command}\{{((?:[^{{}}]|\{{\}})*)\}}$", cell)
        if found:
            setattr(shown, name, found[1].replace(r"\textdagger{}", "†").replace("--", "–"))
            cell = cell[: found.start()]
    shown.text = cell.replace("--", "–")
    return shown
