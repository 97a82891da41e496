"""What is recorded of one question to one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.official_fixtures.asked.samples import Sample

Made = Literal["run", "part run", "read"]


@dataclass(frozen=True)
class Row:
    """A prompt of official code.

    Attributes:
        presets: names of presets that are asked so.
        user: the user's turn, without the mark of the image and the line break behind that.
        prompt: all that the tokenizer gets, with official marks; "" where the chat template is a file of the hub's.
        made: by running the official function, by running it on a text whose making was read, or by reading alone.
        source: files, in the checkout that `about` names.
    """

    presets: tuple[str, ...]
    sample: Sample
    user: str
    prompt: str
    made: Made
    source: str

    def stored(self) -> dict[str, object]:
        return {
            "presets": list(self.presets),
            "sample": self.sample.name,
            "task": self.sample.task,
            "question": self.sample.ours,
            "user": self.user,
            "prompt": self.prompt,
            "made": self.made,
            "source": self.source,
        }
