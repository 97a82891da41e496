"""What docs/models.md says of each architecture of transformers: it answers as transformers alone does, or is refused."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForImageTextToText
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from docs.generate_models import ARCHITECTURES, BEGIN, END, TARGET, with_table
from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Decoding, Request
from mipha_eval.models.generic_model import GenericModel
from mipha_eval.models.image_text import load_processor
from tests.architectures.makers import MAKERS
from tests.architectures.recipe import Recipe
from tests.architectures.refused import settings
from tests.conftest import Cli
from tests.image_text_checkpoints import transformers
from tests.test_whole_prompts import ODD, Official, load, picture

# what PaliGemma's processor does with tensors
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

TESTED, REFUSED = ARCHITECTURES["tested"], ARCHITECTURES["refused"]

#: each question about one or two of five pictures, in any order
ABOUT_PICTURES = [Request(ODD[n % 10], (picture((n // 10 + n) % 5),), Decoding(4)) for n in range(15)]
WITHOUT = [Request(text, (), Decoding(4)) for text in ("What is two and two?", "Who?", "7")]
ABOUT_TWO = [Request("Which is darker?", (picture(0), picture(3)), Decoding(4))]


@dataclass(frozen=True)
class Checkpoint:
    """One of an architecture: here with all that can be shared, here without, and in transformers."""

    name: str
    shared: Any
    plain: Any
    official: Official


@pytest.fixture(scope="module", params=list(TESTED))
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    if request.param == "smolvlm":
        pytest.importorskip("num2words", reason="SmolVLM's processor needs num2words")
    folder = MAKERS[request.param](tmp_path_factory.mktemp("architecture"))
    return Checkpoint(request.param, load(folder), load(folder, share=False), Official.of(folder))


def test_answers_are_transformers_own(checkpoint: Checkpoint) -> None:
    """15 prompts in one batch; what is shared is what the table says."""
    assert checkpoint.shared.proved.level == TESTED[checkpoint.name], checkpoint.shared.proved
    answers = [checkpoint.official.answer(request) for request in ABOUT_PICTURES]
    wanted = [text for text, _ in answers]
    assert len({tuple(logits.topk(3).values.tolist()) for _, logits in answers}) == len(wanted), "nothing is alike"
    for adapter in (checkpoint.shared, checkpoint.plain):
        found = adapter.respond(ABOUT_PICTURES)
        assert [response.text for response in found] == wanted
        for response, (_, logits) in zip(found, answers, strict=True):
            best = [float(logits[token]) for token, _ in response.top]
            assert [logit for _, logit in response.top] == pytest.approx(best, abs=1e-3)


def test_without_a_picture_and_with_two(checkpoint: Checkpoint) -> None:
    """Between prompts about one; what transformers' own processor refuses fails alone, with a reason."""
    asked = [*ABOUT_PICTURES[:2], *WITHOUT, *ABOUT_TWO, *ABOUT_PICTURES[12:14]]
    wanted: list[str | None] = []
    for request in asked:
        try:
            wanted.append(checkpoint.official.text(request))
        except Exception:  # whatever it refuses with
            wanted.append(None)
    for adapter in (checkpoint.shared, checkpoint.plain):
        found = [None if response.error else response.text for response in adapter.respond(asked)]
        assert found == wanted


def test_likelihoods_are_those_of_one_forward_pass(checkpoint: Checkpoint) -> None:
    """Of options of one token and of many, and of answers that are watched."""
    options, tracked = ("a dog", "red", "a very large sign"), ("Yes", "No way")
    asked = [Request(ODD[n], (picture(n),), options=options) for n in (0, 3)]
    asked += [Request(ODD[n], (picture(n),), Decoding(1), tracked=tracked) for n in (1, 4)]
    for adapter in (checkpoint.shared, checkpoint.plain):
        for request, response in zip(asked, adapter.respond(asked), strict=True):
            assert response.error == ""
            of = adapter.encode_option if request.options else adapter.encode_beginning
            ids = [of(text, request.text) for text in (*request.options, *request.tracked)]
            wanted = [checkpoint.official.likelihood(request, own) for own in ids]
            found = response.likelihoods or np.log(response.probabilities)
            assert found == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_be_asked_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    """Before a weight is read."""
    folder = settings(name, tmp_path)
    look = load_processor if "torchvision" in REFUSED[name] else partial(GenericModel.of, auto=AutoModelForImageTextToText)
    with pytest.raises(UserError) as raised:
        look(folder)
    assert str(raised.value).endswith(REFUSED[name])
    assert str(folder) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_run_refuses_before_it_reads_weights(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete checkpoint, but for what makes pictures into pixels here."""
    recipe = Recipe("lfm2_vl", {"image_token": "<image>"})
    torch.manual_seed(3)
    transformers.AutoModelForImageTextToText.from_config(recipe.configuration()).save_pretrained(tmp_path / "model")
    recipe.words.save_pretrained(tmp_path / "model")
    named = {"processor_class": "Lfm2VlProcessor", "image_processor": {"image_processor_type": "Lfm2VlImageProcessorFast"}}
    (tmp_path / "model/processor_config.json").write_text(json.dumps(named))
    monkeypatch.delattr(GenericModel, "load")
    model = ["-m", "hf-chat", "-a", f"path={tmp_path / 'model'}", "--device", "cpu"]
    outcome = cli("run", "--tasks", "mme", "--data", "demo", "-o", tmp_path / "runs", *model)
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1].endswith(f"{REFUSED['lfm2_vl']}")


def test_the_table_is_of_all_architectures() -> None:
    """Nobody stands in it twice, nobody is missing."""
    names = [name for known in ARCHITECTURES.values() for name in known]
    assert sorted(names) == sorted(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)
    assert set(TESTED) <= set(MAKERS)
    assert set(TESTED.values()) <= {"prefix", "features", "none"}


def test_the_table_is_written_in_the_documentation() -> None:
    page = TARGET.read_text(encoding="utf-8")
    assert page == with_table(page), "run `make docs`"


def test_the_table_says_what_the_file_says() -> None:
    page = with_table(f"before\n{BEGIN}whatever\n{END}behind\n")
    assert "| `llava` | tested equal | prefix |\n" in page
    assert (
        "| `llama4` | refused: its image processor Llama4ImageProcessor needs torchvision: pip install torchvision | |"
        in page
    )
    assert page.startswith("before\n")
    assert page.endswith("behind\n")
    assert len(re.findall(r"^\| `", page, flags=re.MULTILINE)) == len(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)
