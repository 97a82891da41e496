"""Pages say who answered behind a server, and what it took: what the script of a real server said of itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mipha_eval as me
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.static_view import ViewConfig, write_view
from tests.browser import Tab, address_of
from tests.judge_server import Say, judge_server
from tests.test_view import elements, rows_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def script(prompt: str, before: int) -> Say:
    if "circle" in prompt:
        return Say(None, message={"refusal": "I <b>will</b> not say."}, model="m-2024-08-06")
    return Say("Yes", model="cheaper <i>one</i>" if "square" in prompt else "m-2024-08-06", fingerprint="fp_1")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> me.Run:
    with judge_server(script) as server:
        options = {"model": "m", "base_url": server.url, "price": "10,100"}
        where = tmp_path_factory.mktemp("served")
        return me.evaluate("openai-api", "pope", data="demo", limit=60, output=where, progress=False, options=options)


def test_the_data_of_a_page(run: me.Run, tmp_path: Path) -> None:
    served = run["pope"].summary.served
    assert served is not None
    page = write_view(ViewConfig((run.path,), tmp_path / "view.html"), Registry())
    data = elements(page.path)
    (result,) = data["document"]["tasks"][0]["results"]
    assert result["served"].startswith("by cheaper <i>one</i>, m-2024-08-06 (system fp_1): ")
    assert f"{served.prompt_tokens:,} tokens of prompts, {served.completion_tokens:,} of answers" in result["served"]
    assert f"{served.usd:.4f} USD" in result["served"]
    assert "ANOTHER MODEL" in result["shortMarks"]
    rows = {row["id"]: row["answers"][0] for row in rows_of(data, "pope@demo")}
    usual = "m-2024-08-06, system fp_1, 700 tokens of the prompt, 3 of the answer, 0.007300 USD"
    wanted = {
        usual,
        usual.replace("m-2024-08-06", "cheaper <i>one</i> (ANOTHER MODEL)"),
        "m-2024-08-06, 700 tokens of the prompt, 3 of the answer, 0.007300 USD, said: I <b>will</b> not say.",
    }
    found = {answer["served"] for answer in rows.values()}
    assert found == wanted
    assert all(("said:" in answer["served"]) == bool(answer.get("error")) for answer in rows.values())


def test_a_page_of_a_model_here_says_nothing_of_servers(tmp_path: Path) -> None:
    run = me.evaluate("constant", "pope", data="demo", limit=5, output=tmp_path, progress=False)
    data = elements(write_view(ViewConfig((run.path,), tmp_path / "view.html"), Registry()).path)
    assert data["document"]["tasks"][0]["results"][0]["served"] == ""
    assert not any("served" in row["answers"][0] for row in rows_of(data, "pope@demo"))


def test_it_is_seen(run: me.Run, tmp_path: Path, browser: Browser) -> None:
    path = tmp_path / "view.html"
    write_view(ViewConfig((run.path,), path), Registry())
    tab = Tab.open(browser, address_of(path), "light wide", task="pope@demo")
    facts = " ".join(tab.texts(".result dl"))
    assert "Served" in facts
    assert "by cheaper <i>one</i>, m-2024-08-06 (system fp_1)" in facts
    refused = next(row.id for row in run["pope"].samples().itertuples() if "circle" in row.question)
    tab.go(task="pope@demo", sample=refused)
    assert "Server: m-2024-08-06, 700 tokens of the prompt" in " ".join(tab.texts("section.answer"))
    assert "said: I <b>will</b> not say." in " ".join(tab.texts("section.answer"))
    tab.close()
