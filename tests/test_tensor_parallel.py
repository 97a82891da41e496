"""Two processes that hold half of every layer each answer as one does, and none of them outlives or blocks the other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mipha_eval.core.errors import DeviceMemoryError, UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.models.generic_model import GenericModel
from mipha_eval.models.tensor_parallel.travelling import travelling
from tests.image_text_checkpoints import qwen2_5_vl, tokenizer, transformers
from tests.test_device_map import NOT_READ, PICTURES, RANKED, TEXTS, TRACKED, same
from tests.text_checkpoint import text_model

BATCH = [*TEXTS, RANKED, TRACKED, Request("7?", (), Decoding(4, repetition_penalty=1.3))]

#: seconds that a process may take to end on a busy machine
PARTING = 60

#: what a run is that is ended from outside: it says which process follows it
ENDED = """
import sys, time, psutil
from mipha_eval.core.plugins.registry import Registry
owner, _ = Registry().load("model_adapters", "hf-text")
owner(path=sys.argv[1], device="cpu", dtype="float32", tp=2).load()
print(psutil.Process().children()[0].pid, flush=True)
time.sleep(600)
"""


def made(name: str, folder: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", name)
    return owner(path=str(folder), device="cpu", dtype="float32", **options)


@contextlib.contextmanager
def loaded(name: str, folder: Path, **options: Any) -> Iterator[Any]:
    adapter = made(name, folder, **options)
    try:
        adapter.load()
        yield adapter
    finally:
        adapter.close()


def followers() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [each for each in found if any("tensor_parallel.follower" in word for word in each.cmdline())]


@pytest.fixture(scope="module")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return text_model(tmp_path_factory.mktemp("tensor-parallel") / "text")


def test_two_processes_answer_as_one(text_folder: Path) -> None:
    with loaded("hf-text", text_folder) as one:
        wanted, alone = one.respond(BATCH), one.reference(BATCH[:2])
    with loaded("hf-text", text_folder, tp=2) as two:
        assert two.proved.level == "prefix"
        assert two.network.model.layers[0].self_attn.q_proj.weight.to_local().shape == (16, 32), "half of it"
        assert len(followers()) == 1
        same(two.respond(BATCH), wanted)
        same(two.reference(BATCH[:2]), alone)
        assert two.describe() == {**one.describe(), "device": "2 x cpu"}
        assert two.about() == one.about()
        assert two.budget() > 0
    assert not followers()


def test_two_processes_without_sharing(text_folder: Path) -> None:
    with loaded("hf-text", text_folder) as one, loaded("hf-text", text_folder, tp=2, share=False) as two:
        same(two.respond(BATCH), one.respond(BATCH))


def test_pictures_go_to_both(tmp_path: Path) -> None:
    """One that cannot be read fails its question alone, in both."""
    folder = qwen2_5_vl(tmp_path / "pictures")
    gone = Request("Who?", (Image("gone.png", "/gone.png", (tmp_path / "gone.png").read_bytes),), Decoding(3))
    batch = [*PICTURES[:2], gone, *PICTURES[2:]]
    with loaded("hf-chat", folder) as one, loaded("hf-chat", folder, tp=2) as two:
        assert two.proved.level == one.proved.level
        found, wanted = two.respond(batch), one.respond(batch)
        same(found, wanted)
        assert found[2].error == wanted[2].error != ""


def test_what_another_process_meets_is_an_error_here(text_folder: Path) -> None:
    """Killed, failing, or without memory; and what is asked next is answered, by new processes."""
    with loaded("hf-text", text_folder, tp=2) as two:
        wanted = two.respond(TEXTS)
        followers()[0].send_signal(signal.SIGKILL)
        with pytest.raises(
            UserError, match=r"^process 2 of the 2 that compute together \(tp=2\) failed: .*SIGKILL.*; the same"
        ):
            two.respond(TEXTS)
        assert not followers()
        same(two.respond(TEXTS), wanted)
        with pytest.raises(UserError, match=r"process 2 .* failed: AttributeError: .*no_such_thing"):
            two.together("no_such_thing", lambda: None)
        assert not followers()

        def full() -> None:
            raise DeviceMemoryError("no room")

        with pytest.raises(DeviceMemoryError, match="no room"):
            two.together("proved", full)
        assert not followers()
        same(two.respond(TEXTS), wanted)


def test_other_answers_are_an_error(text_folder: Path) -> None:
    with loaded("hf-text", text_folder, tp=2) as two:
        wanted = two.respond(TEXTS)
        with pytest.raises(UserError, match=r"process 2 .* came to other answers than this one"):
            two.together("respond", lambda: two.respond(TEXTS) and wanted[::-1], TEXTS)


def test_nobody_outlives_a_killed_leader(text_folder: Path) -> None:
    command = [sys.executable, "-c", ENDED, str(text_folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as leader:
        assert leader.stdout is not None
        follower = psutil.Process(int(leader.stdout.readline()))
        leader.kill()
    for _ in range(10 * PARTING):
        if not follower.is_running() or follower.status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    follower.kill()
    pytest.fail("the other process still runs")


def test_what_cannot_be_cut_is_refused_before_weights_are_read(
    text_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tokenizer()
    config = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=len(words), eos_token_id=0, bos_token_id=0)
    folder = tmp_path / "gpt2"
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    words.save_pretrained(folder)
    monkeypatch.setattr(GenericModel, "load", lambda *_, **__: pytest.fail(NOT_READ))
    for where, tp, message in (
        (folder, 2, "transformers has no plan for cutting the layers of a gpt2 (tp_plan); device_map=auto spreads whole"),
        (text_folder, 3, "its 4 attention heads cannot be cut in 3 equal shares; take another tp"),
        (text_folder, 4, "its 2 key-value heads cannot be cut in 4 equal shares; take another tp"),
        (text_folder, 0, "tp=0: a model is cut for one process at least"),
    ):
        with pytest.raises(UserError) as error:
            made("hf-text", where, tp=tp).load()
        assert message in str(error.value)
    assert not followers()


def test_a_picture_is_read_once_on_its_way() -> None:
    read: list[str] = []

    def reader() -> bytes:
        read.append("picture")
        return b"bytes"

    image = Image("a.png", "/a.png", reader)
    sent = travelling([Request("1", (image,)), Request("2", (image,)), Request("3")])
    assert [each.images[0].read() for each in sent[:2]] == [b"bytes"] * 2
    assert read == ["picture"]
    assert len({each.identity for each in sent}) == 3
