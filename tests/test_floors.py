"""Floors: what no model answers, held to brute force over a benchmark's labels."""

from __future__ import annotations

import csv
import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from matplotlib.collections import LineCollection

from mipha_eval import evaluate
from mipha_eval.core.floor import Floor
from mipha_eval.core.format_lines import LETTER_ANSWER, SHORT_ANSWER, UNANSWERABLE
from mipha_eval.core.metrics import Totals, add_tallies, group_scores, share
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model, build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Response, Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.reporting.make import ReportSettings, make_report
from mipha_eval.reporting.plots.bars import bar_figure
from mipha_eval.reporting.plots.levels import level_figure
from mipha_eval.reporting.plots.placed import placed_points
from mipha_eval.reporting.plots.series import table_series
from mipha_eval.reporting.plots.style import paper_style
from mipha_eval.scoring.floors.labels import Labels
from tests.conftest import Cli, read_json, read_jsonl

CLOSED = ("pope", "mme", "seed", "scienceqa", "mmbench")
OPEN = ("gqa", "vqav2", "textvqa", "vizwiz")


def demo(name: str) -> tuple[Task, list[Sample]]:
    task = build_task(name, {}, parse_source("demo", {}), Registry())
    return task, read_samples(task)


def floor(name: str, **options: object) -> Floor:
    adapter = build_model(name, {key: str(value) for key, value in options.items()}, Registry()).adapter
    assert isinstance(adapter, Floor)
    return adapter


def kind_of(task: Task, sample: Sample) -> object:
    """The type of a question, told anew."""
    lines = tuple(line for line in (SHORT_ANSWER, LETTER_ANSWER, UNANSWERABLE) if line in sample.prompt)
    return tuple(task.possible_answers(sample)), lines, sample.category


def value(task: Task, sample: Sample, text: str) -> float:
    return task.score(sample, Response(text)).value


def candidates(task: Task, samples: Sequence[Sample]) -> list[str]:
    possible = list(task.possible_answers(samples[0]))
    return possible or sorted({text for sample in samples for text in sample.target})


@pytest.mark.parametrize("name", [*CLOSED, *OPEN])
def test_majority_is_the_best_constant_of_other_pictures(name: str) -> None:
    """No constant is worth more to the questions of the type about other pictures."""
    task, samples = demo(name)
    answers = floor("majority").answers(task, samples, samples)
    types: dict[object, list[Sample]] = {}
    for sample in samples:
        types.setdefault(kind_of(task, sample), []).append(sample)
    checked = 0
    for sample, answer in list(zip(samples, answers, strict=True))[:: max(1, len(samples) // 40)]:
        others = [each for each in types[kind_of(task, sample)] if each.cluster != sample.cluster]
        if others:
            best = max(sum(value(task, each, text) for each in others) for text in candidates(task, others))
            assert sum(value(task, each, answer.text) for each in others) == pytest.approx(best)
            checked += 1
    assert checked >= 20


@pytest.mark.parametrize("name", [*CLOSED, *OPEN])
def test_with_its_own_picture_it_is_the_best_constant_by_type(name: str) -> None:
    task, samples = demo(name)
    answers = floor("majority", own=True).answers(task, samples, samples)
    types: dict[object, list[Sample]] = {}
    for sample in samples:
        types.setdefault(kind_of(task, sample), []).append(sample)
    best = sum(max(sum(value(task, each, text) for each in own) for text in candidates(task, own)) for own in types.values())
    got = sum(value(task, sample, answer.text) for sample, answer in zip(samples, answers, strict=True))
    assert got == pytest.approx(best)


def test_the_labels_of_its_own_picture_are_not_used() -> None:
    """With other labels for one picture the answers to its questions stay, whatever the labels become."""
    for name in ("pope", "seed", "gqa"):
        task, samples = demo(name)
        before = floor("majority").answers(task, samples, samples)
        cluster = samples[0].cluster
        changed = [_with_target(task, each) if each.cluster == cluster else each for each in samples]
        after = floor("majority").answers(task, changed, changed)
        same = [place for place, each in enumerate(samples) if each.cluster == cluster]
        assert [before[place] for place in same] == [after[place] for place in same]


def _with_target(task: Task, sample: Sample) -> Sample:
    import dataclasses

    wrong = [text for text, right in task.possible_answers(sample).items() if not right]
    return dataclasses.replace(sample, target=(wrong[0].lower() if task.name == "pope" else (wrong or ["zebra"])[0],))


@pytest.mark.parametrize("name", [*CLOSED, *OPEN])
def test_random_agrees_with_its_exact_expectation(name: str) -> None:
    """The mean over many seeds is within four standard errors, of every metric that has an expectation."""
    task, samples = demo(name)
    samples = samples[:60]
    told = floor("random").expectation(task, samples, samples)
    found: dict[str, list[float]] = {metric: [] for metric in told}
    for seed in range(150):
        answers = floor("random", seed=seed).answers(task, samples, samples)
        scores = [task.score(sample, answer) for sample, answer in zip(samples, answers, strict=True)]
        totals = Totals(add_tallies(map(task.tally, group_scores(scores))))
        for metric in task.metrics_for(totals):
            if metric.name in told:
                found[metric.name].append(metric.formula(totals))
    assert task.metrics[0].name in told or name == "pope"
    for title, values in found.items():
        error = statistics.stdev(values) / len(values) ** 0.5
        assert statistics.mean(values) == pytest.approx(told[title], abs=4 * error + 1e-9), title


def test_metrics_that_are_no_sums_have_no_expectation() -> None:
    """F1 has counts that are drawn in its denominator, and a mean of three F1 as well; accuracy has none."""
    task, samples = demo("pope")
    told = floor("random").expectation(task, samples, samples)
    assert "f1" not in told
    assert told["accuracy"] == pytest.approx(50)
    task, samples = demo("mme")
    told = floor("random").expectation(task, samples, samples)
    assert told["perception"] == pytest.approx(5 * (50 + 25)), "half of the questions, a quarter of the pairs"
    for name in ("coco-cap", "nocaps"):
        task, samples = demo(name)
        assert not floor("random").expectation(task, samples, samples), "CIDEr is of all captions together"


def test_an_answer_is_drawn_by_itself() -> None:
    """It is the same whatever else is asked, and another with another seed."""
    task, samples = demo("gqa")
    whole = floor("random").answers(task, samples, samples)
    part = random.Random(1).sample(range(len(samples)), 30)
    assert floor("random").answers(task, samples, [samples[place] for place in part]) == [whole[place] for place in part]
    assert floor("random", seed=1).answers(task, samples, samples) != whole


def test_a_question_without_its_like() -> None:
    """The wider type is taken, then the first possible answer, and where any text may be one there is none."""
    task, samples = demo("pope")
    lonely = [each for each in samples if each.cluster == samples[0].cluster]
    assert {answer.text for answer in floor("majority").answers(task, lonely, lonely)} == {"Yes"}
    import dataclasses

    odd = dataclasses.replace(samples[0], category="alone")
    others = [each for each in samples if each.cluster != samples[0].cluster and each.target == ("no",)]
    assert Labels(task, [odd, *others]).best(odd) == "No"
    task, samples = demo("gqa")
    (answer,) = floor("majority").answers(task, samples[:1], samples[:1])
    assert "no other picture" in answer.error


def test_a_run_of_a_floor(cli: Cli, tmp_path: Path) -> None:
    """Stored, marked and resumed as any run; a limited one knows all labels and grows into the full one."""
    run = ["run", "--tasks", "pope,mme", "--model", "random", "--data", "demo", "-o", tmp_path, "--json"]
    limited, full = cli(*run, "-L", 20).json, cli(*run).json
    assert limited["run"] == full["run"]
    path = Path(full["run"])
    assert len(read_jsonl(path / "pope@demo/responses.jsonl")) == len(read_jsonl(path / "pope@demo/samples.jsonl"))
    assert cli(*run).json["results"][0]["generated"] == 0
    assert [result["floor"] for result in full["results"]] == [True, True]
    assert full["results"][1]["expectation"]["perception"] == pytest.approx(375)
    again = {result["task"]: result["expectation"] for result in cli("score", path, "--json").json}
    assert again == {result["task"]: result["expectation"] for result in full["results"]}
    shown = cli("run", "--tasks", "mme", "--model", "random", "--data", "demo", "-o", tmp_path).out
    assert "FLOOR" in shown
    assert "exact expectation of drawn answers: perception 375.00" in shown


def test_answers_of_changed_labels_are_made_anew(tmp_path: Path) -> None:
    """What was stored under other labels of the benchmark is not taken for today's."""
    run = evaluate("majority", "pope", data="demo", output=tmp_path, progress=False)
    file = run.path / "pope@demo/responses.jsonl"
    text = file.read_text()
    file.write_text(text.replace('"Yes"', '"No"'))
    again = evaluate("majority", "pope", data="demo", output=tmp_path, progress=False)
    assert again["pope"].summary.metrics == run["pope"].summary.metrics


def test_a_floor_is_no_model(cli: Cli, tmp_path: Path) -> None:
    """It is refused where there are no labels, and under a control."""
    outcome = cli("run", "-t", "pope", "-m", "majority", "--data", "demo", "--control", "blind", "-o", tmp_path)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    questions = tmp_path / "q.jsonl"
    questions.write_text('{"question_id": 1, "text": "What?"}\n')
    files = ["--questions", questions, "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"]
    outcome = cli("predict", "-m", "majority", *files)
    assert outcome.code == 2
    assert "answers from a benchmark's labels" in outcome.err


PLUGIN = """
from dataclasses import dataclass
from mipha_eval.core.floor import Floor
from mipha_eval import Response


@dataclass(frozen=True)
class Odd(Floor):
    name = "odd"

    def answers(self, task, benchmark, asked):
        {body}
"""


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("return [Response(sample.target[0]) for sample in asked]", 0, ""),
        ("return [Response('yes')]", 2, "answered 1 of"),
        ("return 1 / 0", 2, "ZeroDivisionError"),
        ("raise SystemExit(0)", 2, "SystemExit"),
    ],
)
def test_a_floor_of_a_plugin(cli: Cli, tmp_path: Path, body: str, code: int, said: str) -> None:
    file = tmp_path / "odd.py"
    file.write_text(PLUGIN.format(body=body))
    outcome = cli("run", "-t", "pope", "-m", "odd", "--plugin", file, "--data", "demo", "-o", tmp_path, "--json")
    assert outcome.code == code, outcome.err
    assert said in outcome.err
    if not code:
        assert outcome.json["results"][0]["metrics"]["accuracy"] == 100


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    output = tmp_path_factory.mktemp("floors")
    answers = {"yes": "Yes", "no": "No"}
    found = {
        name: evaluate(name, "pope,mme", data="demo", output=output, progress=False).path for name in ("majority", "random")
    }
    found |= {
        name: evaluate("constant", "pope", data="demo", output=output, progress=False, answer=text).path
        for name, text in answers.items()
    }
    found["model"] = evaluate("mipha-tiny", "pope", output=output, progress=False, device="cpu", limit=None).path
    return found


def rows_of(table: Any) -> dict[str, list[str]]:
    return {group["title"]: [row["method"] for row in group["rows"]] for group in table["groups"]}


def test_floors_stand_at_the_foot_on_demand(cli: Cli, runs: dict[str, Path]) -> None:
    """Columns stay those of the runs that were named; floors are found beside them, and never ranked."""
    plain = cli("report", runs["model"], "--format", "json").json
    assert rows_of(plain) == {"": ["mipha-tiny"]}
    table = cli("report", runs["model"], "--floors", "--format", "json").json
    found = rows_of(table)
    assert found[""] == ["mipha-tiny"]
    assert [name.split(" (")[0] for name in found["Floors"]] == ["constant", "constant", "majority", "random"]
    assert {"constant (answer=Yes)", "constant (answer=No)"} <= {*found["Floors"]}, "options tell them apart"
    assert [column["task"] for column in table["columns"]] == ["pope@demo"]
    cells = [row["cells"]["pope@demo"] for row in table["groups"][1]["rows"]]
    assert not any(cell["ranked"] or cell["place"] for cell in cells)
    assert all("FLOOR" in cell["remarks"] for cell in cells)
    assert cells[2]["value"] == read_json(runs["majority"] / "pope@demo/result.json")["metrics"]["f1"]
    for form in ("md", "latex", "html", "csv"):
        assert "Floors" in cli("report", runs["model"], "--floors", "--format", form).out
    named = cli("report", runs["majority"], runs["model"], "--format", "json").json
    assert rows_of(named) == {"": ["mipha-tiny"], "Floors": ["majority"]}


def test_floors_are_lines_in_plots(cli: Cli, runs: dict[str, Path], tmp_path: Path) -> None:
    """Where the table has them, beside the models' bars; where there are floors alone these are bars."""
    given = ["report", runs["model"], "--floors", "--format", "json", "--plots", tmp_path]
    table = cli(*given).json
    with (tmp_path / "bars.csv").open(encoding="utf-8") as file:
        numbers = {row["row"]: float(row["value"]) for row in csv.DictReader(file)}
    cells = {row["method"]: row["cells"]["pope@demo"]["value"] for group in table["groups"] for row in group["rows"]}
    assert numbers == cells
    made = make_report(ReportSettings([runs["model"]], floors=True), Registry())
    series = table_series(made.table)
    with paper_style():
        (axes,) = bar_figure([series], ["%"], "").axes
    lines = {str(each.get_label()): each.get_segments() for each in axes.collections if isinstance(each, LineCollection)}
    lines = {name: found for name, found in lines.items() if name in cells}
    assert {name: [float(end[1]) for (end, _) in found] for name, found in lines.items()} == {
        name: [pytest.approx(value)] for name, value in cells.items() if name != "mipha-tiny"
    }
    assert len({str(each.get_linestyle()) for each in axes.collections if str(each.get_label()) in lines}) == 3
    assert [str(each.get_label()) for each in axes.containers if len(getattr(each, "patches", ()))] == ["mipha-tiny"]
    alone = table_series(make_report(ReportSettings([runs["majority"], runs["random"]]), Registry()).table)
    assert (len(alone.rows), alone.floors) == (2, ())


def test_floors_below_an_ablation(cli: Cli, tmp_path: Path) -> None:
    """They have no level, are compared with nothing, and stand below; its plots have them as lines."""
    output = tmp_path / "runs"
    models = [
        evaluate("mipha-tiny", "pope", output=output, progress=False, device="cpu", dtype=dtype).path
        for dtype in ("float32", "bfloat16")
    ]
    floor = evaluate("majority", "pope", data="demo", output=output, progress=False)
    given = ["report", *models, "--by", "dtype"]
    plain, table = (cli(*given, *more, "--format", "json").json for more in ([], ["--floors"]))
    assert table["groups"][:-1] == plain["groups"]
    assert table["differences"] == plain["differences"]
    assert rows_of(table)["Floors"] == ["majority"]
    for form in ("md", "latex", "html", "csv"):
        assert "majority" in cli(*given, "--floors", "--format", form).out
    made = make_report(ReportSettings(models, by=["dtype"], floors=True), Registry())
    with paper_style():
        figure = level_figure(made.table, placed_points(made.table))
    (line,) = [each for each in figure.axes[0].collections if each.get_label() == "majority"]
    assert isinstance(line, LineCollection)
    assert line.get_segments()[0][0][1] == pytest.approx(floor["pope"]["f1"])
    assert cli(*given, "--floors", "--plots", tmp_path / "plots").code == 0


def test_majority_by_hand(tmp_path: Path) -> None:
    """Nine questions of two categories about four pictures, small enough to be looked at."""
    rows = [  # picture, category, answer: of "random" no 3 times and yes 2 times, of "popular" yes 3 times and no once
        ("a", "random", "no"), ("a", "random", "no"), ("b", "random", "no"), ("c", "random", "yes"), ("d", "random", "yes"),
        ("a", "popular", "yes"), ("b", "popular", "yes"), ("c", "popular", "yes"), ("d", "popular", "no"),
    ]  # fmt: skip
    task, _ = demo("pope")
    samples = [
        Sample(f"{place}", f"Is there a {place}?", (label,), (Image(picture, picture, bytes),), place, category)
        for place, (picture, category, label) in enumerate(rows)
    ]
    own = [answer.text for answer in floor("majority", own=True).answers(task, samples, samples)]
    assert own == ["No"] * 5 + ["Yes"] * 4
    right = sum(value(task, sample, text) for sample, text in zip(samples, own, strict=True))
    assert right == 6  # 3 of 5 and 3 of 4, which no other constant by category reaches
    # of "random" without a's own two: no once, yes twice; without b's: two of each, and Yes is the first possible answer;
    # without c's or d's: no three times
    others = [answer.text for answer in floor("majority").answers(task, samples, samples)]
    assert others == ["Yes", "Yes", "Yes", "No", "No", "Yes", "Yes", "Yes", "Yes"]


def test_without_floors_a_line_says_how_to_make_one(cli: Cli, tmp_path: Path) -> None:
    run = evaluate("mipha-tiny", "pope", output=tmp_path, progress=False, device="cpu", limit=20)
    other = evaluate("majority", "pope", data="demo", output=tmp_path, progress=False)
    outcome = cli("report", run.path, "--floors")
    assert outcome.code == 0
    assert "no floor was run on these questions" in outcome.err, "the full benchmark's is another set of questions"
    assert str(other.path) not in outcome.out


def test_an_expectation_stands_in_its_cell(cli: Cli, runs: dict[str, Path]) -> None:
    table = cli("report", runs["random"], "--format", "json").json
    (row,) = table["groups"][0]["rows"]
    assert "exact expectation 375.0" in row["cells"]["mme@demo"]["remarks"]
    assert not any("expectation" in remark for remark in row["cells"]["pope@demo"]["remarks"])


def test_the_mean_of_shares_is_known_as_a_sum() -> None:
    """The trial of sums: a share of a fixed whole passes, one of a drawn whole does not."""
    from mipha_eval.scoring.floors.expectation import _is_sum

    chance = random.Random(3)
    drawn = [{"right": float(chance.randrange(9)), "asked": 9.0, "said": float(chance.randrange(1, 9))} for _ in range(9)]
    assert _is_sum(share("accuracy"), [{"right": each["right"], "asked": 9.0} for each in drawn])
    assert not _is_sum(share("precision"), [{"right": each["right"], "asked": each["said"]} for each in drawn])
