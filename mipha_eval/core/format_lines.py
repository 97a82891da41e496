"""Lines that a prompt has beside its question: they say in which form to answer, or begin what else is given."""

from __future__ import annotations

#: LLaVA's format lines for short answers and option letters; Mipha uses the same
SHORT_ANSWER = "Answer the question using a single word or phrase."
LETTER_ANSWER = "Answer with the option's letter from the given choices directly."
LETTER_ANSWER_CN = "请直接回答选项字母。"
UNANSWERABLE = "When the provided information is insufficient, respond with 'Unanswerable'."

#: how LLaVA-1.5 and Mipha give a model what an OCR system read
OCR_TOKENS = "Reference OCR token:"

#: how LLaVA-1.5 was trained to write captions (TextCaps), and how other suites ask it for them
CAPTION = "Provide a one-sentence caption for the provided image."


#: all of them, but for what begins something else
FORMAT_LINES = (SHORT_ANSWER, LETTER_ANSWER, LETTER_ANSWER_CN, UNANSWERABLE, CAPTION)


def format_lines_of(prompt: str) -> tuple[str, ...]:
    """The format lines that a prompt has, in its order."""
    return tuple(sorted((line for line in FORMAT_LINES if line in prompt), key=prompt.index))


def answer_lines_of(prompt: str) -> tuple[str, ...]:
    """Those that say in which form to answer."""
    return tuple(line for line in format_lines_of(prompt) if line != UNANSWERABLE)


def without_answer_lines(prompt: str) -> str:
    """A prompt without the lines that say in which form to answer, and without the line breaks that set them apart."""
    for line in answer_lines_of(prompt):
        before, _, behind = prompt.partition(line)
        prompt = before.rstrip() + behind if not behind.strip() else before + behind.lstrip()
    return prompt.strip()


def question_core(prompt: str) -> str:
    """A prompt without LLaVA's format lines, image mark and outer spaces, for recognising a question."""
    for line in (SHORT_ANSWER, LETTER_ANSWER, LETTER_ANSWER_CN, UNANSWERABLE):
        prompt = prompt.replace(line, "")
    return prompt.strip().removeprefix("<image>").strip()
