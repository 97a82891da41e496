"""A benchmark's prompt taken apart, so that its question can be put in other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mipha_eval.core.alphabet import lettered
from mipha_eval.core.format_lines import OCR_TOKENS, UNANSWERABLE, answer_lines_of, without_answer_lines

#: what LLaVA's question file of ScienceQA puts before a hint
CONTEXT = "Context: "


@dataclass(frozen=True)
class QuestionParts:
    """What a prompt consists of; what there is none of is empty.

    Attributes:
        question: all of it but the line that says how to answer.
        stem: the question by itself, without what is given beside it.
        hint: what is given before it.
        options: a line each, with their letters.
        format: the line that says how to answer.
    """

    question: str
    stem: str = ""
    hint: str = ""
    options: str = ""
    format: str = ""

    @classmethod
    def of(cls, prompt: str, choices: Sequence[str] = (), stem: str = "") -> QuestionParts:
        """Of a prompt.

        Args:
            choices: its question's options, in the order of their letters; an empty one is none.
            stem: the question by itself, where the benchmark says it.
        """
        question = without_answer_lines(prompt)
        options = "\n".join(f"{letter}. {choice}" for letter, choice in lettered(tuple(choices)) if choice)
        head, shown, _ = question.partition(f"\n{options}") if options else (question, "", "")
        head = head.replace(UNANSWERABLE, "").partition(f"\n{OCR_TOKENS}")[0].strip()
        hint, own = _split(head, stem)
        return cls(question, own, hint, options if shown else "", "\n".join(answer_lines_of(prompt)))


def _split(head: str, stem: str) -> tuple[str, str]:
    """A hint and the question behind it."""
    if stem and head.endswith(stem.strip()):
        return head.removesuffix(stem.strip()).strip(), stem.strip()
    if head.startswith(CONTEXT) and "\n" in head:
        hint, _, own = head.removeprefix(CONTEXT).rpartition("\n")
        return hint.strip(), own
    return "", head
