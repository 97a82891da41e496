"""The stock scorers: their rules by brute force and published examples, their labels, metrics and certificates."""

from __future__ import annotations

import itertools
import json
import random
import string
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.errors import UserError
from mipha_eval.core.types import Answer, Response, Score
from mipha_eval.scoring.certificate import RuleOracle, _bundled, certificate_note, read_certificate
from mipha_eval.scoring.certify import CertifySettings
from mipha_eval.scoring.certify_stock import certify_stock
from mipha_eval.scoring.judging.dialogue import Talk, replay
from mipha_eval.scoring.stock.anls import edit_distance
from mipha_eval.scoring.stock.drawn import DRAWS
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.scorers import SCORERS, USUAL, scorer_class
from tests.conftest import Cli
from tests.oracles import mmbench, vqa_text
from tests.stock_tasks import one_sample, scored, stock_task, summary

LABELS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "yesno": (["yes"], []),
    "choice": (["B"], ["a cat", "a dog"]),
    "circular": (["B"], ["a cat", "a dog"]),
    "exact": (["dog"], []),
    "vqa": (["dog"] * 10, []),
    "anls": (["dog"], []),
    "relaxed": (["12"], []),
    "contains": (["dog"], []),
    "number": (["12"], []),
    "likelihood": (["B"], ["a cat", "a dog"]),
}
REFUSALS = ("Cannot determine the answer", "I'm sorry, but without the image provided I can't help.", "I cannot answer.")


@cache
def distance(one: str, other: str) -> int:
    """Levenshtein's distance by its definition."""
    if not one or not other:
        return len(one) + len(other)
    put = 1 + min(distance(one[1:], other), distance(one, other[1:]))
    return min(put, distance(one[1:], other[1:]) + (one[0] != other[0]))


def table_distance(one: str, other: str) -> int:
    """The same by a whole table, for long texts."""
    cells = {(row, 0): row for row in range(len(one) + 1)} | {(0, column): column for column in range(len(other) + 1)}
    for row, mine in enumerate(one, start=1):
        for column, theirs in enumerate(other, start=1):
            put = 1 + min(cells[row - 1, column], cells[row, column - 1])
            cells[row, column] = min(put, cells[row - 1, column - 1] + (mine != theirs))
    return cells[len(one), len(other)]


def anls_value(answer: str, answers: list[str], choices: list[str]) -> float:
    best = 0.0
    for truth in answers:
        said, true = (" ".join(text.lower().split()) for text in (answer, truth))
        best = max(best, 1 - table_distance(said, true) / max(len(answer.upper()), len(truth.upper())))
    return best if best >= 0.5 else 0.0


def relaxed_value(answer: str, answers: list[str], choices: list[str]) -> float:
    def number(text: str) -> float | None:
        try:
            return float(text.rstrip("%")) / 100 if text[-1:] == "%" else float(text)
        except ValueError:
            return None

    def right(truth: str) -> bool:
        said, true = number(answer), number(truth)
        if said is None or true is None or true == 0:
            return answer.lower() == truth.lower()
        return abs(said - true) / abs(true) <= 0.05

    return float(any(map(right, answers)))


def number_value(answer: str, answers: list[str], choices: list[str]) -> float:
    (label,) = answers
    try:
        if "." in label:
            digits = len(label.split(".")[1])
            return float(str(round(float(answer), digits)) == str(round(float(label), digits)))
        return float(int(float(answer)) == int(float(label)))
    except (ValueError, OverflowError):
        return 0.0


def contains_value(answer: str, answers: list[str], choices: list[str]) -> float:
    flat = answer.lower().strip().replace("\n", " ")
    return float(any(flat.find(truth.lower().strip().replace("\n", " ")) >= 0 for truth in answers))


def choice_value(answer: str, answers: list[str], choices: list[str]) -> float:
    options = dict(zip(string.ascii_uppercase, choices, strict=False))
    read = mmbench.letter_among_words(answer, options) or mmbench.letter_of_wording(answer, options)
    return float(read == answers[0])


def vqa_value(answer: str, answers: list[str], choices: list[str]) -> float:
    said, given = vqa_text.without_breaks(answer), [vqa_text.without_breaks(text) for text in answers]
    if len(set(given)) > 1:
        said, given = vqa_text.normalise_vqa(said), [vqa_text.normalise_vqa(text) for text in given]
    return vqa_text.leave_one_out(said, given)


VALUES: dict[str, Callable[[str, list[str], list[str]], float]] = {
    "anls": anls_value,
    "relaxed": relaxed_value,
    "number": number_value,
    "contains": contains_value,
    "choice": choice_value,
    "circular": choice_value,
    "vqa": vqa_value,
}


# ---- rules


@pytest.mark.parametrize("scorer", VALUES)
def test_a_rule_agrees_with_a_second_one(scorer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    oracle = RuleOracle(Path(f"stock_{scorer}.py"), VALUES[scorer], "this test")
    monkeypatch.setattr("mipha_eval.scoring.certify_stock.load_rule_oracle", lambda _: oracle)
    certificate = certify_stock(scorer, CertifySettings(1000, tmp_path, 5))
    assert certificate.disagreements == 0, certificate.oracles[0].first_disagreement
    assert certificate.answers >= 1000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *(
            ("Yes", "yes"),
            ("no.", "no"),
            ("Yes, it is.", "yes"),
            ("There is no dog", "no"),
            ("(yes)", "yes"),
            ("yes/ no", ""),
        ),
        *(("YES!", "yes"), ("I do not know", ""), ("yesterday", ""), ("yes and no", ""), ("not", ""), ("1.yes", "")),
    ],
)
def test_yes_xor_no_among_the_words(text: str, said: str) -> None:
    for label in ("yes", "no"):
        score = scored("yesno", text, [label])
        assert (score.value, score.reading, score.parsed) == (float(said == label), said, bool(said))


def test_edit_distance_by_its_definition() -> None:
    words = ["".join(letters) for length in range(5) for letters in itertools.product("ab", repeat=length)]
    for one, other in itertools.product(words, repeat=2):
        assert edit_distance(one, other) == table_distance(one, other) == distance(one, other)
    assert edit_distance("kitten", "sitting") == 3


@pytest.mark.parametrize(
    ("text", "answers", "value"),
    [
        ("Q", ["Q", "Q2"], 1.0),
        ("moving pictures", ["Moving   Pictures"], 1.0),
        ("pencils", ["pencil"], 1 - 1 / 7),
        ("T.F. Riehl", ["T. F. Riehl"], 1 - 1 / 11),
        ("abcd", ["abxy"], 0.5),
        ("abcd", ["axyz"], 0.0),
        ("cat  ", ["car"], 1 - 1 / 5),  # the official script divides by the length with spaces
        ("x" * 100_000, ["cat"], 0.0),
    ],
)
def test_anls(text: str, answers: list[str], value: float) -> None:
    assert scored("anls", text, answers).value == pytest.approx(value, abs=1e-12)


def test_anls_of_another_threshold() -> None:
    assert scored("anls", "abcd", ["axyz"], threshold=0.2).value == 0.25
    assert scored("anls", "pencils", ["pencil"], threshold=0.9).value == 0
    with pytest.raises(UserError, match="threshold must be from 0 to 1"):
        stock_task("anls", [], threshold=2)


@pytest.mark.parametrize(
    ("text", "label", "right"),
    [
        # the first ones are pix2struct's own, metrics_test.py
        *(("100", "101", True), ("100", "100", True), ("100", "106", False), ("100%", "1.01", True), ("1.01", "100%", True)),
        *(
            ("95", "100", True),
            ("94.9", "100", False),
            ("105", "100", True),
            ("105.1", "100", False),
            ("-100", "100", False),
        ),
        *(("0", "0", True), ("0.0", "0", False), ("50", "50%", False), ("0.5", "50%", True), ("Red", "red", True)),
        *(
            ("red ", "red", False),
            ("1,000", "1000", False),
            (" 5 ", "5", True),
            ("5 %", "5%", True),
            ("about 5", "5", False),
        ),
    ],
)
def test_relaxed(text: str, label: str, right: bool) -> None:
    assert scored("relaxed", text, [label]).value == float(right)
    assert scored("relaxed", text, ["no such thing", label]).value == float(right)


def test_relaxed_with_another_tolerance() -> None:
    assert scored("relaxed", "110", ["100"], tolerance=0.1).value == 1
    assert scored("relaxed", "101", ["100"], tolerance=0).value == 0


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        *(("12", "12", "12"), (" 12.0 ", "12", "12"), ("12.9", "12", "12"), ("1.2e1", "12", "12"), ("13", "12", "13")),
        *(
            ("1.24", "1.2", "1.2"),
            ("1.26", "1.2", "1.3"),
            ("1.2", "1.20", "1.2"),
            ("0.3", "0.25", "0.3"),
            ("-3", "-3", "-3"),
        ),
        *(("12 cm", "12", ""), ("1,200", "1200", ""), ("50%", "50", ""), ("The answer is 12.", "12", ""), ("inf", "12", "")),
    ],
)
def test_number(text: str, label: str, said: str) -> None:
    score = scored("number", text, [label])
    assert (score.reading, score.parsed) == (said, bool(said))
    normal = "1.2" if label == "1.20" else label
    assert score.value == float(said == normal)


def test_number_with_options() -> None:
    assert scored("number", "12.34", ["12.3"], precision=1).value == 1
    assert scored("number", "12.9", ["12.3"], answer_type="integer").value == 1
    assert scored("number", "2.004", ["2"], answer_type="float", precision=2).value == 1
    assert scored("number", "2.006", ["2"], answer_type="float", precision=2).value == 0


@pytest.mark.parametrize(
    ("scorer", "text", "answers", "choices"),
    [
        ("number", "It is 1,200 kg.", ["1200"], []),
        ("exact", "The answer is a dog.", ["dog"], []),
        ("yesno", "Answer: yes. There is no doubt.", ["yes"], []),
        ("choice", "b", ["B"], ["cat", "dog"]),
        ("anls", "The answer is: Main Street.", ["Main Street"], []),
        ("relaxed", "The answer is 12.", ["12"], []),
        ("vqa", "The answer is: dog.", ["dog"] * 10, []),
    ],
)
def test_what_a_second_reading_finds(scorer: str, text: str, answers: list[str], choices: list[str]) -> None:
    task = stock_task(scorer, [Question("What?", tuple(answers), choices=tuple(choices))])
    sample = one_sample(task)
    lenient = task.lenient(sample, text)
    assert lenient is not None
    assert lenient > task.score(sample, Response(text)).value


@pytest.mark.parametrize("scorer", LABELS)
def test_right_blank_and_refused(scorer: str) -> None:
    """What the label says is worth the most there is; nothing and a refusal are worth nothing."""
    answers, choices = LABELS[scorer]
    task = stock_task(scorer, [Question("What?", tuple(answers), choices=tuple(choices))])
    sample = next(iter(task.samples()))
    assert task.score(sample, Response(sample.target[0])).value == 1
    for text in ("", " ", "\n" * 500, *REFUSALS):
        assert task.score(sample, Response(text)).value == 0
    for text in ("", "   "):
        assert not task.score(sample, Response(text)).parsed


def test_a_blank_is_worth_nothing_where_official_code_pays_for_it() -> None:
    assert scored("anls", " " * 100, ["cat"]).value == 0  # 0.97 in the RRC's script
    assert scored("vqa", " ", ["a", "a", "the", "a", "an", "a", "a", "a", "a", "b"]).value == 0


@pytest.mark.parametrize("scorer", ["choice", "circular"])
def test_a_refusal_is_not_the_26th_option(scorer: str) -> None:
    options = [f"thing {number:02}" for number in range(26)]
    task = stock_task(scorer, [Question("Which?", ("Z",), choices=tuple(options))])
    sample = next(iter(task.samples()))
    assert [task.score(sample, Response(text)).value for text in ("Z", *REFUSALS[:2])] == [1, 0, 0]


# ---- labels

WRONG = {
    "neither yes nor no": ("yesno", ["maybe"], []),
    "neither yes nor no (nor": ("yesno", ["yes", "no"], []),
    "2 right options": ("choice", ["A", "B"], ["cat", "dog"]),
    "neither a letter": ("choice", ["C"], ["cat", "dog"]),
    "neither a letter of its": ("choice", ["0"], ["cat", "dog"]),
    "letter of one option and the text of another": ("choice", ["B"], ["B", "A"]),
    "have the same text": ("likelihood", ["A"], ["cat", "dog", "cat"]),
    "options A and C": ("circular", ["cat"], ["cat", "dog", "cat"]),
    "to choose takes two": ("circular", ["A"], ["cat", ""]),
    "only 26 letters": ("exact", ["A"], [str(number) for number in range(27)]),
    "accepted answer is empty": ("anls", ["cat", " "], []),
    "an accepted answer is empty": ("exact", [" . "], []),
    "is no number": ("number", ["twelve"], []),
    "'nan' is no number": ("number", ["nan"], []),
    "its captions are empty": ("caption", ["", " "], []),
}


@pytest.mark.parametrize("words", WRONG)
def test_a_label_that_cannot_be_read(words: str) -> None:
    scorer, answers, choices = WRONG[words]
    task = stock_task(scorer, [Question("What?", tuple(answers), choices=tuple(choices), place="rows.jsonl:7")])
    with pytest.raises(UserError) as caught:
        list(task.samples())
    assert str(caught.value).startswith("rows.jsonl:7 ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("label", "choices", "letter"),
    [
        *(
            ("B", ["cat", "dog"], "B"),
            ("dog", ["cat", "dog"], "B"),
            (" dog ", ["cat", "dog"], "B"),
            ("b", ["cat", "dog"], "B"),
        ),
        *(("b", ["b", "a"], "A"), ("A", ["A", "B"], "A"), ("C", ["cat", "", "dog"], "C"), ("dog", ["cat", "", "dog"], "C")),
        ("Z", [f"thing {number:02}" for number in range(26)], "Z"),
    ],
)
def test_a_label_is_a_letter_or_a_text(label: str, choices: list[str], letter: str) -> None:
    for scorer in ("choice", "circular", "likelihood"):
        task = stock_task(scorer, [Question("Which?", (label,), choices=tuple(choices))])
        assert next(iter(task.samples())).target == (letter,)


@pytest.mark.parametrize(("label", "read"), [("Yes", "yes"), ("TRUE", "yes"), ("n", "no"), ("False", "no"), ("no.", "no")])
def test_yes_and_no_in_other_words(label: str, read: str) -> None:
    task = stock_task("yesno", [Question("Is it?", (label,))])
    assert one_sample(task).target == (read,)
    assert task.possible_answers(one_sample(task)) == {"Yes": read == "yes", "No": read == "no"}


@pytest.mark.parametrize("scorer", SCORERS)
def test_labels_may_be_missing(scorer: str) -> None:
    task = stock_task(scorer, [Question("What?", choices=("a cat", "a dog")), Question("And?", choices=("a cat", "a dog"))])
    samples = list(task.samples())
    assert all(not sample.target for sample in samples)
    result = summary(task, {sample.id: "A" for sample in samples})
    assert (result.unlabelled, result.n, result.metrics) == (len(samples), 0, {})


@pytest.mark.parametrize(
    ("people", "odd"), [(10, ""), (9, "has 9 human answers"), (2, "no answer is worth more than 33 %"), (1, "more than 0 %")]
)
def test_other_than_ten_people(people: int, odd: str) -> None:
    task = stock_task("vqa", [Question("What?", ("dog",) * people)])
    told = task.odd_label(one_sample(task))
    assert odd in told
    assert bool(odd) == bool(told)
    best = task.score(one_sample(task), Response("dog")).value
    assert best == pytest.approx(min(1.0, (people - 1) / 3))


def test_every_kind_has_its_usual_scorer() -> None:
    for kind, scorer in USUAL.items():
        assert kind in scorer_class(scorer).kinds
    for name in SCORERS:
        assert scorer_class(name).scorer == name


# ---- metrics


def test_yes_no_metrics_by_brute_force() -> None:
    """As VLMEvalKit rates POPE: an unread answer is wrong, and no yes."""
    rng = random.Random(3)
    labels = [rng.choice(("yes", "no")) for _ in range(60)]
    said = [rng.choice(("yes", "no", "maybe")) for _ in labels]
    kinds = [rng.choice(("a", "b")) for _ in labels]
    questions = [Question("Is it?", (label,), category=kind) for label, kind in zip(labels, kinds, strict=True)]
    metrics = summary(stock_task("yesno", questions), {str(n): text for n, text in enumerate(said, start=1)}).metrics
    pairs = list(zip(labels, said, strict=True))
    tp, fp = pairs.count(("yes", "yes")), pairs.count(("no", "yes"))
    precision, recall = tp / (tp + fp), tp / labels.count("yes")
    assert metrics["precision"] == pytest.approx(100 * precision)
    assert metrics["recall"] == pytest.approx(100 * recall)
    assert metrics["f1"] == pytest.approx(200 * precision * recall / (precision + recall))
    assert metrics["yes_ratio"] == pytest.approx(100 * said.count("yes") / 60)
    assert metrics["accuracy"] == pytest.approx(100 * sum(label == text for label, text in pairs) / 60)
    own = [label == text for (label, text), kind in zip(pairs, kinds, strict=True) if kind == "a"]
    assert metrics["a"] == pytest.approx(100 * sum(own) / len(own))
    assert next(iter(metrics)) == "accuracy"


def test_the_envelope_of_unread_yes_and_no() -> None:
    task = stock_task("yesno", [Question("Is it?", (label,)) for label in ("yes", "no", "no", "yes")])
    result = summary(task, {"1": "yes", "2": "maybe", "3": "yes", "4": "no"})
    assert (result.metrics["accuracy"], result.envelope, result.unparsed) == (25, (25, 50), 1)
    for label, text in itertools.product(("yes", "no"), ("yes", "no", "perhaps")):
        score = scored("yesno", text, [label])
        other = "no" if label == "yes" else "yes"
        assert task.with_outcome(score, 1).details == scored("yesno", label, [label]).details
        assert task.with_outcome(score, 0).details == scored("yesno", other, [label]).details


def test_categories_called_like_metrics() -> None:
    names = ["accuracy", "category/accuracy", "group_accuracy", "right", "odd"]
    questions = [Question("What?", ("dog",), category=name, group="g") for name in names]
    result = summary(stock_task("exact", questions), {"1": "dog", "2": "cat", "3": "dog", "4": "cat", "5": "dog"})
    assert result.metrics == {
        "accuracy": 60,
        "group_accuracy": 0,
        "category/accuracy": 100,
        "category/category/accuracy": 0,
        "category/group_accuracy": 100,
        "right": 0,
        "odd": 100,
    }


def test_groups_are_right_as_a_whole() -> None:
    questions = [Question("What?", ("dog",), group=group) for group in ("g", "h", "g", "h", "", "i")]
    result = summary(stock_task("anls", questions), {str(n): "dog" if n != 4 else "dot" for n in range(1, 7)})
    assert result.metrics["anls"] == pytest.approx(100 * (5 + 2 / 3) / 6)
    assert result.metrics["group_accuracy"] == pytest.approx(100 * 2 / 3)
    plain = stock_task("exact", [Question("What?", ("dog",))])
    assert "group_accuracy" not in summary(plain, {"1": "dog"}).metrics


def test_captions(tmp_path: Path) -> None:
    """A caption of people has more than another one's; categories have a CIDEr of their own."""
    captions = ["a red bus on the street", "two cats sleep on a sofa", "a man rides a horse at the beach"]
    questions = [Question("", (text, f"there is {text}"), category=name) for text, name in zip(captions, "aab", strict=True)]
    task = stock_task("caption", questions, tokenizer="treebank")
    assert [sample.prompt for sample in task.samples()] == ["Provide a one-sentence caption for the provided image."] * 3
    result = summary(task, {"1": captions[0], "2": captions[1], "3": captions[0]})
    metrics = {name.partition("[")[0]: value for name, value in result.metrics.items()}
    assert set(metrics) == {"CIDEr", *(f"BLEU-{order}" for order in range(1, 5)), "ROUGE_L", "a/CIDEr", "b/CIDEr"}
    assert metrics["a/CIDEr"] > metrics["CIDEr"] > metrics["b/CIDEr"]
    assert metrics["CIDEr"] == pytest.approx((2 * metrics["a/CIDEr"] + metrics["b/CIDEr"]) / 3)
    grouped = stock_task("caption", [Question("", q.answers, group="g") for q in questions], tokenizer="treebank")
    again = summary(grouped, {"1": captions[0], "2": captions[1], "3": captions[0]})
    assert again.metrics["CIDEr[treebank]"] == pytest.approx(metrics["CIDEr"])


# ---- rotations


@pytest.mark.parametrize("count", [2, 6, 10, 26])
def test_rotations(count: int) -> None:
    options = tuple(f"thing {number:02}" for number in range(count))
    for right in (0, count - 1):
        samples = list(stock_task("circular", [Question("Which?", (options[right],), choices=options)]).samples())
        assert [sample.id for sample in samples] == ["1", *(f"1#{turn}" for turn in range(1, count))]
        assert {sample.group for sample in samples} == {"1"}
        assert samples[0].choices == options
        assert len({sample.choices for sample in samples}) == count
        for sample in samples:
            assert sample.choices[string.ascii_uppercase.index(sample.target[0])] == options[right]
            assert f"{sample.target[0]}. {options[right]}" in sample.prompt.split("\n")
        assert sorted(sample.target[0] for sample in samples) == list(string.ascii_uppercase[:count])


def test_an_empty_option_is_not_rotated_in() -> None:
    samples = list(stock_task("circular", [Question("Which?", ("C",), choices=("cat", "", "dog", ""))]).samples())
    assert [(sample.choices, sample.target) for sample in samples] == [
        (("cat", "", "dog", ""), ("C",)),
        (("dog", "", "cat", ""), ("A",)),
    ]


def test_all_rotations_or_nothing() -> None:
    question = Question("Which?", ("B",), choices=("cat", "dog", "cow"), category="odd")
    task = stock_task("circular", [question, question])
    samples = list(task.samples())
    texts = {sample.id: sample.target[0] for sample in samples}
    assert summary(task, texts).metrics == {"accuracy": 100, "vanilla": 100, "odd": 100}
    assert summary(task, {**texts, "2#1": "no idea"}).metrics == {"accuracy": 50, "vanilla": 100, "odd": 50}
    assert summary(task, {**texts, "2": "no idea"}).metrics == {"accuracy": 50, "vanilla": 50, "odd": 50}


def test_circular_takes_no_groups() -> None:
    task = stock_task("circular", [Question("Which?", ("A",), choices=("cat", "dog"), group="g")])
    with pytest.raises(UserError, match="each question as a group of its own"):
        list(task.samples())


def answered(task: Any, texts: Sequence[str]) -> list[Answer]:
    pairs = zip(task.samples(), texts, strict=True)
    return [Answer(sample, text, task.score(sample, Response(text))) for sample, text in pairs]


def test_a_judge_matches_unread_answers_unless_one_is_wrong_or_blank() -> None:
    task: Any = stock_task("circular", [Question("Which?", ("B",), choices=("cat", "dog"))])
    asked = Talk(task.grade(answered(task, ["the hairy one that barks loudly", "A"]), 1), 9).begin()
    assert asked is not None
    assert "the hairy one" in asked.prompt
    for texts in (["the hairy one that barks loudly", "B"], ["the hairy one that barks loudly", " "]):
        assert Talk(task.grade(answered(task, texts), 1), 9).begin() is None


# ---- likelihood


def test_the_likeliest_option_counts() -> None:
    task = stock_task("likelihood", [Question("Which?", ("C",), choices=("cat", "", "big dog", "cow"))])
    sample = one_sample(task)
    assert (sample.prompt, task.request(sample).options) == ("Which?", ("cat", "big dog", "cow"))

    def ranked(*likelihoods: float) -> Score:
        return task.score(sample, Response("", likelihoods=likelihoods, option_tokens=(1, 3, 1)))

    assert [
        (score.value, score.reading, score.details["per_token"]) for score in (ranked(-2, -1, -3), ranked(-2, -3, -4))
    ] == [
        (1, "C", 1),
        (0, "A", 1),
    ]
    assert [task.score(sample, Response(text)).value for text in ("C", "A", "big dog")] == [1, 0, 0]


# ---- judge


def test_a_judge_grades_each_answer_by_its_own() -> None:
    task: Any = stock_task("judge", [Question(f"Question {n}?", ("dog", "hound"), group="g") for n in range(3)])
    answers = answered(task, ["a dog", "", "a cat"])
    heard = []

    def known(query: Any) -> Any:
        from mipha_eval.core.types import Verdict

        heard.append((query.about, query.repeat))
        return Verdict("yes" if "a dog" in query.prompt else "no", finish="stop")

    scores = replay(task.grade(answers, 2), known)
    assert [(score.value, score.rule) for score in scores] == [(1, "judge-grade"), (0, "blank"), (0, "judge-grade")]
    assert heard == [("1", 0), ("1", 1), ("3", 0), ("3", 1)]


def test_a_judge_of_questions_with_options() -> None:
    task = stock_task("judge", [Question("Which?", ("dog",), choices=("cat", "dog"))])
    sample = one_sample(task)
    assert sample.target == ("B", "dog")
    assert sample.prompt == "Which?\nA. cat\nB. dog"
    assert task.possible_answers(sample) == {}


# ---- certificates


def test_a_certificate_of_a_stock_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is about every task that the scorer's own rule and usual options score, and about no other."""
    oracle = RuleOracle(Path("stock_anls.py"), anls_value, "this test")
    monkeypatch.setattr("mipha_eval.scoring.certify_stock.load_rule_oracle", lambda _: oracle)
    certificate = certify_stock("anls", CertifySettings(200, tmp_path))
    assert json.loads((tmp_path / "stock-anls.json").read_text())["sha256"] == certificate.sha256
    monkeypatch.setattr("mipha_eval.scoring.certificate.plugin_folder", lambda _: tmp_path)
    _bundled.cache_clear()
    questions = [Question("What?", ("dog",))]
    task = stock_task("anls", questions)
    assert read_certificate(task, "anls") == certificate
    assert (
        summary(task, {"1": "dog"}).certificate
        == certificate_note(task, "anls")
        == f"{certificate.sha256[:12]} (200 answers)"
    )
    assert read_certificate(task, "accuracy") is None
    assert read_certificate(stock_task("anls", questions, threshold=0.4), "anls") is None
    own: Any = type("Own", (type(task),), {"read": lambda self, sample, text: 1 / 0})
    assert read_certificate(own("v1", task.data), "anls") is None
    assert read_certificate(stock_task("relaxed", questions), "relaxed_accuracy") is None
    _bundled.cache_clear()


def test_a_wrong_stock_scorer_is_found(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    oracle = RuleOracle(Path("stock_exact.py"), lambda answer, answers, choices: float(answer in answers), "this test")
    monkeypatch.setattr("mipha_eval.scoring.certify_stock.load_rule_oracle", lambda _: oracle)
    outcome = cli("certify", "stock-exact", "--answers", 400, "--output", tmp_path, "--json")
    assert outcome.code == 3
    (agreement,) = outcome.json[0]["oracles"]
    assert agreement["disagreements"] > 0
    assert "here" in agreement["first_disagreement"]


def test_stock_scorers_that_have_no_certificate(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mipha_eval.scoring.certificate.oracle_folder", lambda: tmp_path)
    for name, words in (("stock-anls", "has no oracle"), ("stock-judge", "'judge'"), ("stock-nothing", "unknown scorer")):
        outcome = cli("certify", name)
        assert (outcome.code, words in outcome.err) == (2, True), outcome.err
    assert set(DRAWS) < set(SCORERS)
