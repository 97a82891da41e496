"""Generic image-text models: what they share, and that it gives what transformers alone gives."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from mipha_eval.backends.proof import Sharing
from mipha_eval.plugins import Registry
from mipha_eval.types import Decoding, Image, Request, Response
from tests.image_text_checkpoints import BUILDERS

# what PaliGemma's processor does with tensors
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

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
                Request(" ".join(words), (picture(number),), Decoding(generator.choice([3, 3, 6])), watch=("Yes", "No way"))
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
    assert one.chances == pytest.approx(other.chances, rel=1e-2, abs=1e-6)


def test_what_is_shared(adapter: tuple[str, Any]) -> None:
    name, model = adapter
    assert model.proved.level == SHARED[name], model.proved
    assert model.describe()["sharing"] == model.proved.text


@pytest.mark.parametrize("seed", range(3))
def test_shared_equals_alone(adapter: tuple[str, Any], seed: int) -> None:
    name, model = adapter
    requests = layout(seed, text_only=name != "paligemma")  # its processor refuses prompts without a picture
    model.expect(requests)
    for one, other in zip(model.respond(requests), model.alone(requests), strict=True):
        same(one, other)


def test_without_sharing(adapter: tuple[str, Any], folders: Callable[[str], Path]) -> None:
    name, model = adapter
    plain = load(folders(name), share=False)
    assert plain.proved == Sharing("none", "none, as asked")
    requests = layout(7, text_only=name != "paligemma")
    for one, other in zip(model.respond(requests), plain.respond(requests), strict=True):
        same(one, other)
