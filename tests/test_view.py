"""``mipha-eval view``: what stands in the file, what the server gives, and what is told of what is missing."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from mipha_eval.core.atomic import write_json
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Image as Picture
from mipha_eval.data.images import ImageError
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.page.runs import model_size, read_runs
from mipha_eval.page.served_view import ServedView
from mipha_eval.page.server import ViewServer, open_server
from mipha_eval.page.static_view import ViewConfig, write_view
from mipha_eval.page.thumbnails import MOST_BYTES, thumbnail
from mipha_eval.page.view import View
from mipha_eval.store.manifest import Manifest
from tests.browser import Tab
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl
from tests.judge_server import Say, judge_server
from tests.page_runs import Made, Told, demo_runs, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return demo_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def server(runs: tuple[Path, Path]) -> Iterator[ViewServer]:
    with open_server(ServedView(View(read_runs(runs), Registry())), "127.0.0.1", 0) as found:
        yield found


#: whether the picture of the question that is looked at is there
PICTURE = "() => document.querySelector('img.picture').naturalWidth > 0"


def elements(path: Path) -> dict[str, Any]:
    """The data in a page, by the ids of their elements."""
    found = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', path.read_text(encoding="utf-8"))
    return {name: json.loads(text) for name, text in found}


def written(runs: tuple[Path, ...], tmp_path: Path, **options: Any) -> tuple[dict[str, Any], list[str]]:
    page = write_view(ViewConfig(runs, tmp_path / "view.html", **options), Registry())
    return elements(page.path), list(page.left_out)


def rows_of(data: dict[str, Any], label: str) -> list[dict[str, Any]]:
    number = next(number for number, task in enumerate(data["document"]["tasks"]) if task["label"] == label)
    return [row for name, rows in data.items() if name.startswith(f"rows-{number}-") for row in rows]


def test_cli(cli: Cli, runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli("view", *runs)
    assert outcome.out == "view: view.html\n"
    assert outcome.err == ""
    copy = shutil.copytree(runs[0], tmp_path / "copy")
    assert cli("view", copy).out == f"view: {copy / 'view.html'}\n"
    assert cli("view", copy, "--output", "other/page.html").out == "view: other/page.html\n"
    assert cli("view", tmp_path).err.startswith(f"error: {tmp_path} is no run folder")
    assert "it holds 1 run: name some" in cli("view", tmp_path).err
    assert "none is no run folder: it does not exist" in cli("view", tmp_path / "none").err


def test_thumbnails_are_the_pictures_and_small(runs: tuple[Path, Path], tmp_path: Path) -> None:
    data, left_out = written(runs, tmp_path)
    assert left_out == []
    thumbnails = [address for name, part in data.items() if name.startswith("images-") for address in part]
    locations = {}
    for label in ("pope@demo", "vqav2@demo"):
        for sample in Told.of(runs[0], label).samples:
            locations[sample["id"], label] = sample["images"][0]["location"]
    for label in ("pope@demo", "vqav2@demo"):
        for row in rows_of(data, label)[:20]:
            kind, _, text = thumbnails[row["images"][0][0]].partition(",")
            assert kind == "data:image/webp;base64"
            with Image.open(io.BytesIO(base64.b64decode(text))) as small, Image.open(locations[row["id"], label]) as whole:
                difference = sum(
                    abs(one - other)
                    for one, other in zip(
                        small.convert("RGB").resize((8, 8)).tobytes(),
                        whole.convert("RGB").resize((8, 8)).tobytes(),
                        strict=True,
                    )
                )
                assert difference / 192 < 12, "it is another picture"
    assert max(len(base64.b64decode(address.partition(",")[2])) for address in thumbnails) <= MOST_BYTES


@pytest.mark.parametrize("size", [(3, 2), (64, 2000), (5000, 40), (900, 900)])
@pytest.mark.parametrize("most", [20_000, 4_000])
def test_thumbnails_keep_to_their_bytes(size: tuple[int, int], most: int) -> None:
    noise = Image.effect_noise(size, 120).convert("RGB")
    file = io.BytesIO()
    noise.save(file, "PNG")
    data = thumbnail(Picture("noise", "noise", file.getvalue), most)
    assert len(data) <= most
    with Image.open(io.BytesIO(data)) as small:
        assert max(small.size) <= min(448, max(size))
        assert max(small.size) > min(30, max(size) - 1)


def test_a_broken_picture_has_no_thumbnail() -> None:
    with pytest.raises(ImageError):
        thumbnail(Picture("text", "text", b"no picture".__str__().encode))


def test_what_does_not_fit_is_told(runs: tuple[Path, Path], tmp_path: Path) -> None:
    data, left_out = written(runs, tmp_path, megabytes=0.9)
    tasks = {task["label"]: task["count"] for task in data["document"]["tasks"]}
    assert tasks == {"mmbench@demo": 456, "pope@demo": 1080, "vqav2@demo": 300}
    assert data["document"]["leftOut"] == ["pope@demo"]
    assert rows_of(data, "pope@demo") == []
    assert len(rows_of(data, "vqav2@demo")) == 300
    assert left_out[0] == "pope@demo: its questions do not fit into the page; serve it to see them, or allow more megabytes"
    shown = sum(len(part) for name, part in data.items() if name.startswith("images-"))
    numbers = {number for label in tasks for row in rows_of(data, label) for number, _ in row["images"]}
    assert left_out[1:] == [f"{len(numbers) - shown:,} pictures do not fit into the page; serve it to see them"]
    assert (tmp_path / "view.html").stat().st_size < 1.3e6  # and what is not questions


def test_pictures_that_are_gone_are_told(runs: tuple[Path, Path], tmp_path: Path) -> None:
    run = shutil.copytree(runs[0], tmp_path / "run")
    samples = read_jsonl(run / "vqav2@demo/samples.jsonl")
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9)).save(secret)
    places = ["/nowhere/a.jpg", f"{tmp_path}/run/../secret.png", str(secret)]
    for sample, place in zip(samples, places, strict=False):
        name = "secret.png" if "run" in place else "other.png"
        sample["images"] = [{"name": name, "location": place}]
    write_jsonl(run / "vqav2@demo/samples.jsonl", samples)
    data, left_out = written((run,), tmp_path)
    numbers = [number for row in rows_of(data, "vqav2@demo")[:3] for number, _ in row["images"]]
    thumbnails = [address for name, part in data.items() if name.startswith("images-") for address in part]
    assert [thumbnails[number] for number in numbers] == [None] * 3, "missing, out of its folder, under another name"
    assert left_out[0].startswith("3 of ")


def test_the_same_id_with_another_text_is_another_question(runs: tuple[Path, Path], tmp_path: Path) -> None:
    run = shutil.copytree(runs[1], tmp_path / "run")
    samples = read_jsonl(run / "vqav2@demo/samples.jsonl")
    samples[0]["prompt"] = "Another question?"
    del samples[1]
    write_jsonl(run / "vqav2@demo/samples.jsonl", samples)
    data, _ = written((runs[0], run), tmp_path)
    task = next(task for task in data["document"]["tasks"] if task["label"] == "vqav2@demo")
    assert task["count"] == 301
    first, second = task["states"]
    assert (second[0], second[1], first[300]) == ("-", "-", "-")
    assert "-" not in first[:300] + second[2:]


def test_a_run_that_goes_on_and_a_damaged_one(runs: tuple[Path, Path], tmp_path: Path, cli: Cli) -> None:
    run = shutil.copytree(runs[0], tmp_path / "run")
    answers = (run / "pope@demo/responses.jsonl").read_text().splitlines(keepends=True)
    (run / "pope@demo/responses.jsonl").write_text("".join(answers[:100]) + answers[100][:20])
    for name in ("scores.jsonl", "result.json"):
        (run / "pope@demo" / name).unlink()
    status = read_json(run / "status.json")
    write_json(run / "status.json", {**status, "pope@demo": {"state": "infer"}})
    data, _ = written((run,), tmp_path)
    task = next(task for task in data["document"]["tasks"] if task["label"] == "pope@demo")
    assert task["results"] == [None]
    assert task["states"][0].count("M") + task["states"][0].count("F") == 1080
    assert sum("text" in row["answers"][0] for row in rows_of(data, "pope@demo")) >= 95
    write_json(run / "vqav2@demo/result.json", {"task": "vqav2@demo", "headline": "accuracy"})
    outcome = cli("view", run)
    assert outcome.code == 2
    assert "vqav2@demo/result.json is damaged" in outcome.err
    write_json(run / "manifest.json", {"schema": 1})
    assert "field model" in cli("view", run).err


def test_an_answer_to_another_request_is_none(runs: tuple[Path, Path], tmp_path: Path) -> None:
    """As when scoring: what was stored for a question that is asked differently now does not belong to it."""
    run = shutil.copytree(runs[0], tmp_path / "run")
    answers = read_jsonl(run / "vqav2@demo/responses.jsonl")
    answers[7]["key"] = "0" * 24
    write_jsonl(run / "vqav2@demo/responses.jsonl", answers)
    data, _ = written((run,), tmp_path)
    rows = {row["id"]: row["answers"][0] for row in rows_of(data, "vqav2@demo")}
    assert "text" not in rows[answers[7]["sample"]]
    assert rows[answers[8]["sample"]]["text"] == answers[8]["text"]


def test_judges_replies_stand_beside_each_answer(tmp_path: Path) -> None:
    """Equal queries are asked once; every answer that they were about shows the reply."""
    with judge_server(lambda prompt, before: Say("0.5 </script><b>" if before == 0 else "1.0")) as server:
        choice = JudgeChoice("strict", server.url, concurrency=1, tries=1)
        run = make_run(tmp_path, Made(["mmvet"], 1, limit=20, judge=choice), lambda *_: {"text": "a star"})
    data, _ = written((run,), tmp_path)
    rows = rows_of(data, "mmvet@demo")
    assert len(rows) >= 20
    said = [row["answers"][0]["verdicts"] for row in rows]
    assert all([verdict["judge"] for verdict in each] == ["strict"] for each in said)
    stored = read_jsonl(run / "mmvet@demo/verdicts.jsonl")
    assert {verdict["text"] for each in said for verdict in each} == {row["text"] for row in stored}
    assert "0.5 \\u003c/script\\u003e" in (tmp_path / "view.html").read_text()
    (line,) = next(task for task in data["document"]["tasks"])["results"][0]["judges"]
    assert line.startswith("score[strict] ")


@pytest.mark.parametrize(
    ("manifest", "size"),
    [
        ({"model": "x", "about": {"parameters": "3.0"}}, 3.0),
        ({"model": "llava-v1.5-13b"}, 13.0),
        ({"model": "Qwen2.5-VL-3B-Instruct"}, 3.0),
        ({"model": "smolvlm-256M"}, 0.256),
        ({"model": "model-7base"}, None),
        ({"model": "constant"}, None),
    ],
)
def test_size_of_a_model(manifest: dict[str, Any], size: float | None) -> None:
    assert model_size(Manifest(**manifest, data="demo")) == size


def ask(server: ViewServer, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def test_the_server_gives_pictures_as_they_are_stored(server: ViewServer, runs: tuple[Path, Path]) -> None:
    sample = Told.of(runs[0], "pope@demo").samples[5]
    rows = json.loads(ask(server, "/rows/1?places=5").body)  # type: ignore[attr-defined]
    assert [row["id"] for row in rows] == [sample["id"]]
    response = ask(server, f"/images/{rows[0]['images'][0][0]}")
    assert response.body == Path(sample["images"][0]["location"]).read_bytes()  # type: ignore[attr-defined]
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    small = ask(server, f"/thumbnails/{rows[0]['images'][0][0]}")
    assert len(small.body) <= MOST_BYTES  # type: ignore[attr-defined]


STRANGE_PATHS = [
    "/../../../../etc/passwd",
    "/images/../../../../etc/passwd",
    "/images/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/images//etc/passwd",
    "/images/-1",
    "/images/999999999",
    "/images/9999999999999999999999",
    "/images/1.5",
    "/images/%C2%B2",
    "/rows/0?places=1,-1",
    "/rows/0?places=456",
    "/rows/0?places=x",
    "/rows/0?places=" + ",".join(["1"] * 1001),
    "/rows/99?places=1",
    "/rows",
    "/search",
    "/document",
]


@pytest.mark.parametrize("path", STRANGE_PATHS)
def test_the_server_knows_numbers_only(server: ViewServer, path: str) -> None:
    response = ask(server, path)
    assert response.status == 404
    assert b"root:" not in response.body  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:80", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_the_server_answers_to_its_own_name(server: ViewServer, host: str, status: int) -> None:
    assert ask(server, "/", Host=host).status == status


def test_the_server_only_reads(server: ViewServer) -> None:
    assert server.loopback
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(server, "/", method).status == 405
    head = ask(server, "/", "HEAD")
    assert head.status == 200
    assert "frame-ancestors 'none'" in head.headers["Content-Security-Policy"]


def test_a_port_that_is_taken(server: ViewServer, runs: tuple[Path, Path], cli: Cli) -> None:
    outcome = cli("view", runs[0], "--serve", "--port", server.port)
    assert outcome.code == 2
    assert "give another port" in outcome.err


def test_the_server_ends_with_an_interrupt(runs: tuple[Path, Path]) -> None:
    """At once, also while a browser keeps its connection."""
    command = [sys.executable, "-m", "mipha_eval", "view", str(runs[0]), "--serve", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as view:
        assert view.stdout is not None
        address = view.stdout.readline().split()[1]
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        connection.request("GET", "/rows/0?places=0")
        assert json.loads(connection.getresponse().read())
        view.send_signal(signal.SIGINT)
        out, err = view.communicate(timeout=20)
        connection.close()
    assert (view.returncode, out, err) == (0, "", "ended\n")


@pytest.mark.parametrize("label", ["pope@demo", "mmbench@demo"])
def test_the_served_page_shows_the_same(browser: Browser, server: ViewServer, runs: tuple[Path, Path], label: str) -> None:
    told = Told.of(runs[0], label)
    tab = Tab.open(browser, server.url, "light wide", task=label, run=0)
    assert tab.ids() == told.ids(lambda *_: True)[:200]
    tab.choose("state", "wrong")
    wrong = told.ids(lambda sample, response, score: score is not None and score["value"] == 0)
    assert tab.ids() == wrong[:200]
    tab.type("CIRCLE")
    found = [
        name for name in wrong if "circle" in json.dumps(next(row for row in told.samples if row["id"] == name)).lower()
    ]
    assert tab.ids() == found[:200]
    tab.press("Escape")
    tab.press("j")
    tab.page.wait_for_function(PICTURE)
    number = tab.page.locator("a:has(img.picture)").get_attribute("href")
    with tab.page.context.expect_page() as opened:
        tab.page.locator("a:has(img.picture)").click()
    assert opened.value.url == f"{server.url}{number}"
    tab.close()


def test_the_embedded_and_the_served_search_find_the_same(
    server: ViewServer, browser: Browser, tmp_path: Path, runs: tuple[Path, Path]
) -> None:
    path = write_view(ViewConfig(runs, tmp_path / "view.html"), Registry()).path
    own = Tab.open(browser, path.as_uri(), "light wide", task="mmbench@demo")
    served = Tab.open(browser, server.url, "light wide", task="mmbench@demo")
    for text in ("STAR", "hard to say", "a", "picture is broken", "1000", "zz", "é", "\n"):
        for tab in (own, served):
            tab.go(task="mmbench@demo", text=text)
        assert own.ids() == served.ids()
        assert own.status == served.status
    own.close()
    served.close()
