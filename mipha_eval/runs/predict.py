"""LLaVA's question file in, LLaVA's answer file out."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mipha_eval.core.atomic import errors_naming, locked, write_lines
from mipha_eval.core.data_source import ImageFolder
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.plugins.code_digest import code_digest
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.selection import deciding_options
from mipha_eval.core.stage import stage
from mipha_eval.core.types import Decoding, Request, Response
from mipha_eval.data.images import image_digest
from mipha_eval.data.jsonl import read_jsonl
from mipha_eval.engine.backend import Backend, InProcess
from mipha_eval.engine.background import BackgroundWorker
from mipha_eval.engine.interrupt import Interrupt
from mipha_eval.engine.progress.progress import Progress
from mipha_eval.engine.progress.screen import shown_progress
from mipha_eval.runs.defaults import MAX_NEW_TOKENS
from mipha_eval.store.journal import Appender, read_stored
from mipha_eval.store.responses import BEFORE, StoredResponse, response_json
from mipha_eval.store.rows import RowDecoder


class JournalRow(StoredResponse, frozen=True, kw_only=True):
    """A line of the journal."""

    answer_id: str
    error: str


JOURNAL = RowDecoder(JournalRow, BEFORE)


@dataclass(frozen=True)
class PredictSettings:
    """Which questions, and where their answers go."""

    questions: Path
    image_folder: Path
    answers: Path
    model: Model
    max_new_tokens: int = MAX_NEW_TOKENS
    batch_size: int | None = None
    fresh: bool = False

    @property
    def journal(self) -> Path:
        """Where answers go as they come, until all are there and the answer file is written in order."""
        return self.answers.with_name(f"{self.answers.name}.partial")


@dataclass(frozen=True)
class Outcome:
    """Counts of questions, of failed ones, and of those not reached (after Ctrl-C)."""

    questions: int
    failed: int
    left: int


def predict(settings: PredictSettings) -> Outcome:
    """Answers every question that the answer file or its journal does not hold yet; failed ones are tried again.

    The answer file is written once every question was asked, in the question file's order. A failed question has a line
    with ``error`` and without text, so that nothing takes it for an answer.

    Raises:
        UserError: anything that the user can mend; answers that are there stay there.
    """
    check_asking(settings.model)
    requests = read_questions(settings)
    with shown_progress(), InProcess(settings.model.adapter, settings.batch_size) as backend:
        with stage(f"loading {settings.model.name}"):
            facts = backend.load()
        with locked(settings.journal), Interrupt() as interrupt:
            return _predicted(settings, requests, facts, backend, interrupt)


def _predicted(
    settings: PredictSettings, requests: Sequence[Request], facts: ModelFacts, backend: Backend, interrupt: Interrupt
) -> Outcome:
    """By a model that is loaded."""
    if settings.fresh:
        _set_aside(settings)
    ids = AnswerIds(settings, facts, [*map(settings.model.askings.every, requests)])
    done = _stored(settings, ids)
    _answer(settings, backend, interrupt.asked, ids, done)
    failed = sum(bool(response.error) for response in done.values())
    outcome = Outcome(len(requests), failed, len(requests) - len(done))
    if not outcome.left:
        lines = (_line(request, done[number], ids.of(number)) for number, request in enumerate(requests))
        write_lines(settings.answers, ({**line, "model_id": settings.model.name, "metadata": {}} for line in lines))
        settings.journal.unlink(missing_ok=True)
    return outcome


def check_asking(model: Model) -> None:
    """Raises UserError for ways of asking single benchmarks, of which a question file is none."""
    model.check_about(())
    if model.published and not model.published.knows(""):
        told = f"preset {model.name} says how its paper asked single benchmarks, and a question file is none of them"
        raise UserError(told, flag="--as-published")


def _answer(
    settings: PredictSettings, backend: Backend, stop: Callable[[], bool], ids: AnswerIds, done: dict[int, Response]
) -> None:
    """Asks what is not in `done` and puts it there; the journal is written beside the model."""
    todo = [number for number in range(len(ids.requests)) if number not in done]
    name = settings.answers.name
    with (
        Appender(settings.journal) as journal,
        Progress({name: (len(ids.requests), len(done))}) as progress,
        BackgroundWorker() as beside,
        blaming(),
    ):

        def store(fresh: Mapping[int, Response]) -> None:
            journal.append({"answer_id": ids.of(number), **response_json(fresh[number])} for number in fresh)

        for answered in backend.run([ids.requests[place] for place in todo], stop):
            fresh = {todo[place]: response for place, response in answered}
            beside.submit(partial(store, fresh))
            done |= fresh
            progress.advance(name, len(fresh))


def read_questions(settings: PredictSettings) -> list[Request]:
    """Requests of a question JSONL with question_id, text and perhaps image (a name or a list of names)."""
    if settings.questions.resolve() == settings.answers.resolve():
        raise UserError(f"{settings.answers} is the question file; give another file for the answers")
    if not settings.image_folder.is_dir():
        raise UserError(f"{settings.image_folder} is no folder; give the one with the images", flag="--image-folder")
    folder = ImageFolder(settings.image_folder)
    decoding = Decoding(settings.max_new_tokens)
    requests = []
    for number, record in enumerate(read_jsonl(settings.questions), start=1):
        place, text = f"{settings.questions}: question {number}", record.get("text")
        if not isinstance(text, str) or "question_id" not in record:
            raise UserError(f"{place} needs question_id and text")
        names = record.get("image") or []
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UserError(f"{place}: image must be a name or a list of names")
        images = tuple(folder.image(name) for name in names)
        requests.append(Request(text, images, decoding, record["question_id"]))
    if not requests:
        raise UserError(f"{settings.questions} has no questions")
    return requests


class AnswerIds:
    """An id for each answer that changes with what decides it: the model, a plugin's code, the question, the images' bytes.

    Made when it is asked for: only what is stored must be known before the model begins.
    """

    def __init__(self, settings: PredictSettings, facts: ModelFacts, requests: Sequence[Request]) -> None:
        self.requests, adapter = requests, settings.model.adapter
        known = [
            settings.model.name,
            deciding_options(adapter),
            facts.weights,
            *filter(None, [code_digest(type(adapter))]),
        ]
        model = json.dumps(known, sort_keys=True, default=str)
        self._model = hashlib.sha256(model.encode()).hexdigest()
        self._digest = functools.cache(image_digest)
        self._made: dict[int, str] = {}

    def of(self, number: int) -> str:
        """The id of the answer to a request, by its number."""
        if number not in self._made:
            request = self.requests[number]
            parts = [self._model, str(request.question_id), request.key, [self._digest(image) for image in request.images]]
            self._made[number] = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:22]
        return self._made[number]


def _set_aside(settings: PredictSettings) -> None:
    """Begins anew: an answer file that is there is kept as ``<name>.before``."""
    settings.journal.unlink(missing_ok=True)
    if settings.answers.exists():
        with errors_naming(settings.answers):
            settings.answers.replace(settings.answers.with_name(f"{settings.answers.name}.before"))


def _stored(settings: PredictSettings, ids: AnswerIds) -> dict[int, Response]:
    """Answers that are there already, by the question's place in the file.

    Raises:
        UserError: the answer file holds other answers.
    """
    if not (settings.answers.exists() or settings.journal.exists()):
        return {}
    names = [ids.of(number) for number in range(len(ids.requests))]
    known, wanted = {}, set(names)
    for line in read_jsonl(settings.answers) if settings.answers.exists() else ():
        if line.get("text") is None and line.get("error") and line.get("metadata") == {}:
            continue  # it failed, and is asked again
        text = line.get("text")
        if line.get("answer_id") not in wanted or not isinstance(text, str):
            raise UserError(
                f"{settings.answers} holds answers of another model, to other questions or about other images; "
                "start afresh to replace it",
                flag="--fresh",
            )
        known[str(line["answer_id"])] = Response(text)
    kept = read_stored(settings.journal, JOURNAL)
    known |= {row.answer_id: row.response for row in kept if not row.error}
    return {number: known[name] for number, name in enumerate(names) if name in known}


def _line(request: Request, response: Response, answer_id: str) -> dict[str, object]:
    outcome: Mapping[str, Json] = {"text": None, "error": response.error} if response.error else {"text": response.text}
    return {
        "question_id": request.question_id,
        "prompt": request.text,
        **outcome,
        "answer_id": answer_id,
    }
