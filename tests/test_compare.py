"""`mipha-eval compare` from stored runs to tables: numbers against brute force, refusals, marks, hostile text."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import shutil
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from mipha_eval.comparison.defaults import ALPHA, RESAMPLES
from mipha_eval.comparison.difference import difference, tie_group
from mipha_eval.comparison.matched import Matched
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.judge.stored_task import StoredTask, read_stored_tasks
from mipha_eval.reporting.comparison.page import markdown
from mipha_eval.runs.evaluate import evaluate
from mipha_eval.scoring.result import score_responses
from mipha_eval.stats.bootstrap import bootstrap_values
from mipha_eval.stats.ranks import rank_intervals
from mipha_eval.store.run_folder import RunFolder
from tests.conftest import Cli, pope_numbers, read_json, read_jsonl, write_jsonl
from tests.oracles import pope
from tests.test_bad_input import assert_refused

OPPOSITE = {"yes": "no", "no": "yes"}
HOSTILE = "<script>alert(1)</script>\x1b[31m|`*[x](javascript:alert(1))\u202egnp.exe\x00_a_\ud800 &lt; ~~$x$"


def stored_run(
    output: Path, tasks: str, model: str, options: Mapping[str, object], data: str | DataSource = "demo", **more: Any
) -> Path:
    asked: dict[str, Any] = {"data": data, "output": output, **options, **more}
    return evaluate(model, tasks, progress=False, fresh=True, **asked).path


def answers_run(output: Path, tasks: str, chance: float, **more: Any) -> Path:
    """Answers to the demo's yes/no questions, each right with this chance; a `chance` below 0 leaves some out."""
    rng = random.Random(f"{chance} {tasks}")
    rows = []
    for name in tasks.split(","):
        for sample in build_task(name, {}, parse_source("demo", {}), Registry()).samples():
            truth = sample.target[0].lower()
            answer = truth if rng.random() < abs(chance) else OPPOSITE[truth]
            rows.append({"question_id": sample.question_id, "prompt": sample.prompt, "text": answer.capitalize()})
    file = write_jsonl(output / f"answers{chance}.jsonl", rows[7 * (chance < 0) :])
    return stored_run(output, tasks, "answers-file", {"path": file}, **more)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Runs of the demo, from good to bad, and one of other tasks."""
    output, words = tmp_path_factory.mktemp("demo"), {"coco_cap.tokenizer": "treebank"}
    return {
        "good": answers_run(output, "pope,mme", 0.9),
        "same": answers_run(output, "pope,mme", 0.895),
        "bad": answers_run(output, "pope,mme", 0.7),
        "part": answers_run(output, "pope", -0.9, limit=400),
        "other": stored_run(output, "textvqa,coco-cap", "constant", {"answer": "a red circle", **words}, limit=40),
        "plain": stored_run(output, "textvqa@plain,coco-cap", "constant", {"answer": "a blue square", **words}, limit=40),
    }


def only(tasks: list[StoredTask], label: str) -> StoredTask:
    return next(stored for stored in tasks if stored.label == label)


@dataclasses.dataclass(frozen=True)
class Real:
    """LLaVA's stored answers to a task as one run and a changed copy as another."""

    runs: tuple[Path, Path]
    samples: list[Sample]
    responses: tuple[dict[str, Response], dict[str, Response]]
    stored: tuple[StoredTask, StoredTask]


def change(text: str) -> str:
    return {"Yes": "No", "No": "Yes"}.get(text, "something else")


@pytest.fixture(scope="module", params=["pope", "mme", "gqa"])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Real:
    benchmarks, llava_answers = (request.getfixturevalue(name) for name in ("benchmarks", "llava_answers"))
    output, name = tmp_path_factory.mktemp(request.param), request.param
    annotations = benchmarks / "gqa/data/ood_testdev_head.json" if name == "gqa" else None
    rng = random.Random(1)
    rows = read_jsonl(llava_answers / f"{name}.jsonl")
    changed = [{**row, "text": change(row["text"])} if rng.random() < 0.06 else row for row in rows]
    runs = []
    for file, content in (("own.jsonl", rows), ("changed.jsonl", changed)):
        path = write_jsonl(output / file, content)
        data = parse_source(str(benchmarks), {}, annotations)
        runs.append(stored_run(output, name, "answers-file", {"path": path}, data))
    stored = [read_stored_tasks(path, Registry())[0] for path in runs]
    task = dataclasses.replace(stored[0].task, data=dataclasses.replace(stored[0].task.data, annotations=annotations))
    kept = [RunFolder(path).task(stored[0].label).responses() for path in runs]
    responses = [{sample: entry.response for sample, entry in own.items()} for own in kept]
    return Real((runs[0], runs[1]), list(task.samples()), (responses[0], responses[1]), (stored[0], stored[1]))


def images_of(real: Real) -> dict[str, list[Sample]]:
    images: dict[str, list[Sample]] = {}
    for sample in real.samples:
        images.setdefault(sample.cluster, []).append(sample)
    return images


def headline(real: Real, samples: list[Sample], responses: Mapping[str, Response]) -> float:
    """The whole scorer on any questions."""
    summary = score_responses(real.stored[0].task, samples, responses).summary
    return summary.metrics[summary.headline]


def test_resampling_equals_scoring_the_drawn_images(real: Real) -> None:
    """Sums of drawn clusters give what the scorer gives on the drawn images, an image drawn twice counting twice."""
    panel = Matched.of(real.stored).panel(real.stored[0].summary.headline)
    images = images_of(real)
    draws = np.random.default_rng(2)
    for place in (0, 1):
        times = np.bincount(draws.integers(len(images), size=len(images)), minlength=len(images))
        samples, responses = [], {}
        for image, count in zip(Matched.of(real.stored).counts[0].clusters(), times, strict=True):
            for copy in range(count):
                for sample in images[image]:
                    again = dataclasses.replace(
                        sample, id=f"{sample.id} {copy}", group=sample.group and f"{sample.group} {copy}"
                    )
                    samples.append(again)
                    responses[again.id] = real.responses[place][sample.id]
        sums = np.einsum("c,rcn->rn", times, panel.counts)
        assert panel.values(sums)[place] == pytest.approx(headline(real, samples, responses), abs=1e-9)


def test_exchanging_counts_equals_exchanging_answers(real: Real) -> None:
    panel = Matched.of(real.stored).panel(real.stored[0].summary.headline)
    images = images_of(real)
    rng = random.Random(3)
    flips = {image: rng.random() < 0.5 for image in images}
    first, second = dict(real.responses[0]), dict(real.responses[1])
    for image, samples in images.items():
        for sample in samples if flips[image] else ():
            first[sample.id], second[sample.id] = second[sample.id], first[sample.id]
    order = np.array([flips[image] for image in Matched.of(real.stored).counts[0].clusters()])
    exchanged = np.where(order[None, :, None], panel.counts[::-1], panel.counts)
    expected = [headline(real, real.samples, own) for own in (first, second)]
    assert panel.values(exchanged.sum(axis=1)).tolist() == pytest.approx(expected, abs=1e-9)


def test_what_the_command_says_of_real_runs(real: Real, cli: Cli) -> None:
    outcome = cli("compare", *real.runs, "--json", "--fail-on-regression")
    assert outcome.code == 4, outcome.err
    found = outcome.json["pairs"][0]
    row = found["differences"][0]
    own = [score_responses(real.stored[0].task, real.samples, responses) for responses in real.responses]
    values = [result.summary.metrics[row["metric"]] for result in own]
    assert row["values"] == pytest.approx(values, abs=1e-9)
    assert row["difference"] == pytest.approx(values[1] - values[0], abs=1e-9)
    scores = [{score.sample: score.value for score in result.scores} for result in own]
    assert found["flips"]["gained"] == [name for name, value in scores[0].items() if scores[1][name] > value]
    assert found["flips"]["lost"] == [name for name, value in scores[0].items() if scores[1][name] < value]
    for kind in ("gained", "lost"):
        assert sorted(found["flips"][kind]) == sorted(name for flips in found["categories"].values() for name in flips[kind])
    assert row["questions"] == found["flips"]["questions"] == len(scores[0])
    assert row["clusters"] == len(images_of(real))
    expected = [row["difference"] - 1.96 * row["standard_error"], row["difference"] + 1.96 * row["standard_error"]]
    assert row["interval"] == pytest.approx(expected, abs=0.25 * row["standard_error"])
    assert row["p"] < 0.001
    assert row["verdict"] == "worse"


def test_flips_of_pope_against_the_oracle(cli: Cli, demo: Mapping[str, Path]) -> None:
    found = cli("compare", demo["good"], demo["bad"], "--task", "pope", "--json").json["pairs"][0]
    samples = list(build_task("pope", {}, parse_source("demo", {}), Registry()).samples())
    texts = [RunFolder(demo[name]).task("pope@demo").responses() for name in ("good", "bad")]
    says = [[pope.says_yes(own[sample.id].response.text) for sample in samples] for own in texts]
    truth = [sample.target[0] == "yes" for sample in samples]
    right = [[said == true for said, true in zip(own, truth, strict=True)] for own in says]
    ids = [sample.id for sample in samples]
    assert found["flips"]["gained"] == [name for name, a, b in zip(ids, *right, strict=True) if b > a]
    assert found["flips"]["lost"] == [name for name, a, b in zip(ids, *right, strict=True) if b < a]
    for category, flips in found["categories"].items():
        places = [place for place, sample in enumerate(samples) if sample.category == category]
        assert flips["questions"] == len(places)
        assert len(flips["lost"]) == sum(right[0][place] > right[1][place] for place in places)
    f1 = []
    for own in texts:
        numbers = [
            pope_numbers(
                [own[sample.id].response.text for sample in samples if sample.category == category],
                [sample.target[0] for sample in samples if sample.category == category],
            )["f1"]
            for category in found["categories"]
        ]
        f1.append(sum(numbers) / len(numbers))
    assert found["differences"][0]["values"] == pytest.approx(f1, abs=1e-9)


def test_exit_codes(cli: Cli, demo: Mapping[str, Path]) -> None:
    """4 for a headline that is significantly worse or lost answers, 3 where it cannot be told; see test_gate.py."""
    assert cli("compare", demo["good"], demo["bad"]).code == 0
    assert cli("compare", demo["good"], demo["bad"], "--fail-on-regression").code == 4
    assert cli("compare", demo["bad"], demo["good"], "--fail-on-regression").code == 0
    assert cli("compare", demo["good"], demo["same"], "--fail-on-regression").code == 0
    assert cli("compare", demo["good"], demo["same"], demo["bad"], "--fail-on-regression").code == 4
    assert cli("compare", demo["good"], demo["part"], "--fail-on-regression").code == 4
    assert cli("compare", demo["good"], demo["part"], "--fail-on-regression", "--allow-missing", 7).code == 3
    assert cli("compare", demo["good"], demo["part"]).code == 0


def test_another_metric_is_no_headline(cli: Cli, demo: Mapping[str, Path]) -> None:
    """Metrics beside the headline share in the correction, but only a headline is a regression."""
    outcome = cli("compare", demo["good"], demo["bad"], "--task", "pope", "--metric", "all", "--json")
    rows = outcome.json["pairs"][0]["differences"]
    assert [row["metric"] for row in rows][:2] == ["f1", "accuracy"]
    assert len(rows) == outcome.json["tests"] == 20
    few = cli("compare", demo["good"], demo["bad"], "--task", "pope@demo", "--metric", "yes_ratio", "--json").json
    assert [row["metric"] for row in few["pairs"][0]["differences"]] == ["f1", "yes_ratio"]
    assert few["regressions"] == [{"task": "pope@demo", "run": 1}]


def test_several_runs(cli: Cli, demo: Mapping[str, Path]) -> None:
    runs = [demo[name] for name in ("good", "same", "bad")]
    against_baseline = cli("compare", *runs, "--json").json
    assert [(pair["task"], pair["runs"]) for pair in against_baseline["pairs"]] == [
        ("mme@demo", [0, 1]),
        ("pope@demo", [0, 1]),
        ("mme@demo", [0, 2]),
        ("pope@demo", [0, 2]),
    ]
    every = cli("compare", *runs, "--all-pairs", "--json").json
    rows = [row for pair in every["pairs"] for row in pair["differences"]]
    assert len(rows) == every["tests"] == 6
    expected = multipletests([row["p"] for row in rows], method="holm")[1]
    assert [row["corrected_p"] for row in rows] == pytest.approx(expected.tolist(), abs=1e-12)
    for row in rows:
        significant = row["corrected_p"] <= 0.05
        assert row["verdict"] == (("better" if row["difference"] > 0 else "worse") if significant else "not significant")
    for group in every["ties"]:
        assert [value["run"] for value in group["values"] if value["tied"]] == [0, 1]


def test_the_functions_for_tables(demo: Mapping[str, Path]) -> None:
    tasks = [only(read_stored_tasks(demo[name], Registry()), "pope@demo") for name in ("bad", "good", "same")]
    assert tie_group(tasks, "f1") == {1, 2}
    ranks = rank_intervals(bootstrap_values(Matched.of(tasks).panel("f1"), RESAMPLES))
    assert ranks[0] == (3, 3)
    assert {ranks[1], ranks[2]} == {(1, 2)}
    there, back = (difference(Matched.of(pair), "f1", RESAMPLES, ALPHA) for pair in (tasks[:2], tasks[1::-1]))
    assert there.value == -back.value > 0
    assert there.interval is not None
    assert there.interval[0] <= there.value <= there.interval[1]
    assert there.standard_error == pytest.approx(back.standard_error)
    assert there.p == pytest.approx(back.p, abs=0.01)
    assert list(tasks[0].metrics) == list(tasks[0].summary.metrics)


def test_part_of_the_questions(cli: Cli, demo: Mapping[str, Path], tmp_path: Path) -> None:
    """Only what both scored is compared; what that leaves out, and why a run has less, is said in every format."""
    found = cli("compare", demo["good"], demo["part"], "--json").json
    pair = found["pairs"][0]
    total = read_json(demo["good"] / "pope@demo/result.json")["n"]
    asked = read_json(demo["part"] / "pope@demo/result.json")
    assert asked["failed"] > 0
    assert pair["left_out"] == [total - asked["n"], 0]
    assert pair["differences"][0]["questions"] == asked["n"]
    assert pair["changed"] == 0
    assert [gap["task"] for gap in found["not_compared"]] == ["mme@demo"]
    marks = ["DEMO", f"LIMITED {asked['n'] + asked['failed']}/{total:,}", f"FAILED {asked['failed']}"]
    assert found["runs"][1]["marks"]["pope@demo"] == marks
    for text in every_format(cli, tmp_path, demo["good"], demo["part"]).values():
        for words in (*marks, f"{total - asked['n']} questions that only", "mme@demo"):
            assert re.search(words.replace(" ", r"[\s│]+"), text), words


def every_format(cli: Cli, folder: Path, *arguments: object) -> dict[str, str]:
    """Terminal, Markdown and HTML."""
    found = {"terminal": cli("compare", *arguments).out}
    for form in ("md", "html"):
        outcome = cli("compare", *arguments, "-o", folder / f"out.{form}")
        assert outcome.code == 0, outcome.err
        found[form] = (folder / f"out.{form}").read_text(encoding="utf-8")
        assert cli("compare", *arguments, "--format", form).out == found[form]
    return found


def test_numbers_are_the_same_in_all_formats(cli: Cli, demo: Mapping[str, Path], tmp_path: Path) -> None:
    runs = demo["good"], demo["same"], demo["bad"], "--resamples", 300
    found = cli("compare", *runs, "--metric", "accuracy", "--json").json
    texts = every_format(cli, tmp_path, *runs, "--metric", "accuracy")
    cells = {"md": [line.strip("| ").split(" | ") for line in texts["md"].splitlines()], "html": html_rows(texts["html"])}
    for pair in found["pairs"]:
        for row in pair["differences"]:
            low, high = row["interval"]
            numbers = [f"{row['difference']:+.2f}", f"{low:+.2f} to {high:+.2f}"]
            expected = [pair["task"], row["metric"], *(f"{value:.2f} DEMO" for value in row["values"]), *numbers]
            for rows in cells.values():
                assert any(line[: len(expected)] == expected for line in rows), expected
            assert numbers[0] in texts["terminal"]
        for name, flips in pair["categories"].items():
            expected = [pair["task"], name, *(str(len(flips[kind])) for kind in ("gained", "lost"))]
            for rows in cells.values():
                assert any([*line[:2], *line[3:5]] == expected for line in rows), expected


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


def html_rows(page: str) -> list[list[str]]:
    parser = _Cells()
    parser.feed(page)
    return parser.rows


def edited(run: Path, target: Path, edit: Callable[[Path], object]) -> Path:
    """A copy of a run with something changed."""
    shutil.copytree(run, target)
    edit(target)
    return target


def edit_json(file: str, **changes: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / file
        path.write_text(json.dumps({**read_json(path), **changes}), encoding="utf-8")

    return edit


def test_hostile_text(cli: Cli, demo: Mapping[str, Path], tmp_path: Path) -> None:
    """Names and ids are shown as text, whatever they hold; JSON gives them back as they are."""
    huge = "x" * 100_000

    def edit(folder: Path) -> None:
        edit_json("manifest.json", model=f"model {HOSTILE}", config={})(folder)
        (folder / "mme@demo/result.json").unlink()
        edit_json("status.json", **{"mme@demo": {"state": "infer"}})(folder)
        for file in ("samples.jsonl", "scores.jsonl"):
            rows = read_jsonl(folder / "pope@demo" / file)
            for number, row in enumerate(rows):
                row["id" if "id" in row else "sample"] = huge + str(number) if number % 50 == 0 else f"{HOSTILE} {number}"
                row["category"] = f"category {HOSTILE}" if row["category"] == "random" else row["category"]
            write_jsonl(folder / "pope@demo" / file, rows)

    runs = [edited(demo[name], tmp_path / f"{name} {HOSTILE[:8].replace('/', '')}", edit) for name in ("good", "bad")]
    texts = every_format(cli, tmp_path, *runs, "--resamples", 300)
    for form, text in texts.items():
        assert not set(text) & {"\x1b", "\u202e", "\x00", "\ud800"}, form
        assert "[U+202E]" in text.replace("\\", ""), form
        assert max(map(len, text.split())) < 1_000
    parser = _Cells()
    parser.feed(texts["html"])
    assert {tag for tag, _ in parser.tags}.isdisjoint({"script", "a", "img", "iframe", "link", "object", "form"})
    assert not [
        name for _, attributes in parser.tags for name in attributes if name.startswith("on") or name in ("href", "src")
    ]
    assert any("<script>alert(1)</script>" in cell for row in parser.rows for cell in row)
    plain = re.sub(r"\\.", "", texts["md"])
    assert "<" not in plain
    assert "](" not in plain
    tables = [block for block in texts["md"].split("\n\n") if block.startswith("|")]
    for table in tables:
        assert len({len(re.sub(r"\\.", "", line).split("|")) for line in table.splitlines()}) == 1
    outcome = cli("compare", *runs, "--json")
    assert outcome.json["runs"][0]["model"] == f"model {HOSTILE}"
    assert any(name.startswith(HOSTILE) for name in outcome.json["pairs"][0]["flips"]["lost"])


def test_markdown_keeps_words() -> None:
    assert markdown("yes_ratio of a-b (v1.5), 10 %") == "yes_ratio of a-b (v1.5), 10 %"
    assert markdown("_x_ **y** <b>|[z](u) # & ~~") == r"\_x\_ \*\*y\*\* \<b\>\|\[z\](u) \# \& \~\~"


def test_page_needs_nothing_else(cli: Cli, demo: Mapping[str, Path], tmp_path: Path) -> None:
    page = every_format(cli, tmp_path, demo["good"], demo["bad"])["html"]
    assert not re.search(r"https?://|url\(|@import|src=", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_json_is_json(cli: Cli, demo: Mapping[str, Path]) -> None:
    """Nothing differs between a run and its copy, so errors and effects are not defined; NaN is no JSON."""
    copy = edited(demo["part"], demo["part"].with_name("copy"), lambda _: None)
    outcome = cli("compare", demo["part"], copy, "--json")
    row = json.loads(outcome.out, parse_constant=pytest.fail)["pairs"][0]["differences"][0]
    assert (row["difference"], row["p"], row["verdict"]) == (0, 1, "not significant")
    assert (row["effect_size"], row["detectable"]) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{good}"], ["two runs"]),
        (["{good}", "{good}"], ["given twice"]),
        (["{good}", "nowhere"], ["nowhere", "no run folder"]),
        (["{good}", "{bad}", "--task", "popee"], ["'popee'", "did you mean pope"]),
        (["{good}", "{bad}", "--metric", "f2"], ["'f2'", "f1"]),
        (["{good}", "{bad}", "-o", "x.pdf"], ["x.pdf", ".html"]),
        (["{good}", "{bad}", "--format", "pdf"], ["pdf"]),
        (["{good}", "{bad}", "--alpha", "2"], ["alpha"]),
        (["{good}", "{other}"], ["nothing", "pope@demo: only"]),
        (["{other}", "{plain}", "--task", "textvqa"], ["textvqa@demo", "another protocol"]),
    ],
)
def test_refusals(arguments: list[str], words: list[str], cli: Cli, demo: Mapping[str, Path]) -> None:
    assert_refused(cli("compare", *(text.format(**demo) for text in arguments)), *words)


def test_a_task_of_a_plugin_that_is_not_here_takes_no_other_with_it(
    cli: Cli, demo: Mapping[str, Path], tmp_path: Path
) -> None:
    """It is not compared, with the reason where both runs have it; asked for by name, it is an error."""

    def of_plugin(folder: Path) -> None:
        (folder / "mme@demo").rename(folder / "quiz@demo")
        edit_json("quiz@demo/task.json", name="quiz")(folder)
        edit_json("quiz@demo/result.json", task="quiz@demo")(folder)
        status = (folder / "status.json").read_text()
        (folder / "status.json").write_text(status.replace("mme@demo", "quiz@demo"))

    runs = [edited(demo[name], tmp_path / name, of_plugin) for name in ("good", "bad")]
    found = cli("compare", runs[0], demo["bad"], "--json")
    assert found.code == 0, found.err
    assert [pair["task"] for pair in found.json["pairs"]] == ["pope@demo"]
    reasons = {gap["task"]: gap["reason"] for gap in found.json["not_compared"]}
    assert reasons["quiz@demo"].startswith("only ")
    both = {gap["task"]: gap["reason"] for gap in cli("compare", *runs, "--json").json["not_compared"]}
    assert "unknown task 'quiz" in both["quiz@demo"]
    assert cli("compare", *runs, "--task", "pope", "--json").json["not_compared"] == []
    assert_refused(cli("compare", *runs, "--task", "quiz"), "unknown task 'quiz")


def test_versions_and_judges_are_not_mixed(cli: Cli, demo: Mapping[str, Path], tmp_path: Path) -> None:
    def refused(first: Path, second: Path, *words: str) -> None:
        assert_refused(cli("compare", first, second, "--task", "pope"), *words)

    older = edited(demo["bad"], tmp_path / "older", edit_json("pope@demo/task.json", version=0))
    refused(demo["good"], older, "version 1", "version 0")
    oldest = edited(older, tmp_path / "oldest", lambda _: None)
    refused(older, oldest, "version 0", "this is version 1")
    headline = edited(demo["bad"], tmp_path / "headline", edit_json("pope@demo/result.json", headline="accuracy"))
    refused(demo["good"], headline, "f1 and accuracy")
    unscored = edited(demo["bad"], tmp_path / "unscored", edit_json("pope@demo/result.json", metrics={}, intervals={}))
    refused(demo["good"], unscored, "no f1 in")
    damaged = edited(demo["bad"], tmp_path / "damaged", lambda run: (run / "pope@demo/scores.jsonl").unlink())
    refused(demo["good"], damaged, "scores.jsonl")
    empty = edited(demo["bad"], tmp_path / "empty", lambda run: write_jsonl(run / "pope@demo/scores.jsonl", [{}]))
    refused(demo["good"], empty, "scores.jsonl:1 is damaged")


def test_other_data(cli: Cli, demo: Mapping[str, Path], tmp_path: Path) -> None:
    """Questions of the same id are compared only if they are the same question."""

    def edit(folder: Path) -> None:
        rows = read_jsonl(folder / "pope@demo/samples.jsonl")
        rows[3]["prompt"] += " Really?"
        rows[5]["target"] = ["no"] if rows[5]["target"] == ["yes"] else ["yes"]
        write_jsonl(folder / "pope@demo/samples.jsonl", rows)
        edit_json("pope@demo/task.json", data_sha256="another")(folder)

    other = edited(demo["bad"], tmp_path / "other", edit)
    found = cli("compare", demo["good"], other, "--task", "pope", "--json").json["pairs"][0]
    assert found["changed"] == 2
    assert found["differences"][0]["questions"] == read_json(other / "pope@demo/result.json")["n"] - 2
    assert "OTHER DATA, 2 questions" in cli("compare", demo["good"], other, "--task", "pope").out


def test_other_options_and_tokenizers(cli: Cli, demo: Mapping[str, Path], tmp_path: Path) -> None:
    """The name of a caption metric is that of the stored result, whatever tokenizer this machine would choose."""
    runs = [demo["other"], demo["plain"]]
    for name in ("other", "plain"):
        result = read_json(demo[name] / "coco-cap@demo/result.json")
        renamed: dict[str, Any] = {"headline": re.sub(r"\[.*]", "[x]", result["headline"])}
        for key in ("metrics", "intervals", "units", "provenance"):
            renamed[key] = {re.sub(r"\[.*]", "[x]", metric): value for metric, value in result[key].items()}
        renamed["provenance"] = {metric: {**made, "name": "x"} for metric, made in renamed["provenance"].items()}
        runs.append(edited(demo[name], tmp_path / name, edit_json("coco-cap@demo/result.json", **renamed)))
    for first, second in (runs[:2], runs[2:]):
        row = cli("compare", first, second, "--task", "coco-cap", "--json").json["pairs"][0]["differences"][0]
        assert row["metric"] == read_json(second / "coco-cap@demo/result.json")["headline"]
        values = [read_json(path / "coco-cap@demo/result.json")["metrics"][row["metric"]] for path in (first, second)]
        assert row["values"] == pytest.approx(values, abs=1e-9)
    assert_refused(cli("compare", runs[0], runs[3], "--task", "coco-cap"), "CIDEr[x]", "are not the same metric")
    other = edited(runs[1], tmp_path / "options", edit_json("coco-cap@demo/task.json", options={"tokenizer": "auto"}))
    assert "OTHER OPTIONS, tokenizer=auto, not treebank" in cli("compare", runs[0], other, "--task", "coco-cap").out


def test_judged_results(cli: Cli, tmp_path: Path, benchmarks: Path, llava_answers: Path) -> None:
    """Runs that were judged after they were made are compared by that judge's grades; two judges are not mixed."""
    options = {"path": llava_answers / "mmvet.jsonl"}
    runs = [stored_run(tmp_path, "mmvet", "answers-file", options, str(benchmarks)) for _ in range(2)]
    assert_refused(cli("compare", *runs), "no score in")
    grades = read_json(llava_answers / "mmvet_gpt-4-grade-1runs.json")
    lower = {name: {**entry, "score": [entry["score"][0] / 2]} for name, entry in grades.items()}
    for path, content in zip(runs, (grades, lower), strict=True):
        file = tmp_path / path.name / "grades.json"
        file.write_text(json.dumps(content))
        outcome = cli("score", path, "--grades", file)
        assert outcome.code == 0, outcome.err
    found = cli("compare", *runs, "--json").json["pairs"][0]
    row = found["differences"][0]
    assert row["metric"].startswith("score[")
    assert row["values"] == pytest.approx([36.1468, 36.1468 / 2], abs=1e-3)
    assert len(found["flips"]["lost"]) == sum(entry["score"][0] > 0 for entry in grades.values())
    (file,) = (runs[1] / "mmvet@v1").glob("result.*.json")
    judged = read_json(file)
    file.write_text(json.dumps({**judged, "judge": {**judged["judge"], "name": "another"}}))
    assert_refused(cli("compare", *runs), "judged by", "another")


def test_an_effect_size_that_cannot_be(cli: Cli, tmp_path: Path) -> None:
    """Where the runs differ alike on every image there is no standard deviation to divide by, in no format."""
    for limit, why in ((24, "the runs differ alike on every image"), (2, "one image has no standard deviation")):
        runs = [answers_run(tmp_path / f"{limit}", "mme", chance, limit=limit) for chance in (1.0, 0.0)]
        outcome = cli("compare", *runs, "--json").json["pairs"][0]["differences"][0]
        assert outcome["effect_size"] is None
        assert outcome["detectable"] is None
        assert outcome["undefined"]["effect_size"] == why
        for form in ("md", "html"):
            text = cli("compare", *runs, "--format", form).out
            assert why in text
            assert "undefined" in text
        shown = cli("compare", *runs).out
        assert why in " ".join(shown.split())
        assert "undefined" in " ".join(shown.split())
        assert "nan" not in shown
    assert outcome["interval"] is None
    assert outcome["undefined"]["interval"] == "of 1 image, too few to tell"
