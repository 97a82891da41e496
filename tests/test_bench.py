"""The benchmark scripts measure what they say, at tiny sizes."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoProcessor, DynamicCache, LlavaForConditionalGeneration

from bench import cluster, lmms, peers
from bench.cluster_tasks import write_rows
from bench.cost_model import Fit, Size, build_checkpoint
from bench.fixed_shares import Asked, blocks, queue, round_robin
from bench.flops import Group, count, group, read_shape
from bench.pope_set import CATEGORIES, make_set, write_llava, write_parquet
from bench.simulated_run import Trial, measure
from bench.simulated_workers import PICTURE_TOKENS, TimerCluster, job_tokens, outcome, tokens_of
from mipha_eval.cluster.messages import AnswerJob, SentImage, SentRequest
from mipha_eval.cluster.worker_model import values_of
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.types import Decoding, Response
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.result import score_responses
from mipha_eval.tasks.pope import FIRST_ID

TINY = Size(vision_width=64, vision_layers=3, text_width=128, text_layers=3, image=64, patch=16, vocabulary=640)
PLUGIN = Path(__file__).parents[1] / "bench" / "pope_task.py"


@pytest.mark.parametrize("each", [1, 2, 6, 18])
def test_both_forms_ask_the_same(tmp_path: Path, each: int) -> None:
    questions = make_set(36, each)
    write_llava(questions, tmp_path)
    write_parquet(questions, tmp_path / "pope.parquet")
    task = build_task("bench-pope", {}, DataSource("folder", tmp_path), Registry([PLUGIN]))
    ours = {
        (sample.category, str(int(sample.id) - FIRST_ID[sample.category])): (
            sample.prompt.split("\n")[0],
            sample.target[0],
            sample.images[0].read(),
        )
        for sample in read_samples(task)
    }
    table = datasets.Dataset.from_parquet(str(tmp_path / "pope.parquet"), cache_dir=str(tmp_path / "cache"))
    rows = table.cast_column("image", datasets.Image(decode=False))
    theirs = {(row["category"], row["question_id"]): (row["question"], row["answer"], row["image"]["bytes"]) for row in rows}
    assert ours == theirs
    assert len({(text, picture) for text, _, picture in ours.values()}) == 36, "all questions are distinct"
    assert Counter(Counter(picture for _, _, picture in ours.values()).values()) == {each: 36 // each}
    assert Counter((category, label) for (category, _), (_, label, _) in ours.items()) == {
        (category, label): 6 for category in CATEGORIES for label in ("yes", "no")
    }
    assert Image.open(io.BytesIO(questions[0].picture.jpeg)).size == (640, 480)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    build_checkpoint(folder, None, TINY, Fit(pictures=4, each=12))
    return folder


def read(owner: Any, folder: Path) -> Any:
    return owner.from_pretrained(folder)


def test_both_chat_templates_give_one_prompt(checkpoint: Path) -> None:
    processor = read(AutoProcessor, checkpoint)
    parts = [{"type": "image"}, {"type": "text", "text": "Is it?"}]
    whole = processor.apply_chat_template([{"role": "user", "content": parts}], add_generation_prompt=True)
    text = processor.tokenizer.apply_chat_template(
        [{"role": "user", "content": "<image>\nIs it?"}], tokenize=False, add_generation_prompt=True
    )
    assert whole == text == "USER: <image>\nIs it? ASSISTANT:"


def test_the_model_says_yes_or_no_and_stops(checkpoint: Path) -> None:
    processor, model = read(AutoProcessor, checkpoint), read(LlavaForConditionalGeneration, checkpoint)
    for question in make_set(6, 2):
        inputs = processor(
            text=f"USER: <image>\n{question.text} ASSISTANT:",
            images=Image.open(io.BytesIO(question.picture.jpeg)),
            return_tensors="pt",
        )
        answer = model.generate(**inputs, max_new_tokens=8, do_sample=False)[0, inputs["input_ids"].shape[1] :]
        assert processor.tokenizer.decode(answer) in (" Yes<|endoftext|>", " No<|endoftext|>")


def test_an_equal_checkpoint_is_not_built_again(checkpoint: Path) -> None:
    before = (checkpoint / "model.safetensors").stat().st_mtime_ns
    build_checkpoint(checkpoint, None, TINY, Fit(pictures=4, each=12))
    assert (checkpoint / "model.safetensors").stat().st_mtime_ns == before


@torch.inference_mode()
def test_operations_as_torch_counts_them(checkpoint: Path) -> None:
    """Token by token, where attention is computed only to what a token sees, as the count has it."""
    model = read(LlavaForConditionalGeneration, checkpoint)
    model.set_attn_implementation("eager")
    shape = read_shape(checkpoint)
    lengths = {"prefix": 9, "suffix": 4, "decode": 2}
    found = dict.fromkeys(["vision", *lengths], 0)
    with FlopCounterMode(display=False) as counter:
        model.get_image_features(torch.zeros(1, 3, TINY.image, TINY.image), return_dict=True)
    found["vision"] = counter.get_total_flops() - sum(
        flops(counter, f"SiglipVisionModel.{part}") for part in ("encoder.layers.2", "head")
    )
    cache, last = DynamicCache(), "LlavaForConditionalGeneration.model.language_model.layers.2"
    for part, length in lengths.items():
        for place in range(length):
            with FlopCounterMode(display=False) as counter:
                model(input_ids=torch.tensor([[5]]), past_key_values=cache, use_cache=True)
            found[part] += counter.get_total_flops()
            if part == "prefix" or (part == "suffix" and place < length - 1):
                kept = sum(flops(counter, f"{last}.self_attn.{name}") for name in ("k_proj", "v_proj"))
                found[part] -= flops(counter, last) + flops(counter, "LlavaForConditionalGeneration.lm_head") - kept
    one = Group(prefix=9, images=1, suffixes=((4, 3),))
    assert count([one], shape) == found


def flops(counter: FlopCounterMode, module: str) -> int:
    counts = counter.get_flop_counts()
    assert module in counts, sorted(counts)
    return sum(counts[module].values())


def test_pictures_count_as_their_patches(checkpoint: Path) -> None:
    shape = read_shape(checkpoint)
    token = shape.image_token
    assert token is not None
    once = [((1, -1, 2, 3, 4), ["a"], 2), ((1, -1, 2, 5), ["a"], 3), ((1, -1, 2, 3), ["b"], 1)]
    written = [((1, *[token] * 16, *ids[2:]), images, generated) for ids, images, generated in once]
    expected = [Group(18, 1, ((2, 2), (1, 3))), Group(18, 1, ((1, 1),))]
    assert group(once, shape) == group(written, shape) == expected


def test_the_recipe_of_a_mipha_checkpoint_is_read() -> None:
    folder = Path(__file__).parents[1] / "mipha_eval" / "demo" / "tiny"
    config = json.loads((folder / "config.json").read_text())
    shape = read_shape(folder)
    assert (shape.text.width, shape.text.layers) == (config["hidden_size"], config["num_hidden_layers"])
    assert shape.vision.layers == config["vision_config"]["vision_tower"]["num_hidden_layers"] - 1


def test_all_parts_of_the_bench_of_workers_run(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    given = cluster.arguments(["--quick", "--work", str(tmp_path)])
    rows = [line.split("|")[1:-1] for part in cluster.PARTS.values() for line in part(given) if line.startswith("| ")]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert [row[1] for row in cells if row[0] == "1"] == ["this process", "one worker", "two workers"]
    assert [row[-1] for row in cells if row[0] == "1"] == ["0"] * 3, "the same answers"
    simulated = next(row for row in cells if row[0] == "vqav2")
    assert simulated[1:4] == ["4", "yes", "2,000"]
    assert 0 < float(simulated[6]) <= 1
    queues = [row for row in cells if row[0] == "one queue"]
    assert len(queues) == 2, "for each number of workers"


def test_messages_of_simulated_workers_are_those_of_real_ones() -> None:
    sent = SentRequest("Is it?", (SentImage("a.jpg", "/a.jpg", True, None),), Decoding(), 1, (), (), "")
    rows = outcome(AnswerJob(1, [sent, sent]), 1.0, 2.0).rows
    response = Response(*(*rows[0], 3))
    assert (response.worker, response.error, len(response.top)) == (3, "", 5)
    assert values_of(response) == rows[0]
    assert job_tokens([sent, sent]) == PICTURE_TOKENS + 2 * tokens_of("Is it?")


def test_fixed_shares_wait_for_the_slowest() -> None:
    """By hand: questions about pictures of their own, on two workers of which one has half the speed."""
    asked = [Asked(number, 10) for number in range(2_000)]
    each = PICTURE_TOKENS + 10
    assert blocks(asked, [each / 2, each]) == round_robin(asked, [each / 2, each]) == 2_000
    assert blocks(asked[:1_999], [each, each]) == 1_000, "the shorter share is padded"
    assert 2_000 / 1.5 <= queue(asked, [each / 2, each]) < 1_400


def test_workers_are_given_back_while_answers_are_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run on simulated workers, which is a run in all else; scoring here takes until they are."""
    given_back = threading.Event()
    close, score = TimerCluster.close, score_responses

    def closed(cluster: TimerCluster) -> None:
        close(cluster)
        given_back.set()

    def scored(*given: Any) -> Any:
        assert given_back.wait(60)
        return score(*given)

    monkeypatch.setattr(TimerCluster, "close", closed)
    monkeypatch.setattr("mipha_eval.runs.task_run.score_responses", scored)
    write_rows(tmp_path, "gqa", 300)
    assert measure(Trial("gqa", 300, 3, 1e6, ray=False), tmp_path).efficiency > 0


FAILED = """\
2026-11-27 10:00:00 | INFO     | Loading tasks
Traceback (most recent call last):
  File "evaluator.py", line 1, in evaluate
    import filelock._api
ModuleNotFoundError: No module named 'filelock._api'
"""


def test_a_peer_that_fails_and_ends_well_is_told(tmp_path: Path) -> None:
    """lmms-eval's exit code is 0 all the same, and no answers are there."""
    script = tmp_path / "fails.py"
    script.write_text(f"print({FAILED!r})")
    output = tmp_path / "output"
    contender = peers.Contender("lmms-eval", [sys.executable, str(script)], output, lambda: lmms.read_answers(output, []))
    with pytest.raises(RuntimeError, match=r"ended with exit code 0, but no answers.*: ModuleNotFoundError: No module"):
        peers.measure(contender, {}, tmp_path / "log")
    assert lmms.what_failed("all is well") == ""
    assert lmms.what_failed("10:00 | ERROR    | Error in generating") == "10:00 | ERROR    | Error in generating"
