"""Which option of a question is the right one."""

from __future__ import annotations

from collections.abc import Sequence

from mipha_eval.core.alphabet import lettered
from mipha_eval.scoring.stock.question import Question


def right_letter(question: Question) -> str:
    """The letter of the right option, which the label gives as a letter or as the option's text.

    Raises:
        ValueError: the question has no two options, the label is none of them or several, is the letter of one option and
            the text of another, or the right option's text stands at another letter, too.
    """
    options = {letter: option.strip() for letter, option in lettered(question.choices) if option}
    if len(options) < 2:
        raise ValueError(f"it has {len(options)} options; to choose takes two")
    labels = list(dict.fromkeys(answer.strip() for answer in question.answers))
    if len(labels) != 1:
        raise ValueError(f"it has {len(labels)} right options, {', '.join(map(repr, labels))}, and must have one")
    (label,) = labels
    texts = [letter for letter, option in options.items() if option == label]
    letter = label if label in options else "" if texts or label.upper() not in options else label.upper()
    if letter and texts and letter not in texts:
        raise ValueError(f"its answer {label!r} is the letter of one option and the text of another, {texts[0]}")
    if not letter and not texts:
        raise ValueError(f"its answer {label!r} is neither a letter of its {len(options)} options nor the text of one")
    return _alone(letter or texts[0], options)


def _alone(letter: str, options: dict[str, str]) -> str:
    same = [other for other, option in options.items() if option == options[letter]]
    if len(same) > 1:
        raise ValueError(f"options {' and '.join(same)} have the same text, {options[letter]!r}, and one of them is right")
    return letter


def shown_letters(choices: Sequence[str]) -> list[str]:
    """The letters of the options that are not empty."""
    return [letter for letter, option in lettered(choices) if option]
