"""What the scripts of this folder share: small random checkpoints, and the answers of official code to ten questions.

Written for the environments that official code pins (Python 3.11, PyTorch, an old transformers), so nothing of mipha_eval
is imported here, and official modules are imported by name.
"""

import argparse
import importlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IMAGE_TOKEN_INDEX = -200
NEW_TOKENS = 24
QUESTIONS = [
    ("china.png", "Is there a person in the image? Please answer yes or no."),
    ("astronaut.png", "Which colour is most of the picture?\nAnswer the question using a single word or phrase."),
    (
        "flower.png",
        "What can be seen?\nA. a ship\nB. a flower\nC. a house\nD. nothing\nAnswer with the option's letter only.",
    ),
    ("chelsea.png", "Describe the image in detail."),
    ("coffee.png", "What is in the cup?"),
    ("hubble.png", "How many stars are there ?\nAnswer the question using a single word or phrase."),
    ("rocket.png", "What   is written on the tower?\nReference OCR token: NASA, 17, go"),
    ("china.png", "Which colour is most of the picture?\nAnswer the question using a single word or phrase."),
    ("flower.png", "Is the flower red? Don't guess: answer 'yes' or 'no'."),
    ("astronaut.png", "Who is this, and what's she doing? \u00e9t\u00e9 \u4e2d\u6587"),
]


@dataclass(frozen=True)
class Official:
    """The official code of one relative: where its functions are and how its evaluation script calls them."""

    source: str
    conversation: str
    images: str
    template: str
    stop_is_cut: bool
    keywords: bool = False
    encode: Callable[[Any, Any], Any] = field(default=lambda model, pixels: model.encode_images(pixels[None])[0])
    inputs: Callable[[Any, Any], dict[str, Any]] = field(default=lambda pixels, _image: {"images": pixels[None]})


class Float32:
    """Stands for a module's `torch`: its float16 is float32, so that official loading code computes in float32."""

    def __getattr__(self, name: str) -> Any:
        torch = importlib.import_module("torch")
        return torch.float32 if name == "float16" else getattr(torch, name)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, required=True, help="folder with the seven pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder to which each variant's folder is written")
    parser.add_argument("variants", nargs="*", help="default: all")
    return parser.parse_args()


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Official code takes a tower's name for a folder, if there is one: the tower's folder is put there under its name."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def randomise(model: Any, seed: int, end: int | None = None, end_scale: float = 1.0) -> None:
    """Random weights, spread so widely that texts differ; the end token's row is made longer, so that it is drawn."""
    torch = importlib.import_module("torch")
    generator = torch.Generator().manual_seed(seed)
    names = dict(model.named_parameters())
    head = "lm_head.weight" if "lm_head.weight" in names else "model.embed_tokens.weight"  # one of two names, if tied
    with torch.no_grad():
        for name, parameter in sorted(names.items()):
            value = torch.randn(parameter.shape, generator=generator) * _spread(name, parameter)
            if parameter.dim() == 1 and name.endswith("weight"):
                value += 1
            if end is not None and name == head:
                value[end] *= end_scale
            parameter.copy_(value.half())


def _spread(name: str, parameter: Any) -> float:
    if parameter.dim() == 1:
        return 0.2
    if "embed_tokens" in name:
        return 0.8
    if "position_embedding" in name or "patch_embedding" in name:
        return 0.4
    gain = 2.5 if "lm_head" in name else 1.2 if "projector" in name else 1.6
    return gain / math.sqrt(parameter[0].numel())


def answers(official: Official, model: Any, tokenizer: Any, processor: Any, images: Path) -> list[dict[str, Any]]:
    torch = importlib.import_module("torch")
    picture = importlib.import_module("PIL.Image")
    functions = importlib.import_module(official.images)
    rows = []
    for file, question in QUESTIONS:
        prompt, stop = prompt_of(official, model.config, question)
        image = picture.open(images / file).convert("RGB")
        pixels = functions.process_images([image], processor, model.config)[0].float()
        ids = functions.tokenizer_image_token(prompt, tokenizer, IMAGE_TOKEN_INDEX, return_tensors="pt")[None]
        more = official.inputs(pixels, image)
        if official.keywords:
            more["stopping_criteria"] = [functions.KeywordsStoppingCriteria([stop], tokenizer, ids)]
        settings = {
            "do_sample": False,
            "temperature": 0,
            "top_p": None,
            "num_beams": 1,
            "max_new_tokens": NEW_TOKENS,
            "use_cache": True,
        }
        with torch.inference_mode():
            features = official.encode(model, pixels).clone()
            out = model.generate(ids, **settings, **more, output_scores=True, return_dict_in_generate=True)
        new = out.sequences[0, -len(out.scores) :]  # some versions put the prompt or a BOS before
        text = tokenizer.batch_decode(new[None], skip_special_tokens=True)[0].strip()
        if official.stop_is_cut and text.endswith(stop):
            text = text[: -len(stop)].strip()
        gaps = [float(score[0].topk(2).values.diff().abs()) for score in out.scores]
        rows.append(
            {
                "image": f"images/{file}",
                "question": question,
                "prompt": prompt,
                "input_ids": ids[0].tolist(),
                "generated_ids": new.tolist(),
                "text": text,
                "smallest_top2_gap": round(min(gaps), 4),
                "logits": out.scores[0][0].float().clone(),
                "features": features.float(),
            }
        )
    return rows


def prompt_of(official: Official, config: Any, question: str) -> tuple[str, str]:
    """The prompt of one question, and the text that ends an answer, as the official evaluation scripts build them."""
    module = importlib.import_module(official.conversation)
    image = "<im_start><image><im_end>" if config.mm_use_im_start_end else "<image>"
    conversation = module.conv_templates[official.template].copy()
    conversation.append_message(conversation.roles[0], f"{image}\n{question}")
    conversation.append_message(conversation.roles[1], None)
    two = conversation.sep_style == module.SeparatorStyle.TWO
    return conversation.get_prompt(), conversation.sep2 if two else conversation.sep


def record(
    folder: Path, official: Official, rows: list[dict[str, Any]], about: dict[str, Any], kept_images: int = 7
) -> None:
    """Write `expected.json` and `expected.safetensors`; of the features the first row of each of `kept_images` pictures."""
    torch = importlib.import_module("torch")
    features, rows_kept = [], []
    seen: set[str] = set()
    for number, row in enumerate(rows):
        feature = row.pop("features")
        if row["image"] not in seen and len(seen) < kept_images:
            seen.add(row["image"])
            features.append(feature)
            rows_kept.append(number)
    tensors = {"first_logits": torch.stack([row.pop("logits") for row in rows]), "image_features": torch.stack(features)}
    importlib.import_module("safetensors.torch").save_file(tensors, folder / "expected.safetensors")
    expected = {
        "official": official.source,
        "conv_mode": official.template,
        "tensors": "first_logits: a row an answer; image_features: projector output, a row for each of image_features_of",
        "image_features_of": rows_kept,
        "max_new_tokens": NEW_TOKENS,
        **about,
        "answers": rows,
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def satisfying(rows: list[dict[str, Any]]) -> bool:
    """Whether no choice of a token was close, the texts differ, and some answers ended by themselves."""
    early = sum(len(row["generated_ids"]) < NEW_TOKENS for row in rows)
    clear = min(row["smallest_top2_gap"] for row in rows) > 2e-3
    return clear and len({row["text"] for row in rows}) >= 8 and 2 <= early <= 8


def search(folder: Path, attempt: Callable[[Path, int, float], list[dict[str, Any]]]) -> tuple[list[dict[str, Any]], int]:
    """The first seed whose answers are satisfying; `attempt` writes the checkpoint anew and answers."""
    for seed in range(1, 16):
        for end_scale in (1.5, 1.8, 2.2, 1.2):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            rows = attempt(folder, seed, end_scale)
            if satisfying(rows):
                early = sum(len(row["generated_ids"]) < NEW_TOKENS for row in rows)
                print(
                    f"{folder.name}: seed {seed}, {early} ended early, first: {[row['text'][:30] for row in rows[:3]]}",
                    flush=True,
                )
                return rows, seed
    raise SystemExit(f"{folder.name}: no seed was satisfying")


def edit_json(path: Path, changes: dict[str, Any], without: tuple[str, ...] = ()) -> None:
    content = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    content = {key: value for key, value in content.items() if key not in without}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
