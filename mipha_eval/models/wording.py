"""What the user wants around a question in place of a checkpoint's own chat template: another one, or a system text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jinja2 import TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers.utils.chat_template_utils import render_jinja_template

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.options import unknown
from mipha_eval.models.llava_style.prompt import IMAGE_MARK
from mipha_eval.models.llava_style.templates import Template, template_named

#: a message of a conversation, as chat templates are given it
Message = dict[str, Any]

#: what only Jinja has
BRACES = ("{{", "{%")

#: what chat templates are given, beside special tokens such as ``bos_token``
GIVEN = (
    "messages",
    "add_generation_prompt",
    "continue_final_message",
    "tools",
    "documents",
    "raise_exception",
    "strftime_now",
)

#: what marks the text of an assistant, for training
MARKED = "endgeneration"

#: stands for a question
QUESTION = "<a question>"


def read_template(text: str) -> Template | str:
    """A conversation template by name, or Jinja, as text or in a file. Raises UserError if it is none of these."""
    if any(each in text for each in BRACES):
        return checked(text)
    try:
        if text.endswith(".jinja") or Path(text).is_file():
            return checked(Path(text).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"option template={text}: the file cannot be read: {error}") from error
    try:
        return template_named(text)
    except UserError as error:
        raise UserError(f"{error}; or give Jinja, or a file that ends in .jinja") from error


def checked(jinja: str) -> str:
    """The same. Raises UserError for what is no Jinja, or asks for what no chat template is given."""
    environment = ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols"])
    if MARKED in jinja:  # a block that only transformers knows
        return jinja
    try:
        names = meta.find_undeclared_variables(environment.parse(jinja))
    except TemplateError as error:
        raise UserError(f"option template is no Jinja: {error}") from error
    wrong = next((name for name in sorted(names) if name not in GIVEN and not name.endswith("_token")), None)
    if wrong is not None:
        raise UserError(f"option template: {unknown('variable', wrong, GIVEN)}, and a tokenizer's special tokens")
    return jinja


@dataclass(frozen=True)
class Wording:
    """What is wanted; nothing where a checkpoint's own is to hold.

    Attributes:
        template: a conversation template, its system text among it, or Jinja; None for the checkpoint's own.
        system: the system's text; None for what the template says by itself.
    """

    template: Template | str | None = None
    system: str | None = None

    @classmethod
    def of(cls, template: str, system: str | None) -> Wording:
        """From options. Raises UserError for a template that is none, or that has no place for a system text."""
        found = read_template(template) if template else None
        if isinstance(found, Template) and system is not None:
            found = found.with_system(system)
        return cls(found, system)

    @property
    def named(self) -> Template | None:
        """The conversation template, where it is one."""
        return self.template if isinstance(self.template, Template) else None

    def jinja(self, own: str | None) -> str | None:
        """The Jinja in force, where no conversation template is; `own` is the checkpoint's."""
        if self.template is None:
            return own
        return self.template if isinstance(self.template, str) else None

    def check(self, fill: Callable[[str], str]) -> None:
        """Raises UserError for Jinja of the user's that cannot be filled in, or leaves a question out.

        Args:
            fill: makes a prompt of a question; may raise RequestError.
        """
        if not isinstance(self.template, str):
            return
        try:
            text = fill(QUESTION)
        except RequestError as error:
            raise UserError(f"option template: {error}") from error
        if QUESTION not in text:
            raise UserError("option template leaves the question out, so that every question would be the same")

    def opening(self, fill: Callable[[Sequence[Message]], str]) -> list[Message]:
        """What stands before the user's message in a conversation.

        Args:
            fill: makes a prompt of which these messages are the beginning; may raise RequestError.

        Raises:
            UserError: the template leaves a system text out.
        """
        if self.system is None:
            return []
        for message in _system_messages(self.system):
            try:
                if self.system in fill([message]):
                    return [message]
            except RequestError:
                continue
        raise UserError("the chat template has no place for a system text; leave out system, or give another template")


#: nothing is wanted otherwise
AS_THE_CHECKPOINT = Wording()


def _system_messages(text: str) -> Iterator[Message]:
    """A system's message in the forms that templates want: in parts, or as a text."""
    yield {"role": "system", "content": [{"type": "text", "text": text}]}
    yield {"role": "system", "content": text}


def conversation_of(wording: Wording, own: Callable[[], Template]) -> Template:
    """What is wanted as a conversation template; `own` makes the checkpoint's.

    Raises:
        UserError: Jinja cannot be filled in, or does not write ``<image>`` before a question.
    """
    if isinstance(wording.template, str):
        return _of_jinja(wording.template, wording)
    return wording.named or (own() if wording.system is None else own().with_system(wording.system))


def _of_jinja(jinja: str, wording: Wording) -> Template:
    user = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}

    def fill(before: Sequence[Message]) -> str:
        try:
            made: object = render_jinja_template(
                [[*before, user]], chat_template=jinja, add_generation_prompt=True, bos_token="", eos_token=""
            )
            texts = cast(tuple[Sequence[str], object], made)[0]
        except Exception as error:  # a template is a program
            raise RequestError(f"the chat template cannot be filled in: {error}") from error
        return texts[0]

    try:
        text = fill(wording.opening(fill))
    except RequestError as error:
        raise UserError(f"option template: {error}") from error
    before, mark, behind = text.partition(IMAGE_MARK)
    between, question, closing = behind.partition(QUESTION)
    if not mark or not question or IMAGE_MARK in behind:
        raise UserError(f"option template must write {IMAGE_MARK} once, before the question; it makes {text!r}")
    return Template(before, closing, between=between)
