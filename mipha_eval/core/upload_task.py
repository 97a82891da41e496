"""What the author of a benchmark subclasses whose labels only a server has."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample


@dataclass(frozen=True)
class UploadTask(Task):
    """A task with protocols that a server scores, from a file of answers in its own form.

    Class attributes:
        uploads: these protocols.
    """

    uploads: ClassVar[Sequence[str]]

    @abstractmethod
    def upload_rows(self, samples: Sequence[Sample], texts: Mapping[str, str]) -> Iterable[JsonObject]:
        """Rows of the file that the server takes, in its order.

        Args:
            texts: the model's answers by sample id.
        """


def is_for_server(task: Task) -> bool:
    """Whether a server scores the task's protocol."""
    return isinstance(task, UploadTask) and task.protocol in task.uploads
