"""A question with what each run made of it, as a page's scripts get it: JSON with these fields."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mipha_eval.core.json_value import Json
from mipha_eval.page.verdicts import Said


class MadeAgain(Struct, frozen=True, omit_defaults=True):
    """The same answer made without sharing: its text only where it is another."""

    error: str = ""
    same: bool = False
    text: str | None = None


class AnswerFacts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one run made of a question; what is empty is left out.

    Attributes:
        text: of the answer; None for a failed or missing one, whose reason is `error`.
        served: who answered and what it took, where a server did.
        cut: whether it ended at the limit of tokens.
        probabilities: (possible answer, how probable the model held it).
        verdicts: what judges said.
        reference: the answer made again alone.
        opinion: a judge's second opinion, alone in a list.
        span: in `text`, as JavaScript counts.
        details: of the score, task-specific.
    """

    text: str | None = None
    error: str = ""
    served: str = ""
    cut: bool = False
    probabilities: tuple[tuple[str, float], ...] = ()
    verdicts: tuple[Said, ...] = ()
    reference: MadeAgain | None = None
    value: float | None = None
    reading: str = ""
    rule: str = ""
    opinion: tuple[float] | None = None
    unparsed: bool = False
    span: tuple[int, int] | None = None
    details: Mapping[str, Json] = {}


class QuestionRow(Struct, frozen=True):
    """A question.

    Attributes:
        prompt: what was asked.
        target: what is accepted; of a question with options the right letter.
        choices: the options, in the order of their letters.
        together: places of questions that are scored with it.
        images: (number on the page, name).
        answers: of each run; None where it was not asked.
    """

    id: str
    prompt: str
    target: tuple[str, ...]
    choices: tuple[str, ...]
    categories: tuple[str, ...]
    together: tuple[int, ...]
    images: tuple[tuple[int, str], ...]
    answers: tuple[AnswerFacts | None, ...]

    @property
    def search_text(self) -> str:
        """What a search looks through, folded as the page folds what is typed."""
        texts = [self.id, self.prompt, *self.target, *self.choices]
        for answer in self.answers:
            if answer is not None:
                texts += [answer.text or "", answer.reading, answer.error]
        return "\n".join(texts).lower()
