"""Each answer is proved to be to its question, by words or by ids of its own; else it is counted, and the cell says so."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.format_lines import LETTER_ANSWER, SHORT_ANSWER
from mipha_eval.reporting.marks import mark_texts
from mipha_eval.scoring.matching import is_telling, text_key
from mipha_eval.scoring.result_record import read_record
from tests.conftest import Cli, Outcome, read_jsonl, write_jsonl
from tests.test_bad_input import assert_refused
from tests.test_ugly_answers import BENCHES, Made, assert_counts, assert_metrics, score_path, without, write_json, write_tsv

TASKS = [task for task in BENCHES if task not in ("coco-cap", "nocaps")]
#: the made-up ids of these are plain counts, so nothing but words can prove what an answer is to
COUNTED = ["pope", "gqa", "vizwiz@val", "scienceqa", "seed", "mmbench", "mmvet", "coco-cap", "nocaps"]
#: these find a question by its words
NEED_WORDS = ["mme", "textvqa"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Scorer:
    """Scores rows as answers to a task, in a file of that name."""

    cli: Cli
    made: Made
    folder: Path

    def __call__(self, task: str, rows: Sequence[Row], name: str = "answers.jsonl") -> Outcome:
        file = self.folder / name
        (write_json if name.endswith(".json") else write_jsonl)(file, rows)
        return score_path(self.cli, self.made, task, file)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("benchmarks")
    return Made(folder, {task: bench.write(folder) for task, bench in BENCHES.items()})


@pytest.fixture
def score(cli: Cli, made: Made, tmp_path: Path) -> Scorer:
    return Scorer(cli, made, tmp_path)


def assert_right(outcome: Outcome, task: str, total: int, unverified: int = 0) -> None:
    assert_counts(outcome, total)
    assert_metrics(outcome, BENCHES[task].first(1))
    assert outcome.json["unverified"] == unverified
    assert (f"UNVERIFIED {unverified:,}" in mark_texts(read_record(outcome.json, "it"))) == bool(unverified)


LAYOUTS: dict[str, Callable[[str], Any]] = {
    "as asked": str,
    "an image mark": lambda prompt: f"<image>\n{prompt}",
    "a conversation": lambda prompt: f"A chat between a human and a bot. USER: <image>\n{prompt} ASSISTANT:",
    "roles": lambda prompt: [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}],
    "spaces": lambda prompt: f"  {prompt}  \n",
    "CRLF": lambda prompt: prompt.replace("\n", "\r\n"),
    "capitals": lambda prompt: prompt.replace(SHORT_ANSWER, "").replace(LETTER_ANSWER, "").title(),
    "NFD": lambda prompt: unicodedata.normalize("NFD", prompt),
    "brackets": lambda prompt: prompt.replace("\nA. ", "\nOptions: (A) ").replace("\nB. ", " (B) "),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("task", TASKS)
def test_prompts_in_other_layouts(task: str, layout: str, score: Scorer, made: Made) -> None:
    if task == "textvqa" and layout == "capitals":
        pytest.skip("the mark of OCR tokens tells the protocol")
    rows = [{**row, "prompt": LAYOUTS[layout](row["prompt"])} for row in made.answers[task]]
    assert_right(score(task, rows), task, len(rows))


@pytest.mark.parametrize("task", TASKS)
def test_a_question_beside_the_answer(task: str, score: Scorer, made: Made) -> None:
    """The bare question will do, and contradicts as a prompt does, also where the prompt is right."""
    rows = [{**without(row, "prompt"), "question": row["prompt"].split("\n")[0]} for row in made.answers[task]]
    assert_right(score(task, rows), task, len(rows))
    for first in ({**rows[0], "question": "Why?"}, {**made.answers[task][0], "question": "Why not?"}):
        assert_refused(score(task, [first, *rows[1:]]), "another release", "Why")


@pytest.mark.parametrize("task", COUNTED)
def test_plain_ids_prove_nothing(task: str, score: Scorer, made: Made) -> None:
    rows = [without(row, "prompt") for row in made.answers[task]]
    assert_right(score(task, rows), task, len(rows), unverified=len(rows))
    half = [row if place % 2 else known for place, (row, known) in enumerate(zip(rows, made.answers[task], strict=True))]
    assert_right(score(task, half), task, len(rows), unverified=len(rows) // 2)


def test_ids_of_a_benchmarks_own_are_proof(score: Scorer, made: Made) -> None:
    rows = [without(row, "prompt") for row in made.answers["vqav2"]]
    assert_right(score("vqav2", rows), "vqav2", len(rows))


@pytest.mark.parametrize("task", NEED_WORDS)
def test_where_a_question_is_found_by_its_words(task: str, score: Scorer, made: Made) -> None:
    rows = [without(row, "prompt") for row in made.answers[task]]
    assert_refused(score(task, rows), "answer 1 has no 'prompt'")


@pytest.mark.parametrize("task", TASKS)
def test_a_question_file_is_no_answer_file(task: str, score: Scorer, made: Made) -> None:
    """LLaVA's question files have the question as text; so do files that are half answered, and in another format line."""
    asked = [{"question_id": row["question_id"], "text": row["prompt"], "category": "default"} for row in made.answers[task]]
    assert_refused(score(task, asked), "question file")
    assert_refused(score(task, [*made.answers[task][:-1], asked[-1]]), "question file")
    other = [{**row, "text": f"{row['text']} Please be brief."} for row in asked]
    if task not in NEED_WORDS:
        assert_refused(score(task, other), "question file")


@pytest.mark.parametrize("more", [{}, {"answer": "yes"}])
def test_questions_of_another_set_are_no_answers(more: Row, score: Scorer, made: Made) -> None:
    """Where ids are mere counts, a question file of another set, or of the same one in another order, fits them."""
    for text in (made.answers["pope"][1]["prompt"], f"Is there a bus?\n{SHORT_ANSWER}", "Is there a dog in the image?"):
        row = {"question_id": 1, "text": text, **more}
        assert_refused(score("pope", [row]), "answer 1 is to", "'Is there a cat in the image?'")
    asks = score("pope", [{"question_id": 1, "text": "Is there?", **more}])
    assert asks.code == 2
    assert ("adversarial questions" in asks.err) != bool(more)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("key", ["answer", "prediction", "output", "response"])
def test_answers_added_to_a_question_file(task: str, key: str, score: Scorer, made: Made) -> None:
    rows = [{"question_id": row["question_id"], "text": row["prompt"], key: row["text"]} for row in made.answers[task]]
    assert_right(score(task, rows), task, len(rows))


def test_a_models_echo_is_an_answer(score: Scorer, made: Made) -> None:
    """Where the prompt stands beside it."""
    first, *others = made.answers["gqa"]
    outcome = score("gqa", [{**first, "text": first["prompt"]}, *others])
    assert_counts(outcome, 4)
    assert_metrics(outcome, BENCHES["gqa"].first(0))


def test_ids_that_begin_anew_in_each_category(score: Scorer, made: Made) -> None:
    rows = [{**row, "question_id": row["question_id"] - 20_000_000} for row in made.answers["pope"][-1:]]
    assert_refused(score("pope", rows), "'Is there a dog in the image?'", "'Is there a cat in the image?'")
    bare = [without(row, "prompt") for row in rows]
    assert_refused(score("pope", bare), "ids of pope's adversarial questions", "popular", "add to each line its question")
    assert_refused(score("pope", [{**bare[0], "category": "popular"}]), "popular", "adversarial")
    outcome = score("pope", [{**made.answers["pope"][0], "category": "adversarial"}])
    assert (outcome.code, outcome.json["unverified"]) == (3, 0)


def test_names_of_images(score: Scorer, made: Made) -> None:
    """An image that only one question is about proves it; another question's image contradicts."""
    rows = [{**without(row, "prompt"), "image": f"val/{row['question_id']}.png"} for row in made.answers["vizwiz@val"]]
    assert_right(score("vizwiz@val", rows), "vizwiz@val", 4)
    assert_refused(score("vizwiz@val", [{**rows[0], "image": "1.jpg"}, *rows[1:]]), "about 1.jpg", "about 0.jpg")


def test_a_part_of_another_question(cli: Cli, tmp_path: Path) -> None:
    """VizWiz asks both; with ids moved by one, the shorter is contained in what was asked."""
    asked = ["What is this?", "What is this? and what color is it?"]
    answers = [{"answer": "cat"}] * 10
    stored = [{"image": f"{place}.jpg", "question": text, "answers": answers} for place, text in enumerate(asked)]
    write_json(tmp_path / "data/vizwiz/val.json", stored)
    rows = [{"question_id": 0, "prompt": asked[1], "text": "cat"}, {"question_id": 1, "prompt": asked[0], "text": "cat"}]
    score = ["score", "vizwiz@val", "--data", tmp_path / "data", "--answers"]
    assert_refused(cli(*score, write_jsonl(tmp_path / "a.jsonl", rows[:1])), "and what color is it")
    assert_refused(cli(*score, write_jsonl(tmp_path / "a.jsonl", rows[1:])), "and what color is it")


@pytest.mark.parametrize("task", [*TASKS, "coco-cap"])
def test_lines_in_a_json_list(task: str, score: Scorer, made: Made) -> None:
    rows = made.answers[task]
    assert_right(score(task, rows, "answers.json"), task, len(rows))
    assert_refused(score(task, [*rows, 5], "answers.json"), "answers.json: entry", "is not a JSON object")  # type: ignore[list-item]


def test_mmbench_tables_show_their_questions(score: Scorer, made: Made) -> None:
    asked = read_table(made)
    rows = [{**row, "prediction": row.pop("answer")} for row in asked]
    file = score.folder / "results.tsv"
    assert_right(score_path(score.cli, made, "mmbench", write_tsv(file, rows)), "mmbench", 4)
    bare = [{"index": row["index"], "prediction": row["prediction"]} for row in rows]
    assert_right(score_path(score.cli, made, "mmbench", write_tsv(file, bare)), "mmbench", 4, unverified=4)
    shorter = [{name: cell for name, cell in row.items() if name not in ("hint", *"ABCD")} for row in rows]
    assert_right(score_path(score.cli, made, "mmbench", write_tsv(file, shorter)), "mmbench", 4)
    for change in ({"question": "Which two?"}, {"A": "a cow"}, {"A": rows[0]["B"], "B": rows[0]["A"]}):
        table = write_tsv(file, [{**rows[0], **change}, *rows[1:]])
        assert_refused(score_path(score.cli, made, "mmbench", table), "results.tsv: answer 1 is to", "question_id 1 ")
    reindexed = [{**row, "index": other["index"]} for row, other in zip(rows, rows[2:] + rows[:2], strict=True)]
    assert_refused(score_path(score.cli, made, "mmbench", write_tsv(file, reindexed)), "a dog", "red")


def read_table(made: Made) -> list[dict[str, str]]:
    lines = (made.folder / "mmbench/mmbench_dev_20230712.tsv").read_text().splitlines()
    head, *cells = [line.split("\t") for line in lines]
    return [dict(zip(head, row, strict=True)) for row in cells]


def test_official_forms(cli: Cli, made: Made, tmp_path: Path) -> None:
    """VizWiz' names pictures, MM-Vet's the benchmark's version, MME's picture and question."""

    def listed(task: str, value: Any) -> Outcome:
        return score_path(cli, made, task, write_json(tmp_path / "results.json", value))

    vizwiz = [{"image": f"{row['question_id']}.jpg", "answer": row["text"]} for row in made.answers["vizwiz@val"]]
    assert_right(listed("vizwiz@val", vizwiz), "vizwiz@val", 4)
    assert_right(listed("vizwiz@val", [*reversed(vizwiz)]), "vizwiz@val", 4)
    assert_counts(listed("vizwiz@val", vizwiz[1:]), 4, missing=1)
    assert_refused(listed("vizwiz@val", [*vizwiz, vizwiz[0]]), "second answer")
    assert_refused(listed("vizwiz@val", [*vizwiz, {"image": "9.jpg", "answer": "x"}]), "first question_id 9.jpg")
    assert_refused(listed("vizwiz@val", [*vizwiz[:3], {"image": "3.jpg", "answer": None}]), "entry 4 needs image and answer")
    assert_refused(listed("vizwiz@val", [{**vizwiz[0], "question": "Why?"}, *vizwiz[1:]]), "Why?")
    assert_right(listed("mmvet", {f"v1_{place}": "cat" for place in range(4)}), "mmvet", 4)
    assert_right(listed("mmvet", {f"{place}": "cat" for place in range(4)}), "mmvet", 4, unverified=4)
    gqa = [{"questionId": row["question_id"], "prediction": row["text"]} for row in made.answers["gqa"]]
    assert_right(listed("gqa", gqa), "gqa", 4, unverified=4)
    asked = [{**row, "question": known["prompt"]} for row, known in zip(gqa, made.answers["gqa"], strict=True)]
    assert_right(listed("gqa", asked), "gqa", 4)
    assert_refused(listed("gqa", [{**asked[0], "question": "Why?"}, *asked[1:]]), "'Why?'")
    folder = tmp_path / "mme"
    folder.mkdir()
    template = (made.folder / "MME/eval_tool/Your_Results/existence.txt").read_text().splitlines()
    lines = [f"{known}\t{row['text']}" for known, row in zip(template, made.answers["mme"], strict=True)]
    (folder / "existence.txt").write_text("\n".join(lines))
    assert_right(score_path(cli, made, "mme", folder), "mme", 4)
    (folder / "existence.txt").write_text("\n".join([lines[0].replace("No", "Yes"), *lines[1:]]))
    assert_refused(score_path(cli, made, "mme", folder), "existence.txt:1 has label 'Yes'", "'No'")


def test_answers_of_all_rounds(score: Scorer, made: Made) -> None:
    rows = [{**row, "round_id": 0} for row in made.answers["mmbench"]]
    assert_right(score("mmbench", rows), "mmbench", 4)
    for second in (
        {**rows[0], "round_id": 1},
        {**rows[0], "round_id": 1.0, "prompt": "Which one?\nA. a cat\nB. a dog"},
        {**rows[0], "round_id": "1"},
    ):
        for more in ([*rows, second], [second, *rows[1:]]):
            assert_refused(score("mmbench", more), "round_id 1", "--all-rounds", "round_id 0")


def test_ids_in_other_types(score: Scorer, made: Made) -> None:
    for change in (str, float, lambda number: f"{number}.0", lambda number: f" {number} "):
        rows = [{**row, "question_id": change(row["question_id"])} for row in made.answers["mmbench"]]
        assert_right(score("mmbench", rows), "mmbench", 4)


def test_which_ids_tell() -> None:
    assert is_telling(["262148000", "262148001", "393225000"])
    assert is_telling(["code_reasoning/0020.png"])
    assert not is_telling([str(number) for number in range(100)])
    assert not is_telling([str(number) for number in range(100) if number % 3])
    assert (text_key(17.0), text_key("017"), text_key(("a", "3.00"))) == ("17", "017", ("a", "3"))


def test_a_prompt_that_is_not_utf_8(cli: Cli, made: Made, tmp_path: Path) -> None:
    first, *others = made.answers["gqa"]
    lines = [json.dumps({**first, "prompt": f"É {first['prompt']} É"}, ensure_ascii=False), *map(json.dumps, others)]
    file = tmp_path / "answers.jsonl"
    file.write_bytes("\n".join(lines).encode("latin-1"))
    assert score_path(cli, made, "gqa", file).json["undecoded"] == 0
    file.write_bytes("\n".join(lines).replace("picture", "pictüre").encode("latin-1"))
    assert_refused(score_path(cli, made, "gqa", file), "not UTF-8")


def test_a_run_of_answers_in_another_layout(cli: Cli, made: Made, tmp_path: Path) -> None:
    """The adapter that replays answers finds them by id and words, as scoring does, and says where they differ."""
    rows = [{**row, "prompt": LAYOUTS["a conversation"](row["prompt"])} for row in made.answers["mmbench"]]
    run = ["run", "--tasks", "mmbench", "--data", made.folder, "--model", "answers-file", "--json", "-o", tmp_path / "runs"]
    outcome = cli(*run, "-a", f"path={write_jsonl(tmp_path / 'a.jsonl', rows)}")
    assert_metrics(Outcome(0, json.dumps(outcome.json["results"][0]), ""), BENCHES["mmbench"].first(1))
    rows[0] = {**rows[0], "prompt": "Which two?"}
    outcome = cli(*run, "-a", f"path={write_jsonl(tmp_path / 'b.jsonl', rows)}")
    assert (outcome.code, outcome.json["results"][0]["failed"]) == (3, 1)
    (reason,) = outcome.json["results"][0]["failures"]
    assert "Which two?" in reason
    turned = [*rows[1:], {**rows[1], "round_id": 1}]
    assert_refused(cli(*run, "-a", f"path={write_jsonl(tmp_path / 'c.jsonl', turned)}"), "--all-rounds")


def test_real_files_are_verified(cli: Cli, benchmarks: Path, llava_answers: Path, tmp_path: Path) -> None:
    """All that carry prompts; those to SEED-Bench carry none, but ids that no other set has."""
    files = {"pope": "pope", "mmbench": "mmbench_dev", "scienceqa": "scienceqa", "vizwiz@test": "vizwiz"}
    for task, file in files.items():
        result = cli("score", task, "--answers", llava_answers / f"{file}.jsonl", "--data", benchmarks, "--json").json
        assert (result["unverified"], result["odd_labels"], result["undecoded"]) == (0, {}, 0)
    seed = cli("score", "seed", "--answers", llava_answers / "seed.jsonl", "--data", benchmarks, "--json").json
    assert (seed["unverified"], seed["n"]) == (0, 17_990)  # its ids, far apart, are those of no other set
    bare = [without(row, "prompt") for row in read_jsonl(llava_answers / "scienceqa.jsonl")]
    arguments = ["--answers", write_jsonl(tmp_path / "a.jsonl", bare), "--data", benchmarks, "--json"]
    assert cli("score", "scienceqa", *arguments).json["unverified"] == 0
    upload = llava_answers / "vizwiz_expected_upload.json"
    assert cli("submit", "vizwiz@test", "--answers", upload, "--data", benchmarks, "-o", tmp_path / "u.json").code == 0
    assert (tmp_path / "u.json").read_text() == upload.read_text()


def test_chinese_prompts_without_their_format_line(cli: Cli, tmp_path: Path) -> None:
    """LLaVA's script for MMBench records prompts without it."""
    table = {"index": 1, "question": "图中是什么？", "hint": "", "A": "一只猫", "B": "一只狗", "answer": "A"}
    write_tsv(tmp_path / "data/mmbench/mmbench_dev_cn_20231003.tsv", [table])
    score = ["score", "mmbench@cn-dev", "--data", tmp_path / "data", "--json", "--answers"]
    for prompt in ("图中是什么？\nA. 一只猫\nB. 一只狗", "问：图中是什么？选项：（A）一只猫（B）一只狗"):
        file = write_jsonl(tmp_path / "a.jsonl", [{"question_id": 1, "prompt": prompt, "text": "A"}])
        outcome = cli(*score, file)
        assert (outcome.json["metrics"]["accuracy"], outcome.json["unverified"]) == (100, 0)
    turned = {"question_id": 1, "prompt": "图中是什么？\nA. 一只狗\nB. 一只猫", "text": "A"}
    assert_refused(cli(*score, write_jsonl(tmp_path / "a.jsonl", [turned])), "一只狗")
