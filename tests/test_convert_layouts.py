"""``convert --to transformers`` and ``--to llava``: what hf-chat and llava answer from the same weights in two layouts.

The texts of the first test are the official code's; the variants are made of the same weights, and ``llava`` on them is the
measure, which tests/test_mipha_variants.py holds to the official code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Request
from mipha_eval.models.conversion.native_weights import grown
from mipha_eval.models.conversion.planned_weight import PlannedWeight
from tests.conftest import Cli, read_json
from tests.test_mipha_variants import adapter_of, known

transformers: Any = import_module("transformers")

LLAVA15 = "llava15_native_tower_outside"
TOWER = "model.vision_tower.vision_tower."


def model(name: str, path: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", name)
    return owner(path=str(path), device="cpu", dtype="float32", **options)


def texts(adapter: Any, requests: list[Request]) -> list[str]:
    """A run of bytes that is no UTF-8 is one mark: how many it is depends on who decodes it."""
    found = [response.text or response.error for response in adapter.respond(requests)]
    return [re.sub(r"[^ -~]*\ufffd[^ -~]*", "\ufffd", text) for text in found]


def ids(adapter: Any, requests: list[Request]) -> list[tuple[int, ...]]:
    """Tokens of answers, where two ways to decode may make different texts of bytes that are no UTF-8."""
    found: dict[int, tuple[int, ...]] = {}
    original = type(adapter)._response

    def note(self: Any, answer: Any) -> Any:
        response = original(self, answer)
        found[id(response)] = tuple(answer.ids)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(adapter), "_response", note)
        return [found[id(response)] for response in adapter.respond(requests)]


def asked(name: str = LLAVA15) -> list[Request]:
    """Official questions, several about one picture, and some that begin in odd ways; two pictures, and none."""
    requests = known(name).requests()
    first, second = requests[0].images, requests[1].images
    more = [Request(text, first, Decoding(6)) for text in ("", "\n1", " so", "été 是?", "Yes or no?\nAnswer:")]
    return [*requests, *more, Request("Which?", first + second, Decoding(6)), Request("Who?", (), Decoding(6))]


def loads_whole(folder: Path) -> None:
    """transformers itself finds everything that it wants, and nothing else."""
    _, info = transformers.LlavaForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
    assert not [*info["missing_keys"], *info["unexpected_keys"], *info["mismatched_keys"]]


@pytest.fixture(scope="module")
def official() -> Path:
    return known(LLAVA15).folder


def test_there_and_back(official: Path, cli: Cli, tmp_path: Path) -> None:
    """The official texts in both layouts, and after both ways the official bytes."""
    there, back = tmp_path / "there", tmp_path / "deep/back"
    made = cli("convert", official / "checkpoint", "-o", there, "--to", "transformers", "--vision-tower", official / "tower")
    assert made.code == 0, made.err
    loads_whole(there)
    wanted = [answer["text"] for answer in known(LLAVA15).answers]
    assert [response.text for response in model("hf-chat", there).respond(known(LLAVA15).requests())] == wanted
    assert texts(model("hf-chat", there, share=False), asked()) == texts(adapter_of(official / "checkpoint"), asked())
    assert cli("convert", there, "-o", back, "--to", "llava").code == 0
    assert [response.text for response in model("llava", back).respond(known(LLAVA15).requests())] == wanted
    assert same(load_file(back / "model.safetensors"), load_file(official / "checkpoint/model.safetensors"))
    tower = back / "clip-vision-tower/model.safetensors"
    assert same(load_file(tower), load_file(official / "tower/model.safetensors"))
    for name in ("tokenizer.model", "special_tokens_map.json"):
        assert there.joinpath(name).is_file() == (name == "tokenizer.model")
        if (back / name).is_file():
            assert (back / name).read_bytes() == (official / "checkpoint" / name).read_bytes()


def same(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> bool:
    """Whether names, types and bytes are the same."""
    return found.keys() == wanted.keys() and all(
        found[name].dtype == wanted[name].dtype and torch.equal(found[name], wanted[name]) for name in wanted
    )


def test_a_moved_folder_finds_its_tower(official: Path, cli: Cli, tmp_path: Path) -> None:
    native(official, tmp_path / "there", cli)
    assert cli("convert", tmp_path / "there", "-o", tmp_path / "siglip", "--to", "llava").code == 0
    before = texts(model("llava", tmp_path / "siglip"), asked()[:2])
    (tmp_path / "siglip").rename(tmp_path / "elsewhere")
    assert texts(model("llava", tmp_path / "elsewhere"), asked()[:2]) == before


def native(official: Path, folder: Path, cli: Cli, *more: object) -> None:
    options = ("--vision-tower", official / "tower") if (official / "tower").is_dir() else ()
    made = cli("convert", official / "checkpoint", "-o", folder, "--to", "transformers", *options, *more)
    assert made.code == 0, made.err


@dataclass
class Checkpoint:
    """LLaVA-1.5's, to be changed."""

    config: dict[str, Any]
    weights: dict[str, torch.Tensor]
    files: dict[str, bytes]
    tower: dict[str, torch.Tensor]
    tower_files: dict[str, bytes]
    options: list[str] = field(default_factory=list)

    def put_inside(self) -> None:
        """The tower among the weights, other than the folder's."""
        self.weights |= {TOWER + name: weight + 0.01 for name, weight in self.tower.items()}

    def grow(self, rows: int) -> None:
        """More rows than the tokenizer has tokens, such as no answer has."""
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            more = torch.randn(rows - len(self.weights[name]), self.weights[name].shape[1]) / 50
            self.weights[name] = torch.cat([self.weights[name], more])
        self.config["vocab_size"] = rows


def inside_cls_patch(made: Checkpoint) -> None:
    made.config |= {"mm_vision_select_feature": "cls_patch", "mm_vision_select_layer": -1, "image_aspect_ratio": "square"}
    made.put_inside()


def positive_layer(made: Checkpoint) -> None:
    made.config |= {"mm_vision_select_layer": 2, "image_aspect_ratio": None}


def spare_rows(made: Checkpoint) -> None:
    made.grow(911)


def start_end(made: Checkpoint) -> None:
    made.config |= {"mm_use_im_start_end": True, "mm_use_im_patch_token": True}
    made.grow(903)


def patch_token(made: Checkpoint) -> None:
    """The official default, with which a token without a row is added."""
    del made.config["mm_use_im_patch_token"]


def mistral(made: Checkpoint) -> None:
    made.config |= {"model_type": "llava_mistral", "sliding_window": 40}


def no_window(made: Checkpoint) -> None:
    made.config |= {"model_type": "llava_mistral", "sliding_window": None}


def scaled_positions(made: Checkpoint) -> None:
    made.config |= {"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_theta": 500.0}


def tied(made: Checkpoint) -> None:
    made.config["tie_word_embeddings"] = True
    del made.weights["lm_head.weight"]


def half(made: Checkpoint) -> None:
    made.config["torch_dtype"] = "bfloat16"
    made.weights = {name: weight.to(torch.bfloat16) for name, weight in made.weights.items()}


def no_upper_layers(made: Checkpoint) -> None:
    """As some projects save a tower: without the layers and the norm behind the one that is read."""
    made.put_inside()
    gone = ("vision_model.encoder.layers.3.", "vision_model.post_layernorm.")
    left = tuple(TOWER + name for name in gone)
    made.weights = {name: weight for name, weight in made.weights.items() if not name.startswith(left)}


def qwen(made: Checkpoint) -> None:
    """Qwen's model on a byte-level tokenizer with marks of turns."""
    made.config |= {"model_type": "llava_qwen", "bos_token_id": None, "eos_token_id": 900}
    source = known("llava_phi_v1").folder / "checkpoint"
    names = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
    made.files = {name: (source / name).read_bytes() for name in names}
    made.files["generation_config.json"] = json.dumps({"eos_token_id": [900, 909]}).encode()
    bias = {
        f"model.layers.{layer}.self_attn.{each}_proj.bias": torch.randn(48) * 0.2 for layer in range(3) for each in "qkv"
    }
    made.weights |= bias
    made.grow(960)


def other_template(made: Checkpoint) -> None:
    made.options = ["llava_v1"]


VARIANTS: list[Callable[[Checkpoint], None]] = [
    *(inside_cls_patch, positive_layer, spare_rows, start_end, patch_token, mistral, no_window, scaled_positions),
    *(tied, half, no_upper_layers, qwen, other_template),
]


def build(official: Path, change: Callable[[Checkpoint], None], folder: Path) -> Checkpoint:
    """A changed checkpoint, its tower beside it."""
    torch.manual_seed(5)
    own, tower = official / "checkpoint", official / "tower"
    made = Checkpoint(
        read_json(own / "config.json"),
        load_file(own / "model.safetensors"),
        {file.name: file.read_bytes() for file in own.iterdir() if file.suffix != ".safetensors"},
        load_file(tower / "model.safetensors"),
        {file.name: file.read_bytes() for file in tower.iterdir() if file.suffix != ".safetensors"},
    )
    change(made)
    for name, files in (("checkpoint", made.files), ("tower", made.tower_files)):
        (folder / name).mkdir(parents=True)
        for file, content in files.items():
            (folder / name / file).write_bytes(content)
    (folder / "checkpoint/config.json").write_text(json.dumps(made.config))
    save_file(made.weights, folder / "checkpoint/model.safetensors")
    save_file(made.tower, folder / "tower/model.safetensors")
    return made


@pytest.mark.parametrize("change", VARIANTS, ids=lambda change: change.__name__)
def test_variants(change: Callable[[Checkpoint], None], official: Path, cli: Cli, tmp_path: Path) -> None:
    made = build(official, change, tmp_path / "own")
    template = made.options[0] if made.options else ""
    there, back = tmp_path / "there", tmp_path / "back"
    native(tmp_path / "own", there, cli, *(["--template", template] if template else []))
    loads_whole(there)
    stored = read_json(there / "config.json")["text_config"]
    assert stored.get("rope_scaling") == made.config["rope_scaling"]
    wanted = texts(adapter_of(tmp_path / "own/checkpoint", template=template), asked())
    assert texts(model("hf-chat", there), asked()) == wanted
    assert len(set(wanted)) > 10
    outcome = cli("convert", there, "-o", back, "--to", "llava")
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("-a template=") == bool(template)
    assert texts(model("llava", back, template=template), asked()) == wanted
    own = {name: weight for name, weight in made.weights.items() if not name.startswith(TOWER)}
    assert same(load_file(back / "model.safetensors"), own)


def phi3_with_siglip(folder: Path) -> Path:
    """A Mipha of a language model whose head has no bias; the tower and the projector of an official fixture."""
    torch.manual_seed(3)
    source = known("siglip_phi2_control").folder / "checkpoint"
    config = read_json(source / "config.json")
    fields = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    text = {name: config[name] for name in fields} | {"vocab_size": 960, "pad_token_id": 0, "max_position_embeddings": 2048}
    decoder = transformers.Phi3ForCausalLM(transformers.Phi3Config(**text, sliding_window=64))
    weights = {
        name: weight * (1 if weight.dim() == 1 else 30 if "embed" in name else 8)
        for name, weight in decoder.state_dict().items()
    }
    kept = ("model.vision_tower.", "model.mm_projector.")
    weights |= {name: weight for name, weight in load_file(source / "model.safetensors").items() if name.startswith(kept)}
    folder.mkdir(parents=True)
    for file in source.iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    own = {"model_type": "mipha_phi3", "architectures": ["MiphaPhi3ForCausalLM"], "sliding_window": 64, "rms_norm_eps": 1e-5}
    made = {name: value for name, value in config.items() if name in (*fields, "vision_config", "image_aspect_ratio")}
    flags = {"mm_use_im_patch_token": False, "original_max_position_embeddings": 2048}
    (folder / "config.json").write_text(json.dumps({**made, **text, **own, **flags}))
    save_file({name: weight.clone() for name, weight in weights.items()}, folder / "model.safetensors")
    return folder


def test_a_mipha_without_bias(cli: Cli, tmp_path: Path) -> None:
    """Phi-3 behind a SigLIP, squeezed and padded; LLaVA's own layout has no Phi-3."""
    own = phi3_with_siglip(tmp_path / "own")
    for aspect in ("pad", "square"):
        config = read_json(own / "config.json")
        (own / "config.json").write_text(json.dumps({**config, "image_aspect_ratio": aspect}))
        there = tmp_path / aspect
        assert cli("convert", own, "-o", there, "--to", "transformers").code == 0
        loads_whole(there)
        wanted = texts(adapter_of(own), asked("siglip_phi2_control"))
        assert texts(model("hf-chat", there), asked("siglip_phi2_control")) == wanted
        assert len(set(wanted)) > 8
    outcome = cli("convert", there, "-o", tmp_path / "back", "--to", "llava")
    assert outcome.code == 2
    assert "its language model is phi3; there are llama, mistral, qwen2" in outcome.err


def lora(official: Path, folder: Path) -> Path:
    """An adapter as LLaVA's training saves it: peft's files and a pickle of what was trained beside it."""
    peft: Any = pytest.importorskip("peft")
    torch.manual_seed(9)
    config = read_json(official / "checkpoint/config.json")
    plain = transformers.LlamaConfig(**{name: value for name, value in config.items() if name[:2] not in ("mm", "ro")})
    settings = peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    made = peft.get_peft_model(transformers.LlamaForCausalLM(plain), settings)
    for name, weight in made.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.3)
    made.save_pretrained(folder, safe_serialization=False)
    weights = load_file(official / "checkpoint/model.safetensors")
    projector = {f"base_model.model.{name}": weight * 1.1 for name, weight in weights.items() if "mm_projector" in name}
    torch.save(projector, folder / "non_lora_trainables.bin")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def projector_alone(official: Path, folder: Path) -> Path:
    folder.mkdir()
    weights = load_file(official / "checkpoint/model.safetensors")
    torch.manual_seed(4)
    trained = {name: torch.randn_like(weight) for name, weight in weights.items() if "mm_projector" in name}
    torch.save(trained, folder / "mm_projector.bin")
    (folder / "config.json").write_bytes((official / "checkpoint/config.json").read_bytes())
    return folder


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("make", [lora, projector_alone])
def test_parts_are_merged(make: Callable[[Path, Path], Path], official: Path, cli: Cli, tmp_path: Path) -> None:
    """What was trained on a base model: put together, and as safetensors that still need it."""
    part = make(official, tmp_path / "part")
    beside = {"base": str(official / "checkpoint"), "vision_tower": str(official / "tower")}
    flags = ("--base", beside["base"], "--vision-tower", beside["vision_tower"])
    outcome = cli("convert", part, "-o", tmp_path / "x", "--to", "transformers", "--vision-tower", official / "tower")
    assert outcome.code == 2
    assert "(--base PATH)" in outcome.err
    assert cli("convert", part, "-o", tmp_path / "there", "--to", "transformers", *flags).code == 0
    loads_whole(tmp_path / "there")
    wanted = texts(model("llava", part, allow_bin=True, **beside), asked())
    assert wanted != texts(adapter_of(official / "checkpoint"), asked())
    assert texts(model("hf-chat", tmp_path / "there"), asked()) == wanted
    assert cli("convert", part, "-o", tmp_path / "safe").code == 0
    assert texts(model("llava", tmp_path / "safe", **beside), asked()) == wanted
    assert not list((tmp_path / "safe").glob("*.bin"))


REFUSED = {
    "siglip_gemma": "Gemma scales what the tower gives",
    "siglip_phi15": "its head (lm_head) has a bias",
    "siglip_phi2_control": "its head (lm_head) has a bias",
    "llava_phi_v1": "its head (lm_head) has a bias",
    "siglip_phi2_layer_last_linear": "the projector is 'linear', mlp2x_gelu is the one that it has",
    "siglip_phi2_layer_pos2_mlp3": "the projector is 'mlp3x_gelu'",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_transformers_does_not_hold(name: str, cli: Cli, tmp_path: Path) -> None:
    outcome = cli("convert", known(name).folder / "checkpoint", "-o", tmp_path / "a/out", "--to", "transformers")
    assert outcome.code == 2
    assert REFUSED[name] in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"mm_vision_select_layer": -5}, "mm_vision_select_layer 0"),
        ({"repetition_penalty": 1.2}, "repetition_penalty 1.2 are in force"),
        ({"mm_projector_type": "spp"}, "'spp' is not supported"),
        ({"model_type": "llava_mpt"}, "MPT is not among"),
        ({"mm_vision_tower": None}, "is no text"),
    ],
)
def test_what_is_no_llava(entries: dict[str, Any], words: str, official: Path, cli: Cli, tmp_path: Path) -> None:
    def change(made: Checkpoint) -> None:
        made.config |= entries
        made.files.pop("generation_config.json")

    build(official, change, tmp_path / "own")
    options = ("--to", "transformers", "--vision-tower", tmp_path / "own/tower")
    outcome = cli("convert", tmp_path / "own/checkpoint", "-o", tmp_path / "out", *options)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert words in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own"]


#: positions as transformers 5 stores them
ROPE = {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0}


def llava_hf(official: Path, folder: Path, *, old_names: bool, legacy: bool = True) -> Path:
    """As llava-hf has LLaVA-1.5: rows and tokens for the image and for padding, a processor that cuts the middle out."""
    torch.manual_seed(11)
    words = transformers.LlamaTokenizer.from_pretrained(official / "checkpoint", legacy=legacy)
    words.add_tokens(["<image>", "<pad>"], special_tokens=True)
    words.pad_token = "<pad>"
    vision = {"hidden_size": 32, "intermediate_size": 80, "num_hidden_layers": 4, "num_attention_heads": 4}
    text = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = transformers.LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model",
            **vision,
            "image_size": 56,
            "patch_size": 14,
            "projection_dim": 24,
        },
        text_config={
            "model_type": "llama",
            **text,
            "vocab_size": 964,
            "max_position_embeddings": 4096,
            "rope_parameters": ROPE,
        },
        image_token_index=900,
    )
    made = transformers.LlavaForConditionalGeneration(config)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            weight.mul_(5 if weight.dim() > 1 else 1)
            if name.endswith(("lm_head.weight", "embed_tokens.weight")):
                weight[900:] = weight[:900].mean(0)
    images = import_module("transformers.models.clip.image_processing_pil_clip").CLIPImageProcessorPil(
        size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56}
    )
    processor = transformers.LlavaProcessor(
        images,
        words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template="{% for part in messages[0]['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
        "{{ messages[0]['content'][-1]['text'] + '\\n' }}",
    )
    made.save_pretrained(folder, max_shard_size="200KB")
    processor.save_pretrained(folder)
    (folder / "tokenizer.model").write_bytes((official / "checkpoint/tokenizer.model").read_bytes())
    if not old_names:
        for file in folder.glob("*.safetensors*"):
            file.unlink()
        save_file({name: weight.clone() for name, weight in made.state_dict().items()}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("old_names", [True, False])
def test_of_transformers_own(old_names: bool, official: Path, cli: Cli, tmp_path: Path) -> None:
    """Rows and tokens that were added for images are taken away; the prompt is one that has a name here."""
    source = llava_hf(official, tmp_path / "hf", old_names=old_names)
    outcome = cli("convert", source, "-o", tmp_path / "own", "--to", "llava")
    assert outcome.code == 0, outcome.err
    assert "takes it with -a template=plain" in outcome.err
    assert "other tokens" not in outcome.err
    own = model("llava", tmp_path / "own", template="plain")
    requests = [request for request in asked() if request.images]
    assert ids(own, requests) == ids(model("hf-chat", source), requests)
    assert len(set(ids(own, requests))) > 8
    assert len(own.tokenizer) == 900
    config = read_json(tmp_path / "own/config.json")
    assert (config["vocab_size"], config["rope_theta"]) == (900, 500.0)
    assert config["rope_scaling"] == {"type": "linear", "factor": 2.0}
    assert (
        cli("convert", tmp_path / "own", "-o", tmp_path / "again", "--to", "transformers", "--template", "plain").code == 0
    )
    assert texts(model("hf-chat", tmp_path / "again"), requests) == texts(own, requests)


def test_other_tokens_are_told(official: Path, cli: Cli, tmp_path: Path) -> None:
    """Where transformers' tokenizer begins no piece behind an image with a space, as LLaVA's code does."""
    source = llava_hf(official, tmp_path / "hf", old_names=True, legacy=False)
    outcome = cli("convert", source, "-o", tmp_path / "own", "--to", "llava")
    assert outcome.code == 0, outcome.err
    assert "other tokens of the prompt with 'What is this?' and 1 images" in outcome.err
    (source / "chat_template.jinja").write_text("{{ messages[0]['content'][-1]['text'] }} so?")
    outcome = cli("convert", source, "-o", tmp_path / "other", "--to", "llava")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "the processor cannot make a prompt" in outcome.err
    (source / "chat_template.jinja").write_text("<image> {{ messages[0]['content'][-1]['text'] }} so?")
    outcome = cli("convert", source, "-o", tmp_path / "other", "--to", "llava")
    assert "none of LLaVA's: the model llava asks with vicuna_v1 here" in outcome.err


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"model_type": "llava_next"}, "of model_type 'llava_next'"),
        ({"vision_feature_layer": [-2, -1]}, "it reads several of the tower's layers"),
        ({"projector_hidden_act": "relu"}, "the activation relu"),
        ({"multimodal_projector_bias": False}, "its projector has no bias"),
        ({"mm_vision_tower": "x"}, "is in LLaVA's own layout already"),
        ({"quantization_config": {}}, "is a quantized model"),
        ({"vision_feature_layer": "x"}, "does not describe a LLaVA"),
    ],
)
def test_what_llavas_layout_does_not_hold(
    entries: dict[str, Any], words: str, official: Path, cli: Cli, tmp_path: Path
) -> None:
    source = llava_hf(official, tmp_path / "hf", old_names=True)
    (source / "config.json").write_text(json.dumps({**read_json(source / "config.json"), **entries}))
    outcome = cli("convert", source, "-o", tmp_path / "own", "--to", "llava")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert words in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hf"]


def test_the_added_row_never_wins() -> None:
    """As a row of a head its logit is the mean of all others."""
    torch.manual_seed(2)
    head = torch.randn(50, 16)
    made = grown(PlannedWeight("lm_head.weight", (50, 16), "F32", lambda: head), 52).make()
    logits = torch.randn(1000, 16) @ made.T
    assert torch.equal(made[:50], head)
    assert torch.allclose(logits[:, 50:], logits[:, :50].mean(dim=1, keepdim=True).expand(-1, 2), atol=1e-5)
    assert logits.argmax(dim=1).max() < 50


def test_no_vocabulary(official: Path, cli: Cli, tmp_path: Path) -> None:
    """transformers makes a tokenizer of three tokens of that, with which anything could be asked."""

    def change(made: Checkpoint) -> None:
        del made.files["tokenizer.model"]

    build(official, change, tmp_path / "own")
    with pytest.raises(UserError, match=r"has no tokenizer\.json"):
        adapter_of(tmp_path / "own/checkpoint").load()
    options = ("--to", "transformers", "--vision-tower", tmp_path / "own/tower")
    outcome = cli("convert", tmp_path / "own/checkpoint", "-o", tmp_path / "out", *options)
    assert outcome.code == 2
    assert "has no tokenizer.json (nor tokenizer.model" in outcome.err
    assert not (tmp_path / "out").exists()
