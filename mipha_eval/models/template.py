"""A chat template as far as answers depend on it: what stands right before them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

#: a question where any would do
ANY_QUESTION = "?"
#: letters of a prompt's end that can matter to how an answer behind it is tokenized
LONGEST_END = 40

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Template:
    """A checkpoint's chat template.

    Attributes:
        given: false where there is none, so that the bare question is the prompt.
        render: from a question without pictures to the prompt; may raise RequestError.
    """

    given: bool
    render: Callable[[str], str]

    @cached_property
    def _end(self) -> str:
        return self.render(ANY_QUESTION)[-LONGEST_END:] or " "

    def end(self, question: str) -> str:
        """What the prompt with a question ends with, never empty; behind a template's end all questions are alike."""
        return self._end if self.given else question or " "

    def report(self, folder: Path) -> None:
        """Tells the user on stderr where there is none."""
        if not self.given:
            logger.warning("%s has no chat template; it is asked the bare question", folder)
