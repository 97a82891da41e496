"""What the driver and a worker say to each other. Everything here is pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from mipha_eval.core.adapter import Cost
from mipha_eval.core.data_source import ImageFile
from mipha_eval.core.model_facts import ModelFacts
from mipha_eval.core.types import Decoding, Request, Response

#: fields of a response that a row has, in their order; the worker's number is the driver's to know
ROW = tuple([entry.name for entry in fields(Response) if entry.name != "worker"])
#: encoded bytes of a picture, or why the driver cannot read it
Picture = bytes | OSError


class SentImage(NamedTuple):
    """A picture of a request.

    Attributes:
        file: folder and name where a worker reads it; None where it gets the bytes.
    """

    name: str
    location: str
    padded: bool
    file: tuple[str, str] | None


class SentRequest(NamedTuple):
    """A request without what only the driver can do; see `Request`."""

    text: str
    images: tuple[SentImage, ...]
    decoding: Decoding
    question_id: Any
    options: tuple[str, ...]
    tracked: tuple[str, ...]
    template: str

    @classmethod
    def of(cls, request: Request, images: tuple[SentImage, ...]) -> SentRequest:
        rest = request.question_id, request.options, request.tracked, request.template
        return cls(request.text, images, request.decoding, *rest)


@dataclass(frozen=True)
class Job:
    """What a worker is to do.

    Attributes:
        number: unique in a run; of jobs that wait the one with the lowest is done first.
    """

    number: int


@dataclass(frozen=True)
class AnswerJob(Job):
    """Answer a batch, those about the same images adjacent.

    Attributes:
        trusted: whether some worker's model has answered something, so that what fails is a request's fault.
    """

    requests: Sequence[SentRequest]
    trusted: bool = False


@dataclass(frozen=True)
class ReferenceJob(Job):
    """Answer each request alone, sharing nothing."""

    requests: Sequence[SentRequest]


@dataclass(frozen=True)
class CostJob(Job):
    """Say what requests cost."""

    requests: Sequence[SentRequest]


@dataclass(frozen=True)
class FolderJob(Job):
    """Say which folders are the same here: of each, a file and the digest of its bytes."""

    files: Mapping[str, tuple[ImageFile, str]]


class Said(NamedTuple):
    """A message of logging."""

    logger: str
    level: int
    text: str


@dataclass(frozen=True)
class Done:
    """What came of a job.

    Attributes:
        rows: a tuple of a response's values for each request of a batch.
        lacking: locations of pictures whose files are not there; then nothing was answered.
        costs: of each request.
        folders: those that are the same here.
        digests: of the pictures that were read, by location.
        busy: seconds that it took.
        waited: seconds without anything to do before it.
        budget: tokens that a batch may cost, which a full device lowers.
        said: messages since the last job.
    """

    rows: Sequence[tuple[Any, ...]] = ()
    lacking: frozenset[str] = frozenset()
    costs: Sequence[Cost] = ()
    folders: frozenset[str] = frozenset()
    digests: Mapping[str, str] = field(default_factory=dict)
    busy: float = 0.0
    waited: float = 0.0
    budget: int = 0
    said: Sequence[Said] = ()


@dataclass(frozen=True)
class Broken:
    """A worker's model can do nothing more, as after an assertion on its device, or could not be loaded.

    Attributes:
        flag: what mends it on a command line.
        fault: whether it is the user's to mend.
    """

    reason: str
    flag: str = ""
    fault: bool = True
    said: Sequence[Said] = ()


@dataclass(frozen=True)
class WorkerFacts:
    """A worker whose model is loaded.

    Attributes:
        model: what its model says of itself.
        budget: tokens that a batch may cost.
        node: the machine's name; `node_id`: the cluster's name for it.
        device: the device's name, `gpus` how many it holds.
        mipha_eval, python, packages: versions.
        said: messages while it was loaded.
    """

    model: ModelFacts
    budget: int
    node: str
    node_id: str
    device: str
    gpus: float
    mipha_eval: str
    python: str
    packages: Mapping[str, str]
    said: Sequence[Said] = ()
