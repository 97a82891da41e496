"""Reading rules against the oracles, on generated and ugly answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.scoring.answers.letters import read_mmbench, read_scienceqa
from mipha_eval.scoring.answers.vqa import CONTRACTIONS, consensus, evalai_accuracy, normalize_evalai, vqa_accuracy
from tests.oracles import mmbench as mmbench_oracle
from tests.oracles import scienceqa as scienceqa_oracle
from tests.oracles import vqa_text
from tests.oracles.vqav2 import official_accuracy

WORDS = """yes no Yes two none the a an dont don't isnt couldnt've couldn'tve somebody'd shed hed oclock twas 1,000 1,0,0
3. .5 3.5 t-shirt men's (a) a/b what? red, blue; x_y \\ ` @ ! ... U.S.A. é 猫 １.２ im Im couldntve 'ows'at yall'd've"""
texts = st.one_of(
    st.lists(st.sampled_from(WORDS.split()), max_size=5).map(" ".join),
    st.text(alphabet="a1 .,-/?!'\n\tTheno", max_size=14),
    st.just("." * 40 + "x."),
)


@given(texts, st.lists(texts, min_size=10, max_size=10))
@settings(max_examples=400, deadline=None)
def test_vqa_equals_the_oracle(answer: str, humans: list[str]) -> None:
    for given_humans in (humans, [humans[0]] * 10, [*humans[:3], *[humans[3]] * 7], [answer] * 4 + humans[:6]):
        records = [{"answer": human, "answer_id": number} for number, human in enumerate(given_humans)]
        expected = official_accuracy(answer, {"answers": records})
        assert vqa_accuracy(answer, given_humans) == pytest.approx(expected, abs=1e-12)
        plain = [vqa_text.normalise_evalai(human) for human in given_humans]
        expected = vqa_text.leave_one_out(vqa_text.normalise_evalai(answer), plain)
        assert evalai_accuracy(answer, given_humans) == pytest.approx(expected, abs=1e-12)
    assert normalize_evalai(answer) == vqa_text.normalise_evalai(answer)


def test_consensus_is_leave_one_out() -> None:
    for humans in range(1, 12):
        for matches in range(humans + 1):
            given_humans = ["x"] * matches + [f"other {number}" for number in range(humans - matches)]
            assert consensus(matches, humans) == pytest.approx(vqa_text.leave_one_out("x", given_humans), abs=1e-12)
    assert [round(consensus(matches, 10), 2) for matches in range(5)] == [0, 0.3, 0.6, 0.9, 1]


def test_contractions() -> None:
    assert len(vqa_text.CONTRACTIONS) == 120
    for word, written in vqa_text.CONTRACTIONS.items():
        if word == word.lower():  # words are lower-cased before they are looked up
            assert CONTRACTIONS.get(word, word) == written
    assert CONTRACTIONS.keys() <= vqa_text.CONTRACTIONS.keys()


def test_unanimous_humans_are_not_normalised() -> None:
    assert vqa_accuracy("Yes", ["yes"] * 10) == 0
    assert vqa_accuracy("Yes", ["yes"] * 9 + ["no"]) == 1
    assert evalai_accuracy("Yes", ["yes"] * 10) == 1


OPTIONS = {"A": "a red car", "B": "two", "C": "None of these", "D": "the cat"}
TOKENS = """A B C D E Z a b (A) A. B) C: answer is The **B** **A** Answer: D. two cat red car I think so
None of these 。 not"""
ANSWERS = """|The answer is A.|The answer is A|The answer is A. The answer is B.|A. a red car|A.| A|F|TWO|Two or a red car|
Failed to obtain answer via API A|I can't process this file. B|the answer is **C**"""
letters_text = st.one_of(
    st.lists(st.sampled_from(TOKENS.split()), max_size=8).map(" ".join), st.sampled_from([*ANSWERS.split("|"), "A" * 200])
)


@given(letters_text)
@settings(max_examples=600, deadline=None)
def test_mmbench_equals_the_oracle(text: str) -> None:
    reading = read_mmbench(text, OPTIONS)
    assert reading.answer == (mmbench_oracle.letter_of(text, OPTIONS) or "")
    assert reading.parsed == bool(reading.answer)
    if reading.span and reading.rule == "mmbench-letter":
        assert text[slice(*reading.span)] == reading.answer


@given(letters_text, st.integers(2, 9))
@settings(max_examples=600, deadline=None)
def test_scienceqa_equals_the_oracle(text: str, count: int) -> None:
    reading = read_scienceqa(text, ["choice"] * count)
    index = LETTERS[:count].find(reading.answer) if reading.answer else -1
    for answer in range(count):
        assert scienceqa_oracle.is_right(text, count, answer) == (index == answer)
