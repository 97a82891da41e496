"""The same answers in every suite's form give the same official number, or a refusal with a reason; never another number."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample
from mipha_eval.scoring.answer_files import Taken, read_answers
from mipha_eval.scoring.result import score_responses
from tests import suite_files
from tests.conftest import Cli, write_jsonl
from tests.suite_files import Answered, answered

FORMS: dict[str, Callable[[str, Path, Sequence[Answered]], Path]] = {
    "lmms-eval": suite_files.lmms_eval,
    "lmms-eval's log": suite_files.lmms_eval_with_documents,
    "VLMEvalKit tsv": suite_files.vlmevalkit,
    "VLMEvalKit xlsx": suite_files.vlmevalkit_sheet,
    "VLMEvalKit json": suite_files.vlmevalkit_json,
    "EvalScope predictions": suite_files.evalscope_predictions,
    "EvalScope reviews": suite_files.evalscope_reviews,
    "Inspect json": suite_files.inspect_json,
    "Inspect eval": suite_files.inspect_eval,
    "InternVL": suite_files.internvl,
}
#: the published numbers of LLaVA-1.5-13B that its own answer files give
TASKS: dict[str, tuple[str, dict[str, float]]] = {
    "pope": ("pope", {"adversarial/f1": 84.46, "popular/f1": 86.25, "random/f1": 87.14}),
    "mme": ("mme", {"perception": 1531.32, "cognition": 295.36}),
    "textvqa": ("textvqa", {"accuracy": 61.25}),
    "scienceqa": ("scienceqa", {"img": 71.64, "all": 74.39}),
    "seed": ("seed", {"image": 68.21, "video": 42.32}),
    "mmbench": ("mmbench_dev", {"accuracy": 67.69, "vanilla": 75.43}),
    "gqa": ("gqa", {"accuracy": 61.74}),
}
#: this SEED-Bench.json has no questions, so that nothing proves the row numbers of a suite
REFUSED = {("seed", form) for form in FORMS if form.startswith("VLMEvalKit")}


@dataclass(frozen=True)
class Real:
    """A task with LLaVA-1.5-13B's answers to it, and the metrics that its own file gives."""

    task: Task
    samples: Sequence[Sample]
    texts: Mapping[str, str]
    metrics: Mapping[str, float]

    def answers(self) -> list[Answered]:
        """In the order of a hub, which has POPE's categories in another one than its files."""
        return answered(self.samples, self.texts, ("random", "popular", "adversarial") if self.task.name == "pope" else ())

    def score(self, path: Path) -> Mapping[str, float]:
        responses = read_answers(path, self.task, self.samples).responses
        return score_responses(self.task, self.samples, responses).summary.metrics


GetReal = Callable[[str], Real]


@pytest.fixture(scope="module")
def real(benchmarks: Path, llava_answers: Path) -> GetReal:
    known: dict[str, Real] = {}

    def get(name: str) -> Real:
        if name not in known:
            annotations = benchmarks / "gqa/data/ood_testdev_head.json" if name == "gqa" else None
            task = build_task(name, {}, DataSource("folder", benchmarks, annotations=annotations), Registry())
            samples = list(task.samples())
            responses = read_answers(llava_answers / f"{TASKS[name][0]}.jsonl", task, samples, Taken(subset=True)).responses
            metrics = score_responses(task, samples, responses).summary.metrics
            texts = {key: response.text for key, response in responses.items()}
            known[name] = Real(task, samples, texts, metrics)
        return known[name]

    return get


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TASKS)
def test_the_same_number_in_every_form(name: str, form: str, real: GetReal, tmp_path: Path) -> None:
    found, published = real(name), TASKS[name][1]
    path = FORMS[form](name, tmp_path, found.answers())
    if (name, form) in REFUSED:
        with pytest.raises(UserError, match="nothing in it says"):
            found.score(path)
        return
    metrics = found.score(path)
    if (name, form) == ("scienceqa", "InternVL"):  # it answers questions with a picture alone
        published = {"img": published["img"]}
    else:
        assert metrics == found.metrics
    assert {key: round(metrics[key], 2) for key in published} == published


@pytest.mark.parametrize("pictures", [True, False])
def test_popes_rows_for_several_categories(pictures: bool, real: GetReal, tmp_path: Path) -> None:
    """VLMEvalKit asks once what several categories ask; whether its table names the pictures or not."""
    found = real("pope")
    path = suite_files.vlmevalkit_pope(tmp_path, found.answers(), pictures=pictures)
    assert len(path.read_text().splitlines()) - 1 < 5127 + 1
    assert found.score(path) == found.metrics


def test_popes_rows_in_any_order(real: GetReal, tmp_path: Path) -> None:
    """Without pictures, rows with the same words, label and categories are worth the same."""
    found = real("pope")
    path = suite_files.vlmevalkit_pope(tmp_path, found.answers(), pictures=False)
    head, *lines = path.read_text().splitlines()
    random.Random(0).shuffle(lines)
    lines = [f"{number}\t{line.partition(chr(9))[2]}" for number, line in enumerate(lines)]
    path.write_text("\n".join([head, *lines]) + "\n")
    assert found.score(path) == found.metrics
    asked = Counter(tuple(line.split("\t")[1:4]) for line in lines)
    often = next(line for line in lines if asked[tuple(line.split("\t")[1:4])] > 1)
    lines.remove(often)
    path.write_text("\n".join([head, *lines]) + "\n")
    with pytest.raises(UserError, match=r"nothing in the file says|is to"):
        found.score(path)


def test_another_release_of_pope(benchmarks: Path, real: GetReal, tmp_path: Path) -> None:
    """A split of 9,000 rows is not LLaVA's 8,910, in whatever form."""
    task = build_task("pope@official", {}, DataSource("folder", benchmarks), Registry())
    samples = list(task.samples())
    rows = answered(samples, {sample.id: sample.target[0] for sample in samples})
    for form in ("lmms-eval", "EvalScope reviews", "Inspect json"):
        folder = tmp_path / form.split()[0]
        folder.mkdir()
        path = FORMS[form]("pope", folder, rows)
        with pytest.raises(UserError, match="another release"):
            real("pope").score(path)
        responses = read_answers(path, task, samples).responses
        assert score_responses(task, samples, responses).summary.metrics["f1"] == 100


@pytest.mark.parametrize("order", [("popular", "random", "adversarial"), ("adversarial", "popular", "random")])
def test_row_numbers_in_any_order_of_categories(order: Sequence[str], real: GetReal, tmp_path: Path) -> None:
    found = real("pope")
    rows = suite_files.lmms_rows("gqa", answered(found.samples, found.texts, order))  # without POPE's own ids
    assert found.score(write_jsonl(tmp_path / "a.jsonl", rows)) == found.metrics
    first = found.score(write_jsonl(tmp_path / "a.jsonl", rows[:3000]))
    assert first[f"{order[0]}/f1"] == found.metrics[f"{order[0]}/f1"]
    shifted = [{**row, "doc_id": row["doc_id"] + 1} for row in rows]
    with pytest.raises(UserError, match="is to"):
        found.score(write_jsonl(tmp_path / "a.jsonl", shifted))


def test_the_lines_that_are_said(benchmarks: Path, real: GetReal, cli: Cli, tmp_path: Path) -> None:
    path = suite_files.lmms_eval("mme", tmp_path, real("mme").answers())
    outcome = cli("score", "mme", "--answers", path, "--data", benchmarks, "--json")
    assert outcome.code == 0
    assert outcome.err == f"{path}: lmms-eval's samples, 2,374 answers\n"
    assert round(outcome.json["metrics"]["perception"], 2) == 1531.32
    assert outcome.json["unverified"] == 0
