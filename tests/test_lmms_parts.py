"""What of lmms-eval's bridge needs no lmms-eval: numbers of others' code as formulas, names, what is refused."""

from __future__ import annotations

import functools
import importlib.util
import math
import os
import random
import socket
from collections.abc import Sequence
from fractions import Fraction

import pytest

import mipha_eval as me
from mipha_eval.core.errors import UserError
from mipha_eval.core.metrics import Totals, add_tallies
from mipha_eval.core.plugins.references import is_suites, is_table, split_names
from mipha_eval.core.suite_task import GroupNumbers, SuiteDefinition
from mipha_eval.core.types import Decoding, Response, Sample, Score
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.reporting.summary import group_line
from mipha_eval.scoring.result import score_responses
from mipha_eval.suites.lmms.generation import Generation, ended, without_marks
from mipha_eval.suites.lmms.groups import how_of
from mipha_eval.suites.lmms.moves import NoMovesError, halves, moves
from mipha_eval.suites.lmms.network import asking_nobody, check_judge, judge_asked_by, judge_settings, judge_told
from mipha_eval.suites.lmms.numbers import counts_of, metric_of
from mipha_eval.suites.lmms.refusals import greedy_metrics, why_not_asked
from mipha_eval.suites.lmms.task import Loading, built, task_class
from tests.conftest import Cli

DOCUMENTS = 240
RNG = random.Random(7)
ANSWERS = [(RNG.random() < 0.5, RNG.random() < 0.4) for _ in range(DOCUMENTS)]
CLUSTERS = [f"picture {place // 4}" for place in range(DOCUMENTS)]


def f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Of (said yes, is yes)."""
    both = sum(said and true for said, true in pairs)
    return 2 * both / (sum(said for said, _ in pairs) + sum(true for _, true in pairs))


def without(places: Sequence[int]) -> float:
    return f1([ANSWERS[place] for place in places])


def test_moves_of_a_mean_are_deviations() -> None:
    values = [float(said) for said, _ in ANSWERS]
    mean = sum(values) / len(values)
    found = moves(
        mean, [str(place) for place in range(DOCUMENTS)], lambda places: sum(values[p] for p in places) / len(places)
    )
    assert found == pytest.approx([value - mean for value in values], abs=1e-6)


def test_moves_are_the_jackknife() -> None:
    """Their variance is that of the delete-one jackknife over pictures, computed here by its textbook formula."""
    value = f1(ANSWERS)
    found = moves(value, CLUSTERS, without)
    names = sorted(set(CLUSTERS))
    left = [without([place for place in range(DOCUMENTS) if CLUSTERS[place] != name]) for name in names]
    jackknife = (len(names) - 1) / len(names) * sum((each - sum(left) / len(left)) ** 2 for each in left)
    sums = {name: sum(move for move, own in zip(found, CLUSTERS, strict=True) if own == name) / DOCUMENTS for name in names}
    variance = sum(each**2 for each in sums.values()) * len(names) / (len(names) - 1)
    assert variance == pytest.approx(jackknife, rel=0.05)


def test_groups_of_pictures_have_the_same_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where leaving out one by one would take too long, several are left out together."""
    alone = moves(f1(ANSWERS), [str(place) for place in range(DOCUMENTS)], without)
    monkeypatch.setattr("mipha_eval.suites.lmms.moves.WORK", 0)
    together = moves(f1(ANSWERS), [str(place) for place in range(DOCUMENTS)], without)
    assert len(set(together)) <= 40
    assert sum(each**2 for each in together) == pytest.approx(sum(each**2 for each in alone), rel=0.5)


def test_moves_add_up_to_nothing_in_any_order() -> None:
    found = moves(f1(ANSWERS), CLUSTERS, without)
    for seed in range(5):
        assert sum(random.Random(seed).sample(found, len(found))) == 0.0


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1437.1234567890123, 1e-7, 0.0, -2.5, 99.99999999999999, 5e-324])
def test_a_number_comes_out_as_it_went_in(value: float) -> None:
    entry = {"all": value, "of": 999, "move": 0.0}
    totals = Totals(add_tallies(counts_of("m", entry) for _ in range(999)))
    metric = metric_of("m", set(totals.names()), totals)
    assert metric is not None
    assert metric.formula(totals) == value
    high, low = halves(value)
    assert Fraction(high) + Fraction(low) == Fraction(value)


def test_a_number_is_of_all_its_answers() -> None:
    totals = Totals(add_tallies(counts_of("m", {"all": 0.5, "of": 999, "move": 0.0}) for _ in range(998)))
    assert metric_of("m", set(totals.names()), totals) is None


def test_code_that_needs_every_picture_has_no_moves() -> None:
    def pairs(places: Sequence[int]) -> float:
        raise AssertionError("MME only supports pairwise evaluation")

    with pytest.raises(NoMovesError, match="AssertionError"):
        moves(1.0, CLUSTERS, pairs)
    with pytest.raises(NoMovesError, match="one image"):
        moves(1.0, ["a", "a"], without)


def test_a_line_on_a_group() -> None:
    """With all digits, and how it is made."""
    told = GroupNumbers(group="mine@lmms-eval-0.7.3", metrics={"acc": 1 / 3}, how={"acc": how_of("mean", by_size=True)})
    assert group_line(told) == "mine@lmms-eval-0.7.3: acc 0.3333333333333333 (mean weighted by the tasks' sizes)"
    none = GroupNumbers(group="mine@lmms-eval-0.7.3", why_not="no number")
    assert group_line(none) == "mine@lmms-eval-0.7.3: no number"
    assert how_of(f1, by_size=False) == "by lmms-eval's own code (f1), which need be no mean"


class MadeUp:
    """Stands in for a task of lmms-eval: F1 of answers, and a number that needs all of them."""

    revision = ""
    scoring: Sequence[object] = ()

    def cleaned(self, number: int, answered: str) -> dict[str, list[str]]:
        return {"none": [answered.strip()]}

    def payloads(self, number: int, cleaned: dict[str, list[str]]) -> dict[str, object]:
        (text,) = cleaned["none"]
        pair = (text == "yes", ANSWERS[number][1])
        return {"f1": pair, "whole": pair, "right": {"score": float(pair[0] == pair[1])}, "file": text}

    def aggregation(self, metric: str) -> object:
        def whole(pairs: Sequence[tuple[bool, bool]]) -> float:
            assert len(pairs) == DOCUMENTS
            return 12.5

        def right(payloads: Sequence[dict[str, float]]) -> float:
            return sum(each["score"] for each in payloads) / len(payloads)

        return {"f1": f1, "whole": whole, "right": right, "file": lambda payloads: None}[metric]

    def is_mean(self, metric: str) -> bool:
        return False


@functools.cache
def made_up_scores() -> object:
    metrics = ("f1", "whole", "right", "file")
    definition = SuiteDefinition(
        scheme="lmms", suite="lmms-eval", version="0.7.3", task="pope", name="pope", metrics=metrics
    )
    task = built(task_class(definition, "lmms:pope", Loading(MadeUp)))  # type: ignore[arg-type]
    samples = [Sample(str(place), "Is there?", ("yes",), (), place) for place in range(DOCUMENTS)]
    responses = {str(place): Response("yes" if said else "no") for place, (said, _) in enumerate(ANSWERS)}
    return score_responses(task, samples, responses)


def test_a_result_of_others_code() -> None:
    summary = made_up_scores().summary  # type: ignore[attr-defined]
    assert summary.task == "pope@lmms-eval-0.7.3"
    assert summary.metrics == {
        "f1": f1(ANSWERS),
        "whole": 12.5,
        "right": sum(said == true for said, true in ANSWERS) / DOCUMENTS,
    }
    assert summary.units == {"f1": "as given", "whole": "as given", "right": "of 1"}
    assert set(summary.intervals) == {"f1", "right"}
    assert "gives no number of parts" in summary.interval_notes["whole"]
    low, high = summary.intervals["f1"]
    assert low < f1(ANSWERS) < high
    drawn = [random.Random(seed) for seed in range(400)]
    values = sorted(f1([ANSWERS[rng.randrange(DOCUMENTS)] for _ in range(DOCUMENTS)]) for rng in drawn)
    assert (low, high) == pytest.approx((values[9], values[389]), abs=0.03), "the bootstrap says the same"


def test_its_scores_are_marked_one_by_one() -> None:
    scores: Sequence[Score] = made_up_scores().scores  # type: ignore[attr-defined]
    assert {score.rule for score in scores} == {"lmms-eval"}
    assert all("file" not in score.details for score in scores)


def test_names_of_its_tasks() -> None:
    assert split_names(["lmms:mmmu_val,lmms:chartqa", "pope"]) == ["lmms:mmmu_val", "lmms:chartqa", "pope"]
    assert is_suites("lmms:pope")
    assert not is_table("lmms:pope?include=/a/b.jsonl")
    assert not is_suites("jsonl:pope")


@pytest.mark.skipif(importlib.util.find_spec("lmms_eval") is not None, reason="lmms-eval is installed")
def test_without_it_one_line_says_what_to_install(cli: Cli, tmp_path: object) -> None:
    outcome = cli("run", "--tasks", "lmms:pope", "-o", tmp_path)
    assert outcome.code == 2
    assert outcome.err.strip().endswith(
        "lmms: tasks are lmms-eval's, which is not installed; pip install 'mipha-eval[lmms]'"
    )
    outcome = cli("run", "--tasks", "pope", "--lmms-include", ".", "-o", tmp_path)
    assert outcome.code == 2
    assert "no task is one; name it as lmms:TASK" in outcome.err


def test_how_an_answer_is_generated() -> None:
    assert Generation.of({"until": ["\n\n"], "do_sample": False}) == Generation(Decoding(1024))
    settings = {"max_new_tokens": 16, "temperature": 0, "top_p": 1.0, "num_beams": 2, "until": ["ASSISTANT:"]}
    assert Generation.of(settings) == Generation(Decoding(16, num_beams=2), ("ASSISTANT:",))
    assert Generation.of({"do_sample": True, "temperature": 0.7}).sampled
    assert not Generation.of({"temperature": None, "do_sample": True}).sampled
    assert ended("dog ASSISTANT: cat", ["ASSISTANT:"]) == "dog "
    assert without_marks("<image>\nWhat?") == "What?"
    assert without_marks(" What?") == " What?"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"output_type": "generate_until_multi_round"}, "several turns"),
        ({"dataset_kwargs": {"video": True}}, "videos"),
        ({"repeats": 64}, "draws 64 answers"),
        ({"output_type": "generate_until", "dataset_kwargs": {"token": True}}, ""),
    ],
)
def test_what_is_refused(config: dict[str, object], why: str) -> None:
    assert why in why_not_asked(config) if why else why_not_asked(config) == ""
    assert greedy_metrics("multiple_choice", ["acc", "exact_match"]).keys() == {"exact_match"}


def ask_outright(document: object, results: list[str]) -> float:
    return ask_further(results[0])


def ask_further(text: str) -> float:
    import openai

    return float(bool(openai.OpenAI()))


def read_alone(document: object, results: list[str]) -> float:
    return math.sqrt(len(results))


def test_who_asks_a_judge_is_seen_in_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge_asked_by([ask_outright]) in ("OpenAI", "openai")
    assert judge_asked_by([functools.partial(ask_outright)]) in ("OpenAI", "openai")
    assert judge_asked_by([read_alone, None, "mean"]) == ""
    for name in ("OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        check_judge("lmms:mmvet", "openai")
    check_judge("lmms:pope", "")
    assert judge_settings({"OPENAI_API_KEY": "secret", "MODEL_VERSION": "m"}) == {
        "OPENAI_API_KEY": "...",
        "MODEL_VERSION": "m",
    }


def test_a_judge_is_told_to_others_code_for_as_long_as_it_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """However that ends; what was said before is said again."""
    monkeypatch.setenv("MIPHA_EVAL_JUDGE_KEY", "secret")
    monkeypatch.setenv("MODEL_VERSION", "earlier")
    before = dict(os.environ)
    with judge_told("m", "http://h/v1", "key"):
        assert (os.environ["MODEL_VERSION"], os.environ["OPENAI_API_URL"]) == ("m", "http://h/v1")
    assert dict(os.environ) == before
    with pytest.raises(UserError):
        me.evaluate("constant", "lmms:no_such_task", data="demo", judge=JudgeChoice("m", "http://h/v1"))
    assert dict(os.environ) == before


def test_nobody_is_asked_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the code takes every error for a wrong answer."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def careless() -> float:
        with socket.socket() as connection:
            try:
                connection.connect(("127.0.0.1", 9))
            except Exception:
                return 0.0
        return 1.0

    with pytest.raises(UserError, match="asks a judge"), asking_nobody("lmms:mmvet"):
        careless()
    assert careless() == 0.0, "elsewhere connections are made"
