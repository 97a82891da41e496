"""A worker's model, asked by one thread."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import Path

from mipha_eval import __version__
from mipha_eval.cluster.messages import (
    ROW,
    AnswerJob,
    Broken,
    CostJob,
    Done,
    FolderJob,
    Job,
    Picture,
    ReferenceJob,
    Said,
    SentImage,
    SentRequest,
    WorkerFacts,
)
from mipha_eval.cluster.settings import ModelOrder
from mipha_eval.core.data_source import ImageFile
from mipha_eval.core.errors import UserError
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.package_versions import package_versions
from mipha_eval.core.plugins.blame import blaming, told
from mipha_eval.core.plugins.checks.models import checked_budget
from mipha_eval.core.plugins.checks.responses import checked_responses
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model
from mipha_eval.core.types import Image, Request, Response
from mipha_eval.data.images import bytes_digest, image_digest
from mipha_eval.engine.asked_alone import asked_alone
from mipha_eval.engine.attempt import Attempts
from mipha_eval.engine.plan import Limits

#: a response's row
values_of = attrgetter(*ROW)


class Messages(logging.Handler):
    """Keeps messages until they are handed to the driver."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[Said] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(Said(record.name, record.levelno, self.format(record)))

    def taken(self) -> list[Said]:
        kept, self._kept = self._kept, []
        return kept


class WorkerModel:
    """Builds a model as the driver was told to, and does jobs with it."""

    def __init__(self, order: ModelOrder, level: int) -> None:
        self._order = order
        self._messages = Messages()
        logging.getLogger("mipha_eval").setLevel(level)
        logging.getLogger().addHandler(self._messages)
        logging.captureWarnings(capture=True)
        self._read: dict[str, str] = {}
        self._reading = threading.Lock()
        self._idle_since = time.perf_counter()

    def load(self, node_id: str, gpus: float) -> WorkerFacts | Broken:
        """Reads the weights."""
        try:
            with blaming():
                if Path(self._order.folder).is_dir():
                    os.chdir(self._order.folder)
                registry = Registry([Path(file) for file in self._order.plugins])
                chosen = build_model(self._order.name, self._order.options, registry, as_published=self._order.as_published)
                self._adapter = chosen.adapter
                self._adapter.load()
                facts = ModelFacts.of(self._adapter)
                self._limits = Limits(checked_budget(self._adapter), self._order.batch_size)
                self._attempts = Attempts(self._adapter, self._limits)
        except BaseException as error:  # whatever it is, the driver tells of it; a thread that ends would keep it waiting
            return self._broken(error)
        self._idle_since = time.perf_counter()
        return WorkerFacts(
            facts,
            self._limits.budget,
            socket.gethostname(),
            node_id,
            str(facts.weights.get("device", "cpu")),
            gpus,
            __version__,
            platform.python_version(),
            package_versions(),
            self._messages.taken(),
        )

    def prefetch(self, job: Job, pictures: Mapping[str, Picture]) -> None:
        """A hint that a job is next."""
        if isinstance(job, AnswerJob):
            with contextlib.suppress(BaseException):  # told when it is asked
                self._attempts.prefetch([self._request(each, pictures) for each in job.requests])

    def do(self, job: Job, pictures: Mapping[str, Picture]) -> Done | Broken:
        started = time.perf_counter()
        waited = started - self._idle_since
        try:
            with blaming():
                done = self._done(job, pictures)
        except BaseException as error:  # whatever it is, the driver tells of it; a thread that ends would keep it waiting
            return self._broken(error)
        self._idle_since = time.perf_counter()
        with self._reading:
            digests, self._read = self._read, {}
        busy = self._idle_since - started
        return replace(
            done, digests=digests, busy=busy, waited=waited, budget=self._limits.budget, said=self._messages.taken()
        )

    def _done(self, job: Job, pictures: Mapping[str, Picture]) -> Done:
        match job:
            case FolderJob():
                seen = (name for name, (file, digest) in job.files.items() if image_digest(Image("", "", file)) == digest)
                return Done(folders=frozenset(seen))
            case CostJob():
                return Done(costs=[self._attempts.cost(self._request(each, {})) for each in job.requests])
            case AnswerJob() | ReferenceJob():
                lacking = _lacking(job.requests, pictures)
                if lacking:
                    return Done(lacking=lacking)
                asked = [self._request(each, pictures) for each in job.requests]
                if isinstance(job, AnswerJob) and job.trusted:
                    self._attempts.trust()
                answered = self._attempts.answer(asked) if isinstance(job, AnswerJob) else self._reference(asked)
                return Done(rows=[*map(values_of, answered)])
        raise TypeError(f"no job: {job!r}")

    def _reference(self, asked: Sequence[Request]) -> list[Response]:
        return checked_responses(self._adapter, asked, asked_alone(self._adapter.reference, asked))

    def _request(self, sent: SentRequest, pictures: Mapping[str, Picture]) -> Request:
        images = tuple([self._image(each, pictures) for each in sent.images])
        return Request(sent.text, images, *sent[2:])

    def _image(self, sent: SentImage, pictures: Mapping[str, Picture]) -> Image:
        return Image(sent.name, sent.location, partial(self._bytes, sent, pictures), sent.padded)

    def _bytes(self, sent: SentImage, pictures: Mapping[str, Picture]) -> bytes:
        """A picture's bytes, of which the digest is noted: what the model saw is what is written down."""
        data = ImageFile(Path(sent.file[0]), sent.file[1])() if sent.file else _sent(sent.location, pictures)
        digest = bytes_digest(data)
        with self._reading:
            self._read[sent.location] = digest
        return data

    def _broken(self, error: BaseException) -> Broken:
        fault = isinstance(error, UserError)
        flag = error.flag if isinstance(error, UserError) else ""
        return Broken(str(error) if fault else told(error), flag, fault, self._messages.taken())


def _lacking(requests: Sequence[SentRequest], pictures: Mapping[str, Picture]) -> frozenset[str]:
    """Locations of pictures that are neither sent nor files here."""
    images = {image.location: image for request in requests for image in request.images}
    files = {name: image.file for name, image in images.items() if name not in pictures}
    return frozenset(name for name, file in files.items() if file is None or not Path(*file).is_file())


def _sent(location: str, pictures: Mapping[str, Picture]) -> bytes:
    found = pictures.get(location, OSError("it was not sent"))
    if isinstance(found, OSError):
        raise found
    return found
