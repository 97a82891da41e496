"""Ablation tables: rows by factors, what else differs, and tested differences, held to the stored scores by hand."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.multitest import multipletests

import mipha_eval
from mipha_eval.reporting.factors import differing
from mipha_eval.reporting.pairs import MOST_PAIRS, Pairs
from tests.conftest import Cli, read_json
from tests.table_grids import read_html, read_latex, read_markdown
from tests.table_runs import json_rows, texts_of, write_run

GQA, POPE = "gqa@testdev", "pope@llava"
RIGHT = [True] * 30


def right(wrong: Sequence[int]) -> list[bool]:
    """30 answers, right but for some."""
    return [number not in wrong for number in range(30)]


def variant(folder: Path, wrong: Sequence[int], about: Mapping[str, object], **told: Any) -> Path:
    """A run of both tasks with its model's factors."""
    labels = told.pop("labels", (GQA, POPE))
    return write_run(folder, {label: texts_of(label, right(wrong)) for label in labels}, about=dict(about), **told)


def part(language_model: str, tower: str, **more: object) -> dict[str, object]:
    side = {"CLIP": 336, "SigLIP": 384}[tower]
    made = {"language_model": language_model, "tower": tower, "resolution": str(side), "image_tokens": (side // 14) ** 2}
    return {**made, "projector": "mlp2x_gelu", "parameters": 2.7, **more}


#: name -> wrong answers, language model, tower
GRID = {
    "a": (range(6, 12), "Phi-2", "CLIP"),
    "b": (range(9, 12), "Phi-2", "SigLIP"),
    "c": (range(20), "Gemma", "CLIP"),
    "d": (range(8, 20), "Gemma", "SigLIP"),
}


@pytest.fixture
def grid(tmp_path: Path) -> list[Path]:
    """Two language models with two towers."""
    return [variant(tmp_path / name, list(wrong), part(llm, tower)) for name, (wrong, llm, tower) in GRID.items()]


def table(cli: Cli, *arguments: object) -> Any:
    outcome = cli("report", *arguments, "--format", "json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def scores(run: Path, label: str) -> dict[str, float]:
    lines = (run / label / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["sample"]: row["value"] for row in map(json.loads, lines)}


def brute_force(first: Path, second: Path, label: str) -> float:
    """p of the exact test: of all ways to exchange two runs on the questions that one alone got right, those as uneven."""
    own, other = scores(first, label), scores(second, label)
    moves = [int(other[name] - own[name]) for name in own if own[name] != other[name]]
    ways = list(itertools.product((-1, 1), repeat=len(moves)))
    return sum(abs(sum(way)) >= abs(sum(moves)) for way in ways) / len(ways)


def test_rows_stand_by_their_levels(grid: list[Path], cli: Cli) -> None:
    found = table(cli, *grid, "--by", "tower,language_model")
    assert found["by"] == ["tower", "language_model"]
    groups = [[tuple(row["levels"].values()) for row in group["rows"]] for group in found["groups"]]
    assert groups == [[("CLIP", "Phi-2"), ("CLIP", "Gemma")], [("SigLIP", "Phi-2"), ("SigLIP", "Gemma")]]
    shown = read_markdown(cli("report", *grid, "--by", "tower,language_model").out).rows
    assert [[cell.text for cell in row[:3]] for row in shown[:5]] == [
        ["Tower", "Language model", "Method"],
        ["CLIP", "Phi-2", "a"],
        ["", "Gemma", "c"],
        ["SigLIP", "Phi-2", "b"],
        ["", "Gemma", "d"],
    ]


def test_the_best_of_a_group_is_among_rows_of_the_same_outer_levels(grid: list[Path], cli: Cli) -> None:
    def best(*factors: str) -> set[str]:
        rows = json_rows(json.dumps(table(cli, *grid, "--by", ",".join(factors))))
        return {row["method"] for row in rows if row["cells"][GQA]["place"] == "best"}

    assert {"a", "b"} <= best("tower", "language_model")  # of CLIP's and of SigLIP's
    assert {"b", "d"} <= best("language_model", "tower")
    assert "b" in best("tower")
    assert "c" not in best("tower")


def test_differences_are_those_of_the_stored_scores(grid: list[Path], cli: Cli) -> None:
    """One factor at a time; p by listing every exchange, Holm's correction by statsmodels."""
    found = table(cli, *grid, "--by", "tower,language_model")["differences"]
    runs = {path.name: path for path in grid}
    assert {tuple(each["rows"]) for each in found} == {("a", "b"), ("c", "d"), ("a", "c"), ("b", "d")}
    by_hand = []
    for each in found:
        first, second = (runs[name] for name in each["rows"])
        cell = each["cells"][GQA]
        assert cell["test"] == "exact McNemar"
        assert cell["p"] == pytest.approx(brute_force(first, second, GQA))
        values = [read_json(run / GQA / "result.json")["metrics"]["accuracy"] for run in (first, second)]
        assert cell["difference"] == pytest.approx(values[1] - values[0])
        assert cell["interval"][0] < cell["difference"] < cell["interval"][1]
        assert cell["n"] == 30
        by_hand += [each["cells"][label]["p"] for label in (GQA, POPE)]
    corrected = [each["cells"][label]["corrected_p"] for each in found for label in (GQA, POPE)]
    assert corrected == pytest.approx(multipletests(by_hand, method="holm")[1].tolist())
    differs = [each["cells"][label]["differs"] for each in found for label in (GQA, POPE)]
    assert differs == [p <= 0.05 for p in corrected]
    assert {True, False} == set(differs)


def test_differences_are_those_of_compare(grid: list[Path], cli: Cli) -> None:
    """F1's, too, which is no share of right answers."""
    found = table(cli, *grid[:2], "--by", "tower")["differences"]
    (told,) = mipha_eval.compare(*grid[:2], tasks=["pope"]).pairs
    cell, row = found[0]["cells"][POPE], told.rows[0].difference
    assert (cell["difference"], cell["p"], cell["test"]) == (pytest.approx(row.value), pytest.approx(row.p), row.test)
    assert cell["interval"] == pytest.approx(row.interval)


def test_questions_that_one_run_was_not_asked_are_left_out(tmp_path: Path, cli: Cli) -> None:
    whole = variant(tmp_path / "whole", range(5), part("Phi-2", "CLIP"), labels=(GQA,))
    half = write_run(tmp_path / "half", {GQA: texts_of(GQA, RIGHT[:15])}, about=part("Phi-2", "SigLIP"), limited=True)
    found = table(cli, whole, half, "--by", "tower")
    cell = found["differences"][0]["cells"][GQA]
    assert (cell["n"], cell["difference"]) == (15, pytest.approx(100 * 5 / 15))


def test_what_else_differs_is_marked(grid: list[Path], cli: Cli) -> None:
    found = table(cli, *grid, "--by", "tower,language_model")
    remarks = {row["method"]: row["remarks"] for row in json_rows(json.dumps(found))}
    told = "differs from a also in resolution (384, not 336) and image tokens (729, not 576)"
    assert remarks == {"a": [], "c": [], "b": [told], "d": [told]}
    also = {tuple(each["rows"]): each["also"] for each in found["differences"]}
    assert also["a", "c"] == {}
    assert also["a", "b"] == {"resolution": ["336", "384"], "image_tokens": ["576", "729"]}
    assert told in read_markdown(cli("report", *grid, "--by", "tower,language_model").out).footnotes.values()


def test_pairs_that_are_alike_in_all_else_come_first(grid: list[Path], cli: Cli) -> None:
    """By language model alone the towers are mixed: Phi-2 with CLIP is compared with Gemma with CLIP."""
    found = table(cli, *grid, "--by", "language_model")
    assert {tuple(each["rows"]) for each in found["differences"]} == {("a", "c"), ("b", "d")}
    assert any("only where none differ in less" in note for note in found["notes"])
    mixed = table(cli, grid[0], grid[3], "--by", "language_model")["differences"]
    assert [list(each["also"]) for each in mixed] == [["tower", "resolution", "image_tokens"]]


@pytest.mark.parametrize("kind", ["md", "html", "latex", "csv"])
def test_every_format_has_the_table_and_its_differences(kind: str, grid: list[Path], cli: Cli) -> None:
    arguments = ("report", *grid, "--by", "tower,language_model", "--intervals")
    wanted = table(cli, *arguments[1:])
    printed = [cell["printed"] for each in wanted["differences"] for cell in each["cells"].values()]
    text = cli(*arguments, "--format", kind).out
    if kind == "csv":
        lines = list(csv.DictReader(io.StringIO(text)))
        told = [line for line in lines if line["group"] == "difference"]
        assert [line["printed"] for line in told] == printed
        expected = [cell for each in wanted["differences"] for cell in each["cells"].values()]
        assert [float(line["corrected_p"]) for line in told] == [cell["corrected_p"] for cell in expected]
        rows = [(line["tower"], line["language_model"], line["method"]) for line in lines if line["group"] == ""]
        assert rows[:3] == [("CLIP", "Phi-2", "a"), ("CLIP", "Phi-2", "a"), ("CLIP", "Gemma", "c")]
        return
    if kind == "latex":
        parts = text.split(r"\bottomrule")[:2]
        grids = [read_latex(each + r"\bottomrule") for each in parts]
        texts = [cell.text.replace(r"\textminus{}", "-") for row in grids[1][1:] for cell in row[-2:]]
        shown = [re.sub(r"\\textbf\{(.*?)\}", r"\1", text).partition(r"\textsubscript")[0] for text in texts]
        names = [row[2].text for row in grids[0][1:]]
    else:
        reader = (read_markdown if kind == "md" else read_html)(text)
        assert reader.odd == []
        names = [row[2].text for row in reader.rows[1:5]]
        shown = [cell.text.partition(" (")[0] for row in reader.rows[6:] for cell in row[-2:]]
        differs = [cell["differs"] for each in wanted["differences"] for cell in each["cells"].values()]
        assert ["best" in cell.styles for row in reader.rows[6:] for cell in row[-2:]] == differs
    assert names == ["a", "c", "b", "d"]
    assert [text.partition(" (")[0] for text in shown] == printed


def test_levels_that_are_numbers_stand_by_size(tmp_path: Path, cli: Cli) -> None:
    sides = ("1024", "224", "384", 384.0)
    runs = [variant(tmp_path / f"r{n}", range(n), {"resolution": side}, labels=(GQA,)) for n, side in enumerate(sides)]
    rows = json_rows(json.dumps(table(cli, *runs, "--by", "resolution")))
    assert [row["levels"]["resolution"] for row in rows] == ["224", "384", "384", "1024"]


def test_a_factor_that_a_run_lacks_is_unknown(grid: list[Path], tmp_path: Path, cli: Cli) -> None:
    """Runs of before say less, results that were printed say nothing; what they have elsewhere is read."""
    old = variant(tmp_path / "old", [], {"vision": "siglip-so400m-patch14-384", "resolution": "384"})
    bare = write_run(tmp_path / "bare", {GQA: texts_of(GQA, RIGHT)})
    (tmp_path / "file.json").write_text((bare / GQA / "result.json").read_text())
    found = table(cli, *grid, old, bare, tmp_path / "file.json", "--by", "tower,language_model")
    levels = {row["method"]: row["levels"] for row in json_rows(json.dumps(found))}
    assert levels["old"] == {"tower": "siglip-so400m-patch14-384", "language_model": None}
    assert levels["bare"] == levels["file"] == {"tower": None, "language_model": None}
    assert [row["method"] for row in json_rows(json.dumps(found))] == ["a", "c", "b", "d", "old", "bare", "file"]
    assert not {"old", "bare", "file"} & {name for each in found["differences"] for name in each["rows"]}
    text = cli("report", *grid, bare, "--by", "tower,language_model").out
    assert "| unknown | unknown | bare |" in text
    given = ("--row", "bare:tower=CLIP", "--row", "bare:llm=Phi-2")
    levels = {
        row["method"]: row["levels"] for row in json_rows(json.dumps(table(cli, *grid, bare, "--by", "tower,llm", *given)))
    }
    assert levels["bare"] == {"tower": "CLIP", "llm": "Phi-2"}


def test_what_is_not_known_of_every_row_is_said(tmp_path: Path, cli: Cli) -> None:
    known = variant(tmp_path / "known", [1], part("Phi-2", "CLIP"))
    less = variant(tmp_path / "less", [2], {"tower": "SigLIP", "language_model": "Phi-2"})
    notes = table(cli, known, less, "--by", "tower")["notes"]
    assert "Not known of every row, so it may differ, too: resolution, image tokens, projector." in notes


@pytest.mark.parametrize("name", ["towr", "x,tower", "", "tower,"])
def test_a_factor_that_no_run_has_is_named_with_those_there_are(name: str, grid: list[Path], cli: Cli) -> None:
    outcome = cli("report", *grid, "--by", name)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "unknown factor" in outcome.err
    assert "image_tokens, language_model, parameters, projector, resolution, tower" in outcome.err


def test_any_fact_of_a_model_is_a_factor(tmp_path: Path, cli: Cli) -> None:
    """What a plugin says of itself, its options, and its precision; capitals and hyphens do not matter."""
    runs = [
        variant(
            tmp_path / f"run{number}",
            range(number),
            {"my_seed": number},
            labels=(GQA,),
            options={"temperature": str(number), "path": "/x", "revision": "None"},
            weights={"weights": f"digest {number}", "dtype": f"torch.float{16 * number}"},
        )
        for number in (1, 2)
    ]
    found = table(cli, *runs, "--by", "my-seed,Temperature,DTYPE,revision")
    rows = json_rows(json.dumps(found))
    assert rows[1]["levels"] == {"my_seed": "2", "temperature": "2", "dtype": "torch.float32", "revision": "not set"}
    (contrast,) = found["differences"]  # no two runs differ in one factor alone
    assert set(contrast["levels"]) == {"my_seed", "temperature", "dtype"}
    told = table(cli, *runs, "--by", "my_seed")["differences"][0]["also"]
    assert set(told) == {"temperature", "dtype"}  # a digest says nothing about an ablation


def test_seeds_are_rows_of_their_own(tmp_path: Path, cli: Cli) -> None:
    runs = [
        variant(tmp_path / f"{llm}{seed}", range(seed + wrong), part(llm, "CLIP"), model=f"{llm}-seed{seed}", labels=(GQA,))
        for llm, wrong in (("Phi-2", 0), ("Gemma", 9))
        for seed in range(3)
    ]
    found = table(cli, *runs, "--by", "language_model")
    assert len(json_rows(json.dumps(found))) == 6
    assert len(found["differences"]) == 9  # each of one with each of the other
    text = cli("report", *runs, "--by", "language_model").out
    assert "Phi-2-seed0 → Gemma-seed2" in text


def test_published_rows_stand_at_their_level_and_are_not_tested(grid: list[Path], cli: Cli) -> None:
    """The source says Phi-2 2.7B and SigLIP-SO400M/14."""
    found = table(cli, *grid, "--by", "language_model,tower", "--table", "ablation-llm", "--published", "Mipha-3B")
    rows = [(row["method"], tuple(row["levels"].values())) for row in json_rows(json.dumps(found))]
    assert rows == [
        ("a", ("Phi-2", "CLIP")),
        ("Mipha-3B", ("Phi-2 2.7B", "SigLIP-SO400M/14")),
        ("b", ("Phi-2", "SigLIP")),
        ("c", ("Gemma", "CLIP")),
        ("d", ("Gemma", "SigLIP")),
    ]
    assert not any("Mipha-3B" in each["rows"] for each in found["differences"])
    only = table(cli, "--by", "llm", "--table", "ablation-llm", "--published", "Mipha-3B,Mipha-2.4B")
    assert (len(json_rows(json.dumps(only))), only["differences"]) == (2, [])


def test_tables_of_ablations_are_filled_from_checkpoints(grid: list[Path], cli: Cli) -> None:
    for name, heading, shown in (("ablation-llm", "LLM", "Gemma"), ("ablation-vision", "Vision tower", "CLIP")):
        reader = read_markdown(cli("report", *grid, "--table", name, "--published", "none").out)
        place = [cell.text for cell in reader.rows[0]].index(heading)
        assert shown in [row[place].text for row in reader.rows[1:]]


def test_results_without_answers_are_not_tested_and_the_reason_is_told(grid: list[Path], tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "file.json").write_text((grid[1] / GQA / "result.json").read_text())
    found = table(cli, grid[0], tmp_path / "file.json", "--by", "tower", "--row", "2:tower=SigLIP")
    assert found["differences"] == []
    assert any("No difference tested" in note and "without its answers" in note for note in found["notes"])


def test_python_gives_the_same(grid: list[Path], cli: Cli) -> None:
    text = cli("report", *grid, "--by", "tower,language_model", "--format", "json").out
    assert mipha_eval.report(grid, by=("tower", "language_model"), format="json") == text
    assert mipha_eval.report(grid, by="tower,language_model", format="json") == text
    with pytest.raises(mipha_eval.UserError, match="unknown factor"):
        mipha_eval.report(grid, by=["colour"])


def test_thirty_runs(tmp_path: Path, cli: Cli) -> None:
    """Too many pairs to test and to read: those with the first level remain, and the table says so."""
    runs = [
        variant(tmp_path / f"r{number}", range(number % 20), {"resolution": 100 + number}, labels=(GQA,))
        for number in range(30)
    ]
    found = table(cli, *runs, "--by", "resolution")
    assert len(json_rows(json.dumps(found))) == 30
    assert [each["levels"]["resolution"] for each in found["differences"]] == [["100", str(100 + n)] for n in range(1, 30)]
    assert any("only differences from the first are tested" in note for note in found["notes"])


def test_pairs() -> None:
    """One factor at a time, those with the first level where there are many, several rows of a level once."""
    square = [(tower, model) for tower in "xy" for model in "abc"]
    places = Pairs.of(square, [0] * 6, lambda pair: True).places
    assert places[:3] == ((0, 3), (1, 4), (2, 5))
    assert len(places) == 3 + 6
    line = [(str(number),) for number in range(12)]
    found = Pairs.of(line, [0] * 12, lambda pair: True)
    assert found.places == tuple((0, number) for number in range(1, 12))
    assert len(found.limits) == 1
    seeds = [(str(number // 10),) for number in range(20)]
    assert Pairs.of(seeds, [0] * 20, lambda pair: True).places == ((0, 10),)
    assert len(seeds) // 2 * len(seeds) // 2 > MOST_PAIRS
    apart = [("x", "1"), ("y", "2"), ("z", None), ()]
    assert Pairs.of(apart, [0] * 4, lambda pair: False).places == ((0, 1),)
    assert Pairs.of(apart, [0, 1, 1, 1], lambda pair: False).places == ()


@pytest.mark.parametrize(
    ("first", "second", "by", "told"),
    [
        ({"resolution": "336"}, {"resolution": "384"}, ["tower"], ["resolution"]),
        ({"resolution": "336"}, {}, ["tower"], []),
        ({"tower": "CLIP", "tower_name": "x"}, {"tower": "SigLIP", "tower_name": "y"}, ["language_model"], ["tower"]),
        ({"tower": "CLIP", "tower_name": "x"}, {"tower": "CLIP", "tower_name": "y"}, ["language_model"], ["tower_name"]),
        ({"tower": "CLIP", "tower_name": "x"}, {"tower": "SigLIP", "tower_name": "y"}, ["tower"], []),
        ({"parameters": "2", "path": "a"}, {"parameters": "3", "path": "b"}, ["tower"], []),
        (
            {"trained": "all", "tower_tuning": "full"},
            {"trained": "projector", "tower_tuning": "frozen"},
            ["tower"],
            ["tower_tuning"],
        ),
        ({"trained": "all"}, {"trained": "projector"}, ["tower"], ["trained"]),
        ({"trained": "all", "lora_rank": "none"}, {"trained": "some", "lora_rank": "8"}, ["lora_rank"], []),
        # tokens and the tower's name follow the resolution, but not with another patch or another width
        (
            {"resolution": "224", "image_tokens": "256", "tower_name": "so400m-14-224"},
            {"resolution": "384", "image_tokens": "729", "tower_name": "so400m-14-384"},
            ["resolution"],
            [],
        ),
        (
            {"resolution": "224", "image_tokens": "196", "tower_name": "base-16-224"},
            {"resolution": "384", "image_tokens": "729", "tower_name": "so400m-14-384"},
            ["resolution"],
            ["image_tokens", "tower_name"],
        ),
        ({"resolution": "224", "image_tokens": "256"}, {"resolution": "384", "image_tokens": "729"}, ["image_tokens"], []),
        ({"llm": "Phi-2 2.7B"}, {"language_model": "Phi-2"}, ["tower"], []),
        ({"llm": "Phi-1.5 1.3B"}, {"language_model": "Phi-2"}, ["tower"], ["language_model"]),
    ],
)
def test_what_differs(first: dict[str, str], second: dict[str, str], by: list[str], told: list[str]) -> None:
    assert list(differing(first, second, by)) == told


def test_real_runs_of_two_models(tmp_path: Path, cli: Cli) -> None:
    """From an empty folder to the table: the embedded model at two settings, and a model that sees nothing."""
    for model in (("mipha-tiny",), ("constant", "-a", "answer=yes"), ("constant", "-a", "answer=no")):
        run = ("run", "--model", *model, "--tasks", "pope", "--data", "demo", "--limit", 60, "--output", tmp_path)
        assert cli(*run).code == 0
    runs = sorted(tmp_path.iterdir())
    found = table(cli, *runs, "--by", "answer")
    (contrast,) = found["differences"]
    assert contrast["levels"] == {"answer": ["yes", "no"]} or contrast["levels"] == {"answer": ["no", "yes"]}
    rows = {
        row["method"].split()[0]: row for row in json_rows(json.dumps(table(cli, *runs, "--by", "tower,language_model")))
    }
    assert rows["mipha-tiny"]["levels"] == {"tower": "SigLIP", "language_model": "Phi-2"}
    assert rows["constant"]["levels"] == {"tower": None, "language_model": None}
