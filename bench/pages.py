"""How soon a page of many questions can be used in a browser: ``python -m bench.pages``.

A made-up set is answered by a constant, and ``mipha-eval view`` writes the page as a user would have it, by default with a
picture of its own for every question. A browser opens the file several times; the clock is the browser's, from the beginning
of the navigation.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.pope_set import make_set, write_llava

PLUGIN = Path(__file__).with_name("pope_task.py")
SHOWN = "performance.getEntriesByName('shown')[0]?.startTime ?? null"
#: asks for more than the address does, and waits for the list to be another
CHANGED = """change => new Promise((resolve) => {
    const list = document.querySelector('.list');
    const started = performance.now();
    new MutationObserver(() => resolve(performance.now() - started)).observe(list, { childList: true });
    location.hash += `&${change}`;
})"""
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd || null"


def make_page(folder: Path, questions: int, each: int) -> Path:
    """A stored run over made-up questions, and its page."""
    write_llava(make_set(questions, each), folder / "data")
    command = [sys.executable, "-m", "mipha_eval"]
    tasks = ["--tasks", "bench-pope", "--plugin", str(PLUGIN), "--model", "constant", "--data", str(folder / "data")]
    subprocess.run([*command, "run", *tasks, "--output", str(folder / "runs")], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    (run,) = (folder / "runs").glob("*/")
    started = time.perf_counter()
    page = folder / "view.html"
    subprocess.run([*command, "view", str(run), "--plugin", str(PLUGIN), "-o", str(page)], check=True)  # noqa: S603
    print(f"written in {time.perf_counter() - started:.1f} s, {page.stat().st_size / 1e6:.1f} MB")
    return page


def open_page(page: Path) -> dict[str, float]:
    """Seconds until the first questions are there, until all is loaded, and of a filter and a search."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(f"{page.as_uri()}#task=bench-pope%40llava", wait_until="load")
        tab.wait_for_function(SHOWN)
        found = {"shown": tab.evaluate(SHOWN) / 1000, "loaded": tab.evaluate(LOADED) / 1000}
        for name, change in (("filter", "state=wrong"), ("search", "text=dog")):
            found[name] = tab.evaluate(CHANGED, change) / 1000
        browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--each", type=int, default=1, help="questions a picture")
    parser.add_argument("--repeats", type=int, default=5)
    given: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        page = make_page(Path(name), given.questions, given.each)
        opened = [open_page(page) for _ in range(given.repeats)]
    for what in opened[0]:
        values = [found[what] for found in opened]
        print(f"{what:<8} median {statistics.median(values):.2f} s, largest {max(values):.2f} s")


if __name__ == "__main__":
    main()
