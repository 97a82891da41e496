"""Trains Mipha-Tiny from nothing on drawn scenes: ``python -m training.train --output DIR``.

Two stages: the tower alone learns what, which colour and where each patch is; then, with the tower frozen, the projector
and the decoder learn to answer in Mipha's official prompt. The result is a checkpoint in the official format. With
``--start FOLDER`` the second stage goes on from such a checkpoint; sentences that its tokenizer lacks become new tokens.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LRScheduler
from transformers import AttentionInterface

from mipha_eval.core.format_lines import CAPTION, LETTER_ANSWER, OCR_TOKENS, SHORT_ANSWER, UNANSWERABLE
from mipha_eval.demo.scenes import draw_scene
from mipha_eval.models.llava_style.checkpoint import load_network
from mipha_eval.models.llava_style.files import CheckpointFiles, Places
from mipha_eval.models.llava_style.layouts.mipha import MIPHA
from mipha_eval.models.llava_style.network import VisionLanguageNetwork
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.templates import END_OF_TEXT, SYSTEM
from training.checkpoint import save_checkpoint, tiny_config
from training.kinds import FAMILIES
from training.lessons import (
    CONTENTS,
    PAINTS,
    PATCHES,
    Curriculum,
    Lesson,
    make_lesson,
    patch_labels,
    pixels_of,
    prefix_text,
    shared_prefix_attention,
    training_scene,
)

VOCABULARY = 515
SENTENCES = (SYSTEM, SHORT_ANSWER, LETTER_ANSWER, UNANSWERABLE, CAPTION, OCR_TOKENS)  # one token each


def train_tokenizer(seed: int) -> Tokenizer:
    """A byte-level BPE tokenizer fitted to the demo's questions; the prompt's fixed sentences are one token each."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(seed), trainer)
    return with_sentences(tokenizer)


def with_sentences(tokenizer: Tokenizer) -> Tokenizer:
    """Adds those of the prompt's fixed sentences that the tokenizer does not have yet."""
    known = tokenizer.get_vocab()
    tokenizer.add_tokens([AddedToken(sentence, normalized=False) for sentence in SENTENCES if sentence not in known])
    return tokenizer


def _corpus(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    curriculum = Curriculum()
    for _ in range(3000):
        for _, question in curriculum.draw(rng, training_scene(rng), rng.choice(list(FAMILIES)), 3):
            yield f" USER: \n{question.text}\n ASSISTANT: {question.answer}"


def _training_network(vocabulary: int) -> VisionLanguageNetwork:
    """The network with fast training parts: fused activations and attention that skips other questions."""
    AttentionInterface.register("shared_prefix", shared_prefix_attention)
    config = tiny_config(vocabulary) | {"hidden_act": "gelu_pytorch_tanh"}  # the same function as gelu_new
    network = VisionLanguageNetwork(Parts.of(MIPHA, config), attention="eager").float()
    network.decoder.config._attn_implementation = "shared_prefix"
    return network


def start_from(folder: Path) -> tuple[VisionLanguageNetwork, Tokenizer]:
    """A trained checkpoint, ready to be trained further; new tokens begin as the mean of the old ones."""
    tokenizer = with_sentences(Tokenizer.from_file(str(folder / "tokenizer.json")))
    network = _training_network(tokenizer.get_vocab_size())
    files = CheckpointFiles.of(Places(folder), "mipha")
    weights = load_network(files, files.parts(), torch.device("cpu"), torch.float32).state_dict()
    for name, wanted in network.state_dict().items():
        added = len(wanted) - len(weights[name])
        if added:
            mean = weights[name].mean(dim=0, keepdim=True)
            weights[name] = torch.cat([weights[name], mean.expand(added, *mean.shape[1:])])
    network.load_state_dict(weights)
    return network, tokenizer


def train_tower(network: VisionLanguageNetwork, seed: int, steps: int, batch: int = 64) -> None:
    """Stage 0: per-patch heads for content, colour and place; only the tower is kept."""
    width = network.vision_tower.config.hidden_size
    heads = nn.ModuleList([nn.Linear(width, size) for size in (len(CONTENTS), len(PAINTS), PATCHES)])
    weights = [*network.vision_tower.parameters(), *heads.parameters()]
    optimizer, schedule = _optimizer(weights, 1e-3, steps)
    rng = random.Random(seed)
    place = torch.arange(PATCHES).expand(batch, -1)
    for step in range(steps):
        scenes = [training_scene(rng) for _ in range(batch)]
        labels = [patch_labels(scene) for scene in scenes]
        content, paint = (torch.tensor([label[part] for label in labels]) for part in (0, 1))
        with torch.autocast("cpu", torch.bfloat16):
            hidden = network.patch_features(pixels_of([draw_scene(scene, rng) for scene in scenes]))
            scores = [head(hidden).flatten(0, 1).float() for head in heads]
        loss = functional.cross_entropy(scores[0], content.flatten())
        loss = loss + functional.cross_entropy(scores[1], paint.flatten())
        loss = loss + 0.3 * functional.cross_entropy(scores[2], place.flatten())
        _update(loss, weights, optimizer, schedule)
        if step % 100 == 0:
            right = (scores[0].argmax(-1) == content.flatten()).float().mean().item()
            print(f"tower {step}/{steps} loss {loss.item():.3f} content accuracy {right:.3f}", flush=True)


def train_decoder(network: VisionLanguageNetwork, tokenizer: Tokenizer, settings: argparse.Namespace) -> Curriculum:
    """Stage 1: projector and decoder, tower frozen. Returns the curriculum with the running accuracies."""
    network.vision_tower.requires_grad_(False)
    weights = [*network.mm_projector.parameters(), *network.decoder.parameters()]
    optimizer, schedule = _optimizer(weights, settings.rate, settings.steps)
    rng, curriculum = random.Random(settings.seed + 1), Curriculum()
    started = time.monotonic()
    for step in range(settings.steps):
        lesson = make_lesson(rng, tokenizer, curriculum, settings.images, settings.questions)
        before = torch.tensor(tokenizer.encode(prefix_text(lesson)).ids)
        loss = lesson_loss(network, lesson, before, curriculum)
        _update(loss, weights, optimizer, schedule)
        if step % 50 == 0:
            minutes = (time.monotonic() - started) / 60
            shown = " ".join(f"{kind}={value:.2f}" for kind, value in curriculum.accuracy.items())
            print(f"decoder {step}/{settings.steps} {minutes:.1f} min loss {loss.item():.3f} {shown}", flush=True)
        if step % 500 == 499:
            save_checkpoint(network, tokenizer, settings.output)
    return curriculum


def lesson_loss(network: VisionLanguageNetwork, lesson: Lesson, before: Tensor, curriculum: Curriculum) -> Tensor:
    """Cross entropy over the answers of a batch; records in `curriculum` which were right."""
    images, questions, length = lesson.ids.shape
    prefix = len(before) + (PATCHES if lesson.pixels is not None else 0)
    positions = torch.cat([torch.arange(prefix), torch.arange(prefix, prefix + length).repeat(questions)])
    learnt = lesson.targets >= 0
    with torch.autocast("cpu", torch.bfloat16):
        system = network.text_features(before).expand(images, -1, -1)
        asked = network.text_features(lesson.ids.flatten(1))
        seen = [] if lesson.pixels is None else [network.image_features(lesson.pixels).float()]
        embedded = torch.cat([system, *seen, asked], dim=1)
        hidden = network.decoder.model(
            inputs_embeds=embedded,
            attention_mask=embedded.new_zeros(images, 1, 1, 1),  # four dimensions keep transformers from making its own
            position_ids=positions[None],
            use_cache=False,
            prefix=prefix,
            questions=questions,
        ).last_hidden_state
        answers = hidden[:, prefix:].unflatten(1, (questions, length))[learnt]
        logits = network.decoder.lm_head(answers).float()
    targets = lesson.targets[learnt]
    _record(curriculum, lesson, learnt, logits.argmax(-1) == targets)
    return functional.cross_entropy(logits, targets)


def _record(curriculum: Curriculum, lesson: Lesson, learnt: Tensor, right: Tensor) -> None:
    wrong = torch.zeros(learnt.shape)
    wrong[learnt] = (~right).float()
    for kinds, row in zip(lesson.kinds, wrong.sum(-1) == 0, strict=True):
        for kind, correct in zip(kinds, row.tolist(), strict=True):
            curriculum.record(kind, correct)


def _optimizer(weights: list[nn.Parameter], rate: float, steps: int) -> tuple[torch.optim.Optimizer, LRScheduler]:
    optimizer = torch.optim.AdamW(weights, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=steps + 1, pct_start=0.04, anneal_strategy="cos", cycle_momentum=False
    )
    return optimizer, schedule


def _update(loss: Tensor, weights: list[nn.Parameter], optimizer: torch.optim.Optimizer, schedule: LRScheduler) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    schedule.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--start", type=Path, help="a checkpoint to go on from, in place of the first stage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tower-steps", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--images", type=int, default=16, help="pictures a batch")
    parser.add_argument("--questions", type=int, default=10, help="questions a picture")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="learning rate of the decoder")
    parser.add_argument("--threads", type=int, default=1)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    started = time.monotonic()
    if settings.start:
        network, tokenizer = start_from(settings.start)
    else:
        tokenizer = train_tokenizer(settings.seed)
        network = _training_network(tokenizer.get_vocab_size())
        train_tower(network, settings.seed, settings.tower_steps)
    curriculum = train_decoder(network, tokenizer, settings)
    save_checkpoint(network, tokenizer, settings.output)
    earlier = [json.loads((settings.start / "training.json").read_text())] if settings.start else []
    record = {
        **{key: value for key, value in vars(settings).items() if key not in ("output", "start")},
        "start": bool(settings.start),
        "before": [stage for record in earlier for stage in [*record.pop("before", ()), record]],
        "minutes": round((time.monotonic() - started) / 60, 1),
        "questions_seen": settings.steps * settings.images * settings.questions,
        "running_accuracy": curriculum.accuracy,
    }
    (settings.output / "training.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
