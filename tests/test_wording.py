"""A prompt in another layout asks the same question; another question, other options or their order are another one."""

from __future__ import annotations

import unicodedata

import pytest

from mipha_eval.core.format_lines import LETTER_ANSWER, question_core
from mipha_eval.core.wording import difference, wording

QUESTION = "Which café's sign is it?"
CHOICES = f"Context: The town has two.\n{QUESTION}\nA. a red one\nB. the blue one"
HINTED = f"The town has two.\n{QUESTION}\nA. a red one\nB. the blue one\n{LETTER_ANSWER}"


@pytest.mark.parametrize(
    "text",
    [
        CHOICES,
        CHOICES.upper(),
        f"  <image>\n{CHOICES}\n\n",
        CHOICES.replace("\n", "\r\n"),
        unicodedata.normalize("NFD", CHOICES),
        CHOICES.replace("'", "&#39;").replace("\n", "<br>"),
        CHOICES.replace("'", "’"),
        f"A chat. USER: <image>\n{CHOICES}\n{LETTER_ANSWER} ASSISTANT:",
        f"<|im_start|>user\n<|vision|>{CHOICES}<|im_end|>\n<|im_start|>assistant",
        f"Question: {QUESTION}\nOptions: (A) a red one (B) the blue one\nContext: The town has two.",
        f"Question: {QUESTION} 1) a red one; 2) the blue one",
        f"Options: a red one, the blue one. {QUESTION}",
        f"Hint: The town has two. {QUESTION} A: a red one B: the blue one",
        QUESTION,
        f"{QUESTION} Answer with a word.",
        "Which <image> café's sign\u200b is it?",
    ],
)
@pytest.mark.parametrize(("question", "bare"), [(CHOICES, ""), (HINTED, QUESTION)])
def test_other_layouts(text: str, question: str, bare: str) -> None:
    assert wording(question_core(question), bare).is_asked_in(question_core(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The town has two.",
        "Which big café's sign is it?",
        "Which café's sign is this?",
        f"{QUESTION}\nA. the blue one\nB. a red one",
        f"{QUESTION} Options: the blue one, a red one",
        f"{QUESTION}\nA. a green one\nB. a red one",
        f"{QUESTION}\nA. cat\nB. dog",
        f"{QUESTION} (A) a red one (B) the black one",
    ],
)
@pytest.mark.parametrize(("question", "bare"), [(CHOICES, ""), (HINTED, QUESTION)])
def test_other_questions(text: str, question: str, bare: str) -> None:
    assert not wording(question_core(question), bare).is_asked_in(question_core(text))


def test_a_word_is_not_found_within_another() -> None:
    """Of the objects that POPE asks about one is a hot dog and one a dog."""
    dog = wording("Is there a dog in the image?")
    assert dog.is_asked_in("USER: is there a dog in the image? ASSISTANT:")
    assert not dog.is_asked_in("Is there a hot dog in the image?")
    assert not wording("Is it a cat").is_asked_in("Is it a cattle?")


def test_lines_of_a_question_come_in_order() -> None:
    both = wording("Read this.\nWhat is it?")
    assert both.is_asked_in("Read this. What is it?")
    assert not both.is_asked_in("What is it? Read this.")


def test_chinese_is_compared_letter_by_letter() -> None:
    question = wording("图中有几只猫？\nA. 一只\nB. 两只")
    assert question.is_asked_in("请看图，图中有几只猫？选项：（A）一只（B）两只")
    assert not question.is_asked_in("图中有几只狗？\nA. 一只\nB. 两只")


def test_options_of_ten_letters() -> None:
    options = [f"thing number {number}" for number in range(10)]
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCDEFGHIJ", options, strict=True))
    question = wording(f"Which?\n{listed}")
    assert question.is_asked_in("Which? " + " ".join(f"({letter}) {option}" for letter, option in enumerate(options)))
    turned = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCDEFGHIJ", options[1:] + options[:1], strict=True))
    assert not question.is_asked_in(f"Which?\n{turned}")


@pytest.mark.parametrize(
    ("there", "here", "shown"),
    [
        ("Is there a bus in the image?", "Is there a cat in the image?", ("bus", "cat")),
        ("one two three four five six seven eight", "one two three four five six seven nine", ("eight", "nine")),
        ("Which one?\nA. a cat\nB. a dog", "Which one?\nA. a dog\nB. a cat", ("a cat", "a dog")),
        ("What is this? And what colour?", "What is this?", ("And what colour", "What is this")),
        ("", "What?", ("", "What?")),
    ],
)
def test_where_texts_differ(there: str, here: str, shown: tuple[str, str]) -> None:
    found = difference(there, here)
    assert found[0] != found[1]
    assert shown[0] in found[0]
    assert shown[1] in found[1]


def test_long_texts_are_cut_around_the_difference() -> None:
    begin = "word " * 500
    there, here = difference(f"{begin}left {begin}", f"{begin}right {begin}")
    assert max(len(there), len(here)) < 120
    assert there.startswith("…word")
    assert there.endswith("word…")
    assert ("left" in there, "right" in here) == (True, True)
