"""A real browser for the tests of pages: Debian's Chromium through Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
WIDTHS = {"wide": 1280, "narrow": 360}
MOVE = """place => new Promise(done => {
    if (location.hash === place) return done();
    addEventListener('hashchange', () => done(), { once: true });
    location.hash = place;
})"""
SERIOUS = ("serious", "critical")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser while entered; skips the test where there is none, and says what is not looked at then."""
    driver = pytest.importorskip("playwright.sync_api", reason="no page is opened in a browser: playwright is not installed")
    if PROGRAM is None:
        pytest.skip("no page is opened in a browser: chromium is not installed (apt-get install chromium)")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Tab:
    """A page in the browser, and everything that went wrong on it.

    Attributes:
        own: what addresses of requests may begin with.
    """

    page: Page
    own: str
    problems: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, address: str, looks: str = "light wide", **fragment: object) -> Tab:
        """Opens a page; `looks` are light or dark, wide or narrow."""
        scheme, width = looks.split()
        context = browser.new_context(color_scheme=scheme, viewport={"width": WIDTHS[width], "height": 800})  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        tab = cls(context.new_page(), address.partition("#")[0])
        tab.page.on("console", lambda message: tab.note(message.type, message.text))
        tab.page.on("pageerror", lambda error: tab.problems.append(f"error: {error}"))
        tab.page.on("dialog", lambda dialog: tab.problems.append(f"dialog: {dialog.message}"))
        tab.page.on("request", lambda request: tab.asked(request.url))
        tab.go(address, **fragment)
        return tab

    def note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(f"{kind}: {text}")

    def asked(self, url: str) -> None:
        if not url.startswith((self.own, "data:")):
            self.problems.append(f"request: {url}")

    def go(self, address: str = "", **fragment: object) -> None:
        """To an address, or to another part of the same page."""
        place = f"#{urlencode(fragment)}" if fragment else ""
        if address:
            self.page.goto(address + place, wait_until="load")
        else:
            self.page.evaluate(MOVE, place)
        self.settle()

    def settle(self) -> None:
        """Waits until the page shows what its address asks for."""
        self.page.wait_for_function("() => document.querySelector('main')?.getAttribute('aria-busy') === 'false'")

    def close(self) -> None:
        """Fails the test if anything went wrong on the page."""
        self.page.context.close()
        assert self.problems == []

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.settle()

    def choose(self, name: str, value: str) -> None:
        """Chooses an option of a filter by its value."""
        self.page.locator(f"select[name={name}]").select_option(value)
        self.settle()

    def type(self, text: str) -> None:
        """Types into the search field."""
        self.page.locator("input[name=text]").fill(text)
        self.settle()

    def ids(self) -> list[str]:
        """Of the questions in the list."""
        links: list[str] = self.page.eval_on_selector_all(
            ".list a", "links => links.map(link => new URLSearchParams(link.hash.slice(1)).get('sample'))"
        )
        return links

    @property
    def sample(self) -> str:
        """The question that is looked at."""
        return self.page.locator("#sample bdi").inner_text()

    @property
    def status(self) -> str:
        return self.page.locator(".status").inner_text()

    def violations(self) -> list[str]:
        """What axe-core finds serious."""
        checker = pytest.importorskip(
            "axe_playwright_python.sync_playwright", reason="no accessibility check: axe is missing"
        )
        found: list[dict[str, Any]] = checker.Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in SERIOUS]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return wide


def address_of(path: Path) -> str:
    return path.resolve().as_uri()
