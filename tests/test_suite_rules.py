"""Other suites' rules: what each would print for the same answers, held to the suites' own code by certificates."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.types import Image, Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.suite_rules import evalscope, lmms_eval, vlmevalkit
from mipha_eval.scoring.suite_rules.certificate import read_certificate, rules_digest, sealed
from mipha_eval.scoring.suite_rules.number import SuiteRule, suite_number
from mipha_eval.scoring.suite_rules.suites import SUITES, Suite
from tests.conftest import Cli, read_jsonl, write_jsonl
from tools.certify_suites import Agreement, SuiteCode, compare_task, tasks_of

#: a folder with an environment a suite, ``SUITE/bin/python``, and where the suite is no package its checkout, ``SUITE/code``
VARIABLE = "MIPHA_EVAL_SUITES"


def picture(name: str = "a.jpg") -> Image:
    return Image(name, name, lambda: b"")


def question(target: str, *choices: str, name: str = "1", group: str = "", category: str = "") -> Sample:
    return Sample(name, "Which?", (target,), (picture(),), name, category, group, choices=choices)


def people(*answers: str) -> Sample:
    return Sample("1", "What?", answers, (picture(),), "1")


YES, NO = question("yes"), question("no")


@pytest.mark.parametrize(
    ("text", "lmms", "kit", "scope_of_yes"),
    [
        ("Yes", "yes", "yes", "yes"),
        ("no", "no", "no", "no"),
        ("Yes, there is a dog.", "", "yes", "yes"),
        ("No, there is no dog", "", "no", "no"),
        ("yes.", "", "yes", "yes"),
        ("yes and no", "", "", "yes"),
        ("Yesterday", "", "", "yes"),
        ("", "", "", "no"),
        ("<think>no</think>Yes", "yes", "yes", "yes"),
    ],
)
def test_pope_is_read_in_four_ways(text: str, lmms: str, kit: str, scope_of_yes: str) -> None:
    assert lmms_eval.read_pope(YES, text).answer == lmms
    assert vlmevalkit.read_yes_no(YES, text).answer == kit or "think" in text
    assert vlmevalkit.read_yes_no(YES, text).unsure == (vlmevalkit.read_yes_no(YES, text).answer == "")
    assert evalscope.read_pope(YES, text).answer == scope_of_yes


def test_evalscope_takes_every_mention_for_the_label() -> None:
    """A "no" in "not", "know" or "none" is right where no is right, and wrong where yes is."""
    assert evalscope.read_pope(NO, "I do not know").worth == 1
    assert evalscope.read_pope(YES, "I do not know").worth == 0
    assert evalscope.read_pope(YES, "no, but yes").worth == evalscope.read_pope(NO, "no, but yes").worth == 1


@pytest.mark.parametrize(
    ("text", "answer"), [("Y", "yes"), ("n.", "no"), ("Nothing", "no"), (" yes!", "yes"), ("the no", "")]
)
def test_mme_in_lmms_eval(text: str, answer: str) -> None:
    assert lmms_eval.read_mme(YES, text).answer == answer


def test_short_answers() -> None:
    assert lmms_eval.read_gqa(question("t-shirt"), "T-shirt.").worth == 1
    assert lmms_eval.read_gqa(question("tshirt"), "t-shirt").worth == 1
    assert vlmevalkit.read_gqa(question("t-shirt"), "T-shirt.").worth == 0
    assert vlmevalkit.read_gqa(question("t-shirt"), " T-shirt ").worth == 1
    assert vlmevalkit.read_gqa(question("nan"), "None").worth == 1  # as a sheet gives it back


def test_vqa_of_ten_people() -> None:
    alike, two = people(*["yes"] * 10), people(*["two"] * 3, *["many"] * 7)
    assert lmms_eval.read_vqav2(alike, "Yes").worth == 1  # officially 0: nothing is normalised where all agree
    assert lmms_eval.read_vqav2(two, "2").worth == pytest.approx(0.9)
    assert evalscope.read_vqav2(two, "2").worth == 1
    assert evalscope.read_vqav2(two, "I think\nAnswer: two").worth == 1
    assert vlmevalkit.read_vqa(people(*["3."] * 10), "3").worth == 0  # it spares a full stop behind a digit
    assert lmms_eval.read_evalai(people(*["3."] * 10), "3").worth == 1


@pytest.mark.parametrize(
    ("text", "lmms", "kit", "scope"),
    [
        ("B", "B", "B", "B"),
        ("b", "B", "", ""),
        ("B. a cat", "B", "B", "B"),
        ("(B)", "", "B", "B"),
        ("The answer is B because A is wrong", "", "B", "A"),
        ("a cat", "", "B", ""),
        ("ANSWER: B, not A", "", "", "B"),
        ("E", "E", "", ""),
    ],
)
def test_letters(text: str, lmms: str, kit: str, scope: str) -> None:
    sample = question("B", "a dog", "a cat")
    assert lmms_eval.read_scienceqa(sample, text).answer == lmms
    assert vlmevalkit.read_letter(sample, text).answer == kit
    assert evalscope.read_scienceqa(sample, text).answer == scope


def test_a_missing_option_of_lmms_evals_table_says_nan() -> None:
    """So "banana" names three options there: the one with these letters in it, and both that are not there."""
    sample = question("A", "banana", "apple")
    assert lmms_eval.read_mmbench(sample, "banana").unsure
    assert vlmevalkit.read_letter(sample, "banana").answer == "A"
    assert lmms_eval.read_mmbench_static(sample, "apple").answer == "B"


def test_without_its_options_a_question_is_read_by_letters_alone() -> None:
    """SEED-Bench in a file that names the right letter alone."""
    sample = question("B", category="image")
    assert vlmevalkit.read_letter(sample, "B.").worth == 1
    assert vlmevalkit.read_letter(sample, "a cat").unsure


def rule_named(suite: Suite, name: str) -> SuiteRule:
    return next(rule for rule in suite.rules if rule.name == name)


def test_a_number_is_a_range_where_a_judge_would_be_asked() -> None:
    """Of a rotated question nobody is asked about what cannot save it."""
    rule = rule_named(SUITES["vlmevalkit"], "MMBench_DEV_EN: Overall")
    names = ["1", "1000001", "2", "1000002"]
    samples = [question("A", "cat", "dog", name=name, group=str(int(name) % 1_000_000)) for name in names]
    number = suite_number(rule, samples, dict(zip(names, ["A", "hm", "B", "hm"], strict=True)))
    assert (number.value, number.best, number.unsure) == (0, 50, 1)
    sure = suite_number(rule, samples, dict(zip(names, ["A", "A", "B", "A"], strict=True)))
    assert (sure.value, sure.best, sure.unsure) == (50, 50, 0)


def test_vlmevalkit_asks_equal_questions_once() -> None:
    """The answer in the first category counts in all of them."""
    rule = rule_named(SUITES["vlmevalkit"], "POPE: Overall")
    samples = [question("yes", name=name, category=category) for name, category in (("1", "adversarial"), ("2", "random"))]
    assert suite_number(rule, samples, {"1": "yes", "2": "no"}).value == 100
    assert suite_number(rule, samples, {"1": "no", "2": "yes"}).value == 0


def pope_answers(benchmarks: Path, llava_answers: Path) -> list[tuple[str, str, str]]:
    """(category, label, text) of each answer, from the files themselves."""
    questions, answers = read_jsonl(benchmarks / "pope/llava_pope_test.jsonl"), read_jsonl(llava_answers / "pope.jsonl")
    labels = {
        name: iter([row["label"] for row in read_jsonl(benchmarks / f"pope/coco/coco_pope_{name}.json")])
        for name in ("adversarial", "random", "popular")
    }
    pairs = zip(questions, answers, strict=True)
    return [(asked["category"], next(labels[asked["category"]]), answer["text"]) for asked, answer in pairs]


def f1(pairs: list[tuple[bool, bool]]) -> float:
    hit, false, missed = (pairs.count(kind) for kind in ((True, True), (False, True), (True, False)))
    return 200 * hit / (2 * hit + false + missed)


def test_pope_of_llava(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    """LLaVA answers in one word, so that suites differ by how they add up alone."""
    rows = pope_answers(benchmarks, llava_answers)
    pooled = f1([(label == "yes", text == "Yes") for _, label, text in rows])
    parts = defaultdict(list)
    for category, label, text in rows:
        parts[category].append((label == "yes", text == "Yes"))
    weighed = sum(len(part) * round(f1(part) / 100, 4) for part in parts.values()) / len(rows)
    command = ("compare-suites", llava_answers / "pope.jsonl", "--task", "pope", "--data", benchmarks, "--json")
    outcome = cli(*command)
    assert outcome.code == 0
    values = {row["name"]: row["value"] for row in outcome.json["rows"]}
    assert values == {
        "pope@llava: f1": pytest.approx(sum(map(f1, parts.values())) / 3),
        "pope: pope_f1_score": pytest.approx(pooled),
        "POPE: Overall": pytest.approx(pooled),
        "pope: f1": pytest.approx(100 * round(weighed, 4)),
    }
    assert all(row["unsure"] == 0 and not row["read_otherwise"] for row in outcome.json["rows"])


def test_other_benchmarks_of_llava(cli: Cli, benchmarks: Path, llava_answers: Path) -> None:
    """The official number stands beside each, and readings that differ explain each difference of a mean."""
    for task, file in (
        ("mme", "mme"),
        ("textvqa", "textvqa"),
        ("scienceqa", "scienceqa"),
        ("seed", "seed"),
        ("mmbench", "mmbench_dev"),
    ):
        found = cli("compare-suites", llava_answers / f"{file}.jsonl", "--task", task, "--data", benchmarks, "--json").json
        official = {row["beside"]: row["value"] for row in found["rows"] if row["suite"] == "official"}
        for row in found["rows"]:
            assert row["official"] == (None if row["suite"] == "official" else official[row["beside"]])
            assert row["best"] >= row["value"]
            if row["suite"] != "official" and task in ("textvqa", "scienceqa"):
                moved = sum(each["suite"]["worth"] - each["official"]["worth"] for each in row["read_otherwise"])
                rounded = 0.005 if row["suite"].startswith("evalscope") else 1e-9
                assert row["value"] - row["official"] == pytest.approx(100 * moved / row["answers"], abs=rounded)


def demo_answers(folder: Path, task: str, text: str) -> Path:
    """The same answer to every question of a drawn benchmark."""
    samples = read_samples(build_task(task, {}, parse_source("demo", {}), Registry()))
    rows = [{"question_id": sample.question_id, "prompt": sample.prompt, "text": text} for sample in samples]
    return write_jsonl(folder / "answers.jsonl", rows)


def test_the_table(cli: Cli, tmp_path: Path) -> None:
    answers = demo_answers(tmp_path, "gqa", "T-shirt.")
    outcome = cli("compare-suites", answers, "--task", "gqa", "--data", "demo")
    assert outcome.code == 0
    for text in ("lmms-eval 0.7.3", "gqa: exact_match", "GQA_TestDev_Balanced: Overall", "no rule here of evalscope"):
        assert text in outcome.out
    chosen = cli("compare-suites", answers, "--task", "gqa", "--data", "demo", "--suites", "vlmevalkit", "--json").json
    assert [row["name"] for row in chosen["rows"]] == ["GQA_TestDev_Balanced: Overall"]


def test_a_benchmark_that_no_suite_has_a_rule_for(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("compare-suites", demo_answers(tmp_path, "mmvet", "a cat"), "--task", "mmvet", "--data", "demo", "--json")
    assert outcome.code == 0
    assert outcome.json["without"] == ["lmms-eval", "vlmevalkit", "evalscope"]


def test_an_unknown_suite_is_named(cli: Cli, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "a.jsonl", [])
    outcome = cli("compare-suites", file, "--task", "pope", "--data", "demo", "--suites", "official,lmm-eval")
    assert outcome.code == 2
    assert "did you mean lmms-eval" in outcome.err
    assert "evalscope, lmms-eval, official, vlmevalkit" in outcome.err


def test_labels_must_be_public(cli: Cli, tmp_path: Path, benchmarks: Path) -> None:
    outcome = cli("compare-suites", write_jsonl(tmp_path / "a.jsonl", []), "--task", "vizwiz@test", "--data", benchmarks)
    assert outcome.code == 2
    assert "no public labels" in outcome.err


def test_readings_may_hold_anything(cli: Cli, tmp_path: Path) -> None:
    """What acts on a terminal is shown, not done."""
    outcome = cli("compare-suites", demo_answers(tmp_path, "pope", "\x1b[2JYes"), "--task", "pope", "--data", "demo")
    assert "\x1b" not in outcome.out
    assert "[U+001B]" in outcome.out


@pytest.mark.parametrize("name", sorted(SUITES))
def test_the_certificate_is_about_this_code(name: str) -> None:
    """After a change of a rule `python -m tools.certify_suites` makes it anew."""
    suite = SUITES[name]
    certificate = read_certificate(suite)
    assert certificate is not None
    assert (certificate.code, certificate.sha256) == (rules_digest(suite), sealed(certificate))
    assert {rule.rule for rule in certificate.rules} == {rule.name for rule in suite.rules}
    assert (certificate.version, certificate.source) == (suite.version, suite.source)
    for rule in certificate.rules:
        assert rule.disagreements == 0
        assert rule.answers >= 2_000
        assert rule.numbers > 0


@pytest.mark.parametrize("name", sorted(SUITES))
def test_the_suites_own_code_agrees(name: str) -> None:
    """Runs it, on other answers than the certificate's, where the suite is."""
    folder = Path(os.environ.get(VARIABLE, "")) / name
    python = folder / "bin/python"
    if not (os.environ.get(VARIABLE) and python.exists()):
        pytest.skip(f"{name} is not here: {VARIABLE} names no folder with {name}/bin/python")
    code = SuiteCode(python, folder / "code" if (folder / "code").is_dir() else None)
    for task in tasks_of(SUITES[name], "demo"):
        for agreement in compare_task(SUITES[name], code, task, 300, seed=7):
            assert agreement.disagreements == 0, agreement.first_disagreement


def test_a_wrong_rule_is_found() -> None:
    rule = rule_named(SUITES["lmms-eval"], "pope: pope_f1_score")
    number = suite_number(rule, [YES], {"1": "Yes."})
    right, wrong = ({"number": 100 * worth, "worths": {"1": worth}, "answers": {}} for worth in (0.0, 1.0))
    agreement = Agreement()
    agreement.add_round(number, right, {"1": "Yes."})
    assert agreement.disagreements == 0
    agreement.add_round(number, wrong, {"1": "Yes."})
    assert agreement.disagreements == 2
    assert "number" in agreement.example
