"""Which files of a checkpoint are read, and that these and no others are its fingerprint."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Request
from mipha_eval.models.fingerprint import SETTINGS, fingerprint, read_files
from mipha_eval.models.weights import read_headers, weight_files
from tests.conftest import Cli, read_jsonl, write_jsonl
from tests.image_text_checkpoints import TINY, llava
from tests.test_hf_chat import picture
from tests.text_checkpoint import INDEX, WEIGHTS, add_shards, copied, noise, text_model

transformers: Any = import_module("transformers")
official_files: Any = import_module("transformers.modeling_utils")._get_resolved_checkpoint_files

ASKED = [Request("Is it red?", (picture(0),), Decoding(4)), Request("Who is there?", (picture(1),), Decoding(4))]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("checkpoints")
    return {"mipha": TINY, "hf-chat": llava(folder / "llava"), "hf-text": text_model(folder / "llama")}


def load(name: str, folder: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", name)
    adapter = owner(path=str(folder), device="cpu", dtype="float32", **options)
    adapter.load()
    return adapter


def answers(adapter: Any) -> list[Any]:
    responses = adapter.respond(ASKED)
    assert not any(response.error for response in responses)
    return [response.top for response in responses]


def index(folder: Path, *files: str) -> None:
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": {f"w{n}": name for n, name in enumerate(files)}}))


SHARD = "model-1.safetensors"

#: of a folder: its safetensors files, those that its index names, and the one that its config.json names
LAYOUTS: dict[str, tuple[list[str], list[str], str | None]] = {
    "one file": ([WEIGHTS], [], None),
    "one file, an index left over": ([WEIGHTS], [SHARD], None),
    "one file, old shards left over": ([WEIGHTS, SHARD], [SHARD], None),
    "shards": (["b.safetensors", "a.safetensors"], ["b.safetensors", "a.safetensors"], None),
    "shards, others beside them": ([SHARD, "consolidated.safetensors", "adapter_model.safetensors"], [SHARD], None),
    "named by config.json": ([WEIGHTS, "best.safetensors"], [], "best.safetensors"),
    "an index named by config.json": ([WEIGHTS, SHARD], [SHARD], INDEX),
    "no index": (["model-00001-of-00001.safetensors"], [], None),
    "upper case": (["MODEL.safetensors"], [], None),
    "a variant": (["model.fp16.safetensors"], [], None),
    "nothing": ([], [], None),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_files_that_transformers_takes(layout: str, tmp_path: Path) -> None:
    """Against the function of transformers that decides it."""
    files, shards, named = LAYOUTS[layout]
    (tmp_path / "config.json").write_text(json.dumps({"transformers_weights": named} if named else {}))
    for name in files:
        save_file({"weight": torch.zeros(1)}, tmp_path / name, metadata={"format": "pt"})
    if shards:
        index(tmp_path, *shards)
    try:
        wanted, _ = official_files(str(tmp_path), None, None, True, {}, False, named, {})
    except OSError:
        with pytest.raises(UserError, match=WEIGHTS):
            weight_files(tmp_path)
        return
    assert list(map(str, weight_files(tmp_path))) == wanted


@pytest.mark.parametrize("name", ["../model-1.safetensors", "/tmp/model-1.safetensors", "a/../../b.safetensors"])
def test_an_index_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    index(tmp_path, name)
    with pytest.raises(UserError, match="outside of its folder"):
        weight_files(tmp_path)


@pytest.mark.parametrize("name", ["mipha", "hf-chat", "hf-text"])
def test_old_shards_are_no_weights(name: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """A single file beside an index, with its shards and without them: the single file's answers."""
    good = load(name, checkpoints[name])
    both = copied(checkpoints[name], tmp_path / "both")
    shards = add_shards(both, noise(load_file(both / WEIGHTS)))
    assert answers(load(name, both)) == answers(good)
    for shard in shards:
        shard.unlink()
    found = load(name, both)
    assert answers(found) == answers(good)
    assert found.describe()["weights"] == good.describe()["weights"], "what is not read is not hashed"


@pytest.mark.parametrize("name", ["mipha", "hf-chat"])
def test_of_shards_that_overlap_the_last_counts(name: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """As in transformers, which reads all of each shard, whatever the index says of a weight."""
    good = answers(load(name, checkpoints[name]))
    folder = copied(checkpoints[name], tmp_path / "shards")
    weights = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    first, last = add_shards(folder, weights)
    save_file({**load_file(first), **noise(load_file(last))}, first, metadata={"format": "pt"})
    assert answers(load(name, folder)) == good
    save_file({**load_file(last), **noise(load_file(first))}, last, metadata={"format": "pt"})
    assert answers(load(name, folder)) != good


def test_stale_weights_are_not_taken_for_new_ones(cli: Cli, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """Answers of a folder with an index left over are not kept when its single file is replaced."""
    folder = copied(checkpoints["hf-chat"], tmp_path / "checkpoint")
    (shard,) = add_shards(folder, noise(load_file(folder / WEIGHTS)), count=1)
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_bytes(picture(0).read())
    questions = write_jsonl(tmp_path / "q.jsonl", [{"question_id": 1, "image": "a.png", "text": "What is it?"}])
    ask = ["predict", "--questions", questions, "--image-folder", tmp_path / "images", "--answers", tmp_path / "a.jsonl"]
    ask += ["-m", "hf-chat", "-a", f"path={folder}", "--device", "cpu", "--max-new-tokens", 6]
    assert cli(*ask).code == 0
    old = read_jsonl(tmp_path / "a.jsonl")[0]["text"]
    shutil.copy(shard, folder / WEIGHTS)
    refused = cli(*ask)
    assert (refused.code, "answers of another model" in refused.err) == (2, True)
    assert cli(*ask, "--fresh").code == 0
    assert read_jsonl(tmp_path / "a.jsonl")[0]["text"] != old


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # transformers' own
def test_the_fingerprint_is_of_what_is_read(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """Every file that is read changes it, and no other; what is read is all that a model needs."""
    folder = copied(checkpoints["hf-chat"], tmp_path / "checkpoint")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates/tool.jinja").write_text("tool")
    before, given = fingerprint(folder), answers(load("hf-chat", folder))
    for name in ("README.md", "training.json", "trainer_state.json", "other.safetensors", "pytorch_model.bin", "notes.txt"):
        (folder / name).write_text("no file of the model")
    add_shards(folder, {"weight": torch.zeros(1)})
    assert fingerprint(folder) == before
    alone = tmp_path / "alone"
    for file in read_files(folder):
        (alone / file.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, alone / file.relative_to(folder))
    assert fingerprint(alone) == before
    assert answers(load("hf-chat", alone)) == given
    files = read_files(alone)
    assert {"additional_chat_templates/tool.jinja", WEIGHTS, "chat_template.jinja", "generation_config.json"} <= {
        file.relative_to(alone).as_posix() for file in files
    }
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[:-1] + b" ")
        if content[-1:] != b" " and file.name != WEIGHTS:
            assert fingerprint(alone) != before, file
        file.write_bytes(content)
    assert fingerprint(alone) == before


WATCH = """
import sys
from mipha_eval.core.plugins.registry import Registry
opened = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])
sys.addaudithook(watch)
for name in ("mipha", "hf-chat", "hf-text"):
    owner, _ = Registry().load("model_adapters", name)
    adapter = owner(path=f"{sys.argv[1]}/{name}", device="cpu")
    _ = adapter.network, adapter.tokenizer, adapter.ends, adapter.generation, adapter.about()  # the fingerprint opens all
    adapter.load()
print("\\n".join(opened))
"""


def test_nothing_else_is_opened(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """Python's own record of the files that loading opens."""
    for name, source in checkpoints.items():
        folder = copied(source, tmp_path / name)
        for extra in ("notes.json", "training.json", "adapter_model.safetensors", "vocabulary.md"):
            (folder / extra).write_text("{}")
    command = [sys.executable, "-c", WATCH, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    opened = {path for line in done.stdout.splitlines() if (path := Path(line)).is_file() and tmp_path in path.parents}
    assert {tmp_path / name / "tokenizer_config.json" for name in checkpoints} <= opened
    assert opened <= {file for name in checkpoints for file in read_files(tmp_path / name)}


def test_vocabularies_of_all_families_are_covered() -> None:
    """Every name that a tokenizer of transformers gives to a file of its vocabulary."""
    source = Path(transformers.__file__).parent
    names = set()
    for file in [*source.glob("models/*/tokenization_*.py"), *source.glob("tokenization_*.py")]:
        for block in re.findall(r"VOCAB_FILES_NAMES = \{(.*?)\}", file.read_text(encoding="utf-8"), flags=re.DOTALL):
            names |= set(re.findall(r':\s*"([^"]+)"', block))
    assert {"vocab.json", "merges.txt", "spiece.model"} <= names
    assert {name for name in names if not any(Path(name).match(pattern) for pattern in SETTINGS)} == set()


@pytest.mark.parametrize("name", ["mipha", "hf-chat", "hf-text"])
def test_a_file_that_is_written_while_a_model_runs(name: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """What was loaded stays as it was, and what changes before it is loaded is seen."""
    folder = copied(checkpoints[name], tmp_path / "checkpoint")
    adapter = load(name, folder)
    given, digest = answers(adapter), adapter.describe()["weights"]
    assert digest == fingerprint(folder)
    with (folder / WEIGHTS).open("r+b") as file:
        begin = 8 + int.from_bytes(file.read(8), "little")
        file.seek(begin)
        file.write(bytes((folder / WEIGHTS).stat().st_size - begin))
    assert answers(adapter) == given
    assert fingerprint(folder) != digest

    again = copied(checkpoints[name], tmp_path / "again")
    changing = load(name, again)
    (again / "config.json").write_text((again / "config.json").read_text() + "\n")
    with pytest.raises(UserError, match=r"config\.json changed while the model was loaded"):
        changing.describe()


def test_links_are_followed(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """The hub's snapshots are links."""
    folder = tmp_path / "snapshot"
    folder.mkdir()
    for file in checkpoints["hf-chat"].iterdir():
        (folder / file.name).symlink_to(file)
    assert fingerprint(folder) == fingerprint(checkpoints["hf-chat"])
    assert answers(load("hf-chat", folder)) == answers(load("hf-chat", checkpoints["hf-chat"]))


def test_headers(checkpoints: dict[str, Path]) -> None:
    headers = read_headers(weight_files(checkpoints["hf-chat"]))
    weights = load_file(checkpoints["hf-chat"] / WEIGHTS)
    assert {name: header.shape for name, header in headers.items()} == {
        name: tuple(weight.shape) for name, weight in weights.items()
    }
    assert {header.dtype for header in headers.values()} == {"F32"}
