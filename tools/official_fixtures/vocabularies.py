"""Small tokenizers in the classes that official checkpoints use, trained on the texts in `docs/`."""

import importlib
import io
import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"


def corpus() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md")))


def sentencepiece_model(folder: Path, size: int) -> Path:
    """A Llama-like SentencePiece BPE with byte fallback: `<unk>` 0, `<s>` 1, `</s>` 2."""
    folder.mkdir(parents=True, exist_ok=True)
    model = io.BytesIO()  # a file would hold its own path
    importlib.import_module("sentencepiece").SentencePieceTrainer.train(
        sentence_iterator=iter(corpus().splitlines()),
        model_writer=model,
        model_type="bpe",
        vocab_size=size,
        byte_fallback=True,
        character_coverage=0.999,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        num_threads=1,
        minloglevel=2,
        max_sentence_length=100_000,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
    )
    path = folder / "tokenizer.model"
    path.write_bytes(model.getvalue())
    return path


def byte_level_bpe(folder: Path, size: int, last: str | None = None) -> None:
    """`vocab.json` and `merges.txt` of a byte-level BPE; `last` gets the id behind all others, as in GPT-2."""
    folder.mkdir(parents=True, exist_ok=True)
    raw: Any = importlib.import_module("tokenizers").ByteLevelBPETokenizer()
    raw.train_from_iterator([corpus()], vocab_size=size, min_frequency=2, special_tokens=[], show_progress=False)
    raw.save_model(str(folder))
    if last:
        path = folder / "vocab.json"
        vocabulary = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**vocabulary, last: len(vocabulary)}, ensure_ascii=False), encoding="utf-8")
