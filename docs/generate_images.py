"""Writes the pictures in docs/images: pages of two runs of the embedded model, in Chromium (`apt-get install chromium`)."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from PIL import Image

import mipha_eval as me
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.static_view import ViewConfig, write_view
from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TARGET = Path(__file__).with_name("images")
TASKS = "mmbench,mme,pope,scienceqa,seed,textvqa"
WIDTH = 960  # pixels of a picture in the README
READY = "() => document.querySelector('main')?.getAttribute('aria-busy') === 'false'"


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        seeing = me.evaluate("mipha-tiny", TASKS, data="demo", output=folder)
        blind = me.evaluate("mipha-tiny", TASKS, data="demo", output=folder, control="blind")
        write_view(ViewConfig([seeing.path], folder / "view.html"), Registry())
        write_view(ViewConfig([blind.path, seeing.path], folder / "compare.html"), Registry())
        take(browser, folder / "view.html", task="mmbench@demo", sample="3")
        take(browser, folder / "compare.html", task="seed@demo")


def take(browser: Browser, page: Path, **shown: str) -> None:
    """A picture of a page at what is shown, under the page's name."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{page.as_uri()}#{urlencode(shown)}")
    tab.wait_for_function(READY)
    picture = Image.open(BytesIO(tab.screenshot()))
    picture.resize((WIDTH, WIDTH * picture.height // picture.width), Image.Resampling.LANCZOS).save(
        TARGET / f"{page.stem}.webp", quality=80, method=6
    )
    tab.close()


if __name__ == "__main__":
    main()
