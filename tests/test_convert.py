"""``convert``: pickles become safetensors, nothing in them is run, memory stays small, errors leave nothing behind."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mipha_eval.core.errors import UserInterruptError
from mipha_eval.core.types import Decoding, Request
from mipha_eval.models.conversion import weight_writer
from mipha_eval.models.conversion.planned_weight import TYPES, PlannedWeight
from mipha_eval.models.pickled import PickledFile
from tests.conftest import Cli, Outcome, read_json
from tests.test_convert_layouts import llava_hf, model
from tests.test_mipha_variants import adapter_of, known
from tests.text_checkpoint import text_model

Weights = dict[str, torch.Tensor]


def assorted() -> Weights:
    """What a file of weights may hold: views, shared and spread memory, all types, no numbers at all, one alone."""
    torch.manual_seed(1)
    table = torch.randn(6, 4)
    return {
        "embed.weight": table,
        "head.weight": table,
        "turned.weight": table.t(),
        "part.weight": torch.randn(9, 5)[2:7, 1:4],
        "spread": torch.ones(1).expand(5),
        "parameter": torch.nn.Parameter(torch.randn(3)),
        "half.weight": torch.randn(3, 3).to(torch.bfloat16),
        "fp16.weight": torch.randn(5).to(torch.float16),
        "double": torch.randn(2, dtype=torch.float64),
        "counts": torch.arange(3),
        "mask": torch.tensor([True, False, True]),
        "bytes": torch.arange(7, dtype=torch.uint8),
        "none": torch.zeros(0, 3),
        "one": torch.tensor(2.5),
        "nan": torch.tensor([float("nan"), float("-inf")]),
        'name with \u00e9 " and space': torch.randn(2),
    }


def folder_of(path: Path, **files: Any) -> Path:
    """A checkpoint with a configuration and files of weights."""
    path.mkdir()
    (path / "config.json").write_text('{"model_type": "llama"}')
    for name, weights in files.items():
        torch.save(weights, path / f"{name}.bin")
    return path


def same(found: Weights, wanted: Weights) -> bool:
    """Bit for bit, NaN included."""
    return found.keys() == wanted.keys() and all(
        (found[name].dtype, found[name].shape) == (wanted[name].dtype, wanted[name].shape)
        and found[name].numpy(force=True).tobytes() == wanted[name].contiguous().numpy(force=True).tobytes()
        if wanted[name].dtype != torch.bfloat16
        else torch.equal(found[name], wanted[name])
        for name in wanted
    )


def refused(outcome: Outcome, *words: str) -> None:
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert all(word in outcome.err for word in words), outcome.err


def test_names_shapes_types_and_numbers_stay(cli: Cli, tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", pytorch_model=assorted())
    kept = {"tokenizer.model": b"\x00\x01", "README.md": b"# read", "additional_chat_templates/x.jinja": b"{{ 1 }}"}
    left = {"training_args.bin": b"x", "optimizer.pt": b"x", ".hidden": b"x", "checkpoint-5/config.json": b"{}"}
    for name, content in {**kept, **left}.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes(content)
    (source / "link.json").symlink_to(source / "config.json")
    outcome = cli("convert", source, "-o", tmp_path / "out")
    assert outcome.code == 0
    assert outcome.err == f"16 weights, 0.0 MB, in {tmp_path / 'out'}\n"
    assert same(load_file(tmp_path / "out/model.safetensors"), assorted())
    found = {str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert found == {"config.json", "model.safetensors", "link.json", *kept}
    assert not (tmp_path / "out/link.json").is_symlink()
    assert (tmp_path / "out").stat().st_mode & 0o777 == tmp_path.stat().st_mode & 0o777 | 0o55


def packed(file: Path) -> None:
    """The same archive, compressed."""
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def of_a_graphics_card(file: Path) -> None:
    """The same archive, as if its weights had lain on another device."""
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))


def of_old_torch(file: Path) -> None:
    """The format before torch 1.6."""
    torch.save(torch.load(file, weights_only=True), file, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("change", [packed, of_a_graphics_card, of_old_torch])
def test_other_ways_to_store(change: Callable[[Path], None], cli: Cli, tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", pytorch_model=assorted())
    change(source / "pytorch_model.bin")
    assert cli("convert", source, "-o", tmp_path / "out").code == 0
    assert same(load_file(tmp_path / "out/model.safetensors"), assorted())


def sharded(path: Path, shards: list[Weights], **named: str) -> Path:
    """A checkpoint in several pickles with their index."""
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text('{"model_type": "llama"}')
    places: dict[str, str] = {}
    for number, weights in enumerate(shards, start=1):
        name = f"pytorch_model-{number:05}-of-{len(shards):05}.bin"
        torch.save(weights, path / name)
        places |= dict.fromkeys(weights, name)
    (path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": {**places, **named}}))
    return path


def test_shards(cli: Cli, tmp_path: Path) -> None:
    """A file for a file; of a weight that is there twice, the later one counts, as when it is loaded."""
    weights = [{f"w{number}": torch.randn(3, number + 1), "twice": torch.full((2,), float(number))} for number in range(3)]
    source = sharded(tmp_path / "in", weights)
    assert cli("convert", source, "-o", tmp_path / "out").code == 0
    index = read_json(tmp_path / "out/model.safetensors.index.json")
    assert index["weight_map"] == {
        **{f"w{number}": f"model-0000{number + 1}-of-00003.safetensors" for number in range(3)},
        "twice": "model-00003-of-00003.safetensors",
    }
    assert index["metadata"]["total_size"] == 4 * (3 * (1 + 2 + 3) + 2)
    found: Weights = {}
    for file in sorted((tmp_path / "out").glob("*.safetensors")):
        found |= load_file(file)
    assert same(found, {name: weight for shard in weights for name, weight in shard.items()})


def test_a_text_model_answers_the_same(cli: Cli, tmp_path: Path) -> None:
    """hf-text, in shards, with a head that is the embedding."""
    source = text_model(tmp_path / "source")
    weights = load_file(source / "model.safetensors")
    config = read_json(source / "config.json")
    (source / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    save_file({name: weight.clone() for name, weight in weights.items()}, source / "model.safetensors")
    pickles = tmp_path / "pickles"
    shutil.copytree(source, pickles, ignore=shutil.ignore_patterns("*.safetensors"))
    names = sorted(weights)
    halves = [{name: weights[name] for name in part} for part in (names[:4], names[4:])]
    sharded(pickles, halves)
    (pickles / "config.json").write_bytes((source / "config.json").read_bytes())
    outcome = cli("convert", pickles, "-o", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    asked = [Request(text, (), Decoding(8)) for text in ("What?", "How many are there?")]
    answers = [[response.text for response in model("hf-text", each).respond(asked)] for each in (source, tmp_path / "out")]
    assert answers[0] == answers[1]
    assert all(answers[0])


def test_an_image_text_model_answers_the_same(cli: Cli, tmp_path: Path) -> None:
    variant = known("llava15_native_tower_outside")
    source = llava_hf(variant.folder, tmp_path / "source", old_names=False)
    pickles = tmp_path / "pickles"
    shutil.copytree(source, pickles, ignore=shutil.ignore_patterns("*.safetensors"))
    torch.save(load_file(source / "model.safetensors"), pickles / "pytorch_model.bin")
    assert cli("convert", pickles, "-o", tmp_path / "out").code == 0
    asked = variant.requests()[:4]
    answers = [[response.text for response in model("hf-chat", each).respond(asked)] for each in (source, tmp_path / "out")]
    assert answers[0] == answers[1]
    assert same(load_file(tmp_path / "out/model.safetensors"), load_file(source / "model.safetensors"))


@pytest.mark.parametrize("name", ["lora_unmerged_siglip_phi2", "projector_only_llava_phi"])
def test_official_parts(name: str, cli: Cli, tmp_path: Path) -> None:
    """LoRA and a projector alone as their code saved them: the official texts, and no pickle is left."""
    variant = known(name)
    assert cli("convert", variant.folder / "checkpoint", "-o", tmp_path / "out").code == 0
    assert not list((tmp_path / "out").glob("*.bin"))
    adapter = adapter_of(tmp_path / "out", base=str(variant.folder / "base"))
    texts = [response.text for response in adapter.respond(variant.requests())]
    assert texts == [answer["text"] for answer in variant.answers]


def test_a_projector_beside_a_whole_model(cli: Cli, tmp_path: Path) -> None:
    """As LLaVA's repositories have it; what is safetensors already is copied."""
    whole, projector = {"a": torch.randn(2)}, {"model.mm_projector.0.weight": torch.randn(2, 2)}
    source = folder_of(tmp_path / "in", pytorch_model=whole, mm_projector=projector)
    assert cli("convert", source, "-o", tmp_path / "out").code == 0
    assert same(load_file(tmp_path / "out/model.safetensors"), whole)
    assert same(load_file(tmp_path / "out/mm_projector.safetensors"), projector)
    source = folder_of(tmp_path / "again", mm_projector=projector)
    save_file(whole, source / "model.safetensors")
    assert cli("convert", source, "-o", tmp_path / "out2").code == 0
    assert same(load_file(tmp_path / "out2/model.safetensors"), whole)
    assert same(load_file(tmp_path / "out2/mm_projector.safetensors"), projector)
    (source / "mm_projector.bin").unlink()
    refused(cli("convert", source, "-o", tmp_path / "out3"), "as safetensors already; to write another layout")


def test_large_checkpoints_are_split(tmp_path: Path) -> None:
    """By their size, in any order of types, and read by the library that the format is from."""
    weights = {
        f"w{number}": torch.full((number,), number, dtype=dtype) for number, dtype in enumerate(TYPES.values(), start=1)
    }
    words = dict(zip(weights, TYPES, strict=True))
    planned = [
        PlannedWeight(name, tuple(weight.shape), words[name], partial(weights.__getitem__, name))
        for name, weight in weights.items()
    ]
    weight_writer.write_weights(tmp_path, planned, most=60)
    index = read_json(tmp_path / "model.safetensors.index.json")
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) > 2
    assert index["metadata"]["total_size"] == sum(weight.nbytes for weight in weights.values())
    found = {name: weight for file in files for name, weight in load_file(file).items()}
    assert {name: each.tolist() for name, each in found.items()} == {name: each.tolist() for name, each in weights.items()}
    for file in files:
        assert file.stat().st_size < 60 + 1000


def test_a_hub_id_brings_pickles(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, asked = folder_of(tmp_path / "in", pytorch_model=assorted()), []

    def snapshot(path: str, revision: str | None, allow_patterns: list[str], tqdm_class: type) -> str:
        asked.append((path, revision, "*.bin" in allow_patterns))
        return str(source)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert cli("convert", "somebody/model", "-o", tmp_path / "out", "--revision", "v1").code == 0
    assert asked == [("somebody/model", "v1", True)]
    assert same(load_file(tmp_path / "out/model.safetensors"), assorted())


class Program:
    """A pickle that would leave a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("name", ["pytorch_model", "adapter_model", "non_lora_trainables", "mm_projector"])
@pytest.mark.parametrize("form", ["safetensors", "transformers", "llava"])
@pytest.mark.parametrize("plain", [False, True])
def test_a_program_is_not_run(name: str, form: str, plain: bool, cli: Cli, tmp_path: Path) -> None:
    source, mark = folder_of(tmp_path / "in"), tmp_path / "ran"
    (source / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    if form != "safetensors":
        shown = {"transformers": "llava15_native_tower_outside", "llava": ""}[form]
        if shown:
            shutil.copy(known(shown).folder / "checkpoint/config.json", source / "config.json")
        else:
            entries = {"model_type": "llava", "text_config": {"model_type": "llama"}}
            (source / "config.json").write_text(json.dumps(entries))
    content = {"model.mm_projector.0.weight": Program(mark)}
    file = source / f"{name}.bin"
    if plain:
        file.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, file)
    options = ("--base", str(source)) if form == "transformers" else ()
    refused(cli("convert", source, "-o", tmp_path / "out", "--to", form, *options))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def cut(path: Path) -> Path:
    source = folder_of(path, pytorch_model=assorted())
    file = source / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:-500])
    return source


def cut_old(path: Path) -> Path:
    source = folder_of(path, pytorch_model={"a": torch.randn(100)})
    of_old_torch(source / "pytorch_model.bin")
    file = source / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:-50])
    return source


def missing_shard(path: Path) -> Path:
    source = sharded(path, [{"a": torch.ones(1)}, {"b": torch.ones(1)}])
    (source / "pytorch_model-00002-of-00002.bin").unlink()
    return source


def blown_up(path: Path) -> Path:
    return folder_of(path, pytorch_model={"a": torch.ones(1).expand(1 << 40)})


def without_config(path: Path) -> Path:
    source = folder_of(path, pytorch_model=assorted())
    (source / "config.json").unlink()
    return source


def without_index(path: Path) -> Path:
    source = sharded(path, [{"a": torch.ones(1)}, {"b": torch.ones(1)}])
    (source / "pytorch_model.bin.index.json").unlink()
    return source


def empty_file(path: Path) -> Path:
    source = folder_of(path)
    (source / "pytorch_model.bin").touch()
    return source


def a_file(path: Path) -> Path:
    return folder_of(path, pytorch_model=assorted()) / "pytorch_model.bin"


BROKEN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a cut file": (cut, "is damaged"),
    "a cut file of old torch": (cut_old, "is damaged"),
    "an empty file": (empty_file, "is damaged"),
    "a missing shard": (missing_shard, "lacks pytorch_model-00002-of-00002.bin"),
    "no index": (without_index, "no pytorch_model.bin.index.json"),
    "a file outside": (lambda path: sharded(path, [{"a": torch.ones(1)}], b="../b.bin"), "outside of its folder"),
    "a weight that no file has": (
        lambda path: sharded(path, [{"a": torch.ones(1)}], b="pytorch_model-00001-of-00001.bin"),
        "names b, which none of its files has",
    ),
    "more than its file": (blown_up, "would be larger than the whole file"),
    "no config.json": (without_config, "has no config.json"),
    "a file": (a_file, "is a file; name the checkpoint's folder"),
    "no weights": (folder_of, "none of pytorch_model.bin, adapter_model.bin"),
    "other pickles": (lambda path: folder_of(path, model=assorted()), "has model.bin, but none of"),
    "a list": (lambda path: folder_of(path, pytorch_model=[torch.ones(1)]), "no table of weights"),
    "a table of tables": (lambda path: folder_of(path, pytorch_model={"state_dict": assorted()}), "no table of weights"),
    "spread numbers": (lambda path: folder_of(path, pytorch_model={"a": torch.eye(3).to_sparse()}), "torch.sparse_coo"),
    "complex numbers": (lambda path: folder_of(path, pytorch_model={"a": torch.eye(3) * 1j}), "torch.complex64"),
    "no numbers": (
        lambda path: folder_of(path, pytorch_model={"b": torch.ones(2), "a": torch.ones(2, device="meta")}),
        "no content for a",
    ),
    "no folder": (lambda path: path, "does not exist"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken(kind: str, cli: Cli, tmp_path: Path) -> None:
    make, words = BROKEN[kind]
    source = make(tmp_path / "in")
    before = sorted(tmp_path.iterdir())
    refused(cli("convert", source, "-o", tmp_path / "deep/out"), words)
    assert sorted(tmp_path.iterdir()) == before


def test_the_output_is_new(cli: Cli, tmp_path: Path) -> None:
    source = folder_of(tmp_path / "in", pytorch_model=assorted())
    refused(cli("convert", source, "-o", source), "has files already", "(-o OUT)")
    (tmp_path / "file").touch()
    refused(cli("convert", source, "-o", tmp_path / "file"), "is a file")
    refused(cli("convert", source, "-o", tmp_path / "file/out"), "cannot")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    assert cli("convert", source, "-o", tmp_path / "link").code == 0
    assert (tmp_path / "empty/model.safetensors").is_file()
    assert cli("convert", source, "-o", source / "inside").code == 0
    refused(cli("convert", source, "-o", tmp_path / "x", "--to", "gguf"), "there are llava, safetensors, transformers")
    refused(cli("convert", source, "-o", tmp_path / "x", "--base", source), "base is for", "(--to transformers)")


def interrupted(*_: object) -> None:
    raise UserInterruptError


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_ctrl_c_leaves_nothing(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder_of(tmp_path / "in", pytorch_model=assorted())
    monkeypatch.setattr(PickledFile, "read", interrupted)
    outcome = cli("convert", source, "-o", tmp_path / "deep/out")
    assert (outcome.code, outcome.err) == (3, f"stopped; nothing of {tmp_path / 'deep/out'} is left\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_full_disk_leaves_nothing(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder_of(tmp_path / "in", pytorch_model=assorted())
    monkeypatch.setattr(weight_writer, "_header", full)
    refused(cli("convert", source, "-o", tmp_path / "out"), "cannot write", "No space left on device")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    refused(cli("convert", source, "-o", tmp_path / "out"), "takes 0.0 GB, but", "has 0.0 GB free")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


#: converts one checkpoint, then another, and prints by how many bytes the second took more memory at its most
MEASURE = """
import pathlib, re, sys
from mipha_eval.models.conversion.convert import Conversion, convert

def most():
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

small, large, *options = sys.argv[1:]
def call(path):
    convert(Conversion(path=path, target=pathlib.Path(path + "-out"), **dict(each.split("=") for each in options)))

call(small)
before = most()
call(large)
print(most() - before)
"""


def more_memory(small: Path, large: Path, *options: str) -> int:
    command = [sys.executable, "-c", MEASURE, str(small), str(large), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="there is no /proc")


@needs_proc
@pytest.mark.parametrize("shards", [8, 1])
def test_memory_for_a_weight_not_a_checkpoint(shards: int, tmp_path: Path) -> None:
    """64 MB in weights of 2 MB, in eight files or in one: less than a file of eight."""
    small = sharded(tmp_path / "small", [{"a": torch.ones(1)}])
    weights = [{f"w{number}.{each}": torch.randn(1 << 19) for each in range(32 // shards)} for number in range(shards)]
    assert more_memory(small, sharded(tmp_path / "large", weights)) < 8 << 20


@needs_proc
def test_memory_for_another_layout(tmp_path: Path) -> None:
    """LLaVA-1.5 with 70 MB in weights of 8 MB."""
    source = known("llava15_native_tower_outside").folder
    large = tmp_path / "large"
    shutil.copytree(source / "checkpoint", large, ignore=shutil.ignore_patterns("*.safetensors"))
    config = read_json(large / "config.json")
    (large / "config.json").write_text(json.dumps({**config, "intermediate_size": 40_000}))
    weights = load_file(source / "checkpoint/model.safetensors")
    wide = {name: (48, 40_000) if "down" in name else (40_000, 48) for name in weights if ".mlp." in name}
    torch.save(weights | {name: torch.randn(shape) for name, shape in wide.items()}, large / "pytorch_model.bin")
    small = tmp_path / "small"
    shutil.copytree(source / "checkpoint", small)
    more = more_memory(small, large, "form=transformers", f"vision_tower={source / 'tower'}")
    assert more < 24 << 20
