"""Beams, penalties, templates, system texts and squares, against what transformers and Pillow do if told the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.tokenizers import load_tokenizer
from tests.further_checkpoints import t5gemma2
from tests.image_text_checkpoints import TINY, internvl, llava
from tests.test_generation_settings import load
from tests.test_hf_chat import picture
from tests.text_checkpoint import text_model

IMAGE_TEXT: Any = AutoModelForImageTextToText
CAUSAL: Any = AutoModelForCausalLM

MANNERS = (
    {"num_beams": 3, "length_penalty": -1.0, "max_new_tokens": 6},
    {"num_beams": 2, "length_penalty": 2.0, "max_new_tokens": 5, "min_new_tokens": 4},
    {"repetition_penalty": 1.8, "max_new_tokens": 6},
    {"num_beams": 4, "repetition_penalty": 1.3, "max_new_tokens": 6},
    {"min_new_tokens": 5, "max_new_tokens": 6},
)
#: of lengths that need padding beside each other
QUESTIONS = ("Is there a red dog to the left of the large sign?", "Who?", " 7", '"Stop" or "go" on the sign?')


def requests(manner: Mapping[str, Any]) -> list[Request]:
    return [Request(text, (picture(number % 2),), Decoding(**manner)) for number, text in enumerate(QUESTIONS)]


def official(model: Any, processor: Any, text: str, image: Image, manner: Mapping[str, Any]) -> str:
    """One prompt by transformers alone."""
    inputs = processor(text=[text], images=[open_image(image)], return_tensors="pt")
    inputs.pop("labels", None)
    made = model.generate(**inputs, do_sample=False, pad_token_id=0, **manner)[0]
    before = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    return str(processor.tokenizer.decode(made[before:], skip_special_tokens=True).strip())


@pytest.fixture(scope="module", params=[llava, internvl, t5gemma2])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any]:
    """A checkpoint as transformers loads it, its processor, and the adapter."""
    torch.manual_seed(4)
    folder = request.param(tmp_path_factory.mktemp("checkpoint"))
    model = IMAGE_TEXT.from_pretrained(folder, dtype=torch.float32).eval()
    return model, load_processor(folder), load("hf-chat", folder)


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_decoding_is_transformers_own(pair: tuple[Any, Any, Any], manner: Mapping[str, Any]) -> None:
    """Beside greedy requests about the same pictures, which are shared; repetitions must not be counted in padding."""
    model, processor, adapter = pair
    asked, greedy = requests(manner), requests({"max_new_tokens": 6})
    responses = adapter.respond([*asked, *greedy])
    wanted = [official(model, processor, adapter.chat.render(each.text, 1), each.images[0], manner) for each in asked]
    assert [response.text for response in responses[: len(asked)]] == wanted
    assert [response.text for response in responses[len(asked) :]] == [each.text for each in adapter.respond(greedy)]


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_decoding_of_language_models_is_transformers_own(manner: Mapping[str, Any], tmp_path: Path) -> None:
    folder = text_model(tmp_path)
    model, words = CAUSAL.from_pretrained(folder, dtype=torch.float32).eval(), load_tokenizer(folder)
    adapter: Any = load("hf-text", folder)
    for request, response in zip(requests(manner), adapter.respond(requests(manner)), strict=True):
        ids = words([f"USER: {request.text} ASSISTANT:"], return_tensors="pt", add_special_tokens=False)["input_ids"]
        made = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, pad_token_id=0, **manner)
        assert response.text == str(words.decode(made[0, ids.shape[1] :], skip_special_tokens=True)).strip()


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_decoding_of_mipha_is_the_same_alone_and_in_a_batch(manner: Mapping[str, Any]) -> None:
    adapter: Any = load("mipha", TINY)
    asked = requests(manner)
    together = [response.text for response in adapter.respond([*asked, *requests({"max_new_tokens": 6})])]
    assert together[: len(asked)] == [response.text for response in adapter.reference(asked)]


def test_beams_of_mipha_against_a_search_by_hand() -> None:
    """All sequences of three tokens that a search with many beams sees, scored by plain forward passes."""
    adapter: Any = load("mipha", TINY)
    request = Request("How many objects are there?", (picture(0),), Decoding(2, num_beams=8, min_new_tokens=2))
    (found,) = adapter.respond([request])
    inputs = adapter.whole_inputs([request])
    embed, ends = adapter.model.get_input_embeddings(), sorted(adapter.ends)
    with torch.inference_mode():
        first = adapter.model(**inputs).logits[0, -1].float().log_softmax(-1)
        first[ends] = -torch.inf
        scored = {}
        for token in first.topk(8).indices.tolist():
            longer = torch.cat([inputs["inputs_embeds"], embed(torch.tensor([[token]]))], dim=1)
            then = adapter.model(inputs_embeds=longer).logits[0, -1].float().log_softmax(-1)
            then[ends] = -torch.inf
            best = int(then.argmax())
            scored[(token, best)] = float(first[token] + then[best])
    assert found.text == adapter.loaded.text_of(max(scored, key=lambda ids: scored[ids]))


def test_a_named_template_and_a_system_text_are_the_whole_prompt(tmp_path: Path) -> None:
    folder = llava(tmp_path)
    named: Any = load("hf-chat", folder, template="vicuna_v1", system="Be short.")
    assert named.chat.render("Who?", 1) == "Be short. USER: <image>\nWho? ASSISTANT:"
    jinja: Any = load(
        "hf-chat", folder, template="{% for m in messages %}[{{ m['content'][-1]['text'] }}]{% endfor %}<image>"
    )
    assert jinja.chat.render("Who?", 1) == "[Who?]<image>"
    (own,) = jinja.respond([Request("Who?", (picture(0),), Decoding(5))])
    model, processor = IMAGE_TEXT.from_pretrained(folder, dtype=torch.float32).eval(), load_processor(folder)
    assert own.text == official(model, processor, "[Who?]<image>", picture(0), {"max_new_tokens": 5})


def test_a_template_that_leaves_the_system_text_out_is_refused(tmp_path: Path) -> None:
    folder = llava(tmp_path)
    deaf = "{% for m in messages if m['role'] == 'user' %}<image>{{ m['content'][-1]['text'] }}{% endfor %}"
    with pytest.raises(UserError, match="no place for a system text"):
        load("hf-chat", folder, template=deaf, system="Be short.")
    with pytest.raises(UserError, match="no place for a system text"):
        load("hf-chat", folder, template="plain", system="Be short.")


@pytest.mark.parametrize(
    "template",
    ["nobody", "{% for %}", "{{ nothing.at.all }}", "/no/such.jinja", "{{ mesages }}", "{{ messages[0].role }}: <image>"],
)
@pytest.mark.parametrize("name", ["hf-chat", "hf-text", "mipha"])
def test_templates_that_are_none_are_refused(name: str, template: str, tmp_path: Path) -> None:
    makers: dict[str, Any] = {"hf-chat": llava, "hf-text": text_model, "mipha": lambda _: TINY}
    folder = makers[name](tmp_path)
    with pytest.raises(UserError) as caught:
        load(name, folder, template=template)
    assert "\n" not in str(caught.value)


def test_jinja_around_mipha_is_what_its_own_template_makes() -> None:
    text = "{{ messages[0].content[0].text }} USER: {% for part in messages[1].content %}"
    text += "{% if part.type == 'image' %}<image>\n{% else %}{{ part.text }}{% endif %}{% endfor %} ASSISTANT:"
    own: Any = load("mipha", TINY)
    jinja: Any = load("mipha", TINY, template=text, system=own.conversation.system)
    request = Request("Who?", (picture(0),))
    assert jinja.pieces(request) == own.pieces(request)
    assert jinja.encode(request) == own.encode(request)


def squared(image: Pillow.Image, mean: tuple[int, ...]) -> Pillow.Image:
    """By numpy: the picture in the middle of a square."""
    pixels = np.asarray(image)
    side = max(pixels.shape[:2])
    square = np.full((side, side, 3), mean, np.uint8)
    top, left = ((side - length) // 2 for length in pixels.shape[:2])
    square[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return Pillow.fromarray(square)


def test_pictures_are_padded_or_cropped_before_the_processor(tmp_path: Path) -> None:
    folder = llava(tmp_path)
    processor: Any = load_processor(folder)
    image, mean = open_image(picture(0)), tuple(int(255 * value) for value in processor.image_processor.image_mean)
    height, width = image.size[1], image.size[0]
    left = (width - height) // 2
    for square, wanted in (
        ("pad", squared(image, mean)),
        ("crop", image.crop((left, 0, left + height, height))),
        ("processor", image),
    ):
        adapter: Any = load("hf-chat", folder, image=square)
        found = adapter.read_images((picture(0),)).inputs["pixel_values"]
        assert torch.equal(found, processor.image_processor(wanted, return_tensors="pt")["pixel_values"])


def test_squares_of_mipha() -> None:
    image = open_image(picture(0))
    own, pad, crop, left = (load("mipha", TINY, image=square) for square in (None, "pad", "crop", "processor"))
    assert torch.equal(own.read_images((picture(0),)), pad.read_images((picture(0),)))
    side, mean = own.preprocessor.width, tuple(int(255 * value) for value in own.preprocessor.mean)
    start = (image.width - image.height) // 2
    middle = image.crop((start, 0, start + image.height, image.height))
    for adapter, wanted in ((pad, squared(image, mean)), (crop, middle), (left, image)):
        pixels = np.asarray(wanted.resize((side, side), adapter.preprocessor.resample), np.float32) / 255
        normal = (pixels - np.asarray(adapter.preprocessor.mean)) / np.asarray(adapter.preprocessor.std)
        found = adapter.read_images((picture(0),))[0].numpy()
        assert np.abs(found - normal.transpose(2, 0, 1)).max() < 1e-5


def test_the_checkpoint_s_own_template_takes_a_system_text(tmp_path: Path) -> None:
    adapter: Any = load("hf-chat", llava(tmp_path), system="Be short.")
    rendered = adapter.chat.render("Who?", 1)
    assert rendered.count("Be short.") == 1
    assert rendered.index("Be short.") < rendered.index("<image>")


def test_a_template_of_one_benchmark_stands_beside_others_in_a_batch(tmp_path: Path) -> None:
    """Requests about the same picture, each with its own template, as whole prompts by transformers alone."""
    torch.manual_seed(4)
    folder = llava(tmp_path)
    model, processor = IMAGE_TEXT.from_pretrained(folder, dtype=torch.float32).eval(), load_processor(folder)
    adapter: Any = load("hf-chat", folder)
    bare = "{% for m in messages %}<image>[{{ m['content'][-1]['text'] }}]{% endfor %}"
    asked = [Request(text, (picture(0),), Decoding(6), template=each) for text in QUESTIONS for each in ("", bare, "v1")]
    prompts = [adapter.chat_with(each.template).render(each.text, 1) for each in asked]
    assert prompts[1] == f"<image>[{QUESTIONS[0]}]"
    wanted = [
        official(model, processor, prompt, picture(0), {"max_new_tokens": 6})
        for prompt, each in zip(prompts, asked, strict=True)
    ]
    assert [response.text for response in adapter.respond(asked)] == wanted
