"""A LLaVA checkpoint that costs what a real one of its size costs and answers " Yes" or " No". It cannot see.

All weights are random but for the head's rows of " Yes", " No" and the end of text. These are fitted by ridge regression to
what the random network makes of a few training pictures and questions, so that answers are short, clear and mostly right on
pictures that it was not fitted to.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from torch import Tensor
from transformers import (
    DynamicCache,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PhiConfig,
    PreTrainedTokenizerFast,
    SiglipImageProcessorPil,
    SiglipVisionConfig,
)

from bench.pope_set import LIKING, Question, make_set

SHORT_ANSWER = "Answer the question using a single word or phrase."
END_OF_TEXT = "<|endoftext|>"

# the content is text with the image's mark in it, or a list of parts, images first: both give the same prompt
CHAT_TEMPLATE = """\
{% for message in messages %}{{ message['role'].upper() + ': ' }}\
{% if message['content'] is string %}{{ message['content'] }}{% else %}\
{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>\\n' }}{% endif %}{% endfor %}\
{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}\
{% endif %}{{ ' ' }}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"""


@dataclass(frozen=True)
class Size:
    """Widths and depths; the heads are 64 wide, the MLPs four times as wide as the layers."""

    vision_width: int = 384
    vision_layers: int = 12
    text_width: int = 768
    text_layers: int = 12
    image: int = 384
    patch: int = 16
    vocabulary: int = 51_200

    @property
    def config(self) -> LlavaConfig:
        """Without the number of the image's token, which is the tokenizer's."""
        vision = SiglipVisionConfig(
            hidden_size=self.vision_width,
            intermediate_size=4 * self.vision_width,
            num_hidden_layers=self.vision_layers,
            num_attention_heads=self.vision_width // 64,
            image_size=self.image,
            patch_size=self.patch,
        )
        text = PhiConfig(
            vocab_size=self.vocabulary,
            hidden_size=self.text_width,
            intermediate_size=4 * self.text_width,
            num_hidden_layers=self.text_layers,
            num_attention_heads=self.text_width // 64,
            pad_token_id=None,
        )
        return LlavaConfig(
            vision_config=vision,
            text_config=text,
            vision_feature_layer=-2,
            vision_feature_select_strategy="full",
            image_seq_length=(self.image // self.patch) ** 2,
        )


@dataclass(frozen=True)
class Fit:
    """What the head is fitted to: so many pictures, so many questions about each."""

    pictures: int = 10
    each: int = 24
    seed: int = 1_000_000  # no picture of a set with a small seed


SHARPNESS = 4.0  # random attention with the usual small weights looks everywhere alike, and little of the question is left
RIDGE = 0.01
CLEARNESS = 4.0  # what the fit's targets are multiplied with to become logits


def build_checkpoint(folder: Path, tokenizer_folder: Path | None = None, size: Size = Size(), fit: Fit = Fit()) -> None:
    """Writes a seeded checkpoint and its processor into `folder`, unless the same is there."""
    recipe = {"size": asdict(size), "fit": asdict(fit), "tokenizer": str(tokenizer_folder), "version": 1}
    mark = folder / "recipe.json"
    if mark.is_file() and json.loads(mark.read_text()) == recipe:
        return
    torch.manual_seed(0)
    processor = build_processor(tokenizer_folder, size)
    model = random_model(processor, size)
    fit_head(model, processor, fit)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    mark.write_text(json.dumps(recipe))


def build_processor(tokenizer_folder: Path | None, size: Size) -> Any:
    make_tokenizer: Any = PreTrainedTokenizerFast
    make_processor: Any = LlavaProcessor
    trained = tokenizer_folder and Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    tokenizer = make_tokenizer(tokenizer_object=trained or train_tokenizer(), eos_token=END_OF_TEXT)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    images = SiglipImageProcessorPil(size={"height": size.image, "width": size.image})
    return make_processor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=size.patch,
        vision_feature_select_strategy="full",
        chat_template=CHAT_TEMPLATE,
    )


def train_tokenizer() -> Tokenizer:
    """Byte-level BPE with about one token a word, as a large vocabulary has for such words."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    texts = [f"USER: \nIs there a {thing} in the image?\n{SHORT_ANSWER} ASSISTANT: Yes No" for thing in LIKING]
    trainer = BpeTrainer(special_tokens=[END_OF_TEXT], initial_alphabet=ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def random_model(processor: Any, size: Size) -> Any:
    config = size.config
    config.image_token_index = processor.image_token_id
    text: Any = config.text_config
    text.bos_token_id = text.eos_token_id = processor.tokenizer.eos_token_id
    model: Any = LlavaForConditionalGeneration(config)
    model.eval()
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.q_proj.weight.mul_(SHARPNESS)
            layer.self_attn.k_proj.weight.mul_(SHARPNESS)
    return model


@torch.inference_mode()
def fit_head(model: Any, processor: Any, fit: Fit) -> None:
    """Solves for the three rows that are read: the answer where it is asked for, the end of text behind it."""
    tokenizer = processor.tokenizer
    rows = {name: tokenizer.encode(text)[0] for name, text in (("yes", " Yes"), ("no", " No"), ("end", END_OF_TEXT))}
    states, targets = [], []
    for question, asked, answered in training_states(model, processor, fit, rows):
        states += [asked, answered]
        targets += [[4 + question.leaning, 4 - question.leaning, -4.0], [-4.0, -4.0, 4.0]]
    found = ridge(torch.stack(states).double(), CLEARNESS * torch.tensor(targets).double())
    head = model.lm_head.weight
    head.mul_(0.05)
    for row, weights in zip(rows.values(), found.T, strict=True):
        head[row] = weights.to(head.dtype)


def ridge(states: Tensor, targets: Tensor) -> Tensor:
    eye = torch.eye(states.shape[1], dtype=states.dtype)
    solution: Tensor = torch.linalg.solve(states.T @ states + RIDGE * len(states) * eye, states.T @ targets)
    return solution


def training_states(
    model: Any, processor: Any, fit: Fit, rows: Mapping[str, int]
) -> Iterator[tuple[Question, Tensor, Tensor]]:
    """A question with the last hidden state where the model has to answer it and the one behind the right answer."""
    decoder, image_token = model.model.language_model, processor.image_token_id
    cache, name = DynamicCache(), ""
    for question in make_set(fit.pictures * fit.each, fit.each, fit.seed):
        inputs = processor(text=prompt(processor, question), images=open_picture(question), return_tensors="pt")
        ids = inputs["input_ids"]
        behind = int((ids[0] == image_token).nonzero().max()) + 1
        if question.picture.name != name:
            cache, name = DynamicCache(), question.picture.name
            features = model.get_image_features(inputs["pixel_values"], return_dict=True).pooler_output[0]
            embedded = decoder.embed_tokens(ids[:, :behind])
            embedded[ids[:, :behind] == image_token] = features
            decoder(inputs_embeds=embedded, past_key_values=cache, use_cache=True)
        suffix = torch.cat([ids[:, behind:], torch.tensor([[rows[question.label]]])], dim=1)
        hidden = decoder(input_ids=suffix, past_key_values=cache, use_cache=True).last_hidden_state[0]
        cache.crop(-suffix.shape[1])
        yield question, hidden[-2], hidden[-1]


def prompt(processor: Any, question: Question) -> str:
    content = [{"type": "image"}, {"type": "text", "text": f"{question.text}\n{SHORT_ANSWER}"}]
    text: str = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    return text


def open_picture(question: Question) -> Image.Image:
    return Image.open(io.BytesIO(question.picture.jpeg))
