"""`compare --fail-on-regression` passes only what it could have failed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, Outcome, read_json, read_jsonl, write_jsonl
from tests.table_runs import some_right, texts_of, write_run

TASK = "gqa@testdev"
PASSED, CANNOT_TELL, FAILED = 0, 3, 4
CODES = {"passed": PASSED, "cannot tell": CANNOT_TELL, "failed": FAILED}

Answer = bool | str | None
Gate = Callable[..., Outcome]


@pytest.fixture
def gate(cli: Cli) -> Gate:
    """The gate on a baseline and candidates; its outcome in JSON is that of the exit code."""

    def call(base: Path, *more: object) -> Outcome:
        outcome = cli("compare", base, *more, "--fail-on-regression", "--json", "--resamples", 200)
        if outcome.code != 2:
            found = outcome.json["gate"]
            assert CODES[found["outcome"]] == outcome.code
            assert (found["reasons"] == []) == (outcome.code == PASSED)
        return outcome

    return call


def reasons(outcome: Outcome) -> list[tuple[str, str]]:
    return [(each["outcome"], each["text"]) for each in outcome.json["gate"]["reasons"]]


def run_of(path: Path, answers: Sequence[Answer], label: str = TASK, **told: Any) -> Path:
    """A run whose answers are right, wrong, failed (None), or a text."""
    right = texts_of(label, [each is True for each in answers])
    texts = [text if isinstance(each, bool) else each for text, each in zip(right, answers, strict=True)]
    return write_run(path, {label: texts}, **told)


def edited(run: Path, target: Path, file: str, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Path:
    shutil.copytree(run, target)
    write_jsonl(target / TASK / file, edit(read_jsonl(target / TASK / file)))
    return target


def test_failed_answers_are_no_way_through(gate: Gate, tmp_path: Path) -> None:
    """200 of 300 failed: what is left is as good as before, and nothing is significantly below."""
    base = run_of(tmp_path / "base", [True] * 270 + [False] * 30)
    broken = run_of(tmp_path / "broken", [None] * 200 + [True] * 70 + [False] * 30)
    outcome = gate(base, broken)
    assert outcome.code == FAILED
    assert reasons(outcome) == [
        ("failed", "200 answers that the baseline has are lost (200 failed), 0 are allowed"),
    ]
    assert outcome.json["pairs"][0]["lost"]["failed"] == 200
    assert gate(base, broken, "--allow-missing", 199).code == FAILED
    assert gate(base, broken, "--allow-missing", 200).code == PASSED
    assert gate(broken, base).code == PASSED, "what the baseline lacks cannot be lost"
    same = run_of(tmp_path / "same", [None] * 200 + [True] * 100)
    assert gate(broken, same).code == PASSED, "both failed the same"
    other = run_of(tmp_path / "other", [True] * 100 + [None] * 200)
    assert reasons(gate(broken, other))[0] == (
        "failed",
        "100 answers that the baseline has are lost (100 failed), 0 are allowed",
    )


def test_a_candidate_without_any_answer(gate: Gate, cli: Cli, tmp_path: Path) -> None:
    base = run_of(tmp_path / "base", [True] * 40)
    dead = run_of(tmp_path / "dead", [None] * 40)
    outcome = gate(base, dead)
    assert outcome.code == FAILED
    assert [kind for kind, _ in reasons(outcome)] == ["failed", "cannot tell"]
    assert gate(base, dead, "--allow-missing", 40).code == CANNOT_TELL
    assert cli("compare", base, dead).code == 2
    assert gate(dead, base).code == CANNOT_TELL


def test_unread_answers_beyond_the_baseline_s(gate: Gate, tmp_path: Path) -> None:
    """They count as the official scorer counts them, POPE's as yes; the gate looks at how many there are."""
    texts: list[Answer] = [True] * 60
    base = run_of(tmp_path / "base", ["what?", "what?", *texts], "pope@llava")
    more = run_of(tmp_path / "more", [*texts, "what?", "what?"][::-1], "pope@llava")
    assert gate(base, more).code == PASSED
    three = run_of(tmp_path / "three", ["what?", "what?", "what?", *texts[1:]], "pope@llava")
    assert reasons(gate(base, three)) == [
        ("failed", "1 answers that the baseline has are lost (1 unread), 0 are allowed"),
    ]
    assert gate(base, three, "--allow-missing", 1).code == PASSED


def test_missing_and_ungraded_answers(gate: Gate, tmp_path: Path) -> None:
    base = run_of(tmp_path / "base", [True] * 50)
    killed = edited(base, tmp_path / "killed", "scores.jsonl", lambda rows: rows[8:])
    write_jsonl(killed / TASK / "responses.jsonl", read_jsonl(killed / TASK / "responses.jsonl")[8:])
    result = json.loads((killed / TASK / "result.json").read_text())
    (killed / TASK / "result.json").write_text(json.dumps({**result, "rules": {"exact": 42}}))
    assert "(8 missing)" in reasons(gate(base, killed))[0][1]
    waiting = edited(
        base,
        tmp_path / "waiting",
        "scores.jsonl",
        lambda rows: [{**row, "rule": "not-judged"} if number < 5 else row for number, row in enumerate(rows)],
    )
    assert "(5 not judged)" in reasons(gate(base, waiting))[0][1]
    assert gate(waiting, base).code == PASSED


def test_missing_answers_that_count_as_wrong(gate: Gate, cli: Cli, tmp_path: Path) -> None:
    """SEED-Bench's unanswered questions have a score."""
    run = ["run", "--tasks", "seed", "--model", "constant", "-a", "answer=A", "--data", "demo", "-L", 60, "--json"]
    base = Path(cli(*run, "-o", tmp_path / "base").json["run"])
    cut = Path(shutil.copytree(base, tmp_path / "cut"))
    write_jsonl(cut / "seed@demo/responses.jsonl", read_jsonl(cut / "seed@demo/responses.jsonl")[:-9])
    scored = cli("score", cut, "--json").json
    (cut / "seed@demo/result.json").write_text(json.dumps(scored))
    assert scored["missing"] == 9
    assert "(9 missing)" in reasons(gate(base, cut))[0][1]


@pytest.mark.parametrize(("images", "code"), [(1, CANNOT_TELL), (5, CANNOT_TELL), (6, FAILED)])
def test_few_images(images: int, code: int, gate: Gate, tmp_path: Path) -> None:
    """The smallest p of n images is 2 / 2^n: 0.0625 for five."""
    base, bad = run_of(tmp_path / "base", [True] * images), run_of(tmp_path / "bad", [False] * images)
    outcome = gate(base, bad)
    assert outcome.code == code
    if code == CANNOT_TELL:
        told = f"on {images} image{'s' * (images > 1)} with accuracy 100.00 before: with every answer wrong p would be"
        assert [told in text for _, text in reasons(outcome)] == [True]
        assert f"{2 / 2**images:.4g}" in reasons(outcome)[0][1]
    copy = Path(shutil.copytree(base, tmp_path / "copy"))
    assert gate(base, copy).code == (PASSED if code == FAILED else CANNOT_TELL)


def test_correction_counts(gate: Gate, tmp_path: Path) -> None:
    """Six images are enough for one test and not for two."""
    both = ("gqa@testdev", "pope@llava")
    base, same = (write_run(tmp_path / name, {label: texts_of(label, [True] * 6) for label in both}) for name in "ab")
    assert gate(base, same).code == CANNOT_TELL
    assert gate(base, same, "--task", "gqa").code == PASSED
    assert gate(base, same, "--task", "gqa", "--alpha", 0.01).code == CANNOT_TELL


@pytest.mark.parametrize(("right", "code"), [(0, CANNOT_TELL), (5, CANNOT_TELL), (6, PASSED), (200, PASSED)])
def test_a_baseline_that_cannot_fall(right: int, code: int, gate: Gate, tmp_path: Path) -> None:
    """Of 200 images those count that the baseline has right."""
    answers = [number < right for number in range(200)]
    assert gate(run_of(tmp_path / "base", answers), run_of(tmp_path / "same", answers)).code == code


def test_other_questions_protocols_and_conditions(gate: Gate, cli: Cli, tmp_path: Path) -> None:
    right = [True] * 40
    base = run_of(tmp_path / "base", right)
    part = run_of(tmp_path / "part", right[:30])
    assert reasons(gate(base, part)) == [("cannot tell", "10 questions of the baseline were not asked")]
    assert gate(part, base).code == PASSED, "more questions than before"
    other = run_of(tmp_path / "other", right, "pope@llava")
    assert (gate(base, other).code, cli("compare", base, other).code) == (CANNOT_TELL, 2)
    official = run_of(tmp_path / "official", right, "pope@official")
    assert "another protocol" in reasons(gate(other, official))[0][1]
    blind = run_of(tmp_path / "blind", right, blind=True)
    (blind / TASK / "result.json").write_text(json.dumps({**read_json(blind / TASK / "result.json"), "blind": True}))
    assert reasons(gate(base, blind)) == [("cannot tell", "one of the two saw no pictures")]

    def reworded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "prompt": f"{row['prompt']}?"} if number < 4 else row for number, row in enumerate(rows)]

    changed = edited(base, tmp_path / "changed", "samples.jsonl", reworded)
    record = read_json(changed / TASK / "task.json")
    (changed / TASK / "task.json").write_text(json.dumps({**record, "data_sha256": "another"}))
    assert "4 questions of the same id are not the same questions" in reasons(gate(base, changed))[0][1]
    none = edited(changed, tmp_path / "none", "samples.jsonl", lambda rows: [{**row, "prompt": "?"} for row in rows])
    assert "share no scored question" in reasons(gate(base, none))[0][1]
    older = Path(shutil.copytree(base, tmp_path / "older"))
    (older / TASK / "task.json").write_text(json.dumps({**record, "version": 99}))
    assert "version" in reasons(gate(base, older))[0][1]
    options = Path(shutil.copytree(base, tmp_path / "options"))
    (options / TASK / "task.json").write_text(json.dumps({**record, "options": {"x": 1}}))
    assert gate(base, options).code in (2, CANNOT_TELL)


def test_a_failure_outweighs_what_cannot_be_told(gate: Gate, tmp_path: Path) -> None:
    answers = {"gqa@testdev": [True] * 40, "pope@llava": [True] * 40}

    def run(name: str, wanted: Mapping[str, Sequence[bool]]) -> Path:
        return write_run(tmp_path / name, {label: texts_of(label, right) for label, right in wanted.items()})

    base = run("base", answers)
    bad = run("bad", {"gqa@testdev": [False] * 40})
    outcome = gate(base, bad)
    assert (outcome.code, [kind for kind, _ in reasons(outcome)]) == (FAILED, ["failed", "cannot tell"])
    assert reasons(outcome)[0][1] == "accuracy is significantly lower, 0.00 after 100.00"
    good = run("good", {"gqa@testdev": [True] * 40})
    assert gate(base, good).code == CANNOT_TELL
    assert gate(base, run("whole", answers), good).code == CANNOT_TELL


def test_what_would_have_been_seen(gate: Gate, cli: Cli, tmp_path: Path) -> None:
    """In JSON, on the terminal and in files."""
    base = run_of(tmp_path / "base", some_right(0.8, 1))
    near = run_of(
        tmp_path / "near", [not good if number in (3, 50, 51) else good for number, good in enumerate(some_right(0.8, 1))]
    )
    outcome = gate(base, near)
    assert outcome.code == PASSED
    (seen,) = outcome.json["gate"]["detectable"]
    error = outcome.json["pairs"][0]["differences"][0]["standard_error"]
    assert seen == {"task": TASK, "run": 1, "difference": pytest.approx(2.8015852 * error)}
    told = f"would have been seen four times in five: {TASK} of near {seen['difference']:.2f}"
    terminal = cli("compare", base, near, "--fail-on-regression")
    assert ("Gate passed." in terminal.out, told in terminal.out) == (True, True)
    assert "Gate" not in cli("compare", base, near).out
    assert told in cli("compare", base, near, "--fail-on-regression", "--format", "html").out
    bad = run_of(tmp_path / "bad", [*[None] * 20, *some_right(0.8, 1)[20:]])
    for form in ((), ("--format", "md"), ("--format", "html")):
        shown = cli("compare", base, bad, "--fail-on-regression", *form)
        assert (shown.code, "Gate failed: gqa@testdev of bad: " in shown.out.replace("\\", "")) == (FAILED, True)


def test_captions_have_no_wrong_answer(gate: Gate, cli: Cli, tmp_path: Path) -> None:
    """What their gate can find is seen from the images alone."""
    run = ["run", "--tasks", "coco-cap", "--model", "constant", "--data", "demo", "--json", "-a", "answer=a red circle"]
    run += ["-a", "coco_cap.tokenizer=treebank"]
    for limit, code in ((4, CANNOT_TELL), (12, PASSED)):
        base = Path(cli(*run, "-L", limit, "-o", tmp_path / f"{limit}").json["run"])
        assert gate(base, Path(shutil.copytree(base, tmp_path / f"copy {limit}"))).code == code


def test_flags(cli: Cli, gate: Gate, tmp_path: Path) -> None:
    base, same = (run_of(tmp_path / name, [True] * 8) for name in "ab")
    outcome = cli("compare", base, same, "--allow-missing", 3)
    assert (outcome.code, "add --fail-on-regression" in outcome.err) == (2, True)
    assert gate(base, same, "--allow-missing", -1).code == 2
    assert cli("compare", base, same, "--json").json["gate"]["outcome"] == "passed"
