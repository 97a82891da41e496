"""Our Mipha against what the official code computed from the same small checkpoint, in float32 on the CPU."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import load_file

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.models.llava_style.prompt import IMAGE_TOKEN
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl


@pytest.fixture(scope="module")
def adapter(reference: Path) -> Any:
    owner, _ = Registry().load("model_adapters", "mipha")
    loaded = owner(path=str(reference / "checkpoint"), device="cpu", dtype="float32")
    loaded.load()
    return loaded


@pytest.fixture(scope="module")
def expected(reference: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = read_json(reference / "expected.json")
    return cases


def picture(reference: Path, name: str) -> Image:
    path = reference / name
    return Image(path.name, str(path), path.read_bytes)


def requests(reference: Path, expected: list[dict[str, Any]]) -> list[Request]:
    return [Request(case["question"], (picture(reference, case["image"]),), Decoding(16)) for case in expected]


def test_pixels_and_features(adapter: Any, reference: Path) -> None:
    official = load_file(reference / "expected_features.safetensors")
    names = [name for name in official if not name.endswith(".pixel_values")]
    assert len(names) == 7
    for name in names:
        pixels = adapter.read_images([picture(reference, f"images/{name}.png")])
        assert (pixels[0] - official[f"{name}.pixel_values"]).abs().max() <= 1e-4
        with torch.inference_mode():
            features = adapter.network.image_features(pixels)
        assert (features[0] - official[name]).abs().max() <= 1e-4


def test_tokens_and_logits(adapter: Any, reference: Path, expected: list[dict[str, Any]]) -> None:
    official = load_file(reference / "expected_last_logits_every_37th.safetensors")
    for number, (case, request) in enumerate(zip(expected, requests(reference, expected), strict=True)):
        prompt = adapter.encode(request)
        assert list(prompt.ids) == case["input_ids"]
        assert len(prompt.ids) - 1 + adapter.patches == case["sequence_length"]
        assert prompt.ids[prompt.images_end - 1] == IMAGE_TOKEN
        with torch.inference_mode():
            features = adapter.network.image_features(adapter.read_images(request.images))
            hidden = adapter._embed(prompt.ids, iter(features))
            logits = adapter.network.decoder(inputs_embeds=hidden[None], logits_to_keep=1).logits[0, -1]
        assert (logits[:50295:37] - official[str(number)]).abs().max() <= 1e-3


def test_texts_one_at_a_time(adapter: Any, reference: Path, expected: list[dict[str, Any]]) -> None:
    for case, request in zip(expected, requests(reference, expected), strict=True):
        (response,) = adapter.generate([request])
        assert response.text == case["text"]
        assert response.tokens == len(case["generated_ids"])


@pytest.mark.parametrize("seed", range(3))
def test_texts_in_mixed_batches(seed: int, adapter: Any, reference: Path, expected: list[dict[str, Any]]) -> None:
    """Several images in a batch, questions of different length, shuffled, and questions without an image among them."""
    generator = random.Random(seed)
    cases = list(zip(expected, requests(reference, expected), strict=True))
    generator.shuffle(cases)
    while cases:
        size = generator.randint(1, 12)
        batch, cases = cases[:size], cases[size:]
        text_only = [Request(case["question"], (), Decoding(4)) for case, _ in batch[:2]]
        responses = adapter.generate([request for _, request in batch] + text_only)
        assert [response.text for response in responses[: len(batch)]] == [case["text"] for case, _ in batch]
        alone = [adapter.generate([request])[0].text for request in text_only]
        assert [response.text for response in responses[len(batch) :]] == alone


def test_generated_tokens(adapter: Any, reference: Path, expected: list[dict[str, Any]], monkeypatch: Any) -> None:
    lists: list[list[int]] = []
    original = type(adapter)._response

    def note(self: Any, answer: Any) -> Any:
        lists.append(answer.ids)
        return original(self, answer)

    monkeypatch.setattr(type(adapter), "_response", note)
    adapter.generate(requests(reference, expected))
    assert lists == [case["generated_ids"] for case in expected]


@pytest.mark.parametrize("batch_size", ["auto", "1", "5"])
def test_predict(batch_size: str, cli: Cli, tmp_path: Path, reference: Path, expected: list[dict[str, Any]]) -> None:
    rows = [
        {"question_id": number, "image": Path(case["image"]).name, "text": case["question"], "category": "x"}
        for number, case in enumerate(expected)
    ]
    questions = write_jsonl(tmp_path / "questions.jsonl", rows)
    model = ["--model", "mipha", "-a", f"path={reference / 'checkpoint'}", "--device", "cpu", "--dtype", "float32"]
    files = ["--questions", questions, "--image-folder", reference / "images", "--answers", tmp_path / "answers.jsonl"]
    outcome = cli("predict", *files, *model, "--max-new-tokens", 16, "--batch-size", batch_size)
    assert outcome.code == 0, outcome.err
    answers = read_jsonl(tmp_path / "answers.jsonl")
    assert [answer["text"] for answer in answers] == [case["text"] for case in expected]
    assert [answer["prompt"] for answer in answers] == [case["question"] for case in expected]
    assert list(answers[0]) == ["question_id", "prompt", "text", "answer_id", "model_id", "metadata"]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_answers(dtype: str, reference: Path, expected: list[dict[str, Any]]) -> None:
    """Half precision gives the first token that float32 gives where float32 was sure."""
    owner, _ = Registry().load("model_adapters", "mipha")
    adapter = owner(path=str(reference / "checkpoint"), device="cpu", dtype=dtype)
    sure = [case for case in expected if case["top2_gap"] > 0.1]
    first = [Request(case["question"], (picture(reference, case["image"]),), Decoding(1)) for case in sure]
    texts = [response.text for response in adapter.generate(first)]
    wanted = [adapter.tokenizer.decode(case["generated_ids"][:1]).strip() for case in sure]
    same = sum(text == want for text, want in zip(texts, wanted, strict=True))
    assert same >= 0.8 * len(sure)


def test_a_question_that_contains_the_image_mark_fails(adapter: Any, reference: Path) -> None:
    """The official code would look for a second picture; asked as text, the answer would be to another question."""
    photo = (picture(reference, "images/coffee.png"),)
    asked = [Request(text, photo, Decoding(2)) for text in ("Is it hot?", "What does <image> mean?", "Is it dark?")]
    for responses in (adapter.generate(asked), adapter.reference(asked)):
        assert [bool(response.error) for response in responses] == [False, True, False]
        assert "<image>" in responses[1].error


def test_plain_resize(adapter: Any, reference: Path) -> None:
    """Without `pad` the picture is squeezed; the SigLIP processor of transformers is the oracle."""
    from transformers import SiglipImageProcessorPil

    name = reference / "images/coffee.png"
    with Pillow.open(name) as opened:
        image = opened.convert("RGB")
    official = SiglipImageProcessorPil.from_pretrained(reference / "checkpoint")(image, return_tensors="pt")["pixel_values"][
        0
    ]
    ours = dataclasses.replace(adapter.preprocessor, pad=False)(image)
    assert (torch.from_numpy(ours) - official).abs().max() <= 1e-6


def test_several_images_in_one_prompt(adapter: Any, reference: Path) -> None:
    """Two images in one question: the answer in a batch equals the answer alone."""
    both = partial(picture, reference)
    pair = Request("Which is darker?", (both("images/coffee.png"), both("images/rocket.png")), Decoding(6))
    single = Request("Is it dark?", (both("images/coffee.png"),), Decoding(6))
    assert adapter.encode(pair).ids.count(IMAGE_TOKEN) == 2
    together = adapter.generate([pair, single, pair])
    assert [response.text for response in together] == [adapter.generate([each])[0].text for each in (pair, single, pair)]


@pytest.mark.parametrize("seed", range(3))
def test_shared_equals_alone(seed: int, adapter: Any, reference: Path, expected: list[dict[str, Any]]) -> None:
    """Random layouts against transformers' own generation: several pictures, none, one question a picture, duplicates."""
    generator = random.Random(seed)
    cases = requests(reference, expected)
    batch = [
        dataclasses.replace(case, decoding=Decoding(generator.choice([1, 5, 12])), tracked=("Yes", "No way"))
        for case in generator.choices(cases, k=6)
    ]
    batch += [dataclasses.replace(case, options=("red", "a large brown dog")) for case in generator.choices(cases, k=3)]
    batch += [Request("x", batch[0].images), Request(" ".join(["very long"] * 300), batch[1].images, Decoding(3))]
    batch += [Request("Which is darker?", batch[0].images + batch[1].images, Decoding(4)), Request("Who?", (), Decoding(4))]
    generator.shuffle(batch)
    adapter.prefetch(batch)
    for one, other in zip(adapter.respond(batch), adapter.reference(batch), strict=True):
        assert (one.text, one.tokens, one.finish, one.error) == (other.text, other.tokens, other.finish, "")
        assert one.likelihoods == pytest.approx(other.likelihoods, abs=1e-3)
        assert one.probabilities == pytest.approx(other.probabilities, rel=1e-3)
        assert [token for token, _ in one.top] == [token for token, _ in other.top]
        assert [logit for _, logit in one.top] == pytest.approx([logit for _, logit in other.top], abs=1e-3)


def test_official_texts_without_sharing(reference: Path, expected: list[dict[str, Any]]) -> None:
    """Several prompts padded together, read by transformers' own attention."""
    owner, _ = Registry().load("model_adapters", "mipha")
    plain = owner(path=str(reference / "checkpoint"), device="cpu", dtype="float32", share=False)
    asked = requests(reference, expected)
    texts = [response.text for start in range(0, len(asked), 5) for response in plain.respond(asked[start : start + 5])]
    assert texts == [case["text"] for case in expected]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, on the way to its compiler
def test_compiled_layers_answer_the_same(reference: Path, expected: list[dict[str, Any]]) -> None:
    if shutil.which("g++") is None:
        pytest.skip("torch compiles for CPUs with g++, which is not here")
    owner, _ = Registry().load("model_adapters", "mipha")
    compiled = owner(path=str(reference / "checkpoint"), device="cpu", dtype="float32", compile=True)
    texts = [response.text for response in compiled.respond(requests(reference, expected)[:8])]
    assert texts == [case["text"] for case in expected[:8]]


def test_ranking_options_equals_plain_forward_passes(adapter: Any, reference: Path, expected: list[dict[str, Any]]) -> None:
    """Several questions about several pictures, options of different length, one question without a picture."""
    options = ("red", "a large brown dog on the left", "two", "no")
    asked = [Request(each.text, each.images, Decoding(16), options=options) for each in requests(reference, expected)[:6]]
    asked.append(Request("Which is an animal?", options=("dog", "an old green car")))
    answers = adapter.loglikelihood(asked)
    network = adapter.network
    for request, answer in zip(asked, answers, strict=True):
        alone = []
        for option in request.options:
            ids, end = adapter.encode(request).ids, adapter.encode_option(option)
            with torch.inference_mode():
                features = iter(network.image_features(adapter.read_images(request.images)) if request.images else ())
                logits = network.decoder(inputs_embeds=adapter._embed(ids + end, features)[None]).logits[0].double()
            before = logits[-len(end) - 1 : -1].log_softmax(-1)
            alone.append(float(before.gather(1, torch.tensor(end)[:, None]).sum()))
        assert answer.likelihoods == pytest.approx(alone, abs=1e-3)
        assert answer.text == request.options[alone.index(max(alone))]
        assert answer.option_tokens == tuple(len(adapter.encode_option(option)) for option in request.options)


def test_seed_by_likelihood_on_the_command_line(cli: Cli, reference: Path, tmp_path: Path) -> None:
    """`seed@ppl` from file to result, and again from what is stored."""
    folder = tmp_path / "data/seed_bench"
    (folder / "SEED-Bench-image").mkdir(parents=True)
    names = [path.name for path in sorted((reference / "images").iterdir())][:2]
    for name in names:
        (folder / "SEED-Bench-image" / name).write_bytes((reference / "images" / name).read_bytes())
    rows = [
        {
            "question_id": str(number),
            "data_id": names[number % 2],
            "data_type": "image",
            "question_type_id": 1 + number,
            "question": f"What is in picture {number}?",
            **dict(zip(("choice_a", "choice_b", "choice_c", "choice_d"), ("dog", "a car", "old tree", "I"), strict=True)),
            "answer": "ABCD"[number],
        }
        for number in range(4)
    ]
    (folder / "SEED-Bench.json").write_text(json.dumps({"questions": rows}))
    arguments = ["run", "--tasks", "seed@ppl", "--model", "mipha", "-a", f"path={reference / 'checkpoint'}"]
    arguments += ["--dtype", "float32", "--data", str(tmp_path / "data"), "--output", str(tmp_path / "runs"), "--json"]
    first = cli(*arguments).json
    (result,) = first["results"]
    stored = read_jsonl(Path(first["run"]) / "seed@ppl/responses.jsonl")
    right = sum("ABCD"[row["likelihoods"].index(max(row["likelihoods"]))] == "ABCD"[int(row["sample"])] for row in stored)
    assert len(stored) == 4
    assert result["metrics"]["accuracy"] == 100 * right / 4
    assert "per_token" in result["metrics"]
    rescored = cli("score", first["run"], "--json").json
    assert rescored["metrics"] == result["metrics"]
    again = cli(*arguments).json["results"][0]
    assert again["generated"] == 0
    assert again["metrics"] == result["metrics"]


def test_a_model_that_only_generates_fails_a_ranking_task(cli: Cli, tmp_path: Path) -> None:
    arguments = ["run", "--tasks", "seed@ppl", "--model", "constant", "--data", "demo", "--output", str(tmp_path)]
    done = cli(*arguments, "--limit", "4")
    assert done.code == 3
    assert "cannot rank options" in done.err
