"""A model behind a server: against a real server on the loopback, which a script makes behave and misbehave."""

from __future__ import annotations

import base64
import io
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from mipha_eval.core.types import Image
from mipha_eval.data.images import open_image
from mipha_eval.models.served.first_token import answer_probabilities
from mipha_eval.models.served.pictures import sent_picture
from tests.conftest import Cli, Outcome, read_json, read_jsonl
from tests.judge_server import JudgeServer, Say, Script, Serve, judge_server, prompt_of

CANARY = "sk-canary-5d41402abc4b2a76b9719d911017c592"


@dataclass(frozen=True)
class Bench:
    """The demo's questions, asked of a server."""

    cli: Cli
    runs: Path

    def run(self, server: JudgeServer | str, *flags: object, task: str = "mme", limit: int = 6) -> Outcome:
        address = server if isinstance(server, str) else server.url
        where = ["-t", task, "--data", "demo", "-L", limit, "-o", self.runs, "--json"]
        return self.cli("run", "-m", "openai-api", "-a", "model=m", "-a", f"base_url={address}", *where, *flags)

    @property
    def folder(self) -> Path:
        found = [path.parent for path in self.runs.glob("*/manifest.json")]
        assert len(found) == 1
        return found[0]

    def responses(self, task: str = "mme@demo") -> list[dict[str, Any]]:
        return read_jsonl(self.folder / task / "responses.jsonl")


@pytest.fixture
def bench(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv("MIPHA_EVAL_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    return Bench(cli, tmp_path / "runs")


def always(say: Say) -> Script:
    return lambda prompt, before: say


def once(fault: Say, then: Say) -> Script:
    """The first prompt that comes meets a fault, once."""
    met: list[str] = []

    def script(prompt: str, before: int) -> Say:
        if not met:
            met.append(prompt)
            return fault
        return then

    return script


def own_fault(fault: Say) -> Script:
    """One prompt, the second that comes, meets a fault, whenever it is asked."""
    known: list[str] = []

    def script(prompt: str, before: int) -> Say:
        if prompt not in known:
            known.append(prompt)
        return fault if known.index(prompt) == 1 else Say("Yes")

    return script


def test_what_is_asked(bench: Bench, serve: Serve) -> None:
    """The file's own bytes, then the benchmark's prompt, greedily; nothing that was not asked for."""
    server = serve(always(Say("Yes")))
    outcome = bench.run(server)
    assert outcome.code == 0, outcome.err
    samples = {row["prompt"]: row for row in read_jsonl(bench.folder / "mme@demo/samples.jsonl")}
    for request in server.requests:
        assert request.keys() == {"model", "messages", "max_tokens", "temperature", "authorization", "path"}
        assert (request["model"], request["temperature"], request["max_tokens"]) == ("m", 0, 128)
        assert request["authorization"] == f"Bearer {CANARY}"
        [message] = request["messages"]
        picture, question = message["content"]
        assert (message["role"], question["type"], picture.keys()) == ("user", "text", {"type", "image_url"})
        assert picture["image_url"].keys() == {"url"}
        head, _, data = picture["image_url"]["url"].partition(",")
        assert head == "data:image/png;base64"
        Pillow.open(io.BytesIO(base64.b64decode(data))).load()
        assert question["text"] in samples
    row = bench.responses()[0]
    assert (row["text"], row["tokens"], row["finish"], row["error"]) == ("Yes", 3, "stop", "")
    assert row["served"] == {"model": "m-served", "another": True, "prompt_tokens": 700, "completion_tokens": 3}


def test_the_bytes_are_the_files(bench: Bench, serve: Serve, tmp_path: Path) -> None:
    """Whatever the format; by `predict`, which asks about files."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, kind in (("a.jpg", "JPEG"), ("b.png", "PNG"), ("c.webp", "WEBP"), ("d.gif", "GIF")):
        Pillow.new("RGB", (40, 30), "red").save(folder / name, kind)
    rows = [{"question_id": place, "image": name.name, "text": name.name} for place, name in enumerate(folder.iterdir())]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    server = serve(lambda prompt, before: Say(f"it is {prompt}"))
    where = ["--questions", tmp_path / "q.jsonl", "--image-folder", folder, "--answers", tmp_path / "a.jsonl"]
    model = ["-m", "openai-api", "-a", "model=m", "-a", f"base_url={server.url}", "-a", "detail=low", "-a", "seed=7"]
    assert bench.cli("predict", *model, "-a", "system=Be short.", *where).code == 0
    assert [row["text"] for row in read_jsonl(tmp_path / "a.jsonl")] == [f"it is {row['image']}" for row in rows]
    for request in server.requests:
        system, user = request["messages"]
        assert (system, request["seed"]) == ({"role": "system", "content": "Be short."}, 7)
        picture, question = user["content"]
        assert picture["image_url"]["detail"] == "low"
        head, _, data = picture["image_url"]["url"].partition(",")
        assert base64.b64decode(data) == (folder / question["text"]).read_bytes()
        kind = {"jpg": "jpeg"}.get(question["text"][2:], question["text"][2:])
        assert head == f"data:image/{kind};base64"


def picture_of(data: bytes) -> Image:
    return Image("a", "a", lambda: data)


def saved(picture: Pillow.Image, kind: str, **more: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue()


def decoded(url: str) -> Pillow.Image:
    return Pillow.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_nobody_turns_a_picture(kind: str, orientation: int) -> None:
    """A server that turns pictures as EXIF says sees the pixels that all other models see."""
    picture = Pillow.radial_gradient("L").resize((40, 30)).convert("RGB")
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = saved(picture, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    url = sent_picture(picture_of(data), None).url
    assert ImageOps.exif_transpose(decoded(url)).convert("RGB").tobytes() == open_image(picture_of(data)).tobytes()
    assert (base64.b64decode(url.partition(",")[2]) == data) == (orientation == 1)


def test_pictures_get_smaller_where_asked(bench: Bench, serve: Serve) -> None:
    noise = Pillow.effect_noise((300, 200), 90).convert("RGB")
    data = saved(noise, "PNG")
    assert not sent_picture(picture_of(data), len(data)).resized
    found = sent_picture(picture_of(data), 9_000)
    assert found.resized
    assert 6_000 < len(base64.b64decode(found.url.partition(",")[2])) <= 9_000
    size = decoded(found.url).size
    assert size[0] / size[1] == pytest.approx(1.5, abs=0.02)
    server = serve(always(Say("Yes")))
    result = bench.run(server, "-a", "max_image_bytes=200").json["results"][0]
    assert result["served"]["resized"] == 6
    assert read_json(bench.folder / "manifest.json")["options"]["max_image_bytes"] == "200"


def patience(fault: str) -> str:
    """A second where a reply is late; elsewhere as long as a busy machine takes."""
    return f"timeout={1 if fault == 'slow' else 30}"


PASSING = {
    "429": Say("slow down", 429, {"Retry-After": "0.01"}),
    "500": Say("oops", 500, {"Retry-After": "0.01"}),
    "500 as text": Say("", 500, {"Retry-After": "0.01", "Content-Type": "text/plain"}, b"Internal Server Error"),
    "slow": Say("Yes", wait=2.5),
    "cut": Say("Yes", cut=True),
    "no JSON": Say(body=b"{not json"),
    "no completion": Say(body=b'{"choices": []}'),
    "no gzip": Say("Yes", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_costs_nothing(fault: str, bench: Bench, serve: Serve) -> None:
    server = serve(once(PASSING[fault], Say("Yes")))
    outcome = bench.run(server, "-a", patience(fault))
    assert outcome.code == 0, outcome.err
    assert len(server.requests) == 7
    assert sorted(server.asked.values()) == [1, 1, 1, 1, 1, 2]


LASTING = {
    "500 as text": (Say("", 500, {"Retry-After": "0.01"}, b"Internal Server Error"), "HTTP 500: Internal Server Error"),
    "429": (Say("slow down", 429), "HTTP 429: slow down"),
    "detail": (Say("", 400, {}, b'{"detail": "your picture is odd"}'), "HTTP 400: your picture is odd"),
    "filtered prompt": (Say("no", 400, code="content_filter"), "content filter"),
    "slow": (Say("Yes", wait=2.5), "no reply within 1 s"),
    "cut": (Say("Yes", cut=True), "lost: "),
    "no JSON": (Say(body=b"{not json"), "the reply is no JSON"),
    "an error with 200": (Say(body=b'{"error": {"message": "overloaded"}}'), "the reply is no chat completion: overloaded"),
    "null": (Say(None), "null content, finish_reason stop"),
    "empty": (Say(""), "empty content, finish_reason stop"),
    "white": (Say(" \n"), "empty content, finish_reason stop"),
    "null at the limit": (Say(None, finish="length"), "null content, finish_reason length"),
    "thoughts": (Say("", message={"reasoning_content": "hm"}), "empty content after thoughts, finish_reason stop"),
    "refusal": (Say(None, message={"refusal": "I cannot say Yes to that."}), "refused by the model"),
    "filter": (Say("Yes", finish="content_filter"), "content filter"),
    "tools": (
        Say(None, finish="tool_calls", message={"tool_calls": [{"id": "1"}]}),
        "a call of tools in place of an answer",
    ),
    "odd end": (Say("Yes", finish="abort"), "no complete answer, finish_reason abort"),
    "a web page": (Say(body=b"\n<!doctype html><title>Log in</title>"), "the reply is a web page; is the address"),
    "a stream": (Say(body=b'data: {"choices": []}\n\ndata: [DONE]\n\n'), "the reply is a stream of pieces"),
    "nothing": (Say(body=b""), "the reply is empty"),
    "no choices": (
        Say(body=b'{"id": "c-1", "choices": []}'),
        "the reply is no chat completion but an object with choices, id",
    ),
    "a list": (Say(body=b"[5]"), "the reply is no chat completion but a list"),
    "parts": (
        Say(message={"content": [{"type": "text", "text": "Yes"}]}),
        "the reply is no chat completion, its content is no",
    ),
    "a message that is null": (
        Say(body=b'{"choices": [{"message": null}]}'),
        "the reply is no chat completion but an object",
    ),
    "nested": (Say(body=b"[" * 100_000), "the reply is no JSON"),
    "a huge number": (Say(body=b'{"created": ' + b"9" * 5_000 + b"}"), "the reply is no JSON"),
    "no UTF-8": (Say(body=b'{"choices": [{"message": {"content": "Yes \xff"}}]}'), "the reply is no JSON"),
    "an odd end of another type": (Say("Yes", finish={"why": 1}), "no complete answer, finish_reason {'why': 1}"),  # type: ignore[arg-type]
    "a number": (Say(body=b'{"choices": [{"message": {"content": 7}}]}'), "the reply is no chat completion"),
    "long": (Say("Yes " * 30_000), "an answer of more than 100,000 characters"),
}


@pytest.mark.parametrize("fault", LASTING)
def test_what_is_no_answer_is_a_counted_failure(fault: str, bench: Bench, serve: Serve) -> None:
    """It has no text, is in no metric, stands in the cell under its own reason, and alone is asked again."""
    say, reason = LASTING[fault]
    server = serve(own_fault(say))
    flags = ("-a", patience(fault), "-a", "tries=2")
    outcome = bench.run(server, *flags)
    assert outcome.code == 3, outcome.err
    result = outcome.json["results"][0]
    assert (result["n"], result["failed"], result["missing"]) == (5, 1, 0)
    [(told, count)] = result["failures"].items()
    assert (told.startswith(reason), count) == (True, 1)
    failed = [row for row in bench.responses() if row["error"]]
    assert [(row["text"], row["finish"]) for row in failed] == [("", "error")]
    asked, server.script = len(server.requests), always(Say("Yes"))
    assert (bench.run(server, *flags).code, len(server.requests) - asked) == (0, 1)


def test_alike_faults_are_counted_together(bench: Bench, serve: Serve) -> None:
    """Whatever differs in their bodies, such as an id."""
    numbers = itertools.count()  # which several threads may ask at a time, as they may not a generator

    def body() -> bytes:
        return json.dumps({"id": f"chatcmpl-{next(numbers)}", "choices": []}).encode()

    server = serve(lambda prompt, before: Say(body=body()) if "circle" in prompt else Say("Yes"))
    result = bench.run(server, "-a", "tries=1", limit=60).json["results"][0]
    assert result["failures"] == {"the reply is no chat completion but an object with choices, id": result["failed"]}
    assert result["failed"] > 1


ODD = {
    "half of a pair": Say(body=b'{"choices": [{"message": {"content": "Yes \\ud83d"}, "finish_reason": "stop"}]}'),
    "what acts and is not seen": Say("Yes\x00\u202e\u2028"),
    "a null end": Say("Yes", choice={"finish_reason": None}),
    "UTF-16": Say(body=json.dumps({"choices": [{"message": {"content": "Yes"}}]}).encode("utf-16")),
    "counts that are none": Say("Yes", usage={"prompt_tokens": -5, "completion_tokens": True}),
    "names that are none": Say(body=b'{"model": 5, "system_fingerprint": {}, "choices": [{"message": {"content": "Yes"}}]}'),
    "two choices": Say(body=b'{"choices": [{"message": {"content": "Yes"}}, {"message": {"content": "No"}}]}'),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_answers_are_answers(kind: str, bench: Bench, serve: Serve, tmp_path: Path) -> None:
    """They are stored, and whatever is made of a run can be made of them."""
    server = serve(own_fault(ODD[kind]))
    outcome = bench.run(server)
    assert (outcome.code, len(server.requests)) == (0, 6), outcome.err
    assert all(row["text"].startswith("Yes") for row in bench.responses())
    for verb in (["score"], ["report"], ["report", "--format", "latex"], ["view", "-o", tmp_path / "view.html"]):
        assert bench.cli(verb[0], bench.folder, *verb[1:]).code == 0


def test_a_server_that_hangs_is_one_line(bench: Bench) -> None:
    """One that takes connections and says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        outcome = bench.run(address, "-a", "timeout=1", "-a", "tries=2")
    assert (outcome.code, "Traceback" in outcome.err) == (2, False)
    assert "no server answers at" in outcome.err
    assert "no reply within 1 s" in outcome.err


def test_words_that_cannot_be_sent_are_a_failure(bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("Yes")))
    outcome = bench.run(server, "-a", "system=a \udcff")
    assert (outcome.code, len(server.requests)) == (3, 0)
    assert [*outcome.json["results"][0]["failures"]] == ["the prompt cannot be sent: surrogates not allowed"]


def test_a_refusal_is_on_record(bench: Bench, serve: Serve) -> None:
    bench.run(serve(own_fault(Say(None, message={"refusal": "I cannot say."}))))
    [failed] = [row for row in bench.responses() if row["error"]]
    assert (failed["served"]["said"], failed["served"]["completion_tokens"]) == ("I cannot say.", 3)


def test_an_answer_at_the_limit_is_an_answer(bench: Bench, serve: Serve) -> None:
    outcome = bench.run(serve(own_fault(Say("Yes, and", finish="length"))))
    result = outcome.json["results"][0]
    assert (outcome.code, result["failed"], result["served"]["truncated"]) == (0, 0, 1)
    assert Counter(row["finish"] for row in bench.responses()) == {"stop": 5, "length": 1}


def test_what_is_answered_is_not_asked_again(bench: Bench, serve: Serve) -> None:
    """By the same command, with other patience; and only what failed is."""
    faults = [Say(None)]
    server = serve(lambda prompt, before: faults[0] if "circle" in prompt and before == 0 else Say("Yes"))
    first = bench.run(server, limit=30)
    failed = first.json["results"][0]["failed"]
    assert (first.code, failed > 0) == (3, True)
    asked = Counter(server.asked)
    again = bench.run(server, "-a", "concurrency=2", "-a", "tries=3", "-a", "timeout=9", limit=30)
    assert (again.code, again.json["results"][0]["failed"]) == (0, 0)
    assert (server.asked - asked).total() == failed
    assert len(list(bench.runs.iterdir())) == 1


def test_another_address_or_prompt_is_another_run(bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("Yes")))
    for flags in ([], ["-a", "system=Be short."], ["-a", "detail=low"], ["-a", "seed=1"]):
        assert bench.run(server, *flags).code == 0
    assert bench.run(f"{server.url}/").code == 0  # the same address
    assert len(list(bench.runs.iterdir())) == 4
    assert bench.run(serve(always(Say("Yes")))).code == 0
    assert len(list(bench.runs.iterdir())) == 5


STOPPING = {
    "401": (Say(f"Incorrect API key provided: {CANARY}", 401), "is the key in the environment right?"),
    "403": (Say("no access", 403), "no access"),
    "404": (Say("no such model", 404), "is there such a model"),
    "quota": (Say("no money", 429, {"Retry-After": "0.01"}, code="insufficient_quota"), "no money"),
    "a day": (Say("come tomorrow", 429, {"Retry-After": "86400"}), "86400"),
    "elsewhere": (Say("", 302, {"Location": "http://example.org/v1"}), "follow no redirect"),
}


@pytest.mark.parametrize("fault", STOPPING)
def test_what_concerns_all_is_one_line(fault: str, bench: Bench, serve: Serve) -> None:
    say, words = STOPPING[fault]
    server = serve(always(say))
    outcome = bench.run(server, "-a", "tries=2", limit=40)
    assert (outcome.code, words in outcome.err, "Traceback" in outcome.err) == (2, True, False), outcome.err
    assert len([line for line in outcome.err.splitlines() if line.startswith("error:")]) == 1
    assert len(server.requests) <= 2


def test_a_server_that_stops_midway_keeps_what_there_is(bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("Yes") if len(server.requests) <= 10 else Say("no more", 401))
    outcome = bench.run(server, "-a", "concurrency=2", limit=40)
    result = outcome.json["results"][0]
    assert (outcome.code, result["missing"] + 10, "no more" in outcome.err) == (3, result["total"] and 40, True)
    server.script = always(Say("Yes"))
    before = len(server.requests)
    assert bench.run(server, limit=40).code == 0
    assert len(server.requests) - before == 30


@pytest.mark.parametrize("status", [400, 422])
def test_a_wrong_name_is_one_line(status: int, bench: Bench, serve: Serve) -> None:
    """A server that lists no models, and names the fault in a body of its own."""
    server = serve(always(Say("", status, {}, b'{"detail": "this is not m"}')))
    outcome = bench.run(server, limit=60)
    assert (outcome.code, len(server.requests)) == (2, 2)
    assert f"error: mme@demo: model m: HTTP {status}: this is not m" in outcome.err
    assert server.prompts[1] == "Hello"


def test_nobody_at_the_address(bench: Bench) -> None:
    outcome = bench.run("http://127.0.0.1:9/v1")
    assert outcome.code == 2
    assert "no server answers at http://127.0.0.1:9/v1/: lost: connection refused" in outcome.err


def test_a_server_that_fails_is_not_asked_thousands_of_times(bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("oops", 500, {"Retry-After": "0.01"})))
    outcome = bench.run(server, "-a", "tries=1", "-a", "concurrency=4", limit=200)
    assert (outcome.code, "in a row failed, the last: HTTP 500: oops" in outcome.err) == (2, True)
    assert len(server.requests) < 40


WRONG = {
    "nothing": "model openai-api needs -a model=...",
    "model= ": "expected the name that the server knows",
    "base_url=localhost:8000": "address: expected http://HOST:PORT/v1",
    f"base_url=http://me:{CANARY}@h/v1": "must not hold a key",
    f"key_env={CANARY}": "takes the name of an environment variable",
    "key_env=NOT_SET_ANYWHERE": "needs a key: set NOT_SET_ANYWHERE",
    "concurrency=0": "concurrency 0: expected 1 to 512",
    "timeout=nan": "timeout nan: expected",
    "max_image_bytes=0": "expected 1 or more",
    "spend=5usd": "needs the price of m",
    "spend=5apples": "expected calls, tokens or usd",
    "price=x": "expected IN,OUT",
    "detail=huge": "expected one of auto, low, high",
    "serve=vllm serve m": "needs {port}",
    "serve=nosuchprogram {port}": "the server's program nosuchprogram is not there",
    "serve='": "No closing quotation",
}


@pytest.mark.parametrize("option", WRONG)
def test_what_a_user_can_mend_is_one_line(option: str, bench: Bench) -> None:
    given = [] if option == "nothing" else ["-a", "model=m", "-a", option]
    given += ["-a", "base_url=http://127.0.0.1:9/v1"] if not option.startswith(("base_url", "serve")) else []
    outcome = bench.cli("run", "-m", "openai-api", *given, "-t", "mme", "--data", "demo", "-o", bench.runs)
    assert (outcome.code, len(outcome.err.strip().splitlines())) == (2, 1), outcome.err
    assert WRONG[option] in outcome.err
    assert "canary" not in outcome.err
    assert not bench.runs.exists()


def test_a_key_is_needed_where_openai_answers(bench: Bench, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    outcome = bench.cli("run", "-m", "openai-api", "-a", "model=m", "-t", "mme", "--data", "demo", "-o", bench.runs)
    assert (outcome.code, "needs a key: set MIPHA_EVAL_API_KEY or OPENAI_API_KEY" in outcome.err) == (2, True)
    monkeypatch.setenv("HOUSE_KEY", "house")
    server = serve(always(Say("Yes")))
    assert bench.run(server, "-a", "key_env=HOUSE_KEY").code == 0
    assert {request["authorization"] for request in server.requests} == {"Bearer house"}


def test_the_key_is_nowhere(bench: Bench, serve: Serve) -> None:
    """Not even where the server sends it back, in an answer, a refusal or an error."""
    says = [Say(f"Yes {CANARY}"), Say(None, message={"refusal": CANARY}), Say(CANARY, 400), Say("Yes", model=CANARY)]
    server = serve(lambda prompt, before: replace(says[len(server.asked) % 4], fingerprint=CANARY))
    outcomes = [bench.run(server, "-v", limit=12), bench.run(server, "--log-file", bench.runs / "log", limit=12)]
    assert "[key]" in (bench.folder / "mme@demo/responses.jsonl").read_text()
    assert "canary" not in "".join(outcome.out + outcome.err for outcome in outcomes)
    assert not [file for file in bench.runs.rglob("*") if file.is_file() and b"canary" in file.read_bytes()]


def test_who_answered_is_on_record(bench: Bench, serve: Serve) -> None:
    server = serve(lambda prompt, before: Say("Yes", model="m-2024-08-06", fingerprint=f"fp_{len(server.asked) % 2}"))
    result = bench.run(server).json["results"][0]
    assert result["served"] == {
        "served": ["m-2024-08-06"],
        "served_as_another": [],
        "fingerprints": ["fp_0", "fp_1"],
        "truncated": 0,
        "prompt_tokens": 4200,
        "completion_tokens": 18,
        "usd": 0.0,
        "left_out": [],
        "ignored": {},
        "resized": 0,
    }
    report = (bench.folder / "report.md").read_text()
    assert "served by m-2024-08-06 (SEVERAL SYSTEMS, fp_0, fp_1): 4,200 tokens of prompts, 18 of answers" in report
    assert "ANOTHER MODEL" not in report
    assert read_json(bench.folder / "manifest.json")["weights"] == {"model": "m", "base_url": server.url}
    again = bench.cli("score", bench.folder, "--json").json
    assert (again[0] if isinstance(again, list) else again)["served"] == result["served"]


def test_another_model_stands_in_the_cell(bench: Bench, serve: Serve) -> None:
    bench.run(serve(always(Say("Yes", model="cheaper"))))
    assert "ANOTHER MODEL cheaper" in (bench.folder / "report.md").read_text()
    table = bench.cli("report", bench.folder, "--format", "md")
    assert "ANOTHER MODEL" in table.out


def test_a_budget_stops_and_is_gone_on_from(bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("Yes")))
    outcome = bench.run(server, "-a", "spend=3calls", limit=10)
    assert (outcome.code, len(server.requests), outcome.json["results"][0]["missing"]) == (3, 3, 7)
    assert "budget of 3 calls is spent" in outcome.err
    outcome = bench.run(server, "-a", "spend=0.05usd", "-a", "price=10,100", limit=20)
    assert (outcome.code, len(server.requests)) == (3, 3 + 6)  # a call takes 700 and 3 tokens, 0.0073 dollars
    assert outcome.json["results"][0]["served"]["usd"] == pytest.approx(6 * 0.0073)
    outcome = bench.run(server, limit=20)
    assert (outcome.code, len(server.requests)) == (0, 20)
    assert len({json.dumps(request["messages"]) for request in server.requests}) == 20


def test_equal_requests_are_asked_and_paid_once(bench: Bench, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "pope/coco").mkdir(parents=True)
    rows = [{"question_id": place, "image": "a.jpg", "text": "Is there a dog?", "category": "random"} for place in range(4)]
    questions = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "q.jsonl").write_text(questions)
    Pillow.new("RGB", (40, 30)).save(tmp_path / "a.jpg")
    server = serve(always(Say("No")))
    model = ["-m", "openai-api", "-a", "model=m", "-a", f"base_url={server.url}"]
    where = ["--questions", tmp_path / "q.jsonl", "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"]
    assert bench.cli("predict", *model, *where).code == 0
    assert len(server.requests) == 1
    assert [row["text"] for row in read_jsonl(tmp_path / "a.jsonl")] == ["No"] * 4


def test_a_picture_s_questions_come_one_after_the_other(bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("Yes")))
    bench.run(server, "-a", "concurrency=1", task="mme,pope", limit=40)
    shown = [request["messages"][0]["content"][0]["image_url"]["url"] for request in server.requests]
    changes = sum(one != other for one, other in itertools.pairwise(shown))
    assert changes + 1 == len(set(shown)) < len(shown)


def test_many_are_under_way(bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("Yes", wait=0.05)))
    bench.run(server, "-a", "concurrency=5", limit=40)
    assert server.most_under_way == 5


def first_tokens(**chances: float) -> dict[str, Any]:
    top = [{"token": token, "logprob": math.log(chance)} for token, chance in chances.items()]
    return {"logprobs": {"content": [{**top[0], "top_logprobs": top}]}}


def test_probabilities_come_from_the_first_token(bench: Bench, serve: Serve) -> None:
    """Tokens with and without the space before a word are one answer; others count for none."""
    choice = first_tokens(**{" Yes": 0.5, "No": 0.2, "Yes": 0.1, "yes": 0.1, "Yesterday": 0.05})
    server = serve(always(Say("Yes", choice=choice)))
    outcome = bench.run(server, "--probabilities")
    assert all(request["logprobs"] is True and request["top_logprobs"] == 20 for request in server.requests)
    assert [row["probabilities"] for row in bench.responses()] == [pytest.approx([0.6, 0.2])] * 6
    assert outcome.json["results"][0]["probabilities"]["mass"] == pytest.approx(80)
    assert outcome.json["results"][0]["served"]["ignored"] == {}


def test_where_no_answer_is_likely_nothing_is_made_up() -> None:
    assert answer_probabilities([("The", -0.1), ("<think>", -3.0)], ("Yes", "No")) == ()
    assert answer_probabilities([("\u2581A", math.log(0.25)), ("\u0120A", math.log(0.5))], ("A", "B")) == (0.75, 0.0)


@pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, {"content": []}, {"content": [{"token": "Yes"}]}, "x", 3])
def test_ignored_logprobs_are_said_once(logprobs: object, bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("Yes", choice={} if logprobs is None else {"logprobs": logprobs})))
    outcome = bench.run(server, "--probabilities")
    assert outcome.err.count("the server gives no logprobs") == 1
    result = outcome.json["results"][0]
    assert (outcome.code, result["probabilities"], result["served"]["ignored"]) == (0, None, {"logprobs": 6})
    assert "logprobs asked for and missing in 6 replies" in (bench.folder / "report.md").read_text()


def test_refused_parameters_are_left_out_and_noted(bench: Bench, serve: Serve) -> None:
    """As OpenAI's newer models do; the first request meets it, and no other."""

    def script(prompt: str, before: int) -> Say:
        request = server.requests[-1]
        wrong = next((name for name in ("max_tokens", "temperature", "top_logprobs") if name in request), None)
        return Say(f"no {wrong}", 400, param=wrong) if wrong else Say("Yes")

    server = serve(script)
    outcome = bench.run(server, "--probabilities")
    assert outcome.code == 0, outcome.err
    assert len(server.requests) == 3 + 6
    assert server.requests[-1].keys() == {"model", "messages", "max_completion_tokens", "authorization", "path"}
    assert outcome.json["results"][0]["served"]["left_out"] == ["logprobs", "temperature", "top_logprobs"]
    assert "NOT GREEDY" in (bench.folder / "report.md").read_text()


def test_options_are_not_ranked(bench: Bench, serve: Serve) -> None:
    server = serve(always(Say("A")))
    outcome = bench.run(server, task="seed@ppl")
    assert (outcome.code, len(server.requests)) == (2, 0)
    assert "seed@demo-ppl ranks options by their likelihood, which model openai-api cannot tell" in outcome.err


def test_asked_again(bench: Bench, serve: Serve) -> None:
    """Only where a user wants it; a changed answer is counted, and is no fault."""
    server = serve(lambda prompt, before: Say("Yes" if before == 0 or "circle" in prompt else "No"))
    assert "equivalence" not in bench.run(server, limit=20).json["results"][0]
    assert len(server.requests) == 20
    outcome = bench.run(server, "--fresh", "--check", 0, limit=20)
    assert len(server.requests) == 40
    server = serve(lambda prompt, before: Say("Yes" if before == 0 else "No"))
    outcome = bench.cli(
        *("run", "-m", "openai-api", "-a", "model=m", "-a", f"base_url={server.url}", "-t", "mme", "--data", "demo"),
        *("-L", 20, "-o", bench.runs / "again", "--check", 5),
    )
    assert len(server.requests) == 25
    assert "asked again, 5 (100.0%) of 5 answers changed" in outcome.out.replace("\n", " ")
    assert "SHARED != ALONE" not in outcome.out
    assert outcome.code == 0


def test_an_unreadable_picture_is_a_failure_and_is_not_sent(bench: Bench, serve: Serve, tmp_path: Path) -> None:
    data = saved(Pillow.effect_noise((64, 64), 50).convert("RGB"), "JPEG")
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "fine.jpg").write_bytes(data)
    rows = [{"question_id": name, "image": f"{name}.jpg", "text": "What?"} for name in ("cut", "none", "fine")]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    server = serve(always(Say("Noise.")))
    model = ["-m", "openai-api", "-a", "model=m", "-a", f"base_url={server.url}"]
    where = ["--questions", tmp_path / "q.jsonl", "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"]
    assert bench.cli("predict", *model, *where).code == 3
    cut, none, fine = read_jsonl(tmp_path / "a.jsonl")
    assert (len(server.requests), fine["text"], cut["text"], none["text"]) == (1, "Noise.", None, None)
    assert "broken" in cut["error"]


def interrupted(folder: Path, server: JudgeServer, number: int, answers: int) -> subprocess.Popen[bytes]:
    """A run in a process of its own that is sent a signal once so many answers were given."""
    command = [sys.executable, "-m", "mipha_eval", "run", "-m", "openai-api", "-a", "model=m", "-a", "concurrency=4"]
    command += ["-a", f"base_url={server.url}", "-t", "mme", "--data", "demo", "-L", "60", "-o", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while len(server.requests) < answers:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    return process


def test_killed_and_gone_on(bench: Bench, tmp_path: Path) -> None:
    """Each answer is stored as it comes: after kill -9 only what was under way is asked again."""
    with judge_server(lambda prompt, before: Say("Yes", wait=0.05)) as server:
        process = interrupted(bench.runs, server, signal.SIGKILL, 20)
        process.communicate()
        stored = len(bench.responses())
        asked = len(server.requests)
        assert 10 <= stored <= asked
        assert asked - stored <= 4 + 3  # under way, and waiting to be stored
        outcome = bench.run(server, limit=60)
        assert outcome.code == 0, outcome.err
        assert len(server.requests) - asked == 60 - stored
        assert len({row["sample"] for row in bench.responses()}) == 60


def test_ctrl_c_lets_what_is_under_way_end(bench: Bench) -> None:
    with judge_server(lambda prompt, before: Say("Yes", wait=0.1)) as server:
        process = interrupted(bench.runs, server, signal.SIGINT, 12)
        _, error = process.communicate()
        assert (process.returncode, b"Traceback" in error) == (3, False), error
        assert len(server.requests) == len(bench.responses()) < 60


def test_a_second_ctrl_c_stops_at_once(bench: Bench) -> None:
    with judge_server(lambda prompt, before: Say("Yes", wait=0.0 if len(server.requests) < 10 else 20.0)) as server:
        process = interrupted(bench.runs, server, signal.SIGINT, 12)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=10)
        assert (process.returncode, b"Traceback" in error, b"Task was destroyed" in error) == (3, False, False), error
        assert len(bench.responses()) >= 5


SERVER = """
import http.server, json, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
open(sys.argv[2], "w").write(f"{os.getpid()} {child.pid}")
print("loading the weights", os.environ.get("OPENAI_API_KEY"), flush=True)
class Conversation(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words): pass
    def send(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self): self.send({"data": [{"id": "m"}]})
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send({"model": "m", "choices": [{"message": {"content": "Yes"}, "finish_reason": "stop"}]})
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Conversation).serve_forever()
"""


def is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pids: list[int]) -> bool:
    for _ in range(200):
        if not any(map(is_there, pids)):
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """A command that starts a server with a child, and notes both processes in a file."""
    (tmp_path / "server.py").write_text(SERVER)
    return [sys.executable, str(tmp_path / "server.py"), "{port}", str(tmp_path / "pids")]


def started(program: list[str]) -> list[int]:
    file = Path(program[-1])
    while not (file.exists() and len(file.read_text().split()) == 2):
        time.sleep(0.02)
    return [int(each) for each in file.read_text().split()]


def test_a_server_is_started_and_stopped(bench: Bench, program: list[str]) -> None:
    where = ["-t", "mme", "--data", "demo", "-L", 6, "-o", bench.runs, "--json"]
    command = ["run", "-m", "openai-api", "-a", "model=m", "--serve", " ".join(program), *where]
    outcome = bench.cli(*command)
    assert (outcome.code, len(bench.responses())) == (0, 6), outcome.err
    assert gone(started(program))
    log = (bench.folder / "log.txt").read_text()
    assert "server: loading the weights [key]" in log
    assert "loading the weights" not in outcome.err
    Path(program[-1]).unlink()
    assert bench.cli(*command).code == 0  # all is answered: nothing is started
    assert not Path(program[-1]).exists()


def test_a_server_that_ends_at_once(bench: Bench) -> None:
    command = f"{sys.executable} -c 'print(\"no GPU here\"); raise SystemExit({{port}} and 7)'"
    outcome = bench.cli(
        *("run", "-m", "openai-api", "-a", "model=m", "-a", f"serve={command}", "-t", "mme", "--data", "demo"),
        *("-L", 6, "-o", bench.runs),
    )
    assert (outcome.code, "ended with 7 before it answered: no GPU here" in outcome.err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_however_the_run_does(number: int, bench: Bench, program: list[str]) -> None:
    slow = [program[0], program[1].replace("server.py", "slow.py"), *program[2:]]
    text = (
        Path(program[1])
        .read_text()
        .replace("        self.rfile.read", "        __import__('time').sleep(0.2); self.rfile.read")
    )
    Path(slow[1]).write_text(text)
    command = [sys.executable, "-m", "mipha_eval", "run", "-m", "openai-api", "-a", "model=m", "--serve", " ".join(slow)]
    command += ["-t", "mme", "--data", "demo", "-L", "200", "-a", "concurrency=2", "-o", str(bench.runs)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as process:
        pids = started(program)
        time.sleep(1)
        assert all(map(is_there, pids))
        os.killpg(process.pid, number)
        process.communicate()
    assert gone(pids)


def test_start_up_imports_no_client() -> None:
    command = "import sys; from mipha_eval.cli.app import main; from mipha_eval.core.plugins.registry import Registry\n"
    command += "Registry([]).load('model_adapters', 'openai-api')\n"
    command += "print([name for name in ('openai', 'aiohttp', 'torch', 'transformers', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, check=True).stdout.strip() == b"[]"


def test_prompts_of_the_scripted_server() -> None:
    assert prompt_of({"messages": [{"content": "s"}, {"content": [{"type": "image_url"}, {"text": "q"}]}]}) == "q"
