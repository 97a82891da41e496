"""What lmms-eval asks a model, as requests of this engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from mipha_eval.core.types import Image, Request
from mipha_eval.suites.lmms.generation import Generation, without_marks
from mipha_eval.suites.lmms.pictures import images_of_row
from mipha_eval.suites.lmms.traced import Rows

#: data sets by task and split, as lmms-eval gives them to a model
DataSets: TypeAlias = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Asked:
    """A request, and where the answer to it ends."""

    request: Request
    stops: tuple[str, ...] = ()


class Documents:
    """The documents of all tasks that lmms-eval asks about."""

    def __init__(self, data: DataSets) -> None:
        self._data = data
        self._rows: dict[tuple[str, str], Rows] = {}

    def document(self, task: str, split: str, number: int) -> Any:
        return self._data[task][split][number]

    def images(self, visual: Any, task: str, split: str, number: int) -> tuple[Image, ...]:
        """The pictures that ``doc_to_visual`` shows of one; decoded when they are read, and not kept."""
        if (task, split) not in self._rows:
            self._rows[task, split] = Rows(self._data[task][split])
        return images_of_row(self._rows[task, split], number, visual, f"{task}/{split}")


def simple_request(arguments: Sequence[Any], documents: Documents) -> Asked:
    """Of ``(context, generation_kwargs, doc_to_visual, doc_id, task, split)``."""
    context, settings, visual, number, task, split = arguments
    generation = Generation.of(settings)
    images = documents.images(visual, task, split, number)
    return Asked(Request(without_marks(context), images, generation.decoding), generation.stops)


def chat_request(arguments: Sequence[Any], documents: Documents) -> Asked:
    """Of ``(context, doc_to_messages, generation_kwargs, doc_id, task, split)``.

    Raises:
        ValueError: it is a conversation of several turns, or shows something else than pictures.
    """
    _, messages, settings, number, task, split = arguments
    generation = Generation.of(settings)
    text, _ = _parts(messages(documents.document(task, split, number)))
    images = documents.images(partial(_shown, messages), task, split, number)
    return Asked(Request(without_marks(text), images, generation.decoding), generation.stops)


def _shown(messages: Any, document: Any) -> Sequence[Any]:
    return _parts(messages(document))[1]


def _parts(messages: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    """The text of a single question, after what the system says, and its pictures, which stand before it."""
    roles = [message["role"] for message in messages]
    if roles not in (["user"], ["system", "user"]):
        raise ValueError(f"mipha-eval answers single questions, and this is a conversation of {', '.join(roles)}")
    texts, shown = [], []
    for message in messages:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        texts.append("".join(part["text"] for part in parts if part["type"] == "text"))
        shown += [part["url"] for part in parts if part["type"] != "text"]
    return "\n".join(texts), shown


def ranked_request(arguments: Sequence[Any], documents: Documents) -> tuple[Request, str]:
    """Of ``(context, continuation, doc_to_visual, doc_id, task, split)``: the question, and what is to be ranked.

    Raises:
        ValueError: it is asked without a document.
    """
    if len(arguments) < 6:
        raise ValueError("mipha-eval ranks answers to questions, and this is a text without a document")
    context, wanted, visual, number, task, split = arguments
    continuation = wanted if isinstance(wanted, str) else wanted(documents.document(task, split, number))
    return Request(without_marks(context), documents.images(visual, task, split, number)), str(continuation).strip()
