"""Generation settings of a checkpoint: obeyed as the model's own code obeys them, refused, or left out and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, LlamaConfig

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.models.image_text import load_processor
from tests.conftest import Cli, Said, read_json, shared_folder, write_jsonl
from tests.further_checkpoints import t5gemma2
from tests.image_text_checkpoints import llava, tokenizer
from tests.test_whole_prompts import picture

OFFICIAL = read_json(Path(__file__).parent / "golden/mipha_generation.json")
AUTO: Any = AutoModelForImageTextToText


def load(name: str, folder: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", name)
    adapter = owner(path=str(folder), device="cpu", **{"dtype": "float32", **options})
    adapter.load()
    return adapter


@pytest.fixture(scope="module")
def variants() -> Path:
    return shared_folder("fixtures/mipha_variants", "MIPHA_EVAL_PARITY_VARIANTS")


def checkpoint(folder: Path, source: Path, generation: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Path:
    """A copy whose files hold other settings."""
    folder.mkdir()
    for file in source.iterdir():
        if file.name not in ("generation_config.json", "config.json"):
            (folder / file.name).symlink_to(file)
    (folder / "config.json").write_text(json.dumps({**read_json(source / "config.json"), **config}))
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation))
    return folder


def mipha(variants: Path, folder: Path, case: Mapping[str, Any]) -> Path:
    source = variants / "siglip_phi2_control/checkpoint"
    return checkpoint(folder / "Mipha", source, case["generation_config.json"], case["config.json"])


def asked(variants: Path) -> list[Request]:
    pairs = [(variants / name, question) for name, question in OFFICIAL["pairs"]]
    return [Request(question, (Image(path.name, str(path), path.read_bytes),), Decoding(24)) for path, question in pairs]


@pytest.mark.parametrize("case", OFFICIAL["cases"], ids=lambda case: case["case"])
def test_mipha_obeys_what_the_official_code_obeys(case: Mapping[str, Any], variants: Path, tmp_path: Path) -> None:
    """Against the official code's answers; all together, where images are shared, and one by one."""
    adapter, requests = load("mipha", mipha(variants, tmp_path, case)), asked(variants)
    assert [response.text for response in adapter.respond(requests)] == case["texts"]
    assert [response.text for response in adapter.reference(requests[:3])] == case["texts"][:3]


def test_the_cases_are_worth_something() -> None:
    plain, *others = OFFICIAL["cases"]
    assert sum(case["texts"] != plain["texts"] for case in others) >= 13


@pytest.mark.parametrize("share", [True, False])
def test_a_batch_of_any_size_obeys_alike(share: bool, variants: Path, tmp_path: Path) -> None:
    """Each row is steered by its own prompt, whatever stands beside it."""
    case = next(case for case in OFFICIAL["cases"] if case["case"] == "several")
    adapter, requests = load("mipha", mipha(variants, tmp_path, case), share=share), asked(variants)
    texts = [response.text for start in (0, 3, 4) for response in adapter.respond(requests[start : [3, 4, 10][start // 2]])]
    assert texts == case["texts"]


def test_what_is_in_force_and_what_is_left_out_is_said(variants: Path, tmp_path: Path, said: Said) -> None:
    settings = {"no_repeat_ngram_size": 2, "num_beams": 4, "do_sample": True, "temperature": 0.2, "some_thing": 1}
    adapter = load("mipha", mipha(variants, tmp_path, {"generation_config.json": settings, "config.json": {}}))
    lines = said()
    assert "generation settings in force: no_repeat_ngram_size 2\n" in lines
    assert "left out, answers are decoded greedily: num_beams 4, do_sample True, temperature 0.2, some_thing 1\n" in lines
    found = adapter.describe()
    assert found["generation"] == {"no_repeat_ngram_size": 2}
    assert found["left_out"] == {"num_beams": 4, "do_sample": True, "temperature": 0.2, "some_thing": 1}


def test_nothing_to_say_changes_no_manifest(variants: Path, tmp_path: Path, said: Said) -> None:
    """So that runs made before still go on."""
    adapter = load("mipha", mipha(variants, tmp_path, {"generation_config.json": None, "config.json": {}}))
    assert said() == ""
    assert set(adapter.describe()) == {"weights", "device", "dtype", "attention"}
    assert adapter.sharing


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repetition_penalty", 1.3),
        ("guidance_scale", 1.5),
        ("penalty_alpha", 0.6),
        ("num_return_sequences", 2),
        ("sequence_bias", [[[5], -2.0]]),
        ("max_time", 3.0),
        ("no_repeat_ngram_size", "three"),
        ("suppress_tokens", "abc"),
        ("min_new_tokens", -4),
        ("exponential_decay_length_penalty", 7),
        ("bad_words_ids", [3]),
    ],
)
def test_mipha_refuses_what_the_official_code_cannot_do(
    name: str, value: Any, variants: Path, tmp_path: Path, cli: Cli
) -> None:
    """One line, before anything is asked."""
    folder = mipha(variants, tmp_path, {"generation_config.json": {name: value}, "config.json": {}})
    questions = write_jsonl(tmp_path / "q.jsonl", [{"question_id": 1, "image": "a.png", "text": "Who?"}])
    (tmp_path / "a.png").write_bytes(picture(0).read())
    files = ["--questions", questions, "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"]
    done = cli("predict", *files, "--model", "mipha", "-a", f"path={folder}", "--device", "cpu")
    assert done.code == 2
    assert name in done.err
    assert "Traceback" not in done.err


def official(folder: Path, request: Request, **settings: Any) -> str:
    """transformers' own generation with the checkpoint's settings in force, but those that `settings` replace."""
    model, processor = AUTO.from_pretrained(folder, dtype=torch.float32).eval(), load_processor(folder)
    content = [*[{"type": "image"}] * len(request.images), {"type": "text", "text": request.text}]
    template = {"chat_template": processor.chat_template, "tokenize": False, "add_generation_prompt": True}
    text = processor.tokenizer.apply_chat_template([{"role": "user", "content": content}], **template)
    inputs = processor(text=[text], images=[[open_image(image) for image in request.images]], return_tensors="pt")
    made = model.generate(**inputs, max_new_tokens=request.decoding.max_new_tokens, do_sample=False, **settings)
    before = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    answer: str = processor.tokenizer.decode(made[0, before:], skip_special_tokens=True).strip()
    return answer


QUESTIONS = [Request(text, (picture(number),), Decoding(5)) for number in range(2) for text in ("Who?", " is it?", "7?")]


@pytest.mark.parametrize(
    "settings",
    [
        {"forced_eos_token_id": 0},
        {"forced_bos_token_id": 9, "forced_eos_token_id": 0, "pad_token_id": 3, "bos_token_id": 4},
        {"eos_token_id": [0, *range(20, 300, 3)]},
        {"decoder_start_token_id": 5},
    ],
)
@pytest.mark.parametrize("share", [True, False])
def test_ids_of_a_models_form_are_kept(settings: Mapping[str, Any], share: bool, tmp_path: Path) -> None:
    torch.manual_seed(3)
    folder = llava(tmp_path / "llava")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**read_json(path), **settings}))
    adapter = load("hf-chat", folder, share=share)
    assert adapter.describe()["left_out"] == {}
    expected = [official(folder, request) for request in QUESTIONS]
    assert [response.text for response in adapter.respond(QUESTIONS)] == expected
    assert [response.text for response in adapter.reference(QUESTIONS[:2])] == expected[:2]


@pytest.mark.parametrize("settings", [{}, {"forced_bos_token_id": 9, "forced_eos_token_id": 0}])
def test_an_encoder_with_a_decoder_begins_where_it_should(settings: Mapping[str, Any], tmp_path: Path) -> None:
    torch.manual_seed(3)
    folder = t5gemma2(tmp_path / "t5gemma2", **settings)
    adapter = load("hf-chat", folder)
    expected = [official(folder, request) for request in QUESTIONS]
    assert len(set(expected)) > 2
    assert [response.text for response in adapter.respond(QUESTIONS)] == expected


def test_all_that_greedy_decoding_leaves_out_is_named(tmp_path: Path, said: Said) -> None:
    torch.manual_seed(3)
    folder = llava(tmp_path / "llava")
    path = folder / "generation_config.json"
    settings = {
        "repetition_penalty": 1.5,
        "no_repeat_ngram_size": 2,
        "suppress_tokens": [5, 6],
        "begin_suppress_tokens": [7],
        "min_new_tokens": 3,
        "max_time": 5.0,
        "temperature": 0.3,
        "num_beams": 2,
    }
    path.write_text(json.dumps({**read_json(path), **settings, "max_new_tokens": 3, "use_cache": False}))
    adapter = load("hf-chat", folder)
    assert adapter.describe()["left_out"] == settings
    lines = said()
    assert all(f"{name} {value}" in lines for name, value in settings.items())
    plain = {"repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "suppress_tokens": [], "begin_suppress_tokens": []}
    expected = [
        official(folder, request, **plain, min_new_tokens=0, num_beams=1, max_time=None, use_cache=True)
        for request in QUESTIONS
    ]
    assert [response.text for response in adapter.respond(QUESTIONS)] == expected


def language_model(folder: Path, **settings: Any) -> Path:
    torch.manual_seed(3)
    words = tokenizer()
    sizes: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    auto: Any = AutoModelForCausalLM
    model = auto.from_config(LlamaConfig(vocab_size=len(words), **sizes, bos_token_id=0, eos_token_id=0))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(6)
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 0, "pad_token_id": 0, **settings}))
    words.chat_template = "{% for m in messages %}USER: {{ m['content'] }}{% endfor %} ASSISTANT:"
    words.save_pretrained(folder)
    return folder


def test_language_models_too(tmp_path: Path, said: Said) -> None:
    folder = language_model(tmp_path / "llama", forced_eos_token_id=0, repetition_penalty=2.0)
    adapter = load("hf-text", folder)
    assert adapter.describe()["left_out"] == {"repetition_penalty": 2.0}
    lines = said()
    assert "in force: forced_eos_token_id 0" in lines
    assert "left out, answers are decoded greedily: repetition_penalty 2.0" in lines
    auto: Any = AutoModelForCausalLM
    model, words = auto.from_pretrained(folder).eval(), adapter.tokenizer
    asked = [Request(text, (), Decoding(6)) for text in ("Who?", " is it?", "7")]
    for request, response in zip(asked, adapter.respond(asked), strict=True):
        message = [{"role": "user", "content": request.text}]
        inputs = words.apply_chat_template(message, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        made = model.generate(**inputs, max_new_tokens=6, do_sample=False, repetition_penalty=1.0)
        assert response.text == words.decode(made[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()


def test_a_beginning_that_the_template_does_not_write_is_not_added(tmp_path: Path) -> None:
    """transformers' own `apply_chat_template` of a tokenizer adds no special token of its own."""
    folder = language_model(tmp_path / "llama")
    path = folder / "tokenizer.json"
    settings = read_json(path)
    begin = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    settings["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [begin, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}},
    }
    path.write_text(json.dumps(settings))
    adapter = load("hf-text", folder)
    assert adapter.tokenizer("Who?").input_ids[0] == 0, "without a template it would"
    message = [{"role": "user", "content": "Who?"}]
    own = adapter.tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert list(adapter.prompt(Request("Who?"), None).ids) == own


def test_a_refusal_is_one_error(variants: Path, tmp_path: Path) -> None:
    folder = mipha(variants, tmp_path, {"generation_config.json": None, "config.json": {"repetition_penalty": 1.1}})
    with pytest.raises(UserError, match=r"official code cannot decode greedily .* repetition_penalty 1\.1"):
        load("mipha", folder)
    shutil.rmtree(folder)
