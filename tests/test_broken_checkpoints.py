"""Broken, foreign and incomplete checkpoints: one line that names the thing, in every adapter; limits of a network."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mipha_eval.core.errors import DeviceMemoryError, UserError
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.engine.engine import Engine
from mipha_eval.models import generic_model
from mipha_eval.models.device import memory_guard
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.image_tokens import complete
from mipha_eval.models.limits import positions
from tests.conftest import Cli, Outcome, read_jsonl, write_jsonl
from tests.image_text_checkpoints import TINY, llava, llava_next
from tests.test_checkpoint_files import load
from tests.test_hf_chat import picture
from tests.text_checkpoint import INDEX, WEIGHTS, add_shards, copied, edit, edit_weights, text_model

transformers: Any = import_module("transformers")

ADAPTERS = ("mipha", "hf-chat", "hf-text")
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("checkpoints")
    return {"mipha": TINY, "hf-chat": llava(folder / "llava"), "hf-text": text_model(folder / "llama")}


def ask(cli: Cli, name: str, folder: Path, output: Path, *texts: str) -> Outcome:
    (output / "images").mkdir(parents=True, exist_ok=True)
    (output / "images/a.png").write_bytes(picture(0).read())
    rows = [{"question_id": number, "image": "a.png", "text": text} for number, text in enumerate(texts or ("What is it?",))]
    questions = write_jsonl(output / "q.jsonl", rows)
    arguments = ["predict", "--questions", questions, "--image-folder", output / "images", "--answers", output / "a.jsonl"]
    return cli(*arguments, "-m", name, "-a", f"path={folder}", "--device", "cpu", "--max-new-tokens", 3, "--fresh")


def refused(outcome: Outcome, *words: str) -> None:
    assert (outcome.code, outcome.out) == (2, ""), outcome
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert outcome.err.strip().endswith(line), "the error is the last that is said"
    assert len(line) < 500
    for word in words:
        assert word in line


def cut(share: float) -> Change:
    def change(folder: Path) -> None:
        content = (folder / WEIGHTS).read_bytes()
        (folder / WEIGHTS).write_bytes(content[: int(share * len(content))])

    return change


def matrix(weights: dict[str, torch.Tensor]) -> str:
    return next(name for name, weight in weights.items() if "layers.0" in name and "mlp" in name and weight.ndim == 2)


def with_matrix(value: Callable[[torch.Tensor], torch.Tensor]) -> Change:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights[matrix(weights)] = value(weights[matrix(weights)])

    return lambda folder: edit_weights(folder, change)


def text_config(**entries: Any) -> Change:
    return lambda folder: edit(folder / "config.json", lambda config: (config.get("text_config") or config).update(entries))


def write(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


def renamed(name: str) -> Change:
    return lambda folder: (folder / WEIGHTS).rename(folder / name)


def emptied(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def adapter_alone(folder: Path) -> None:
    emptied(folder)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"")


def without_a_shard(folder: Path) -> None:
    add_shards(folder, load_file(folder / WEIGHTS))[0].unlink()
    (folder / WEIGHTS).unlink()


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n"
BROKEN: dict[str, tuple[Change, list[str]]] = {
    "empty weights": (cut(0), [WEIGHTS, "damaged", "empty"]),
    "cut in the header": (cut(0.001), [WEIGHTS, "damaged"]),
    "half": (cut(0.5), [WEIGHTS, "damaged"]),
    "all but the end": (cut(0.9999), [WEIGHTS, "damaged"]),
    "a pointer": (write(WEIGHTS, LFS), [WEIGHTS, "git lfs pull"]),
    "a page of a server": (write(WEIGHTS, "<html>404</html>"), [WEIGHTS, "damaged"]),
    "pickles": (renamed("pytorch_model.bin"), ["no .safetensors", "pytorch_model.bin", "mipha-eval convert"]),
    "another name": (renamed("Model.safetensors"), [f"no {WEIGHTS}", "Model.safetensors", "rename"]),
    "a shard is missing": (without_a_shard, ["lacks model-00001-of-00002.safetensors"]),
    "a damaged index": (lambda folder: (renamed("x.safetensors")(folder), write(INDEX, "{")(folder)), [INDEX]),
    "not a number": (with_matrix(lambda weight: weight * torch.nan), ["mlp", "NaN"]),
    "whole numbers": (with_matrix(lambda weight: weight.to(torch.int8)), ["mlp", "I8", "quantization_config"]),
    "another shape": (with_matrix(lambda weight: weight[:3, :5].contiguous()), ["mlp", "[3, 5]", "config.json asks for"]),
    "more layers": (text_config(num_hidden_layers=40), ["lacks", "config and weights do not fit"]),
    "no configuration": (lambda folder: (folder / "config.json").unlink(), ["no config.json"]),
    "a damaged configuration": (write("config.json", '{"model_'), ["config.json"]),
    "damaged generation settings": (write("generation_config.json", "{"), ["generation_config.json"]),
    "a damaged tokenizer": (write("tokenizer.json", '{"version'), ["tokenizer.json"]),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), ["no tokenizer.json", "copy"]),
    "an empty folder": (emptied, ["no config.json"]),
    "an adapter": (adapter_alone, ["adapter", "merge"]),
}


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("case", BROKEN)
def test_one_line_says_what_is_wrong(case: str, name: str, cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    change, words = BROKEN[case]
    folder = copied(checkpoints[name], tmp_path / "checkpoint")
    change(folder)
    refused(ask(cli, name, folder, tmp_path), *words)


def test_a_run_says_the_same(cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints["hf-chat"], tmp_path / "checkpoint")
    cut(0.5)(folder)
    model = ["-m", "hf-chat", "-a", f"path={folder}", "--device", "cpu"]
    refused(cli("run", "--tasks", "mme", "--data", "demo", "-L", 2, "-o", tmp_path / "runs", *model), WEIGHTS, "damaged")


@pytest.mark.parametrize(("name", "kind"), [("hf-chat", "llava"), ("hf-text", "llama"), ("hf-chat", "llava_llama")])
def test_nothing_large_is_built_for_a_foreign_configuration(
    name: str, kind: str, cli: Cli, checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Configurations whose defaults are models of seven billion weights, of another project's code or of nobody's."""
    folder = copied(checkpoints[name], tmp_path / "checkpoint")
    (folder / "config.json").write_text(json.dumps({"model_type": kind, "mm_vision_tower": "openai/clip"}))
    refused(ask(cli, name, folder, tmp_path), "LLaVA's own code", "mm_vision_tower", "convert")
    if kind != "llava_llama":
        (folder / "config.json").write_text(json.dumps({"model_type": kind}))

        def build(*_: Any, **__: Any) -> None:
            raise AssertionError("the weights are read")

        monkeypatch.setattr(generic_model, "refuse_misfits", build)
        refused(ask(cli, name, folder, tmp_path), "lacks", "config and weights do not fit")


def test_the_other_adapter_is_named(cli: Cli, tmp_path: Path) -> None:
    refused(ask(cli, "hf-chat", TINY, tmp_path), "--model mipha")


def test_what_joins_and_renames_weights_is_known(tmp_path: Path) -> None:
    """The check before loading knows weights that transformers renames or stores once for two places."""
    torch.manual_seed(0)
    folder = llava(tmp_path / "tied", model_type="gemma", head_dim=8, tie_word_embeddings=True)
    assert not any("lm_head" in name for name in load_file(folder / WEIGHTS))
    assert not load("hf-chat", folder).respond([Request("Is it?", (picture(0),), Decoding(2))])[0].error


def with_another_token(folder: Path) -> Path:
    """A tokenizer with one token more than the model has embeddings, whatever the model has."""

    def add(tokenizer: dict[str, Any]) -> None:
        ids = [*tokenizer["model"]["vocab"].values(), *(each["id"] for each in tokenizer["added_tokens"])]
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        tokenizer["added_tokens"].append({"id": max(ids) + 1, "content": "<extra>", "special": True, **flags})

    edit(folder / "tokenizer.json", add)
    return folder


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("share", [True, False])
def test_a_token_without_an_embedding_fails_its_question(
    name: str, share: bool, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = with_another_token(copied(checkpoints[name], tmp_path / "checkpoint"))
    adapter, good = load(name, folder, share=share), load(name, checkpoints[name], share=share)
    asked = [Request(text, (picture(0),), Decoding(3)) for text in ("Is it red?", "What <extra>?", "Who?")]
    asked.append(Request("It is", (picture(0),), options=("red", "<extra>")))
    asked.append(Request("It is", (picture(0),), Decoding(2), tracked=("<extra>",)))
    found = adapter.respond(asked)
    assert [bool(response.error) for response in found] == [False, True, False, True, True]
    assert "has no embedding" in found[1].error
    assert [found[0].text, found[2].text] == [response.text for response in good.respond([asked[0], asked[2]])]


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_template_without_embeddings_is_refused(name: str, cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """Before anything is asked: every question would fail."""
    folder = copied(checkpoints[name], tmp_path / "checkpoint")
    words = transformers.AutoTokenizer.from_pretrained(checkpoints["hf-text"])
    (*_, last) = words.convert_ids_to_tokens(words(" ASSISTANT:").input_ids)
    edit(folder / "tokenizer.json", lambda tokenizer: tokenizer["model"]["vocab"].update({last: 5000}))
    refused(ask(cli, name, folder, tmp_path), "has no embedding")


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("share", [True, False])
def test_a_prompt_beyond_the_positions_fails_its_question(
    name: str, share: bool, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    """A prompt that just fits is answered as by the same weights with more positions; one token more is not."""
    good = load(name, checkpoints[name], share=share)
    request = Request("red " * 30, (picture(0),), Decoding(3))
    tokens = _tokens(good, request)
    others = [Request("Is it red?", (picture(0),), Decoding(3)), Request("red " * 400, (picture(0),), Decoding(3))]
    for limit, fits in ((tokens, True), (tokens - 1, False)):
        folder = copied(checkpoints[name], tmp_path / str(limit))
        text_config(max_position_embeddings=limit)(folder)
        found = load(name, folder, share=share).respond([others[0], request, others[1]])
        assert [bool(response.error) for response in found] == [False, not fits, True]
        assert f"model has positions for {limit}" in found[2].error
        if fits:
            assert [each.text for each in found[:2]] == [each.text for each in good.respond([others[0], request])]


def _tokens(adapter: Any, request: Request) -> int:
    """Tokens of a prompt, pictures among them, from the arguments of the network's forward."""
    inputs = adapter.whole_inputs([request])
    return int(inputs["attention_mask"].sum())


def test_positions() -> None:
    """Of configurations as they are published: plain, stretched by a factor, stretched from an original length."""
    make = transformers.LlamaConfig
    assert positions(make(max_position_embeddings=4096)) == 4096
    linear = {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}
    assert positions(make(max_position_embeddings=4096, rope_parameters=linear)) == 16384
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "rope_theta": 1e6}
    assert positions(make(max_position_embeddings=32768, rope_parameters=yarn)) == 131072
    third = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192, "rope_theta": 5e5}
    third |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
    assert positions(make(max_position_embeddings=131072, rope_parameters=third)) == 131072
    assert positions(transformers.BloomConfig()) is None
    assert positions(transformers.GPT2Config(n_positions=77)) == 77


@pytest.mark.parametrize("build", [llava, llava_next], ids=["llava", "llava-next"])
@pytest.mark.parametrize("left", [(), ("patch_size",)], ids=["nothing", "patch_size"])
def test_an_old_processor_takes_its_settings_from_the_model(build: Any, left: tuple[str, ...], tmp_path: Path) -> None:
    """As many tokens a picture as with the settings that newer versions save, and the same answers."""
    torch.manual_seed(3)
    new = build(tmp_path / "new")
    old = copied(new, tmp_path / "old")
    given = {"patch_size", "vision_feature_select_strategy", "num_additional_image_tokens"} - set(left)
    edit(old / "processor_config.json", lambda settings: [settings.pop(name, None) for name in given])
    for number in range(3):
        both = [
            load_processor(folder)(text=["<image>\nWho?"], images=[open_image(picture(number))], return_tensors="pt")
            for folder in (new, old)
        ]
        assert torch.equal(both[0]["input_ids"], both[1]["input_ids"])
    request = Request("Is it red?", (picture(3),), Decoding(4))
    assert load("hf-chat", old).respond([request])[0].top == load("hf-chat", new).respond([request])[0].top


def test_the_layout_before_processors_had_files(tmp_path: Path) -> None:
    """LLaVA-1.5 as it was first converted: CLIP, whose first token is left out, and a preprocessor's file alone."""
    torch.manual_seed(3)
    folder = llava_next(tmp_path / "folder")
    config = transformers.AutoConfig.from_pretrained(folder)
    plain = transformers.LlavaConfig(
        vision_config=config.vision_config,
        text_config=config.text_config,
        image_token_id=config.image_token_id,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )
    model = transformers.LlavaForConditionalGeneration(plain)
    model.generation_config.eos_token_id = 0
    model.save_pretrained(folder)
    (folder / "processor_config.json").unlink()
    side = plain.vision_config.image_size
    kind = {"image_processor_type": "CLIPImageProcessor", "processor_class": "LlavaProcessor"}
    settings = {**kind, "size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    adapter = load("hf-chat", folder)
    patches = (side // plain.vision_config.patch_size) ** 2
    request = Request("Is it red?", (picture(0),), Decoding(3))
    assert adapter.whole_inputs([request])["input_ids"].tolist()[0].count(plain.image_token_id) == patches
    assert not adapter.respond([request])[0].error  # transformers compares the number with the tower's own


def test_a_processor_without_patch_size_anywhere(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints["hf-chat"], tmp_path / "checkpoint")
    edit(folder / "processor_config.json", lambda settings: settings.pop("patch_size"))
    config = transformers.AutoConfig.from_pretrained(folder)
    config.vision_config.patch_size = [14, 14]
    with pytest.raises(UserError, match="patch_size"):
        complete(folder, load_processor(folder), config, {})


@pytest.mark.parametrize("name", ADAPTERS)
def test_no_end_token_anywhere(name: str, cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(checkpoints[name], tmp_path / "checkpoint")
    edit(folder / "tokenizer_config.json", lambda settings: settings.pop("eos_token", None))
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    if (folder / "generation_config.json").exists():
        edit(folder / "generation_config.json", lambda settings: settings.pop("eos_token_id", None))
    refused(ask(cli, name, folder, tmp_path), "no end token", "eos_token")


@pytest.mark.parametrize("name", ["mipha", "hf-chat"])
def test_what_an_image_processor_does_not_say_is_its_class_default(
    name: str, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    """These checkpoints were saved with SigLIP's defaults, which are what they are read with when they are left out."""
    folder = copied(checkpoints[name], tmp_path / "checkpoint")
    file = folder / ("preprocessor_config.json" if name == "mipha" else "processor_config.json")
    names = ("image_mean", "image_std", "resample", "rescale_factor")
    edit(file, lambda settings: [settings.get("image_processor", settings).pop(each, None) for each in names])
    request = Request("Is it red?", (picture(1),), Decoding(4))
    (found,) = load(name, folder).respond([request])
    (given,) = load(name, checkpoints[name]).respond([request])
    assert found.top == given.top


def test_mipha_reads_pixels_as_transformers_does_without_settings(tmp_path: Path) -> None:
    """Against SigLIP's image processor made from nothing but a size."""
    folder = copied(TINY, tmp_path / "checkpoint")
    side = json.loads((folder / "preprocessor_config.json").read_text())["size"]
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": side, "image_mean": None}))
    edit(folder / "config.json", lambda config: config.pop("image_aspect_ratio", None))
    image = open_image(picture(3))
    official = transformers.SiglipImageProcessorPil(size=side)(image, return_tensors="pt")["pixel_values"][0]
    assert (torch.from_numpy(load("mipha", folder).preprocessor(image)) - official).abs().max() <= 1e-6


def test_a_package_that_is_missing_is_named(cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    if transformers.utils.is_torchvision_available():
        pytest.skip("torchvision is installed")
    folder = copied(checkpoints["hf-chat"], tmp_path / "checkpoint")

    def change(settings: dict[str, Any]) -> None:
        settings["processor_class"] = "Llama4Processor"
        settings["image_processor"]["image_processor_type"] = "Llama4ImageProcessor"

    edit(folder / "processor_config.json", change)
    refused(ask(cli, "hf-chat", folder, tmp_path), "needs torchvision", "pip install torchvision")
    edit(
        folder / "processor_config.json",
        lambda settings: settings["image_processor"].update(image_processor_type="Llama4ImageProcessorFast"),
    )
    refused(ask(cli, "hf-chat", folder, tmp_path), "Llama4ImageProcessor needs torchvision", "pip install torchvision")

    def nobody(settings: dict[str, Any]) -> None:
        settings["processor_class"] = "NobodysProcessor"
        del settings["image_processor"]["image_processor_type"]

    edit(folder / "processor_config.json", nobody)
    refused(ask(cli, "hf-chat", folder, tmp_path), "NobodysProcessor", "does not have")


def test_whole_precision_of_other_kinds(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """Weights that are stored in double or half precision are those numbers in single precision."""
    request = Request("Is it red?", (picture(0),), Decoding(2))
    for name in ADAPTERS:
        (given,) = load(name, checkpoints[name]).respond([request])
        folder = copied(checkpoints[name], tmp_path / name)
        weights = {key: weight.double() for key, weight in load_file(folder / WEIGHTS).items()}
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
        assert load(name, folder).respond([request])[0].top == given.top


def test_failed_questions_are_written(cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    outcome = ask(cli, "mipha", checkpoints["mipha"], tmp_path, "Who?", "Is <image> an image?", "word " * 3000, "What?")
    assert outcome.code == 3
    rows = read_jsonl(tmp_path / "a.jsonl")
    assert [row["text"] is None for row in rows] == [False, True, True, False]
    assert "<image>" in rows[1]["error"]
    assert "positions" in rows[2]["error"]


def test_a_device_that_failed_stops_with_one_line() -> None:
    """What torch raises for CUDA: a full device is for smaller batches, a failed one computes nothing more."""
    asserted = "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported"
    with pytest.raises(UserError, match="device-side assert triggered; the same command goes on") as caught, memory_guard():
        raise torch.AcceleratorError(asserted)
    assert "\n" not in str(caught.value)
    for full in (torch.OutOfMemoryError("CUDA out of memory. Tried"), torch.AcceleratorError("CUDA error: out of memory")):
        with pytest.raises(DeviceMemoryError), memory_guard():
            raise full
    with pytest.raises(IndexError), memory_guard():
        raise IndexError("index out of range in self")


def test_an_adapter_beside_a_model_is_named(cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """It is left out where peft is not installed, as transformers does; with peft, transformers would read it unasked."""
    folder = copied(checkpoints["hf-chat"], tmp_path / "checkpoint")
    (folder / "adapter_config.json").write_text("{}")
    save_file({"base_model.lora_A.weight": torch.zeros(2, 2)}, folder / "adapter_model.safetensors")
    outcome = ask(cli, "hf-chat", folder, tmp_path)
    if importlib.util.find_spec("peft"):
        refused(outcome, "adapter_config.json", "merge them")
    else:
        assert outcome.code == 0
        assert "adapter_config.json is left out" in outcome.err


@pytest.mark.parametrize("name", ["mipha", "hf-chat"])
@pytest.mark.parametrize("share", [True, False])
def test_a_picture_that_nobody_foresaw_fails_its_own_questions(name: str, share: bool, checkpoints: dict[str, Path]) -> None:
    """What a thread that reads ahead comes to is no RequestError."""
    odd = Image("odd.png", "/made-up/odd.png", lambda: bytes(1 // 0))
    asked = [Request(text, (image,), Decoding(2)) for image in (picture(0), odd, picture(1)) for text in ("Who?", "Why?")]
    adapter = load(name, checkpoints[name], share=share)
    found = dict(pair for batch in Engine(adapter).run(asked) for pair in batch)
    assert [bool(found[place].error) for place in range(6)] == [False, False, True, True, False, False]
    assert "ZeroDivisionError" in found[2].error
