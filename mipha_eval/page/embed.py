"""One HTML file with everything in it: style, script and data, under a policy that lets nothing else in.

The data are JSON in elements that are not executed. Every text in them comes from outside (questions, answers, names), so
nothing in it may end the element, and the script sets text as text, never as HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mipha_eval.core.atomic import errors_naming
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.plugins.registry import plugin_folder

#: what ends an element or opens a comment in HTML, and what ends a line in old JavaScript
UNSAFE = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def to_json(value: object) -> str:
    """Compact JSON of records in ASCII that may stand in an HTML element; numbers that JSON has no words for become null."""
    plain: Json = msgspec.to_builtins(value)
    try:
        text = json.dumps(plain, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(plain), separators=(",", ":"))
    return text.translate(UNSAFE)


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


@dataclass(frozen=True)
class Page:
    """A page before it is text.

    Attributes:
        title: untrusted, as the data are.
        script: name of a file in ``reports/pages/bundles``, which are made of the modules in ``reports/pages``.
        data: element id -> JSON (see `to_json`) for the script, there before it runs.
        later: the same, read by the browser while the page is already in use.
        connects: whether the page asks the server that it came from for more.
    """

    title: str
    script: str
    data: Mapping[str, str]
    later: Mapping[str, str] = field(default_factory=dict)
    connects: bool = False


def html_of(page: Page) -> Iterator[str]:
    """The page, piece by piece."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    folder = pages_folder()
    style, script = _sources(page)
    environment = Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=True, trim_blocks=True)
    head, tail = (environment.get_template(f"page.{part}.html.j2") for part in ("head", "tail"))
    yield head.render(title=page.title, policy=policy_of(page), style=Markup(style))  # noqa: S704
    for name, text in page.data.items():
        yield data_element(name, text)
    yield f"<script>{script}</script>\n"
    for name, text in page.later.items():
        yield data_element(name, text)
    yield tail.render()


def write_html(path: Path, page: Page) -> None:
    """Writes a page as a whole: it is there complete or not at all."""
    temporary = path.with_name(path.name + ".new")
    with errors_naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8", newline="\n", errors="replace") as file:
                file.writelines(html_of(page))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def data_element(name: str, text: str) -> str:
    """JSON as an element that is not executed; `text` comes from `to_json`."""
    return f'<script type="application/json" id="{name}">{text}</script>\n'


def policy_of(page: Page) -> str:
    """A content security policy: the page's own script and style, embedded pictures, and nothing from anywhere."""
    style, script = _sources(page)
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data: 'self'" if page.connects else "data:",
        "connect-src": "'self'" if page.connects else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def pages_folder() -> Path:
    """Where templates, style and scripts of pages are."""
    return plugin_folder("reports") / "pages"


def _sources(page: Page) -> tuple[str, str]:
    """The page's style and script."""
    return _source(pages_folder() / "page.css"), _source(pages_folder() / "bundles" / page.script)


def _source(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if "</script" in text or "</style" in text:
        raise UserError(f"{path} would end its own element")
    return text
