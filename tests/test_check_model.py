"""``check model``: models that keep what a run relies on have no fault, and each planted fault is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.authoring.check_model.check_model import check_model
from mipha_eval.authoring.check_model.prompt import positions
from mipha_eval.authoring.check_model.sameness import another_order
from mipha_eval.authoring.finding import Finding
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model, build_task
from mipha_eval.core.types import Response
from mipha_eval.data.parse_source import parse_source
from mipha_eval.models.prompt_tokens import PromptTokens, TokenFacts
from tests.conftest import Cli, write_jsonl
from tests.image_text_checkpoints import TEMPLATE, llava, qwen2_5_vl
from tests.judge_server import Say, Serve
from tests.plugin_files import line_of, model_file

Findings = Mapping[str, Finding]
IMAGE = "<image>"
BEGIN = "<|endoftext|>"


def look(name: str, *files: Path, **options: object) -> Findings:
    """What is found, by point; a point is there once."""
    registry = Registry(files)
    model = build_model(name, {key: str(value) for key, value in options.items()}, registry)
    found = list(check_model(model, build_task("pope", {}, parse_source("demo", {}), registry)))
    assert all("\n" not in each.line and each.line.strip() for each in found)
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def faults(found: Findings) -> list[str]:
    return [name for name, each in found.items() if each.level == "fault"]


# models without a fault


@pytest.mark.parametrize("name", ["constant", "random", "majority", "mipha-tiny"])
def test_bundled_models_have_no_fault(name: str) -> None:
    found = look(name)
    assert not faults(found), found
    assert {"loads", "answers", "prompt", "determinism", "batch", "order", "sharing", "memory"} <= found.keys()


def test_what_is_told_of_the_embedded_model() -> None:
    """The tokens around the picture, as its own tokenizer has them."""
    from tokenizers import Tokenizer

    import mipha_eval

    found = look("mipha-tiny")
    assert found["answers"].line.count("->") == 2
    tokenizer = Tokenizer.from_file(str(Path(mipha_eval.__file__).parent / "demo/tiny/tokenizer.json"))
    behind = tokenizer.encode("\nIs there a triangle in the image?", add_special_tokens=False)
    told = found["prompt"].line.partition("for the picture]")[2]
    for token in behind.ids[:5]:
        assert f"{tokenizer.decode([token])!r}={token}" in told
    assert "=-200 for the picture" in found["prompt"].line
    assert found["ranking"].level == "ok"
    assert found["broken picture"].level == "ok"


def test_a_server(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose answers may be others each time, so that this is a note, and one that fails."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    server = serve(lambda prompt, before: Say("Yes"))
    found = look("openai-api", model="m", base_url=server.url)
    assert not faults(found), found
    assert found["prompt"].level == "note"
    server = serve(lambda prompt, before: Say(f"Yes {before}"))
    found = look("openai-api", model="m", base_url=server.url)
    assert not faults(found), found
    assert found["determinism"].level == "note"
    assert "steady = False" in found["determinism"].line
    server = serve(lambda prompt, before: Say("no such model", status=404))
    found = look("openai-api", model="m", base_url=server.url)
    assert faults(found) == ["answers"]
    assert "no such model" in found["answers"].line


def test_a_file_of_answers(tmp_path: Path) -> None:
    """A model that is asked nothing is asked the benchmark's own questions, by their ids."""
    task = build_task("pope", {}, parse_source("demo", {}), Registry())
    rows = [{"question_id": each.question_id, "prompt": each.prompt, "text": "Yes"} for each in task.samples()]
    assert not faults(look("answers-file", path=write_jsonl(tmp_path / "a.jsonl", rows)))
    assert faults(look("answers-file", path=write_jsonl(tmp_path / "b.jsonl", rows[:1]))) == ["answers"]


def test_a_plugin_without_a_fault(tmp_path: Path) -> None:
    file = model_file(tmp_path / "model.py")
    found = look("yes-man", file)
    assert not faults(found), found
    assert found["broken picture"].level == "note", "it never looks at a picture, and does not say so"


# plugins with a fault


def generate(*lines: str) -> str:
    return "\n    def generate(self, batch):\n" + "".join(f"        {line}\n" for line in lines)


COUNTING = "calls = []"

#: parts of the plugin, the point that has the fault, what its line says, and the text of the line of code that it names
PLANTED: Mapping[str, tuple[Mapping[str, str], str, str, str]] = {
    "too few": (
        {"generate": generate("return [Response('Yes') for _ in batch[1:]]")},
        "answers",
        "answered 1 of 2",
        "def gen",
    ),
    "too few of three": (
        {"generate": generate("return [Response('Yes') for _ in batch[:3]]")},
        "batch",
        "answered 3 of 4",
        "def gen",
    ),
    "no list": ({"generate": generate("return 'Yes'")}, "answers", "no list", "def gen"),
    "no response": ({"generate": generate("return ['Yes' for _ in batch]")}, "answers", "as response 'Yes'", "def gen"),
    "raises": ({"generate": generate("raise KeyError('gone')")}, "answers", "KeyError: 'gone'", "raise KeyError"),
    "exits": ({"generate": generate("sys.exit(0)")}, "answers", "SystemExit(0)", "sys.exit(0)"),
    "interrupts": ({"generate": generate("raise GeneratorExit")}, "answers", "GeneratorExit", "raise GeneratorExit"),
    "does not load": ({"more": "\n    def load(self):\n        open('/no/such/file')\n"}, "loads", "FileNotFound", "open("),
    "exits at load": ({"more": "\n    def load(self):\n        sys.exit(3)\n"}, "loads", "SystemExit(3)", "sys.exit(3)"),
    "describes nothing": (
        {"more": "\n    def describe(self):\n        return 5\n"},
        "loads",
        "must give a dict",
        "def describe",
    ),
    "no budget": ({"more": "\n    def budget(self):\n        return None\n"}, "loads", "whole number", "def budget"),
    "no cost": ({"more": "\n    def cost(self, request):\n        return {}['gone']\n"}, "loads", "KeyError", "['gone']"),
    "fails": ({"generate": generate("return [Response.failure('too long') for _ in batch]")}, "answers", "too long", ""),
    "by the batch": (
        {"generate": generate("return [Response(f'{len(batch)} {request.text}') for request in batch]")},
        "batch",
        "depend on what else is in a batch",
        "",
    ),
    "by the neighbour": (
        {"generate": generate("return [Response(request.text + batch[0].text) for request in batch]")},
        "batch",
        "depend on what else is in a batch",
        "",
    ),
    "fails beside others": (
        {"generate": generate("return [Response('Yes') for _ in batch] if len(batch) < 3 else {}['gone']")},
        "batch",
        "KeyError: 'gone'",
        "{}['gone']",
    ),
    "backwards": (
        {"generate": generate("return [Response(request.text) for request in reversed(batch)]")},
        "order",
        "its answers are those to its questions 4, 3, 2, 1",
        "",
    ),
    "sorted": (
        {"generate": generate("return [Response(text) for text in sorted(request.text for request in batch)]")},
        "order",
        "in another order",
        "",
    ),
    "unsteady": (
        {"head": COUNTING, "generate": generate("calls.append(0)", "return [Response(f'{len(calls)}') for _ in batch]")},
        "determinism",
        "the same question has other answers",
        "",
    ),
    "fails later": (
        {
            "head": COUNTING,
            "generate": generate("calls.append(0)", "return [Response('Yes') for _ in batch if 3 // len(calls)]"),
        },
        "batch",
        "",
        "",
    ),
    "shares wrongly": (
        {
            "name": "name: ClassVar = 'yes-man'\n    shares: ClassVar = True",
            "more": "\n    def reference(self, batch):\n        return [Response('No') for _ in batch]\n",
        },
        "sharing",
        "shared answers are not those made alone",
        "",
    ),
    "has no reference": (
        {
            "name": "name: ClassVar = 'yes-man'\n    shares: ClassVar = True",
            "more": "\n    def reference(self, batch):\n        return [Response('Yes')]\n",
        },
        "sharing",
        "answered 1 of 4",
        "",
    ),
    "ranks by place": (
        {
            "more": "\n    def loglikelihood(self, batch):\n        return [Response('Yes', likelihoods=(-1.0, -2.0, -3.0),"
            " option_tokens=(1, 1, 1)) for _ in batch]\n"
        },
        "ranking",
        "depends on the order of options",
        "",
    ),
}


@pytest.mark.parametrize("how", PLANTED)
def test_planted_faults(cli: Cli, tmp_path: Path, how: str) -> None:
    """One line, the plugin's file and line where its code is to blame, and exit code 2."""
    parts, point, text, code = PLANTED[how]
    file = model_file(tmp_path / "model.py", **parts)
    done = cli("check", "model", "yes-man", "--plugin", file, "--json")
    assert done.code == 2, done.out
    assert not done.err
    found = {each["name"]: each for each in done.json["findings"]}
    assert [name for name, each in found.items() if each["level"] == "fault"] == [point], found
    assert done.json["faults"] == 1
    assert text in found[point]["line"]
    if code:
        assert f"{file}:{line_of(file, code)}" in found[point]["line"]


def test_lines_for_people(cli: Cli, tmp_path: Path) -> None:
    file = model_file(tmp_path / "model.py", generate=generate("sys.exit(0)"))
    done = cli("check", "model", "yes-man", "--plugin", file)
    assert done.code == 2
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "FAULT", "note", "note", "yes-man:"]
    assert f"{file}:{line_of(file, 'sys.exit')}" in lines[1]
    done = cli("check", "model", "constant")
    assert done.code == 0
    assert {line.split()[0] for line in done.out.splitlines()[:-1]} == {"ok", "note"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nobody"], "nobody"),
        (["constant", "-a", "word=x"], "word"),
        (["constant", "--data", "/no/such/folder"], "no such folder"),
        (["constant", "--task", "mmvet"], "no two questions about one picture"),
        (["constant", "--plugin", "/no/such/file.py"], "does not exist"),
        (["constant", "--device", "cpu"], "device"),
    ],
)
def test_what_cannot_be_checked(cli: Cli, arguments: list[str], text: str) -> None:
    done = cli("check", "model", *arguments)
    assert (done.code, done.out) == (2, "")
    assert text in done.err
    assert done.err.count("\n") == 1


def test_orders() -> None:
    one, two, three = Response("1"), Response("2"), Response("3")
    assert another_order([one, two, three], [three, one, two], "") == (2, 0, 1)
    assert another_order([one, two, three], [one, two, three], "") == ()
    assert another_order([one, two, three], [one, one, three], "") == ()


# checkpoints with a fault


def template(*changes: tuple[str, str]) -> str:
    text = TEMPLATE.replace("MARK", IMAGE)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def settings(file: Path, **changed: Any) -> None:
    """Changes entries of a JSON file; None takes one out."""
    found = {**json.loads(file.read_text()), **changed}
    file.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))


def begins(folder: Path) -> None:
    """Makes the tokenizer put its beginning token before a text."""
    token = {"SpecialToken": {"id": BEGIN, "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    other = {"Sequence": {"id": "B", "type_id": 1}}
    known = {BEGIN: {"id": BEGIN, "ids": [0], "tokens": [BEGIN]}}
    made = {"type": "TemplateProcessing", "single": [token, text], "pair": [token, text, other], "special_tokens": known}
    settings(folder / "tokenizer.json", post_processor=made)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Callable[..., Path]:
    def build(jinja: str = "", **text: Any) -> Path:
        folder = llava(tmp_path / "llava", **text)
        if jinja:
            (folder / "chat_template.jinja").write_text(jinja)
        return folder

    return build


Build = Callable[..., Path]


def asked(folder: Path, **options: object) -> Findings:
    return look("hf-chat", path=folder, device="cpu", **options)


def test_checkpoints_have_no_fault(checkpoint: Build, tmp_path: Path) -> None:
    found = asked(checkpoint())
    assert not faults(found), found
    assert (found["padding"].level, found["picture first"].level, found["sharing"].level) == ("ok",) * 3
    assert "16 for 1 picture" in found["picture tokens"].line
    found = asked(qwen2_5_vl(tmp_path / "qwen"), share="false")
    assert not faults(found), found
    assert found["sharing"].line == "nothing is shared, as asked"


def test_a_mipha(reference: Path) -> None:
    found = look("mipha", path=reference / "checkpoint", device="cpu", dtype="float32")
    assert not faults(found), found
    assert "1 of '<image>'=-200" in found["prompt"].line


def test_begin_token_twice(checkpoint: Build) -> None:
    """Behind a line break in the template nobody sees that the tokenizer's is there already."""
    folder = checkpoint(template(("USER", "{{ bos_token }}USER")))
    begins(folder)
    found = asked(folder)
    assert not faults(found)
    assert found["begin token"].level == "note", "what would be two elsewhere"
    assert "begins the prompt, once" in found["begin token"].line
    (folder / "chat_template.jinja").write_text(template(("USER", " {{ bos_token }}USER")))
    found = asked(folder)
    assert faults(found) == ["begin token"]
    assert "stands there twice" in found["begin token"].line
    (folder / "chat_template.jinja").write_text(template(("USER", "{{ bos_token }}{{ bos_token }}USER")))
    assert faults(asked(folder)) == ["begin token"]


def test_begin_token_missing_or_again(checkpoint: Build) -> None:
    folder = checkpoint(template(("USER", "{{ bos_token }}USER"), (" ASSISTANT", "{{ bos_token }} ASSISTANT")))
    found = asked(folder)
    assert not faults(found)
    assert "1 more times" in found["begin token"].line


def test_image_token_twice(checkpoint: Build) -> None:
    """The network counts them, so that it cannot even be read; the reason stands beside it."""
    found = asked(checkpoint(template((f"{IMAGE}\n", f"{IMAGE}{IMAGE}\n"))))
    assert faults(found) == ["loads", "picture tokens"]
    assert "2 marks stand for 1 picture" in found["picture tokens"].line


def test_picture_behind_the_question(checkpoint: Build) -> None:
    jinja = template(("{% for part in message['content'] %}", "{% for part in message['content'] | reverse %}"))
    found = asked(checkpoint(jinja))
    assert not faults(found), "answers are right, only slow"
    assert found["picture first"].level == "note"
    assert "behind the question" in found["picture first"].line
    assert found["sharing"].level == "note"


def test_no_end_token(checkpoint: Build) -> None:
    folder = checkpoint()
    settings(folder / "generation_config.json", eos_token_id=None)
    settings(folder / "tokenizer_config.json", eos_token=None)
    found = asked(folder)
    assert faults(found) == ["loads"]
    assert "names no end token" in found["loads"].line


def test_end_token_of_the_template(checkpoint: Build) -> None:
    """Turns end with a token that ends no answer, and none comes to an end."""
    folder = checkpoint(template(("{% endfor %}{% endfor %}", "{% endfor %}{{ '<|end|>' }}{% endfor %}")), vocab_size=480)
    settings(folder / "tokenizer_config.json", extra_special_tokens=["<|end|>"])
    found = asked(folder)
    assert faults(found) == ["end token"]
    assert "'<|end|>'=" in found["end token"].line


def test_positions_exceeded(checkpoint: Build) -> None:
    found = asked(checkpoint(max_position_embeddings=128))
    assert faults(found) == ["positions"]
    found = asked(checkpoint(max_position_embeddings=16))
    assert "loads" in faults(found)
    assert "16" in found["loads"].line


@pytest.mark.parametrize(("most", "level"), [(159, "fault"), (160, "ok"), (None, "ok")])
def test_positions_are_counted(most: int | None, level: str) -> None:
    facts = TokenFacts(None, False, False, {0: "end"}, None, None, most)
    assert positions(PromptTokens((1, 2), ("a", "b"), frozenset(), 32), facts, 128).level == level


def test_padding_that_is_attended_to(checkpoint: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tokenizer that is told to make no mask makes one here; without it, as it would be, the check sees it."""
    folder = checkpoint()
    settings(folder / "tokenizer_config.json", model_input_names=["input_ids"])
    assert faults(asked(folder)) == []
    monkeypatch.setattr("mipha_eval.models.chat.PADDED", {"padding": True, "return_tensors": "pt"})
    found = asked(folder)
    assert faults(found) == ["padding"]
    assert "padding is attended to" in found["padding"].line
    assert (found["batch"].level, found["sharing"].level) == ("ok", "ok")


def test_a_broken_checkpoint(checkpoint: Build) -> None:
    folder = checkpoint()
    (folder / "config.json").write_text("{")
    assert faults(asked(folder)) == ["loads"]
    assert faults(look("hf-chat", path=folder / "nowhere")) == ["loads"]
