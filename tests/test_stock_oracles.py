"""The oracles of the stock scorers on values that papers, documentation and tests of the official code state."""

from __future__ import annotations

import pytest

from tests.oracles import (
    stock_anls,
    stock_choice,
    stock_contains,
    stock_exact,
    stock_number,
    stock_relaxed,
    stock_vqa,
    stock_yesno,
)

ORACLES = (stock_anls, stock_choice, stock_contains, stock_exact, stock_number, stock_relaxed, stock_vqa, stock_yesno)

#: predictions and targets of test_pix2struct_metrics in pix2struct/metrics_test.py, google-research/pix2struct at 945f27e
PIX2STRUCT = (
    ("abc", "abc"),
    ("abc", "Abc"),
    ("Abc", "abc"),
    ("100%", "96%"),
    ("100%", "94%"),
    ("100%", "0.96"),
    ("100%", "0.94"),
    ("Don't", "Won't"),
)


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.__name__)
def test_sources_are_named(oracle: object) -> None:
    repository, commit = str(oracle.SOURCE).split("@")  # type: ignore[attr-defined]
    assert repository.count("/") == 1
    assert len(commit) == 12


@pytest.mark.parametrize(("oracle", "expected"), [(stock_anls, 47.5), (stock_relaxed, 62.5)])
def test_the_sums_of_pix2struct(oracle: object, expected: float) -> None:
    values = [oracle.value(answer, [accepted], []) for answer, accepted in PIX2STRUCT]  # type: ignore[attr-defined]
    assert 100 * sum(values) / len(values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "expected"), [("The Coca", 0), ("CocaCola", 8 / 9), ("Coca cola", 1), ("Cola", 0), ("Cat", 0)]
)
def test_anls_of_the_coca_cola_table(answer: str, expected: float) -> None:
    """In tests/score_test.py of shunk031/ANLS at d9cd473."""
    assert stock_anls.value(answer, ["Coca Cola", "Coca Cola Company"], []) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "accepted", "expected"),
    [
        ("ab", "ax", 0.5),  # the threshold belongs to what counts
        ("a", "xyz", 0.0),
        ("", "", 1.0),
        ("", "a", 0.0),
        ("12/15/89", "12/15/88", 7 / 8),
        (" a \n b ", "a b", 1.0),
        ("x" + " " * 9, "y", 0.9),  # the length is that of the texts as they came
        ("STRASSE", "straße", 1 - 2 / 7),
    ],
)
def test_anls_at_its_edges(answer: str, accepted: str, expected: float) -> None:
    assert stock_anls.value(answer, [accepted], []) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "accepted", "expected"),
    [
        ("2%", "2", 0),  # issue 1313 of open-compass/VLMEvalKit
        ("2008", "2010", 1),  # issue 35 of google-research/pix2struct
        ("105", "100", 1),
        ("95", "100", 1),
        ("105.01", "100", 0),
        ("1.05", "1", 0),
        ("-105", "-100", 1),
        ("105", "-100", 0),
        ("0.0", "0", 0),
        ("0", "0", 1),
        ("0%", "0", 0),
        ("1,000", "1000", 0),
        ("1,000", "1,000", 1),
        ("1_000", "1000", 1),
        (" 5\n", "5", 1),
        ("5% ", "5%", 0),
        ("5%%", "0.05", 1),
        (" yes", "yes", 0),
        ("YES", "yes", 1),
        ("nan", "nan", 0),
        ("inf", "inf", 0),
        ("", "", 1),
        ("%", "%", 1),
    ],
)
def test_relaxed(answer: str, accepted: str, expected: int) -> None:
    assert stock_relaxed.value(answer, [accepted], []) == expected
    assert stock_relaxed.value(answer, ["neither", accepted], []) == expected


@pytest.mark.parametrize(("people", "expected"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (9, 1)])
def test_vqa_of_ten_people(people: int, expected: float) -> None:
    """The values that VQAv2's evaluation has for ten answers."""
    answers = ["cat"] * people + ["dog"] * (10 - people)
    for answer in ("cat", "Cat.", "a cat", "\tthe cat!\n"):
        assert stock_vqa.value(answer, answers, []) == pytest.approx(expected)


def test_vqa_of_people_who_agree() -> None:
    """Nothing is normalised then, but for line breaks and what is at the ends."""
    assert stock_vqa.value(" cat\n", ["cat"] * 10, []) == 1
    for answer in ("Cat", "cat.", "a cat"):
        assert stock_vqa.value(answer, ["cat"] * 10, []) == 0


@pytest.mark.parametrize(("people", "expected"), [(1, 0), (2, 1 / 3), (3, 2 / 3), (4, 1)])
def test_vqa_of_few_people(people: int, expected: float) -> None:
    assert stock_vqa.value(" cat\n", ["cat"] * people, []) == pytest.approx(expected)
    assert stock_vqa.value("Cat", ["cat"] * people, []) == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("yes", "yes"),
        ("No.", "no"),
        ("YES, it is", "yes"),
        ("yes/no", "unknown"),
        ("There is no way to say yes", "unknown"),
        ("Not at all", "unknown"),
        ("yes.no", "unknown"),
        ("**Yes**", "unknown"),
        ("Yes: a cat", "unknown"),
        ("Yes,it is a cat, I think", "unknown"),
        ("Yes,it is a cat", "yes"),
        ("no.1", "unknown"),
        ('"no"', "no"),
        ("", "unknown"),
    ],
)
def test_yes_and_no(answer: str, expected: str) -> None:
    assert stock_yesno.reading(answer) == expected
    assert stock_yesno.value(answer, ["Yes"], []) == (expected == "yes")
    assert stock_yesno.value(answer, ["no"], []) == (expected == "no")


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("The correct answer is **B**. Here's why: it is plain and there is a lot of green in it.", "B"),
        ("The answer is C.", "C"),
        ("(A)", "A"),
        ("(a)", ""),
        ("A green one", "A"),  # an article at the beginning of a short answer
        ("E", "E"),
        ("D", ""),  # no option
        ("green", "B"),
        ("It is Green!", "B"),
        ("red or green", ""),
        ("A or B", ""),
        ("The answer is an apple", "A"),
        ("It is Z", ""),
        ("", ""),
    ],
)
def test_choice(answer: str, right: str) -> None:
    """The first two stand in a comment of vlmeval/utils/matching_util.py of open-compass/VLMEvalKit at e8e78f0."""
    options = ["red", "green", "blue", "", "a stone of no colour"]
    for letter in "ABCDE":
        assert stock_choice.value(answer, [letter], options) == (letter == right)


@pytest.mark.parametrize(
    ("answer", "accepted", "expected"),
    [
        ("14", "14", 1),  # these three: evaluation/prompts/ext_ans.py of lupantech/MathVista at 53d5258
        ("0.6", "0.6", 1),
        ("1.45", "1.45", 1),
        ("5.0", "5", 1),
        ("32.5", "32", 1),  # problem 959 of results/chatgpt/output_chatgpt_2shot_code.json there, by today's script
        ("-0.5", "0", 1),
        ("-1.9", "-1", 1),
        ("1e3", "1000", 1),
        (" 14\n", "14", 1),
        ("1_000", "1000", 1),
        ("1,000", "1000", 0),
        ("$1.45", "1.45", 0),
        ("14.", "14", 1),
        ("about 14", "14", 0),
        ("fourteen", "14", 0),
        ("", "0", 0),
        ("inf", "1", 0),
        ("nan", "1.0", 0),
        ("0.64", "0.6", 1),
        ("0.25", "0.2", 1),
        ("0.35", "0.3", 1),
        ("0.65", "0.7", 1),
        ("2.675", "2.67", 1),
        ("1", "1.0", 1),
        ("0.50", "0.50", 0),
        ("-0.04", "0.0", 0),
        ("3", "+3", 0),
        ("9007199254740993", "9007199254740993", 0),
    ],
)
def test_number(answer: str, accepted: str, expected: int) -> None:
    assert stock_number.value(answer, [accepted], []) == expected


def test_numbers_have_a_form() -> None:
    for accepted in ("[2007, 2008]", "1,000", ".5", "3.", "", " 3"):
        with pytest.raises(ValueError, match="neither an integer nor a decimal number"):
            stock_number.value("3", ["3", accepted], [])


@pytest.mark.parametrize(
    ("answer", "answers", "expected"),
    [
        ("apple pie and banana", ["apple", "banana pie", "apple pie and orange"], 1),  # OCRBench_v2's vqa_metric.py
        ("The sign says\nSTOP ", [" stop"], 1),
        ("new\nyork", ["New York"], 1),
        ("new\r\nyork", ["New York"], 0),
        ("new  york", ["New York"], 0),
        ("2018", ["1"], 1),
        ("", ["a"], 0),
        ("ＳＴＯＰ", ["stop"], 0),
    ],
)
def test_contains(answer: str, answers: list[str], expected: int) -> None:
    """The first is the example of Yuliang-Liu/MultimodalOCR at 794c36d."""
    assert stock_contains.value(answer, answers, []) == expected


@pytest.mark.parametrize(
    ("answer", "answers", "expected"),
    [
        (" Red.. ", ["blue", "red"], 1),
        ("red", [" RED. "], 1),
        ("U.S.", ["u.s"], 1),
        ("a. .", ["a"], 0),
        (".", ["."], 0),
        ("", [""], 0),
        ("red!", ["red"], 0),
    ],
)
def test_exact(answer: str, answers: list[str], expected: int) -> None:
    assert stock_exact.value(answer, answers, []) == expected
