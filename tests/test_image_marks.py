"""Who says where pictures stand, what models that place them themselves cannot be asked, and a tower that is asked once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Decoding, Request
from mipha_eval.models.image_marks import ImageMarks, InParts, OwnPlaces, find_marks
from mipha_eval.models.image_text import load_processor
from tests.conftest import Said
from tests.further_checkpoints import FURTHER
from tests.image_text_checkpoints import BUILDERS, PATCH, pictures, transformers
from tests.test_unmarked import picture
from tests.test_whole_prompts import ODD, Official, load
from tests.unmarked_checkpoints import (
    UNMARKED,
    blip2_opt,
    git,
    idefics,
    ids,
    instructblip,
    instructblip_llama,
    kosmos2,
    llama_text,
    stored,
    words,
)

MAKERS = {**BUILDERS, **FURTHER, **UNMARKED}

#: of every kind of processor one
KINDS = {
    **dict.fromkeys(("llava", "paligemma", "gemma3", "mllama"), ImageMarks),
    **dict.fromkeys(("blip2-opt", "instructblip-llama", "florence2", "kosmos2", "git", "blip"), OwnPlaces),
    "idefics": InParts,
}

ONCE = ("mllama", "t5gemma2", "blip2-t5", "instructblip-llama", "florence2", "idefics", "git", "kosmos2", "blip")


def made(name: str, folder: Path) -> Path:
    torch.manual_seed(3)
    return MAKERS[name](folder)


@pytest.mark.parametrize("name", KINDS)
def test_who_writes_marks_is_seen(name: str, tmp_path: Path) -> None:
    processor = load_processor(made(name, tmp_path))
    config = transformers.AutoConfig.from_pretrained(tmp_path)
    assert type(find_marks(processor, getattr(config, "image_token_id", None))) is KINDS[name]


def rows(tower: Any) -> contextlib.AbstractContextManager[list[int]]:
    """How many pictures the vision tower is asked about, call by call."""

    @contextlib.contextmanager
    def counting() -> Iterator[list[int]]:
        seen: list[int] = []
        first = next(module for module in tower.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.Linear))
        hook = first.register_forward_pre_hook(lambda _module, given: seen.append(len(given[0])))
        try:
            yield seen
        finally:
            hook.remove()

    return counting()


@pytest.mark.parametrize("name", ONCE)
def test_a_tower_is_asked_once_about_each_picture(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked: texts, options, what is watched; and each file is opened once."""
    adapter = load(made(name, tmp_path))
    asked = [
        Request(text, (picture(number),), Decoding(2), tracked=("Yes", "No way")) for number in (0, 1) for text in ODD[:4]
    ]
    asked.append(Request("It is", (picture(0),), options=("red", "a dog", "a cat")))
    opened: list[Any] = []
    original = type(adapter).opened

    def noted(self: Any, images: Any) -> Any:
        opened.append(images)
        return original(self, images)

    monkeypatch.setattr(type(adapter), "opened", noted)
    with rows(adapter._tower._tower) as seen:
        adapter.respond(asked)
        tiles = 4 if name == "mllama" else 1
        assert sum(seen) == 2 * tiles
        assert len(opened) == 2
        adapter.respond(asked[:1])
        assert sum(seen) == 3 * tiles, "it remembers for a batch alone"


@pytest.mark.parametrize("name", ["mllama", "t5gemma2"])
def test_prompts_with_and_without_pictures_together(name: str, tmp_path: Path) -> None:
    official = Official.of(made(name, tmp_path))
    asked = [Request(text, (picture(number),) * (number < 3), Decoding(3)) for text in ODD[:7] for number in range(4)]
    wanted = [official.text(request) for request in asked]
    for adapter in (load(tmp_path), load(tmp_path, share=False)):
        assert [response.text for response in adapter.respond(asked)] == wanted


@pytest.mark.parametrize("maker", [blip2_opt, instructblip_llama, kosmos2])
def test_what_cannot_be_asked_fails_alone(maker: Any, tmp_path: Path) -> None:
    """No picture, two pictures, a mark in the question; the others are answered."""
    adapter = load(maker(tmp_path))
    asked = [Request("Who?", tuple(picture(number) for number in range(count)), Decoding(2)) for count in (1, 0, 2, 1)]
    for way in (adapter.respond, adapter.reference):
        errors = [response.error for response in way(asked)]
        assert errors[0] == errors[3] == ""
        assert "the model cannot be asked without an image" in errors[1]
        assert "one a prompt" in errors[2]


def test_a_question_that_is_an_address_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IDEFICS' processor takes a part of a prompt that is a URL for a picture's."""
    adapter = load(idefics(tmp_path))

    owner = type(adapter.chat._processor.image_processor)
    original = owner.fetch_images

    def fetched(self: Any, given: Any) -> Any:
        assert not isinstance(given, str), "a question is an address"
        return original(self, given)

    monkeypatch.setattr(owner, "fetch_images", fetched)
    for images in ((picture(0),), ()):
        answers = adapter.respond(
            [Request(text, images, Decoding(2)) for text in ("http://a.b/c.png", " http://a.b/c.png ")]
        )
        assert all("a picture's address" in response.error for response in answers)
    (response,) = adapter.respond([Request("Is http://a.b/c.png it?", (picture(0),), Decoding(2))])
    assert not response.error


def test_a_question_that_is_too_long_for_the_q_former(tmp_path: Path) -> None:
    adapter = load(instructblip_llama(tmp_path))
    asked = [Request(text, (picture(0),), Decoding(2)) for text in ("Who?", "a b " * 200)]
    errors = [response.error for response in adapter.respond(asked)]
    assert errors[0] == ""
    assert "qformer_input_ids" in errors[1]
    assert "positions for 300" in errors[1]


def test_templates_place_no_picture_that_the_processor_places(tmp_path: Path) -> None:
    adapter = load(blip2_opt(tmp_path))
    bare = adapter.respond([Request("Question: Who? Answer:", (picture(0),), Decoding(4))])
    template = (
        "{% for part in messages[0]['content'] %}{% if part['type'] == 'image' %}<image>{% else %}"
        "Question: {{ part['text'] }}{% endif %}{% endfor %} Answer:"
    )
    (tmp_path / "chat_template.jinja").write_text(template)
    assert load(tmp_path).respond([Request("Who?", (picture(0),), Decoding(4))]) == bare


def test_parts_of_an_idefics_prompt_are_cut_at_its_templates_marks(tmp_path: Path) -> None:
    idefics(tmp_path)
    template = (
        "User:{% for part in messages[0]['content'] %}{% if part['type'] == 'image' %}<image>{% else %}"
        "{{ part['text'] }}{% endif %}{% endfor %}{{ '\\n' }}Assistant:"
    )
    (tmp_path / "chat_template.jinja").write_text(template)
    adapter, processor = load(tmp_path), transformers.AutoProcessor.from_pretrained(tmp_path)
    images = [adapter.opened([picture(number)])[0] for number in range(2)]
    wanted = processor(text=[["User:", *images, "Who?\nAssistant:"]], return_tensors="pt")
    request = Request("Who?", (picture(0), picture(1)), Decoding(3))
    for inputs in (adapter.whole_inputs([request]), adapter.pixel_inputs([request])):
        assert {name: value.tolist() for name, value in inputs.items()} == {
            name: value.tolist() for name, value in wanted.items()
        }


def test_answers_end_where_transformers_ends_them_and_an_unheeded_end_is_told(tmp_path: Path, said: Said) -> None:
    """Its settings name another end token than its tokenizer."""
    asked = Request("Who?", (picture(0),), Decoding(6))
    torch.manual_seed(3)
    official, inputs = plain(instructblip_llama(tmp_path / "first"), asked)
    before = inputs["input_ids"].shape[1]
    end = int(official.generate(**inputs, max_new_tokens=6, do_sample=False)[0, before + 2])
    torch.manual_seed(3)
    tokens = words(before="<s>")
    folder = instructblip(tmp_path / "second", tokens, {**llama_text(tokens), "eos_token_id": end})
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 5}))  # which its own `generate` never sees
    official, inputs = plain(folder, asked)
    ended = official.generate(**inputs, max_new_tokens=6, do_sample=False)[0, before:].tolist()
    assert ended[-1] == end
    assert len(ended) <= 3
    adapter = load(folder)
    assert adapter.ends == {end}
    assert "its tokenizer's own end token '</s>' ends none" in said()
    assert adapter.describe()["unheeded_end"] == "</s>"
    (response,) = adapter.respond([asked])
    assert (response.tokens, response.finish) == (len(ended), "stop")
    assert response.text == tokens.decode(ended, skip_special_tokens=True).strip()


def plain(folder: Path, request: Request) -> tuple[Any, dict[str, Any]]:
    official = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    image = load(folder).opened(request.images)[0]
    return official, dict(processor(images=image, text=request.text, return_tensors="pt"))


def pix2struct(folder: Path) -> Path:
    """A question is what its decoder's answer begins with, or is drawn onto the picture."""
    tokens = words(after="</s>")
    sizes = {"hidden_size": 32, "d_ff": 48, "d_kv": 8}
    config = transformers.Pix2StructConfig(
        vision_config={**sizes, "patch_embed_hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4},
        text_config={**sizes, **ids(tokens), "num_layers": 2, "num_heads": 4, "decoder_start_token_id": tokens.pad_token_id},
    )
    processor = transformers.Pix2StructProcessor(pictures("Pix2Struct", max_patches=32, is_vqa=False), tokens)
    return stored(folder, transformers.Pix2StructForConditionalGeneration(config), processor)


def vision_encoder_decoder(folder: Path) -> Path:
    """Reads text in pictures, and no question."""
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    tokens = words(after="</s>")
    tower = transformers.ViTConfig(image_size=4 * PATCH, patch_size=PATCH, hidden_size=32, num_hidden_layers=1)
    tower.num_attention_heads, tower.intermediate_size = 4, 48
    decoder = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, **ids(tokens))
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(tower, decoder)
    config.decoder_start_token_id = tokens.bos_token_id
    processor = transformers.TrOCRProcessor(ViTImageProcessorPil(size={"height": 4 * PATCH, "width": 4 * PATCH}), tokens)
    return stored(folder, transformers.VisionEncoderDecoderModel(config), processor)


@pytest.mark.parametrize(
    ("maker", "words_of_it"),
    [
        (pix2struct, "Pix2StructProcessor makes decoder_attention_mask, decoder_input_ids of a question, and no input_ids"),
        (vision_encoder_decoder, "it reads pictures and no questions"),
    ],
)
def test_what_reads_no_question_is_refused_before_a_weight_is_read(maker: Any, words_of_it: str, tmp_path: Path) -> None:
    adapter_folder = maker(tmp_path)
    with pytest.raises(UserError, match=words_of_it) as refused:
        load(adapter_folder)
    assert "\n" not in str(refused.value)


def test_a_network_that_is_not_padded_right_is_asked_alone(tmp_path: Path) -> None:
    """Kosmos-2 counts its padding among positions from the second token on; BLIP's `generate` writes into it."""
    adapter, unshared = load(kosmos2(tmp_path)), load(tmp_path, share=False)
    assert adapter.proved.way.endswith("each prompt read by itself)")
    assert unshared.proved.text.startswith("none, as asked; each prompt alone: logits differ")


def test_a_separator_is_taken_off_for_git_alone(tmp_path: Path) -> None:
    processor = transformers.AutoProcessor.from_pretrained(git(tmp_path))
    adapter = load(tmp_path)
    asked = [Request(text, (picture(0),), Decoding(1)) for text in ("Who?", "Is it a red dog?")]
    inputs = adapter.whole_inputs(asked)
    for request, row, mask in zip(asked, inputs["input_ids"], inputs["attention_mask"], strict=True):
        assert row[mask.bool()].tolist() == processor.tokenizer(request.text).input_ids[:-1]
