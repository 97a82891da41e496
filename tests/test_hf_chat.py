"""Generic image-text models: what they share, and that it gives what transformers alone gives."""

from __future__ import annotations

import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from transformers import AutoModelForImageTextToText

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request, Response
from mipha_eval.data.images import open_image
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.sharing_check import Sharing
from tests.image_text_checkpoints import BUILDERS, llava

# what PaliGemma's processor does with tensors
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

AUTO: Any = AutoModelForImageTextToText

SHARED = dict.fromkeys(BUILDERS, "prefix") | {"paligemma": "features"}


def picture(number: int) -> Image:
    generator = np.random.default_rng(number)
    size = [(70, 50), (40, 90), (64, 64), (200, 60)][number % 4]
    data = io.BytesIO()
    Pillow.fromarray(generator.integers(256, size=(size[1], size[0], 3)).astype(np.uint8)).save(data, "PNG")
    return Image(f"{number}.png", f"/made-up/{number}.png", data.getvalue)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def build(name: str) -> Path:
        if name not in made:
            torch.manual_seed(3)
            made[name] = BUILDERS[name](tmp_path_factory.mktemp(name))
        return made[name]

    return build


def load(folder: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", "hf-chat")
    adapter = owner(path=str(folder), device="cpu", **{"dtype": "float32", **options})
    adapter.load()
    return adapter


@pytest.fixture(scope="module", params=list(BUILDERS))
def adapter(request: pytest.FixtureRequest, folders: Callable[[str], Path]) -> Any:
    if request.param == "smolvlm":
        pytest.importorskip("num2words", reason="SmolVLM's processor needs num2words")
    return request.param, load(folders(request.param))


def layout(seed: int, *, text_only: bool) -> list[Request]:
    """Some pictures with many questions, some with one; questions of one word and of hundreds; duplicates."""
    generator = random.Random(seed)
    requests = []
    for number in range(4):
        for _ in range(generator.choice([1, 1, 2, 5])):
            words = generator.choices(["dog", "red", "Is there a", "left of", "sign?"], k=generator.choice([1, 4, 9, 60]))
            requests.append(
                Request(
                    " ".join(words), (picture(number),), Decoding(generator.choice([3, 3, 6])), tracked=("Yes", "No way")
                )
            )
    if text_only:
        requests += [Request(text, (), Decoding(3)) for text in ("What is two and two?", "Who?", "")]
        requests.append(Request("Which is darker?", (picture(0), picture(1)), Decoding(4)))
    requests += requests[:2]
    requests.append(Request("It is", (picture(2),), options=("a dog", "red", "a very large sign")))
    generator.shuffle(requests)
    return requests


def same(one: Response, other: Response) -> None:
    assert (one.text, one.tokens, one.finish, one.error) == (other.text, other.tokens, other.finish, other.error)
    assert one.likelihoods == pytest.approx(other.likelihoods, abs=2e-3)
    assert one.probabilities == pytest.approx(other.probabilities, rel=1e-2, abs=1e-6)


def test_what_is_shared(adapter: tuple[str, Any]) -> None:
    name, model = adapter
    assert model.proved.level == SHARED[name], model.proved
    assert model.describe()["sharing"] == model.proved.text


@pytest.mark.parametrize("seed", range(3))
def test_shared_equals_alone(adapter: tuple[str, Any], seed: int) -> None:
    name, model = adapter
    requests = layout(seed, text_only=name != "paligemma")  # its processor refuses prompts without a picture
    model.prefetch(requests)
    for one, other in zip(model.respond(requests), model.reference(requests), strict=True):
        same(one, other)


def test_as_anybody_would_ask_transformers(adapter: tuple[str, Any], folders: Callable[[str], Path]) -> None:
    """Against the untrimmed model with its own activations, its processor called on the whole prompt, and its generation."""
    name, model = adapter
    official = AUTO.from_pretrained(folders(name), dtype=torch.float32).eval()
    processor: Any = load_processor(folders(name))
    asked = [
        Request(question, (picture(number),), Decoding(5)) for number in range(2) for question in ("Is it red?", "Who?")
    ]
    for request, response in zip(asked, model.respond(asked), strict=True):
        content = [{"type": "image"}, {"type": "text", "text": request.text}]
        mark, tokenizer = processor.image_token, processor.tokenizer
        text = mark + request.text
        if processor.chat_template:
            settings = {"chat_template": processor.chat_template, "tokenize": False, "add_generation_prompt": True}
            text = tokenizer.apply_chat_template([{"role": "user", "content": content}], **settings)
        inputs = processor(text=[text], images=[open_image(request.images[0])], return_tensors="pt")
        inputs.pop("labels", None)
        made = official.generate(**inputs, max_new_tokens=5, do_sample=False, pad_token_id=0)[
            0, inputs["input_ids"].shape[1] :
        ]
        assert response.text == tokenizer.decode(made, skip_special_tokens=True).strip()


@pytest.mark.parametrize("window", [3, 16, 40])
def test_sliding_windows_are_shared(window: int, tmp_path: Path) -> None:
    """Windows that end in the answer, in the question and in the picture, against transformers' own masks."""
    adapter = load(llava(tmp_path, model_type="mistral", sliding_window=window))
    assert adapter.proved.level == "prefix"
    requests = layout(1, text_only=True)
    for one, other in zip(adapter.respond(requests), adapter.reference(requests), strict=True):
        same(one, other)


def test_generation_settings_of_a_checkpoint_are_left_out_and_named(folders: Callable[[str], Path], tmp_path: Path) -> None:
    """Greedy decoding is greedy on every path, whatever the checkpoint's author liked."""
    folder = shutil.copytree(folders("llava"), tmp_path / "llava")
    settings = folder / "generation_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "repetition_penalty": 3.0, "eos_token_id": [0, 5]}))
    adapter = load(folder)
    assert adapter.describe()["left_out"] == {"repetition_penalty": 3.0}
    assert adapter.ends == {0, 5}
    requests = layout(2, text_only=True)
    plain = load(folder, share=False)
    for one, other in zip(adapter.respond(requests), plain.respond(requests), strict=True):
        same(one, other)


def test_pictures_of_different_size_in_one_batch_are_kept_apart(adapter: tuple[str, Any]) -> None:
    """The same question about many pictures, which a mix-up would answer alike."""
    _, model = adapter
    asked = [Request("What is it?", (picture(number),), Decoding(6)) for number in range(8)]
    together = model.respond(asked)
    assert len({response.top for response in together}) == len(asked)
    for one, other in zip(together, model.reference(asked), strict=True):
        same(one, other)


def test_a_broken_picture_fails_its_own_questions(adapter: tuple[str, Any]) -> None:
    _, model = adapter
    broken = Image("broken.png", "/made-up/broken.png", lambda: b"no picture")
    asked = [Request("What?", (image,), Decoding(2)) for image in (picture(0), broken, picture(1))]
    model.prefetch(asked)
    failed = [response.error for response in model.respond(asked)]
    assert [bool(error) for error in failed] == [False, True, False]
    assert "broken.png is not an image" in failed[1]


def test_without_sharing(adapter: tuple[str, Any], folders: Callable[[str], Path]) -> None:
    name, model = adapter
    plain = load(folders(name), share=False)
    assert plain.proved == Sharing("none", "none, as asked")
    requests = layout(7, text_only=name != "paligemma")
    for one, other in zip(model.respond(requests), plain.respond(requests), strict=True):
        same(one, other)
