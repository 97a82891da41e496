"""Published scores: every number has its source, and is taken for ours only where it is the same quantity."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.reporting.published import COLUMNS, candidates, published_folder, read_published, read_rules, target_of
from tests.conftest import Cli, shared_folder
from tests.table_runs import json_rows
from tools.record_published import OPENABLE, record

QUOTES = read_published()


def test_the_files_are_what_the_table_of_scores_gives(tmp_path: Path) -> None:
    table = shared_folder("published", "MIPHA_EVAL_PARITY_PUBLISHED") / "published_scores.csv"
    written = record(table, tmp_path)
    assert sorted(path.name for path in written) == sorted(path.name for path in published_folder().glob("*.csv"))
    for path in written:
        assert path.read_bytes() == (published_folder() / path.name).read_bytes()


def test_every_number_has_a_source_that_can_be_opened() -> None:
    assert len(QUOTES) > 1100
    assert [quote for quote in QUOTES if not OPENABLE.match(quote.source)] == []


def test_rules_are_about_rows_and_name_metrics_that_exist() -> None:
    taken = {target_of(quote) for quote in QUOTES}
    for rule in read_rules():
        assert rule.target in taken, rule
        name, _, protocol = rule.target.task.partition("@")
        task = Registry().load("tasks", name)[0]
        assert protocol in task.protocols
        assert {rule.target.metric, rule.target.taken_for or rule.target.metric} <= {metric.name for metric in task.metrics}
        assert bool(rule.target.why) == (rule.target.standing != "same" or bool(rule.target.taken_for))


def test_all_benchmarks_with_a_task_have_a_rule() -> None:
    assert {quote.benchmark for quote in QUOTES if target_of(quote) is None} == {"MMMU", "MMStar"}


@pytest.mark.parametrize(
    ("benchmark", "words", "metric", "standing"),
    [
        ("POPE", "accurac", "f1", None),
        ("POPE", "not stated", "f1", "other"),
        ("POPE", "mean of 3 F1", "f1", None),
        ("VQAv2", "assumed", "accuracy", "assumed"),
        ("GQA", "assumed", "accuracy", "assumed"),
        ("MMBench-EN", "not stated", "accuracy", "other"),
        ("VizWiz", "not stated", "accuracy", "other"),
        ("TextVQA", "OCR use not stated", "accuracy", "other"),
    ],
)
def test_what_the_source_leaves_open_is_not_taken_for_the_same(
    benchmark: str, words: str, metric: str, standing: str | None
) -> None:
    about = [quote for quote in QUOTES if quote.benchmark == benchmark and words in f"{quote.split} {quote.metric}"]
    assert about
    for quote in about:
        target = target_of(quote)
        assert target is not None
        if standing is not None:
            assert target.standing == standing
        elif words == "accurac":
            assert (target.metric, target.standing) != (metric, "same")
        elif "per Bunny" in quote.metric:
            assert target.standing != "same"


def test_judges_are_told_apart() -> None:
    for quote in QUOTES:
        if quote.benchmark == "MM-Vet":
            target = target_of(quote)
            assert target is not None
            assert target.judge == ("gpt-4-turbo" if "Turbo" in quote.metric + quote.note else "gpt-4")


@pytest.mark.parametrize(
    ("model", "task", "metric", "value", "standing"),
    [
        ("LLaVA-1.5-13B", "pope@llava", "f1", "85.9", "same"),
        ("LLaVA-1.5-13B", "mmvet@v1", "score", "36.1", "same"),  # the authors' later number, though most quote 35.4
        ("LLaVA-1.5-13B", "mme@llava", "perception", "1531.3", "same"),
        ("Mipha-3B", "vqav2@testdev", "accuracy", "81.3", "same"),
        ("Mipha-3B", "pope@llava", "f1", "86.7", "other"),
        ("Mipha-3B", "mmvet@v1", "score", "32.1", "same"),  # no own number: the one that most sources have
        ("InstructBLIP-13B", "mme@llava", "perception", "1212.8", "other"),  # another model's number
        ("InstructBLIP-7B", "scienceqa@llava", "img", "60.5", "same"),
        ("InstructBLIP-7B", "seed@ppl", "image", "58.8", "same"),
        ("TinyLLaVA-Phi-2-SigLIP-3.1B (share)", "pope@llava", "f1", "87.2", "other"),
        ("TinyLLaVA-Phi-2-SigLIP-3.1B (share)", "pope@llava", "accuracy", "87.2", "same"),
    ],
)
def test_the_number_that_is_shown(model: str, task: str, metric: str, value: str, standing: str) -> None:
    first = candidates(QUOTES, model, (task,), metric)[0]
    assert (first.quote.value, first.target.standing) == (value, standing)


def test_list_published(cli: Cli) -> None:
    whole = cli("list", "published", "--json").json
    assert len(whole) == len(QUOTES)
    rows = cli("list", "published", "--benchmark", "pope", "--model", "mipha-3b", "--json").json
    assert [row["value"] for row in rows] == ["86.7", "86.7", "87.3"]
    assert {row["benchmark"] for row in rows} == {"POPE"}
    assert rows[0]["source"] == "zhuyiche/llava-phi@21dafbf5571943:README.md"
    assert rows[0]["protocol"]["standing"] == "other"
    assert {row["benchmark"] for row in cli("list", "published", "--benchmark", "mme", "--json").json} == {
        "MME-P",
        "MME-C",
        "MME-total",
    }
    text = cli("list", "published", "--benchmark", "MMMU", "-m", "MGM-2B").out
    assert "dvlab-research/MGM" in text
    assert "31.7" in text
    assert "did you mean POPE" in cli("list", "published", "--benchmark", "POPEE").err
    assert cli("list", "published", "--model", "GPT-9").code == 2
    assert "mipha-paper" in cli("list", "tables").out


def own_file(path: Path, **cells: str) -> Path:
    row = dict.fromkeys(COLUMNS, "")
    row |= {"model": "Mine", "params_b": "3", "benchmark": "GQA", "split": "testdev-balanced", "metric": "accuracy"}
    row |= {"value": "64.25", "source_kind": "paper", "source": "doi:10.1/x"} | cells
    path.write_text(",".join(row) + "\n" + ",".join(f'"{text}"' for text in row.values()) + "\n", encoding="utf-8")
    return path


def test_a_file_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    file = own_file(tmp_path / "mine.csv")
    arguments = ("report", "--table", "mipha-paper", "--published", "Mine", "--published-file", file, "--format", "json")
    (row,) = json_rows(cli(*arguments).out)
    cell = row["cells"]["GQA"]
    assert (cell["printed"], cell["source"], cell["file"], cell["at"]) == ("64.2", "doi:10.1/x", str(file), "line 2")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"value": "64,2"}, "mine.csv, line 2: value '64,2' is no number"),
        ({"value": "nan"}, "is no number"),
        ({"value": ""}, "is no number"),
        ({"source": ""}, "needs model, benchmark and source"),
        ({"model": ""}, "needs model, benchmark and source"),
    ],
)
def test_a_broken_file_is_refused(cells: dict[str, str], message: str, cli: Cli, tmp_path: Path) -> None:
    file = own_file(tmp_path / "mine.csv", **cells)
    outcome = cli("report", "--table", "mipha-paper", "--published-file", file)
    assert outcome.code == 2
    assert message in outcome.err


def test_a_file_without_the_columns_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("model,value\nx,3\n")
    outcome = cli("report", "--table", "mipha-paper", "--published-file", tmp_path / "mine.csv")
    assert "has no column params_b" in outcome.err
    assert cli("report", "--table", "mipha-paper", "--published-file", tmp_path / "none.csv").code == 2


def test_all_published_models(cli: Cli) -> None:
    outcome = cli("report", "--table", "mipha-paper", "--published", "all", "--format", "json")
    rows = json_rows(outcome.out)
    assert len(rows) > 70
    assert all(row["published"] and any(row["cells"].values()) for row in rows)
    for group in json.loads(outcome.out)["groups"]:
        for column in ("GQA", "POPE"):
            cells = [row["cells"][column] for row in group["rows"] if row["cells"][column]]
            ranked = [cell for cell in cells if cell["ranked"]]
            if len(ranked) > 1:
                best = max(cell["value"] for cell in ranked)
                assert {cell["printed"] for cell in ranked if cell["place"] == "best"} == {f"{best:.1f}"}
            assert not [cell for cell in cells if cell["place"] and not cell["ranked"]]


FILES = {"mmbench": "mmbench_dev", "mmvet": "mmvet"}
SAME = {"SQA-I": "71.6", "TextVQA": "61.3", "POPE": "85.9", "MME-P": "1531.3", "MMBench": "67.7", "SEED-I": "68.2"}


def test_llavas_answers_equal_its_published_numbers(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    """Scored here and beside the quoted row: equal where the protocol is the same, and the table says so."""
    for task in ("pope", "mme"):
        answers = f"path={llava_answers / task}.jsonl"
        done = cli(
            *("run", "--tasks", task, "--model", "answers-file", "-a", answers, "--data", benchmarks),
            *("-o", tmp_path / "runs", "--json"),
        )
        assert done.code == 0, done.err
    for task in ("textvqa", "scienceqa", "seed", "mmbench", "mmvet"):
        arguments = ["score", task, "--answers", llava_answers / f"{FILES.get(task, task)}.jsonl", "--data", benchmarks]
        arguments += ["--grades", llava_answers / "mmvet_gpt-4-grade-1runs.json"] if task == "mmvet" else []
        (tmp_path / f"{task}.json").write_text(cli(*arguments, "--json").out)
    runs = [*(tmp_path / "runs").iterdir(), *tmp_path.glob("*.json")]
    report = ("report", *runs, "--table", "mipha-paper", "--row", "*:name=LLaVA-1.5-13B", "--published", "LLaVA-1.5-13B")
    rows = json_rows(cli(*report, "--format", "json").out)
    quoted, measured = (next(row for row in rows if row["published"] is published) for published in (True, False))
    assert (measured["fields"]["llm"], measured["parameters"]) == ("Vicuna-13B-v1.5", 13)
    told = {each["column"]: each for each in measured["reproductions"]}
    for heading, value in {**SAME, "MM-Vet": "36.1"}.items():
        assert measured["cells"][heading]["printed"] == quoted["cells"][heading]["printed"] == value
        assert (told[heading]["equal"], told[heading]["published"]) == (True, value)
    for heading in SAME:
        assert measured["cells"][heading]["place"] == quoted["cells"][heading]["place"] == "best"
    for kind in ("md", "latex", "html"):
        text = re.sub(r"\\allowbreak\{\}|[{}\\]", "", cli(*report, "--format", kind).out)
        assert "LLaVA-1.5-13B, measured here: equals the published SQA-I 71.6, TextVQA 61.3, POPE 85.9, MME-P 1531.3" in text
