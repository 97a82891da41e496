"""Files of other suites that are of another set, incomplete, broken or in doubt: refused in one line, or counted."""

from __future__ import annotations

import json
import pickle
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from tests import suite_files
from tests.conftest import Cli, Outcome, read_jsonl, write_jsonl
from tests.suite_files import Answered, answered, compressed, write_json, write_tsv
from tests.test_bad_input import assert_refused
from tests.test_suites_read import FORMS
from tests.test_ugly_answers import BENCHES, Made, assert_counts, assert_metrics, score_path

Row = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("benchmarks")
    return Made(folder, {task: bench.write(folder) for task, bench in BENCHES.items()})


@dataclass(frozen=True)
class Scorer:
    cli: Cli
    made: Made
    folder: Path

    def right(self, name: str) -> list[Answered]:
        """Right answers to a made-up benchmark, in its order."""
        samples = list(build_task(name, {}, DataSource("folder", self.made.folder), Registry()).samples())
        texts = [str(row["text"]) for row in self.made.answers[name]]
        return answered(samples, dict(zip([sample.id for sample in samples], texts, strict=True)))

    def __call__(self, name: str, path: Path, *more: object) -> Outcome:
        return score_path(self.cli, self.made, name, path, *more)

    def lines(self, name: str, rows: Sequence[Row]) -> Outcome:
        return self(name, write_jsonl(self.folder / "rows.jsonl", rows))


@pytest.fixture
def score(cli: Cli, made: Made, tmp_path: Path) -> Scorer:
    return Scorer(cli, made, tmp_path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BENCHES)
def test_every_task_in_every_form(name: str, form: str, score: Scorer, tmp_path: Path) -> None:
    """Right answers are right, or refused; one that is wrong changes the number as it does in LLaVA's lines."""
    if name == "pope":
        pytest.skip("real answers are in every form")
    answers = score.right(name)
    whole = score(name, FORMS[form](name, tmp_path, answers))
    if whole.code == 2:
        assert_refused(whole)
        assert "nothing in" in whole.err or "right answer" in whole.err
        assert name in ("coco-cap", "nocaps")  # all captions are asked for in the same words
        return
    if name != "scienceqa" or form != "InternVL":
        assert_counts(whole, len(answers))
        assert_metrics(whole, BENCHES[name].first(1))


@pytest.mark.parametrize("form", [form for form in FORMS if form != "InternVL"])
@pytest.mark.parametrize("name", ["mme", "gqa", "scienceqa", "vizwiz@val"])
def test_files_of_another_set(name: str, form: str, score: Scorer, tmp_path: Path) -> None:
    """One question that is another one, wherever it stands in the file, and nothing is scored."""
    first, *others = score.right(name)
    strange = replace(first, sample=replace(first.sample, prompt="Is there a bus in here?"), bare="Is there a bus in here?")
    for answers in ([strange, *others], [*others, strange]):
        outcome = score(name, FORMS[form](name, tmp_path, answers))
        assert_refused(outcome)


def test_row_numbers_of_another_order(score: Scorer) -> None:
    """Two rows exchanged: each question is one of the benchmark's, and so is each number."""
    rows = suite_files.lmms_rows("vqav2", score.right("vqav2"))
    numbers = [row["doc_id"] for row in rows]
    moved = [{**row, "doc_id": number} for row, number in zip(rows, numbers[1:] + numbers[:1], strict=True)]
    outcome = score.lines("vqav2", moved)
    assert_metrics(outcome, BENCHES["vqav2"].first(1))  # by their words, each of which is asked once
    assert outcome.code == 0


def test_row_numbers_alone(score: Scorer) -> None:
    rows = suite_files.lmms_rows("gqa", score.right("gqa"))
    for row in rows:
        del row["input"]
    assert_refused(score.lines("gqa", rows), "lmms-eval's samples", "nothing in it says")


def test_a_part_of_a_split(score: Scorer) -> None:
    """As --limit leaves it."""
    rows = suite_files.lmms_rows("mme", score.right("mme"))
    outcome = score.lines("mme", rows[:2])
    assert (outcome.code, outcome.json["n"], outcome.json["missing"]) == (3, 2, 2)


def test_labels_that_contradict(score: Scorer) -> None:
    rows = suite_files.lmms_rows("gqa", score.right("gqa"))
    assert_refused(score.lines("gqa", [{**rows[0], "target": "dog"}, *rows[1:]]), "'dog'", "'cat'")


def test_results_without_answers(score: Scorer, tmp_path: Path) -> None:
    results = {
        "results": {"mme": {"alias": "mme", "mme_perception_score,none": 1500.0}},
        "configs": {"mme": {}},
        "versions": {},
    }
    path = write_json(tmp_path / "20261101_results.json", results)
    assert_refused(score("mme", path), "no answers", "_samples_TASK.jsonl")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"filtered_resps": [], "resps": []}, ["rows.jsonl:1", "likelihood"]),
        ({"filtered_resps": [[-1.5, True]]}, ["rows.jsonl:1", "likelihood"]),
        ({"filtered_resps": ["a", "b"]}, ["rows.jsonl:1", "2 answers"]),
    ],
)
def test_rows_of_lmms_eval_without_an_answer(change: Row, words: list[str], score: Scorer) -> None:
    rows = suite_files.lmms_rows("gqa", score.right("gqa"))
    assert_refused(score.lines("gqa", [{**rows[0], **change}, *rows[1:]]), *words)


def test_a_pickle_is_not_opened(score: Scorer, tmp_path: Path) -> None:
    path = tmp_path / "m_MME.pkl"
    path.write_bytes(pickle.dumps({0: "Yes"}))
    for name in ("mme", "mmbench", "gqa"):
        assert_refused(score(name, path), "pickle")


def test_failed_answers_of_vlmevalkit(score: Scorer, tmp_path: Path) -> None:
    rows = suite_files.vlmevalkit_rows(score.right("gqa"), pictures=True)
    rows[0]["prediction"] = "Failed to obtain answer via API."
    outcome = score("gqa", write_tsv(tmp_path / "m_GQA.tsv", rows))
    assert_counts(outcome, 4, failed=1)


def test_words_that_pandas_takes_for_missing(score: Scorer, tmp_path: Path) -> None:
    rows = suite_files.vlmevalkit_rows(score.right("vqav2"), pictures=False)
    rows[1]["prediction"], rows[2]["prediction"] = "None", ""
    outcome = score("vqav2", write_tsv(tmp_path / "m.tsv", rows))
    assert_counts(outcome, 4)
    assert_metrics(outcome, {"accuracy": 50})


def test_logs_of_inspect(score: Scorer, tmp_path: Path) -> None:
    samples = suite_files.inspect_samples("gqa", score.right("gqa"))
    head = suite_files.inspect_head("gqa")
    failed = [{**samples[0], "output": {"choices": []}, "error": {"message": "image gone"}}, *samples[1:]]
    outcome = score("gqa", write_json(tmp_path / "log.json", {**head, "samples": failed}))
    assert_counts(outcome, 4, failed=1)
    assert outcome.json["failures"] == {"image gone": 1}
    twice = [*samples, *({**sample, "epoch": 2} for sample in samples)]
    assert_refused(score("gqa", write_json(tmp_path / "log.json", {**head, "samples": twice})), "2 epochs")
    assert_refused(score("gqa", write_json(tmp_path / "log.json", head)), "without samples")
    nothing = [{**samples[0], "output": {"choices": []}}, *samples[1:]]
    assert_refused(score("gqa", write_json(tmp_path / "log.json", {**head, "samples": nothing})), "no answer")


def inspect_members(score: Scorer) -> dict[str, bytes]:
    samples = suite_files.inspect_samples("gqa", score.right("gqa"))
    named = {f"samples/{sample['id']}_epoch_1.json": json.dumps(sample).encode() for sample in samples}
    return {"header.json": json.dumps(suite_files.inspect_head("gqa")).encode(), **named}


def test_logs_of_inspect_packed_with_zstandard(score: Scorer, tmp_path: Path) -> None:
    zstd = zstandard()
    path = tmp_path / "log.eval"
    path.write_bytes(suite_files.zip_of(inspect_members(score), 93, zstd))
    assert_metrics(score("gqa", path), BENCHES["gqa"].first(1))


def test_logs_of_inspect_that_nothing_unpacks(score: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mipha_eval.core.compressed.READERS", ("nowhere.zstd",))
    path = tmp_path / "log.eval"
    path.write_bytes(suite_files.zip_of(inspect_members(score), 93, lambda data: data))
    assert_refused(score("gqa", path), "Zstandard", "backports.zstd")
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))
    assert_refused(score("gqa", path), "Zstandard", "backports.zstd")


def test_logs_of_inspect_in_pieces(score: Scorer, tmp_path: Path) -> None:
    def scored(members: Mapping[str, bytes]) -> Outcome:
        path = tmp_path / "log.eval"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return score("gqa", path)

    members = suite_files.inspect_parts("gqa", score.right("gqa"))
    assert_metrics(scored(members), BENCHES["gqa"].first(1))
    whole = inspect_members(score)
    second = {name: data for name, data in whole.items() if name.startswith("samples/2_")}
    mixed = {name: data for name, data in members.items() if not name.startswith("samples/2_")} | second
    assert_metrics(scored(mixed), BENCHES["gqa"].first(1))
    piece = "samples/2_epoch_1/messages/0.json"
    assert_refused(scored({name: data for name, data in members.items() if name != piece}), "samples/2_epoch_1", "missing")
    head = "samples/2_epoch_1/sample.json"
    assert_refused(scored({name: data for name, data in members.items() if name != head}), "has no sample.json")
    assert_refused(scored({**members, head: b"{"}), head, "not JSON")


def test_damaged_logs(score: Scorer, tmp_path: Path) -> None:
    path = suite_files.inspect_eval("gqa", tmp_path, score.right("gqa"))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert_refused(score("gqa", path), "gqa.eval")


def zstandard() -> Callable[[bytes], bytes]:
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        try:
            module = __import__(name, fromlist=["compress"])
        except ImportError:
            continue
        return module.compress  # type: ignore[no-any-return]
    pytest.skip("nothing here packs Zstandard")


@pytest.mark.parametrize("form", ["lmms-eval", "VLMEvalKit tsv", "VLMEvalKit json", "Inspect json", "InternVL"])
def test_packed_files(form: str, score: Scorer, tmp_path: Path) -> None:
    path = FORMS[form]("gqa", tmp_path, score.right("gqa"))
    assert_metrics(score("gqa", compressed(path)), BENCHES["gqa"].first(1))
    packed = compressed(path)
    packed.write_bytes(packed.read_bytes()[:-20])
    assert_refused(score("gqa", packed), packed.name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_other_encodings(encoding: str, score: Scorer, tmp_path: Path) -> None:
    for form in ("lmms-eval", "VLMEvalKit tsv", "Inspect json"):
        path = FORMS[form]("gqa", tmp_path, score.right("gqa"))
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
        assert_metrics(score("gqa", path), BENCHES["gqa"].first(1))


@pytest.mark.parametrize("form", FORMS)
def test_names_say_nothing(form: str, score: Scorer, tmp_path: Path) -> None:
    path = FORMS[form]("gqa", tmp_path, score.right("gqa"))
    if path.is_file():
        path = path.rename(tmp_path / "answers")
    assert_metrics(score("gqa", path), BENCHES["gqa"].first(1))


def test_what_was_recognised_is_said(score: Scorer, tmp_path: Path) -> None:
    outcome = score("gqa", suite_files.lmms_eval("gqa", tmp_path, score.right("gqa")))
    assert outcome.err.splitlines() == [f"{tmp_path}/20261101_010101_samples_gqa.jsonl: lmms-eval's samples, 4 answers"]


def test_an_upload_that_is_not_converted(score: Scorer, tmp_path: Path) -> None:
    """Scored as it stands, and one line says what the official converter would have written and what that would give."""
    rows = [{"questionId": each.sample.id, "prediction": f"{each.text.title()}."} for each in score.right("gqa")]
    outcome = score("gqa", write_json(tmp_path / "predictions.json", rows))
    assert_metrics(outcome, {"accuracy": 0})
    assert len(outcome.err.splitlines()) == 1
    for word in ("4 of 4 answers", "'Cat.' for 'cat'", "converted they would give 100.00"):
        assert word in outcome.err
    converted = score("gqa", tmp_path / "predictions.json", "--convert")
    assert_metrics(converted, BENCHES["gqa"].first(1))
    assert "unconverted they would give 0.00" in converted.err
    assert "converts no answers (--convert)" in score("pope", tmp_path / "predictions.json", "--convert").err


def test_a_models_words_in_an_array_are_converted(score: Scorer, tmp_path: Path) -> None:
    answers = [replace(each, text=f"{each.text.title()}.") for each in score.right("gqa")]
    outcome = score("gqa", suite_files.internvl("gqa", tmp_path, answers))
    assert_metrics(outcome, BENCHES["gqa"].first(1))
    assert "unconverted they would give 0.00" in outcome.err


def test_llavas_results_for_scienceqa(score: Scorer, tmp_path: Path) -> None:
    outputs = {each.sample.id: each.text for each in score.right("scienceqa")}
    stored = {"acc": 100.0, "correct": 4, "count": 4, "results": dict.fromkeys(outputs, 1), "outputs": outputs}
    assert_metrics(score("scienceqa", write_json(tmp_path / "result.json", stored)), BENCHES["scienceqa"].first(1))
    rows = [
        {
            "question_id": each.sample.id,
            "parsed_ans": "B",
            "ground_truth": "B",
            "question": each.sample.prompt,
            "pred": each.text,
        }
        for each in score.right("scienceqa")
    ]
    lists = {"correct": rows[:2], "incorrect": [{**row, "pred": "FAILED"} for row in rows[2:]]}
    outcome = score("scienceqa", write_json(tmp_path / "analysis.json", lists))
    assert (outcome.json["n"], outcome.json["missing"]) == (2, 2)
    strange = {"correct": [{**rows[0], "question": rows[1]["question"]}], "incorrect": []}
    assert_refused(score("scienceqa", write_json(tmp_path / "analysis.json", strange)))


def test_a_folder_with_two_forms(score: Scorer, tmp_path: Path) -> None:
    suite_files.lmms_eval("gqa", tmp_path, score.right("gqa"))
    suite_files.inspect_json("gqa", tmp_path, score.right("gqa"))
    assert_refused(score("gqa", tmp_path), "lmms-eval's samples", "a log of Inspect", "give one")


def test_a_compressed_text_without_end(score: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mipha_eval.core.files.MOST_BYTES", 100_000)
    path = tmp_path / "a.jsonl.gz"
    packer = zlib.compressobj(wbits=31)
    path.write_bytes(packer.compress(b" " * 1_000_000) + packer.flush())
    assert_refused(score("gqa", path), "holds more than 100,000 bytes")


def test_real_samples_of_lmms_eval(benchmarks: Path, cli: Cli) -> None:
    """36 rows that lmms-eval 0.7.3 wrote of pictures that no benchmark has: read, and found in no release."""
    file = benchmarks.parent / "predictions/lmms-eval/real_lmms_eval_0.7.3_samples_pope_36.jsonl"
    if not file.is_file():
        pytest.skip(f"a real file is not here: {file}")
    outcome = cli("score", "pope", "--answers", file, "--data", benchmarks)
    assert outcome.code == 2
    assert {row["doc_id"] for row in read_jsonl(file)} == set(range(36))


def test_a_report_asks_which_task_answers_are_to(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"question_id": 1, "text": "yes"}\n' * 2)
    outcome = cli("report", path)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "if it holds answers, say to which task (--task)" in outcome.err
