"""LLaVA's question file in, LLaVA's answer file out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mipha_eval.adapter import ModelAdapter
from mipha_eval.data.jsonl import read_jsonl
from mipha_eval.data.source import ImageFolder
from mipha_eval.engine.engine import Engine
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.engine.progress import Progress
from mipha_eval.errors import UserError
from mipha_eval.store import Appender, read_lines
from mipha_eval.types import Decoding, Request, Response

WINDOW = 4096  # questions planned together; answers are written in file order, window by window


@dataclass(frozen=True)
class PredictConfig:
    """What a user asks for; see ``mipha-eval predict --help``."""

    questions: Path
    image_folder: Path
    answers: Path
    model: str
    max_new_tokens: int = 128
    batch_size: int | None = None
    fresh: bool = False


def read_questions(path: Path, image_folder: Path, decoding: Decoding) -> list[Request]:
    """Requests of a question JSONL with question_id, text and perhaps image (a name or a list of names)."""
    folder = ImageFolder(image_folder)
    requests = []
    for number, record in enumerate(read_jsonl(path), start=1):
        if not isinstance(record.get("text"), str) or "question_id" not in record:
            raise UserError(f"{path}: question {number} needs question_id and text")
        names = record.get("image") or []
        names = [names] if isinstance(names, str) else names
        requests.append(
            Request(record["text"], tuple(folder.image(name) for name in names), decoding, record["question_id"])
        )
    return requests


def predict(config: PredictConfig, adapter: ModelAdapter) -> tuple[int, int, int]:
    """Answers every question that the answer file does not hold yet, in the question file's order.

    A failed question gets a line with ``error`` and without text, so that nothing takes it for an answer.

    Returns:
        Counts of questions, failed ones, and ones not reached (after Ctrl-C).
    """
    requests = read_questions(config.questions, config.image_folder, Decoding(config.max_new_tokens))
    if config.fresh:
        config.answers.unlink(missing_ok=True)
    done = _stored(config.answers, requests)
    adapter.load()
    failed = 0
    with Appender(config.answers) as store, Interrupt() as interrupt:
        engine = Engine(adapter, config.batch_size, stop=interrupt.asked)
        with Progress(config.answers.name, len(requests), done) as progress:
            for start in range(done, len(requests), WINDOW):
                for request, response in _in_order(engine, requests[start : start + WINDOW]):
                    store.append([_line(request, response, config.model)])
                    done += 1
                    failed += bool(response.error)
                    progress.advance(1)
                if interrupt.asked():
                    break
    return len(requests), failed, len(requests) - done


def _in_order(engine: Engine, requests: list[Request]) -> Iterator[tuple[Request, Response]]:
    """Yields each request with its response as soon as all before it have theirs."""
    waiting: dict[int, Response] = {}
    due = 0
    for answered in engine.run(requests):
        waiting.update(answered)
        while due in waiting:
            yield requests[due], waiting.pop(due)
            due += 1


def _line(request: Request, response: Response, model: str) -> dict[str, Any]:
    identity = json.dumps([str(request.question_id), request.key, model])
    outcome: Mapping[str, Any] = {"text": None, "error": response.error} if response.error else {"text": response.text}
    return {
        "question_id": request.question_id,
        "prompt": request.text,
        **outcome,
        "answer_id": hashlib.sha256(identity.encode()).hexdigest()[:22],
        "model_id": model,
        "metadata": {},
    }


def _stored(path: Path, requests: list[Request]) -> int:
    """How many answers a stopped run left. Raises UserError if they are answers to other questions."""
    if not path.exists():
        return 0
    lines = list(read_lines(path))
    asked = [(request.question_id, request.text) for request in requests[: len(lines)]]
    if [(line.get("question_id"), line.get("prompt")) for line in lines] != asked:
        raise UserError(f"{path} holds answers to other questions; remove it or add --fresh")
    return len(lines)
