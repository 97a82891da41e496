"""Every prompt and likelihood against transformers alone: its processor on the whole, its untrimmed model, `generate`."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from transformers import AutoModelForImageTextToText

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.types import Decoding, Image, Request
from mipha_eval.data.images import open_image
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.transformers_adapter import TransformersAdapter
from tests.conftest import Said
from tests.further_checkpoints import FURTHER
from tests.image_text_checkpoints import BUILDERS

# what PaliGemma's processor does with tensors
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

AUTO: Any = AutoModelForImageTextToText
ALL: Mapping[str, Callable[[Path], Path]] = {**BUILDERS, **FURTHER}

#: what these share; all others share prefixes
LEVELS = dict.fromkeys(("paligemma", "gemma3", "mllama", "t5gemma2"), "features")

ODD = (
    "Who is it?",
    "7 dogs?",
    '"Stop" or go?',
    "(a) red (b) blue",
    " is it day?",
    "\nWhich one?",
    "<b>bold</b>?",
    "图中有什么？",
    "🐕?",
    "-1 and its neighbours, or " + "a very long question " * 12,
)


def picture(number: int) -> Image:
    size = [(70, 50), (40, 90), (64, 64), (200, 60), (57, 113)][number % 5]
    values = np.random.default_rng(number).integers(256, size=(size[1], size[0], 3))
    data = io.BytesIO()
    Pillow.fromarray(values.astype(np.uint8)).save(data, "PNG")
    return Image(f"{number}.png", f"/made-up/whole-{number}.png", data.getvalue)


def load(folder: Path, **options: Any) -> Any:
    owner, _ = Registry().load("model_adapters", "hf-chat")
    adapter = owner(path=str(folder), device="cpu", dtype="float32", **options)
    adapter.load()
    return adapter


@dataclass(frozen=True)
class Official:
    """As anybody would ask transformers."""

    model: Any
    processor: Any

    @classmethod
    def of(cls, folder: Path) -> Official:
        return cls(AUTO.from_pretrained(folder, dtype=torch.float32).eval(), load_processor(folder))

    def inputs(self, request: Request) -> dict[str, Any]:
        marks = [{"type": "image"}] * len(request.images)
        text = self.processor.image_token * len(request.images) + request.text
        template = self.processor.chat_template
        if template:
            message = {"role": "user", "content": [*marks, {"type": "text", "text": request.text}]}
            settings = {"chat_template": template, "tokenize": False, "add_generation_prompt": True}
            text = self.processor.tokenizer.apply_chat_template([message], **settings)
        images = [[open_image(image) for image in request.images]] if request.images else None
        made = self.processor(text=[text], images=images, return_tensors="pt")
        return {name: value for name, value in made.items() if name != "labels"}

    def answer(self, request: Request) -> tuple[str, torch.Tensor]:
        """The text, and the logits [vocabulary] of its first token."""
        inputs = self.inputs(request)
        settings = {"do_sample": False, "pad_token_id": 0, "return_dict_in_generate": True, "output_logits": True}
        made = self.model.generate(**inputs, max_new_tokens=request.decoding.max_new_tokens, **settings)
        before = 1 if self.model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
        text = self.processor.tokenizer.decode(made.sequences[0, before:], skip_special_tokens=True).strip()
        return text, made.logits[0][0]

    def text(self, request: Request) -> str:
        return self.answer(request)[0]

    @torch.inference_mode()
    def likelihood(self, request: Request, ids: tuple[int, ...]) -> float:
        """A plain forward pass over prompt and option; what goes with its tokens is continued by hand."""
        inputs, option = self.inputs(request), torch.tensor([ids])
        if self.model.config.is_encoder_decoder:
            start = torch.tensor([[self.model.generation_config.decoder_start_token_id]])
            inputs["decoder_input_ids"] = torch.cat([start, option], dim=1)
        else:
            length = inputs["input_ids"].shape[1]
            for name, value in inputs.items():
                if name == "input_ids":
                    inputs[name] = torch.cat([value, option], dim=1)
                elif name in ("attention_mask", "cross_attention_mask"):  # seen as the prompt's last token is
                    inputs[name] = torch.cat([value, *[value[:, -1:]] * len(ids)], dim=1)
                elif name.endswith("token_type_ids"):
                    behind = 1 if self.model.config.model_type == "paligemma" else 0  # its suffix, that is
                    inputs[name] = torch.cat([value, torch.full_like(option, behind)], dim=1)
                else:
                    assert length not in value.shape[1:2] or name.startswith("pixel"), f"{name} goes with the tokens?"
        logits = self.model(**inputs, use_cache=False).logits[0, -len(ids) - 1 : -1].double()
        return float(logits.log_softmax(dim=-1).gather(1, option[0][:, None]).sum())


@dataclass(frozen=True)
class Family:
    name: str
    adapter: Any
    plain: Any
    official: Official


@pytest.fixture(scope="module", params=list(ALL))
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    if request.param == "smolvlm":
        pytest.importorskip("num2words", reason="SmolVLM's processor needs num2words")
    torch.manual_seed(3)
    folder = ALL[request.param](tmp_path_factory.mktemp(request.param))
    return Family(request.param, load(folder), load(folder, share=False), Official.of(folder))


def unshared(monkeypatch: pytest.MonkeyPatch, adapter: TransformersAdapter[Any]) -> list[Request]:
    """Requests that were answered by transformers' own generation, as they come."""
    seen: list[Request] = []
    original = type(adapter).generated

    def note(self: Any, batch: Any, inputs_of: Any, *more: Any) -> Any:
        seen.extend(batch)
        return original(self, batch, inputs_of, *more)

    monkeypatch.setattr(type(adapter), "generated", note)
    return seen


def test_texts_on_odd_beginnings(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shared, each alone and with `--no-share`; where prefixes are shared, all requests are."""
    pictures = range(5 if family.name == "idefics2" else 2)
    asked = [Request(question, (picture(number),), Decoding(4)) for number in pictures for question in ODD]
    answers = [family.official.answer(request) for request in asked]
    wanted = [text for text, _ in answers]
    assert len({tuple(logits.topk(3).values.tolist()) for _, logits in answers}) == len(asked), "nothing is alike"
    apart = unshared(monkeypatch, family.adapter)
    assert family.adapter.proved.level == LEVELS.get(family.name, "prefix"), family.adapter.proved
    found = family.adapter.respond(asked)
    assert [response.text for response in found] == wanted
    for response, (_, logits) in zip(found, answers, strict=True):
        assert [logit for _, logit in response.top] == pytest.approx(
            [float(logits[token]) for token, _ in response.top], abs=1e-3
        )
    assert len(apart) == (0 if family.adapter.sharing else len(asked))
    assert [response.text for response in family.adapter.reference(asked[:: len(pictures)])] == wanted[:: len(pictures)]
    assert [response.text for response in family.plain.respond(asked)] == wanted
    if family.name not in ("mllama", "t5gemma2"):  # the way of models that share what the tower makes and no prefix
        found = family.adapter.generated(asked[::3], family.adapter.feature_inputs)
        assert [response.text for response in found] == wanted[::3]


def test_likelihoods_are_those_of_plain_forward_passes(family: Family) -> None:
    """Options of one token and of many, texts that are watched, pictures of several sizes; shared and not."""
    options, tracked = ("a dog", "red", "a very large sign"), ("Yes", "No way")
    asked = [Request(question, (picture(number),), options=options) for number in (0, 3) for question in ODD[:5:4]]
    watching = [Request(request.text, request.images, Decoding(1), tracked=tracked) for request in asked[1:3]]
    encoded = [[family.adapter.encode_option(option, request.text) for option in options] for request in asked]
    wanted = [[family.official.likelihood(request, ids) for ids in own] for request, own in zip(asked, encoded, strict=True)]
    begins = [[family.adapter.encode_beginning(answer, request.text) for answer in tracked] for request in watching]
    begun = [
        [np.exp(family.official.likelihood(request, ids)) for ids in own]
        for request, own in zip(watching, begins, strict=True)
    ]
    for way in (family.adapter.respond, family.adapter.reference, family.plain.respond):
        found = way([*asked, *watching])
        assert [response.error for response in found] == [""] * len(found)
        for response, expected in zip(found, wanted, strict=False):
            assert response.likelihoods == pytest.approx(expected, abs=1e-3)
        for response, probabilities in zip(found[len(asked) :], begun, strict=True):
            assert response.probabilities == pytest.approx(probabilities, rel=2e-3)


def test_ids_are_the_processors_own(family: Family) -> None:
    """What goes into the model, for prompts about one picture, about two and about none."""
    images = {0: (), 1: (picture(1),), 2: (picture(1), picture(3))}
    for count, question in ((1, ODD[1]), (1, ODD[4]), (2, ODD[6]), (0, ODD[2])):
        if count != 1 and family.name == "paligemma":  # its processor refuses prompts without a picture
            continue
        request = Request(question, images[count])
        prompt = family.adapter.prompt(request, family.adapter.read_images(request.images))
        whole = tuple(family.official.inputs(request)["input_ids"][0].tolist())
        if prompt is None:
            assert family.name == "mllama", "only its processor says more than ids"
            continue
        assert prompt.ids == whole


def test_questions_are_encoded_while_pictures_are_read(tmp_path: Path) -> None:
    adapter = load(BUILDERS["llava"](tmp_path / "llava"))
    asked = [Request(question, (picture(0),), Decoding(2)) for question in (*ODD[:3], "What is <image>?")]
    adapter.prefetch(asked)
    head = adapter.pixels_of(asked[0].images)
    assert list(head.prompts) == list(ODD[:3]), "what cannot be encoded fails when it is asked"
    fresh = adapter.read_images(asked[0].images)
    assert not fresh.prompts
    assert [adapter.prompt(request, head) for request in asked[:3]] == [adapter.prompt(each, fresh) for each in asked[:3]]


def test_prompts_that_begin_differently_are_answered_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that puts some questions before the picture: those go unshared, the others stay together."""
    folder = BUILDERS["llava"](tmp_path / "llava")
    template = (
        "{% set parts = messages[0]['content'] %}{% if '!' in parts[-1]['text'] %}{{ parts[-1]['text'] }}<image>\n"
        "{% else %}<image>\n{{ parts[-1]['text'] }}{% endif %} ASSISTANT:"
    )
    (folder / "chat_template.jinja").write_text(template)
    adapter, official = load(folder), Official.of(folder)
    assert adapter.sharing
    asked = [Request(question, (picture(0),), Decoding(5)) for question in ("Who?", "Stop! Who?", "7?", "Halt!", "Is it?")]
    apart = unshared(monkeypatch, adapter)
    assert [response.text for response in adapter.respond(asked)] == [official.text(request) for request in asked]
    assert [request.text for request in apart] == ["Stop! Who?", "Halt!"]


def test_a_processor_that_masks_a_prompt_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a processor says of a prompt beside its ids is never dropped."""
    folder = BUILDERS["llava"](tmp_path / "llava")
    adapter = load(folder)
    owner = type(adapter.chat._processor)
    original = owner.__call__

    def masked(self: Any, *given: Any, **settings: Any) -> Any:
        made = original(self, *given, **settings)
        for row, text in zip(made["attention_mask"], settings["text"], strict=True):
            if "hidden" in text:
                row[-5] = 0
        return made

    monkeypatch.setattr(owner, "__call__", masked)
    asked = [Request(question, (picture(0),), Decoding(5)) for question in ("Who?", "What is hidden?", "Is it?")]
    apart = unshared(monkeypatch, adapter)
    found = [response.text for response in adapter.respond(asked)]
    assert [request.text for request in apart] == ["What is hidden?"]
    assert found == [Official.of(folder).text(request) for request in asked]


@pytest.mark.parametrize("mark", ["<image>", "<start_of_image>", "<image_soft_token>"])
def test_a_mark_in_a_question_fails_that_question(mark: str, tmp_path: Path) -> None:
    family = "llava" if mark == "<image>" else "gemma3"
    adapter = load(ALL[family](tmp_path / family))
    asked = [Request(text, images, Decoding(2)) for text in ("Who?", f"What is {mark}?") for images in ((picture(0),), ())]
    for way in (adapter.respond, adapter.reference, load(tmp_path / family, share=False).respond):
        failed = [response.error for response in way(asked)]
        assert failed[:2] == ["", ""]
        assert all("does the question hold one?" in error for error in failed[2:])


def test_answers_are_tokenized_behind_their_own_prompt(tmp_path: Path) -> None:
    """Without a template a prompt ends with its question, and what an answer's tokens are depends on how it ends."""
    folder = BUILDERS["llava"](tmp_path / "llava")
    for file in folder.glob("*.jinja"):
        file.unlink()
    adapter, official = load(folder), Official.of(folder)
    assert not adapter.chat.has_template
    for question in ("Is it?\n", "Is it? Answer: ", "Is it", "Is it yes or n"):
        tokens = official.processor.tokenizer
        lead = "" if question[-1] in " \n" else " "
        before, whole = (tokens(text).input_ids for text in (question, f"{question}{lead}ow"))
        ids = adapter.encode_beginning("ow", question)
        assert ids == tuple(whole[len(before) :] if whole[: len(before)] == before else tokens(f"{lead}ow").input_ids)


def test_what_cannot_be_shared_says_why(tmp_path: Path, said: Said) -> None:
    adapter = load(ALL["mllama"](tmp_path / "mllama"))
    reason = "prefix cannot be shared: NotShareableError: of the prompt with '7', ids and images do not say everything"
    assert reason in said()
    assert reason in adapter.describe()["sharing"]
