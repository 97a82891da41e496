"""A pattern that a question's parts are put into."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown
from mipha_eval.core.question_parts import QuestionParts

if TYPE_CHECKING:
    from jinja2 import Environment

#: what may stand in braces
VARIABLES = tuple(entry.name for entry in dataclasses.fields(QuestionParts))
NAME = re.compile(r"\{(\w*)\}")
#: what only Jinja has
JINJA = ("{{", "{%")


@dataclass(frozen=True)
class Pattern:
    """A text with ``{question}``, ``{stem}``, ``{hint}``, ``{options}`` or ``{format}`` in it (see `QuestionParts`), or
    Jinja over the same names. One without a question is asked of every picture alike, as captions are.
    """

    text: str

    @property
    def is_jinja(self) -> bool:
        return any(each in self.text for each in JINJA)

    @property
    def names(self) -> frozenset[str]:
        """What of a question it holds."""
        if not self.is_jinja:
            return frozenset(NAME.findall(self.text))
        from jinja2 import meta

        return frozenset(meta.find_undeclared_variables(_environment().parse(self.text)))

    def check(self) -> None:
        """Raises UserError for what is no pattern."""
        from jinja2 import TemplateError

        try:
            names = self.names
        except TemplateError as error:
            raise UserError(f"option prompt is no Jinja: {error}") from error
        wrong = next((name for name in sorted(names) if name not in VARIABLES), None)
        if wrong is not None:
            raise UserError(f"option prompt: {unknown('variable', wrong, VARIABLES)}")
        try:
            self.filled(QuestionParts("?"))
        except RuntimeError as error:
            raise UserError(f"option prompt cannot be filled in: {error}") from error

    def filled(self, parts: QuestionParts) -> str:
        """The text with the parts in it. Raises RuntimeError if Jinja fails at them."""
        values: Mapping[str, str] = dataclasses.asdict(parts)
        if not self.is_jinja:
            return NAME.sub(lambda found: values[found[1]], self.text)
        try:
            return _environment().from_string(self.text).render(values)
        except Exception as error:  # a template is a program
            raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _environment() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
