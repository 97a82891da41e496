"""Requests on their way to another process of this machine, with the bytes of their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mipha_eval.core.types import Image, Request, Response


@dataclass(frozen=True)
class Bytes:
    """What reading a picture gave: its bytes, or the error's text.

    Attributes:
        expected: whether it is an error that a picture may have.
    """

    content: bytes | str
    expected: bool = True

    @classmethod
    def of(cls, image: Image) -> Bytes:
        """Reads it; an error is for whoever looks at the picture."""
        try:
            return cls(image.read())
        except (OSError, ValueError) as error:
            return cls(str(error))
        except Exception as error:  # a task is anybody's code
            return cls(f"{type(error).__name__}: {error}", expected=False)

    def __call__(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        raise OSError(self.content) if self.expected else RuntimeError(self.content)


def travelling(batch: Sequence[Request]) -> list[Request]:
    """The same requests, complete without the files that their pictures are in; each picture is read once."""
    known: dict[Image, Image] = {}
    for image in dict.fromkeys(image for request in batch for image in request.images):
        known[image] = replace(image, read=Bytes.of(image))
    return [replace(request, images=tuple(known[image] for image in request.images)) for request in batch]


def summary(responses: Sequence[Response]) -> list[tuple[str, bool]]:
    """What all processes have to agree on: texts, and what failed."""
    return [(response.text, bool(response.error)) for response in responses]
