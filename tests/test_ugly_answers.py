"""Answer files as models and people make them: every task scores them by its official rule or says what is wrong.

The benchmarks are made up, a few questions in the official file forms, so that each number can be worked out by hand.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.format_lines import CAPTION, LETTER_ANSWER, OCR_TOKENS, SHORT_ANSWER, UNANSWERABLE
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.scoring.gaps import UNPARSED_MOST
from tests.conftest import Cli, Outcome, read_json, write_jsonl
from tests.test_bad_input import assert_refused

TINY = Path(__file__).parents[1] / "mipha_eval/demo/tiny"

Row = Mapping[str, Any]
Metrics = Mapping[str, float]


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_tsv(path: Path, rows: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
    path.write_text("".join("\t".join(cells) + "\n" for cells in lines), encoding="utf-8")
    return path


def line(number: object, prompt: str, text: str) -> Row:
    """A line of LLaVA's answer file."""
    return {"question_id": number, "prompt": prompt, "text": text}


# ---- the made-up benchmarks: each function writes the official files and returns a right answer to every question


def write_pope(data: Path) -> list[Row]:
    things = {
        "adversarial": [("cat", "no"), ("dog", "yes")],
        "random": [(f"thing {number}", "yes") for number in range(2910)],  # by their number a release is recognised
        "popular": [("dog", "yes")],
    }
    answers: list[Row] = []
    for first, (category, asked) in zip((0, 10_000_000, 20_000_000), things.items(), strict=True):
        rows: list[Row] = [
            {"question_id": number, "image": "1.jpg", "text": f"Is there a {thing} in the image?", "label": label}
            for number, (thing, label) in enumerate(asked, start=1)
        ]
        write_jsonl(data / f"pope/coco/coco_pope_{category}.json", rows)
        answers += [line(first + row["question_id"], f"{row['text']}\n{SHORT_ANSWER}", row["label"]) for row in rows]
    return answers


def write_mme(data: Path) -> list[Row]:
    asked = [(f"000{image}", *pair) for image in (1, 2) for pair in (("Is there a cat?", "No"), ("Is there a dog?", "Yes"))]
    labels = [f"{image}.jpg\t{question} Please answer yes or no.\t{label}\n" for image, question, label in asked]
    folder = data / "MME/eval_tool/Your_Results"
    folder.mkdir(parents=True)
    (folder / "existence.txt").write_text("".join(labels))
    answers = [line(f"existence/{image}.png", f"{text}\n{SHORT_ANSWER}", label.lower()) for image, text, label in asked]
    names = [{"image": row["question_id"], "text": row["prompt"], "category": "existence"} for row in answers]
    write_jsonl(
        data / "MME/llava_mme.jsonl", [{**row, **name, "prompt": None} for row, name in zip(answers, names, strict=True)]
    )
    return answers


#: of ten humans one said "the", which is nothing once articles are dropped
HUMANS = [["cat"] * 6 + ["kitten"] * 3 + ["the"], ["2"] * 10, ["yes"] * 10, ["red"] * 10]
WORDS = ["cat", "2", "yes", "red"]
QUESTIONS = [f"What is in picture {number}?" for number in range(4)]


def write_vqav2(data: Path) -> list[Row]:
    numbers = [1000 * image + 1 for image in range(4)]
    questions: list[Row] = [
        {"question_id": number, "image_id": number // 1000, "question": question}
        for number, question in zip(numbers, QUESTIONS, strict=True)
    ]
    annotations = [
        {
            "question_id": number,
            "image_id": number // 1000,
            "answer_type": "other",
            "answers": [{"answer": human, "answer_id": place} for place, human in enumerate(humans, start=1)],
        }
        for number, humans in zip(numbers, HUMANS, strict=True)
    ]
    write_json(data / "vqav2/v2_OpenEnded_mscoco_val2014_questions.json", {"questions": questions})
    write_json(data / "vqav2/v2_mscoco_val2014_annotations.json", {"annotations": annotations, "data_subtype": "val2014"})
    return [line(row["question_id"], row["question"], word) for row, word in zip(questions, WORDS, strict=True)]


def write_gqa(data: Path) -> list[Row]:
    stored: dict[str, Row] = {
        f"20{place}": {"question": question, "imageId": f"n{place}", "answer": word, "types": {"structural": "query"}}
        for place, (question, word) in enumerate(zip(QUESTIONS, WORDS, strict=True))
    }
    write_json(data / "gqa/data/testdev_balanced_questions.json", stored)
    return [line(number, row["question"], row["answer"]) for number, row in stored.items()]


def write_textvqa(data: Path) -> list[Row]:
    stored = [
        {"question_id": place, "image_id": f"i{place}", "question": question, "answers": humans, "ocr_tokens": ["STOP"]}
        for place, (question, humans) in enumerate(zip(QUESTIONS, HUMANS, strict=True))
    ]
    write_json(data / "textvqa/TextVQA_0.5.1_val.json", {"data": stored})
    prompts = [f"{question}\n{OCR_TOKENS} STOP\n{SHORT_ANSWER}" for question in QUESTIONS]
    return [line(f"i{place}", *pair) for place, pair in enumerate(zip(prompts, WORDS, strict=True))]


def write_vizwiz(data: Path) -> list[Row]:
    stored = [
        {"image": f"{question[-2]}.jpg", "question": question, "answers": [{"answer": human} for human in humans]}
        for question, humans in zip(QUESTIONS, HUMANS, strict=True)
    ]
    write_json(data / "vizwiz/val.json", stored)
    prompts = [f"{question}\n{UNANSWERABLE}\n{SHORT_ANSWER}" for question in QUESTIONS]
    return [line(place, *pair) for place, pair in enumerate(zip(prompts, WORDS, strict=True))]


def write_scienceqa(data: Path) -> list[Row]:
    """Three questions with a picture and one without."""
    problems = {f"{place}": {"choices": ["ice", "fire"], "answer": 1} for place in range(4)}
    asked = [f"{question}\nA. ice\nB. fire" for question in QUESTIONS]
    questions = [
        {"id": f"{place}", "conversations": [{"value": text}], **({"image": f"{place}/image.png"} if place < 3 else {})}
        for place, text in enumerate(asked)
    ]
    for name, stored in {"problems": problems, "llava_test_CQM-A": questions, "pid_splits": {"test": [*problems]}}.items():
        write_json(data / f"scienceqa/{name}.json", stored)
    return [line(f"{place}", f"{text}\n{LETTER_ANSWER}", "B") for place, text in enumerate(asked)]


def seed_question(number: str, answer: str, kind: str = "image") -> Row:
    choices = {f"choice_{letter}": f"{letter}{number}" for letter in "abcd"}
    return {"question_id": number, "answer": answer, "data_type": kind, "question": f"What is {number}?", **choices}


def write_seed(data: Path) -> list[Row]:
    """Three questions about pictures and one about a video."""
    kinds = ["image", "image", "image", "video"]
    stored = [seed_question(f"7{place}", "B", kind) for place, kind in enumerate(kinds)]
    write_json(data / "seed_bench/SEED-Bench.json", {"questions": stored})
    options = [[f"{letter.upper()}. {row[f'choice_{letter}']}" for letter in "abcd"] for row in stored]
    prompts = ["\n".join([row["question"], *listed, LETTER_ANSWER]) for row, listed in zip(stored, options, strict=True)]
    return [line(row["question_id"], prompt, "B") for row, prompt in zip(stored, prompts, strict=True)]


def mmbench_row(index: object, options: Sequence[str], answer: str) -> dict[str, Any]:
    cells = dict(zip("ABCD", [*options, "", ""], strict=False))
    return {"index": index, "question": "Which one?", "hint": "", **cells, "answer": answer, "category": "ocr"}


def mmbench_rows() -> list[dict[str, Any]]:
    """Two questions, each with its options in two orders."""
    return [
        mmbench_row(1, ["a dog", "a cat"], "B"),
        mmbench_row(1_000_001, ["a cat", "a dog"], "A"),
        mmbench_row(2, ["red", "blue"], "A"),
        mmbench_row(1_000_002, ["blue", "red"], "B"),
    ]


def write_mmbench(data: Path) -> list[Row]:
    rows = mmbench_rows()
    write_tsv(data / "mmbench/mmbench_dev_20230712.tsv", rows)
    return [line(row["index"], f"Which one?\nA. {row['A']}\nB. {row['B']}", row["answer"]) for row in rows]


def write_mmvet(data: Path) -> list[Row]:
    stored = {
        f"v1_{place}": {"imagename": f"{place}.png", "question": question, "answer": "cat", "capability": ["rec"]}
        for place, question in enumerate(QUESTIONS)
    }
    write_json(data / "mm-vet/mm-vet.json", stored)
    write_json(data / "grades.json", {name: {"score": [grade]} for name, grade in zip(stored, [0.5, 1, 1, 1], strict=True)})
    return [line(place, question, "cat") for place, question in enumerate(QUESTIONS)]


def write_captions(file: str, data: Path) -> list[Row]:
    images = [{"id": place, "file_name": f"{place}.jpg"} for place in range(4)]
    captions = [{"image_id": place, "caption": word} for place, word in enumerate(WORDS)]
    write_json(data / file, {"images": images, "annotations": captions})
    return [line(place, CAPTION, word) for place, word in enumerate(WORDS)]


@dataclass(frozen=True)
class Bench:
    """A made-up benchmark and its official arithmetic.

    Attributes:
        first: the metrics where the first answer is worth this much and all others are right.
        missing: the metrics without the first answer.
        failed: the metrics with an error in the place of the first answer; None if as `missing`.
    """

    task: str
    write: Callable[[Path], list[Row]]
    first: Callable[[float], Metrics]
    missing: Metrics
    failed: Metrics | None = None


def of_four(value: float) -> Metrics:
    return {"accuracy": (100 * value + 300) / 4}


ROUGE = "ROUGE_L[treebank]"
BENCHES = {
    bench.task: bench
    for bench in [
        # the first question's label is no: read as yes it halves the precision of its category, 2 x 1/2 x 1 / (1/2 + 1)
        Bench("pope", write_pope, lambda value: {"f1": (100 if value else 200 / 3) / 3 + 200 / 3}, {"f1": 100}),
        # points: accuracy of the questions, and of the pictures; a picture with a gap cannot have both right
        Bench("mme", write_mme, lambda value: {"perception": 200 if value else 75 + 50}, {"perception": 100 + 50}),
        Bench("vqav2", write_vqav2, of_four, {"accuracy": 100}),
        Bench("gqa", write_gqa, of_four, {"accuracy": 100}),
        Bench("textvqa", write_textvqa, of_four, {"accuracy": 100}),
        Bench("vizwiz@val", write_vizwiz, of_four, {"accuracy": 100}),
        # the official scorer takes a missing answer for wrong, and for one to a question without a picture
        Bench(
            "scienceqa",
            write_scienceqa,
            lambda value: {"img": (100 * value + 200) / 3, "all": (100 * value + 300) / 4},
            missing={"img": 100, "all": 75},
            failed={"img": 100, "all": 100},
        ),
        Bench(
            "seed",
            write_seed,
            lambda value: {"accuracy": (100 * value + 300) / 4, "image": (100 * value + 200) / 3, "video": 100},
            missing={"accuracy": 75, "image": 200 / 3, "video": 100},
            failed={"accuracy": 100, "image": 100, "video": 100},
        ),
        # one of two questions, in both orders and in the first; without its first order the official script drops it
        Bench(
            "mmbench",
            write_mmbench,
            lambda value: {"accuracy": (100 * value + 100) / 2, "vanilla": (100 * value + 100) / 2},
            {"accuracy": 100, "vanilla": 100},
        ),
        # recorded grades, whatever the text: 0.5, 1, 1, 1
        Bench("mmvet", write_mmvet, lambda value: {"score[recorded]": (50 + 300) / 4}, {"score[recorded]": 100}),
        *(
            Bench(task, partial(write_captions, file), lambda value: {ROUGE: (100 * value + 300) / 4}, {ROUGE: 100})
            for task, file in {
                "coco-cap": "coco/annotations/captions_val2017.json",
                "nocaps": "nocaps/nocaps_val_4500_captions.json",
            }.items()
        ),
    ]
}
EVERY = frozenset(BENCHES)
CAPTIONS = {"coco-cap", "nocaps"}
HUMAN = {"vqav2", "textvqa", "vizwiz@val"}
UNREAD_BY_LETTER = {"scienceqa", "seed"}
UNREAD_UNLESS_SAID = {"pope", "mme", "scienceqa", "seed", "mmbench"}


@dataclass(frozen=True)
class Made:
    """All made-up benchmarks on disk, and the right answers to each."""

    folder: Path
    answers: Mapping[str, Sequence[Row]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("benchmarks")
    return Made(folder, {task: bench.write(folder) for task, bench in BENCHES.items()})


Score = Callable[..., Outcome]


@pytest.fixture
def score(cli: Cli, made: Made, tmp_path: Path) -> Score:
    """Scores rows, or the content of a file of that name, as answers to a task."""

    def call(task: str, answers: Sequence[Row] | bytes, *more: object, name: str = "answers.jsonl") -> Outcome:
        file = tmp_path / name
        if isinstance(answers, bytes):
            file.write_bytes(answers)
        elif file.suffix == ".json":
            write_json(file, answers)
        else:
            write_jsonl(file, answers)
        return score_path(cli, made, task, file, *more)

    return call


def score_path(cli: Cli, made: Made, task: str, answers: Path, *more: object) -> Outcome:
    """Scores an answer file or folder; MM-Vet with grades, unless other ones are given."""
    flags: list[object] = [] if "--data" in more else ["--data", made.folder]
    if task == "mmvet" and "--grades" not in more:
        flags += ["--grades", made.folder / "grades.json"]
    if task in CAPTIONS:
        flags += ["-a", "tokenizer=treebank"]  # which needs no Java
    return cli("score", task, "--answers", answers, "--json", *flags, *more)


def assert_counts(outcome: Outcome, total: int, **counts: int) -> None:
    """Every question is in exactly one count, and those that are not named are 0."""
    assert "Traceback" not in outcome.err
    result = outcome.json
    names = ("missing", "failed", "unlabelled")
    assert {name: result[name] for name in names} == {name: counts.get(name, 0) for name in names}
    assert result["n"] + sum(result[name] for name in names) == total == result["total"]
    unread = result["n"] and result["unparsed"] / result["n"] > UNPARSED_MOST
    assert outcome.code == (3 if unread or any(result[name] for name in names) else 0)


def assert_metrics(outcome: Outcome, expected: Metrics) -> None:
    assert {name: outcome.json["metrics"][name] for name in expected} == pytest.approx(expected, abs=1e-9)


@dataclass(frozen=True)
class Ugly:
    """An answer to the first question, ``{right}`` being the right one.

    Attributes:
        worth: task -> what the official rule gives for it, if anything.
        unparsed: the tasks in which nobody could say what was answered.
    """

    text: str
    worth: Mapping[str, float]
    unparsed: set[str] | frozenset[str]


def rouge(words: int) -> float:
    """ROUGE_L, beta 1.2, of a caption of so many words, one of which is the reference's only one."""
    precision, recall = 1 / words, 1
    return (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


#: an article is no word, so nothing equals the one human in ten who said "the"
LIKE_THE = dict.fromkeys(HUMAN, 0.3)
UGLY = {
    "empty": Ugly("", LIKE_THE, EVERY - {"mmvet"}),
    "blank": Ugly(" \t\n", LIKE_THE, EVERY - {"mmvet"}),
    "tab and newline behind": Ugly(
        "{right}\t\n", {"mme": 1, "mmbench": 1, **dict.fromkeys(HUMAN | CAPTIONS, 1.0)}, UNREAD_BY_LETTER
    ),
    "tab and newline within": Ugly(
        "{right}\tor\nmaybe", {"mme": 1, "mmbench": 1, **dict.fromkeys(CAPTIONS, rouge(3))}, UNREAD_BY_LETTER
    ),
    "CJK punctuation": Ugly("（{right}）。", {"mme": 1}, {*UNREAD_BY_LETTER, "mmbench"}),
    "100 kB": Ugly("x" * 100_000, {}, UNREAD_UNLESS_SAID),
    "100 kB behind it": Ugly(
        "{right}" + " x" * 50_000,
        {"pope": 1, "mme": 1, **dict.fromkeys(CAPTIONS, rouge(50_001))},
        {*UNREAD_BY_LETTER, "mmbench"},
    ),
    "NUL": Ugly("{right}\0", {"mme": 1}, {*UNREAD_BY_LETTER, "mmbench"}),
    "lone surrogate": Ugly("\ud800", {}, UNREAD_UNLESS_SAID),
    "None": Ugly("None", {"mme": 1}, UNREAD_UNLESS_SAID - {"mme"}),  # MME finds "no" in it
    "nan": Ugly("nan", {}, UNREAD_UNLESS_SAID),
}


def test_every_task_is_here() -> None:
    assert {task.partition("@")[0] for task in BENCHES} == Registry().names("tasks").keys()


@pytest.mark.parametrize("task", BENCHES)
def test_right_answers(task: str, score: Score, made: Made) -> None:
    outcome = score(task, made.answers[task])
    assert_counts(outcome, len(made.answers[task]))
    assert_metrics(outcome, BENCHES[task].first(1))
    assert outcome.json["unparsed"] == 0


@pytest.mark.parametrize(
    ("task", "ugly"),
    [pytest.param(task, ugly, id=f"{task}-{name}") for task in BENCHES for name, ugly in UGLY.items()],
)
def test_ugly_texts(task: str, ugly: Ugly, score: Score, made: Made) -> None:
    first, *others = made.answers[task]
    outcome = score(task, [{**first, "text": ugly.text.replace("{right}", first["text"])}, *others])
    assert_counts(outcome, len(others) + 1)
    assert_metrics(outcome, BENCHES[task].first(ugly.worth.get(task, 0)))
    assert outcome.json["unparsed"] == (task in ugly.unparsed)


@pytest.mark.parametrize("task", BENCHES)
def test_a_missing_answer(task: str, score: Score, made: Made) -> None:
    outcome = score(task, made.answers[task][1:])
    assert_counts(outcome, len(made.answers[task]), missing=1)
    assert_metrics(outcome, BENCHES[task].missing)


@pytest.mark.parametrize("task", BENCHES)
def test_an_error_in_place_of_an_answer(task: str, score: Score, made: Made) -> None:
    first, *others = made.answers[task]
    outcome = score(task, [{**first, "text": None, "error": "image gone \ud800"}, *others])
    assert_counts(outcome, len(others) + 1, failed=1)
    assert_metrics(outcome, BENCHES[task].failed or BENCHES[task].missing)
    assert outcome.json["failures"] == {"image gone \ud800": 1}


@pytest.mark.parametrize("task", BENCHES)
def test_a_second_answer(task: str, score: Score, made: Made) -> None:
    rows = [*made.answers[task], {**made.answers[task][1], "text": "other"}]
    assert_refused(score(task, rows), "second answer", f"question_id {rows[1]['question_id']};")


@pytest.mark.parametrize("task", BENCHES)
def test_an_answer_to_an_unknown_question(task: str, score: Score, made: Made) -> None:
    rows = [*made.answers[task], {**made.answers[task][0], "question_id": 999_999}]
    if task == "seed":  # whose second release has fewer questions than public answer files
        outcomes = [score(task, rows)]
    else:
        assert_refused(score(task, rows), f"1 of {len(rows):,} answers", "first question_id 999999;")
        outcomes = []
    for outcome in [*outcomes, score(task, rows, "--subset")]:
        assert_counts(outcome, len(rows) - 1)
        assert outcome.json["left_out"] == 1
        assert_metrics(outcome, BENCHES[task].first(1))


@pytest.mark.parametrize("task", BENCHES)
def test_an_answer_to_another_question(task: str, score: Score, made: Made) -> None:
    """The prompt that is recorded with an answer decides, where it is known."""
    first, *others = made.answers[task]
    prompt = str(first["prompt"]).replace(str(first["prompt"]).split("\n", 1)[0], "Why?")
    assert_refused(score(task, [{**first, "prompt": prompt}, *others]), str(first["question_id"]), "another release")


@pytest.mark.parametrize("task", BENCHES)
def test_what_is_no_text(task: str, score: Score, made: Made) -> None:
    first, *others = made.answers[task]
    for value in (5, None, True, ["B"], {"answer": "B"}):
        assert_refused(score(task, [{**first, "text": value}, *others]), "answers.jsonl: answer 1 has no text")


@pytest.mark.parametrize("task", BENCHES)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"I cannot answer.\n", "answers.jsonl:2 is not JSON"),
        (b'{"question_id": 1, "te', "answers.jsonl:2 is not JSON"),
        (b"[1, 2]\n", "answers.jsonl:2 is not a JSON object"),
        (b'{"prompt": "Hm?", "text": "yes"}\n', "answers.jsonl: answer 2 has no 'question_id'"),
    ],
)
def test_lines_of_another_form(task: str, content: bytes, words: str, score: Score, made: Made) -> None:
    assert_refused(score(task, json.dumps(made.answers[task][0]).encode() + b"\n" + content), words)


def test_a_line_of_brackets(score: Score) -> None:
    assert_refused(score("gqa", b"[" * 100_000), "answers.jsonl: it is not JSON")


@pytest.mark.parametrize("task", BENCHES)
def test_files_that_are_not_utf_8(task: str, score: Score, made: Made) -> None:
    """What an encoding's first bytes tell is read; a stray byte in an answer is a letter that nobody knows, and counted."""
    lines = [json.dumps(row) for row in made.answers[task]]
    for encoding in ("utf-16", "utf-8-sig", "utf-32", "utf-16-le"):
        outcome = score(task, "\n".join(lines).encode(encoding))
        assert_counts(outcome, len(lines))
        assert_metrics(outcome, BENCHES[task].first(1))
    first = json.dumps({**made.answers[task][0], "text": "É"}, ensure_ascii=False)
    outcome = score(task, "\n".join([first, *lines[1:]]).encode("latin-1"))
    assert_counts(outcome, len(lines))
    assert_metrics(outcome, BENCHES[task].first(0))
    assert outcome.json["undecoded"] == 1


@pytest.mark.parametrize("task", BENCHES)
def test_an_empty_file(task: str, score: Score, made: Made) -> None:
    for content in (b"", b"\n \n"):
        outcome = score(task, content)
        assert_counts(outcome, len(made.answers[task]), missing=len(made.answers[task]))
        counted_as_wrong = {"scienceqa": {"all": 0}, "seed": {"accuracy": 0, "image": 0, "video": 0}}
        assert outcome.json["metrics"] == counted_as_wrong.get(task, {})


def test_line_separators_that_end_no_line(score: Score, made: Made) -> None:
    """Only a line feed ends a line; Unicode's separators are text, also if they are not escaped."""
    first, *others = made.answers["vqav2"]
    rows = [{**first, "text": "cat\u2028\x85"}, *others]
    outcome = score("vqav2", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode())
    assert_counts(outcome, 4)
    assert_metrics(outcome, of_four(1))  # to Python's split, as in the official code, they are white space


# ---- what single benchmarks have


def test_seeds_double_id(cli: Cli, made: Made, tmp_path: Path) -> None:
    """Both questions get the last answer, as in LLaVA's script, which keeps answers by id."""
    stored = [seed_question("1", "A"), seed_question("2", "A"), seed_question("2", "B")]
    files = ["--data", tmp_path / "data"]
    write_json(tmp_path / "data/seed_bench/SEED-Bench.json", {"questions": stored})
    rows = [{"question_id": number, "prediction": text} for number, text in [("1", "A"), ("2", "A"), ("2", "B")]]
    for answers in (rows, [*rows[:1], *rows[2:]]):
        outcome = score_path(cli, made, "seed", write_jsonl(tmp_path / "a.jsonl", answers), *files)
        assert_counts(outcome, 3)
        assert_metrics(outcome, {"accuracy": 100 * 2 / 3})
    third = score_path(cli, made, "seed", write_jsonl(tmp_path / "a.jsonl", [*rows, rows[2]]), *files)
    assert_refused(third, "second answer to question_id 2;")


def test_mmbench_without_a_rotation(score: Score, made: Made) -> None:
    """The official script looks at what is there, as long as the first order is."""
    base, _, *others = made.answers["mmbench"]
    outcome = score("mmbench", [base, *others])
    assert_counts(outcome, 4, missing=1)
    assert_metrics(outcome, {"accuracy": 100, "vanilla": 100})


@pytest.mark.parametrize(
    ("options", "answer", "text", "right"),
    [
        (["None", "a cat"], "B", "B", True),  # pandas reads None and nan as missing, so A is no option, B is
        (["a cat", "nan", "a dog"], "C", "C", True),  # the prompt ends before it, the scorer knows it all the same
        (["a cat", "a dog", "None"], "A", "C", False),  # no option, so nothing was said
        (["a cat", "none"], "B", "B", True),  # pandas keeps the small "none"
        (["a cat", "none"], "B", "There is none", True),
        (["a cat", "None"], "A", "a cat, so", True),  # one option's text, in a text at most twice as long as the options
    ],
)
def test_options_that_say_none(
    options: list[str], answer: str, text: str, right: bool, cli: Cli, made: Made, tmp_path: Path
) -> None:
    write_tsv(tmp_path / "data/mmbench/mmbench_dev_20230712.tsv", [mmbench_row(1, options, answer)])
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": 1, "text": text}])
    outcome = score_path(cli, made, "mmbench", answers, "--data", tmp_path / "data")
    assert_counts(outcome, 1)
    assert_metrics(outcome, {"accuracy": 100 * right})
    assert outcome.json["unparsed"] == (not right)


def without(row: Row, column: str) -> Row:
    return {name: value for name, value in row.items() if name != column}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        pytest.param(lambda row: without(row, "index"), "'index'", id="no index"),
        pytest.param(lambda row: without(row, "question"), "'question'", id="no question"),
        pytest.param(lambda row: without(row, "A"), "'A'", id="no A"),
        pytest.param(lambda row: {**row, "index": f"{row['index']}x"}, "1x", id="index with a letter"),
        pytest.param(lambda row: {**row, "index": f"{row['index']}.5"}, "1.5", id="index with a fraction"),
        pytest.param(lambda row: {**row, "index": str(row["index"]).strip("1")}, "expected form", id="index empty"),
        pytest.param(lambda row: {**row, "index": 1}, "first 1", id="an index twice"),
    ],
)
def test_broken_mmbench_tables(change: Callable[[Row], Row], word: str, cli: Cli, made: Made, tmp_path: Path) -> None:
    write_tsv(tmp_path / "data/mmbench/mmbench_dev_20230712.tsv", [change(row) for row in mmbench_rows()])
    answers = write_jsonl(tmp_path / "answers.jsonl", made.answers["mmbench"])
    outcome = score_path(cli, made, "mmbench", answers, "--data", tmp_path / "data", "--subset")
    assert_refused(outcome, "mmbench@dev", str(tmp_path / "data"), word)


def test_an_mmbench_line_with_a_cell_too_many(cli: Cli, made: Made, tmp_path: Path) -> None:
    table = write_tsv(tmp_path / "data/mmbench/mmbench_dev_20230712.tsv", mmbench_rows())
    table.write_text(table.read_text() + "3\tWhich?\t\tred\tblue\t\t\tA\tocr\tone more\n")
    answers = write_jsonl(tmp_path / "answers.jsonl", made.answers["mmbench"])
    assert_refused(score_path(cli, made, "mmbench", answers, "--data", tmp_path / "data"), "expected form")


# ---- the benchmarks' own result files

#: task -> names of id and text, and what "Cat" is worth: VQA's script lower-cases where humans disagree, GQA's never
LISTS = {
    "vqav2": ("question_id", "answer", 1),
    "gqa": ("questionId", "prediction", 0),
    "coco-cap": ("image_id", "caption", 1),
    "nocaps": ("image_id", "caption", 1),
}


@pytest.mark.parametrize("task", LISTS)
def test_official_lists(task: str, score: Score, made: Made) -> None:
    key, text, worth = LISTS[task]
    rows = [{key: row["question_id"], text: row["text"]} for row in made.answers[task]]

    def listed(answers: Sequence[Row]) -> Outcome:
        return score(task, answers, name="results.json")

    assert_metrics(listed(rows), BENCHES[task].first(1))
    assert_metrics(listed([{**rows[0], text: "Cat"}, *rows[1:]]), BENCHES[task].first(worth))
    assert_counts(listed(rows[1:]), 4, missing=1)
    assert_refused(listed([*rows, rows[2]]), "second answer", f"question_id {rows[2][key]};")
    assert_refused(listed([*rows, {key: 999_999, text: "cat"}]), "first question_id 999999;")
    for value in (5, None, ["cat"]):
        assert_refused(listed([*rows[:3], {**rows[3], text: value}]), "results.json: entry 4 needs")
    assert_refused(listed([*rows[:3], {text: "red"}]), "results.json: entry 4 needs")
    assert_refused(score(task, b"[{", name="results.json"), "results.json")


def mme_lines(made: Made) -> list[str]:
    template = made.folder / "MME/eval_tool/Your_Results/existence.txt"
    answers = [row["text"] for row in made.answers["mme"]]
    return [f"{known}\t{text}" for known, text in zip(template.read_text().splitlines(), answers, strict=True)]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("", []),
        (" indeed", []),
        ("\tindeed", ["existence.txt:1", "5 tab-separated fields"]),
        ("\nindeed", ["existence.txt:2", "1 tab-separated fields"]),
    ],
)
def test_mmes_own_folder(ending: str, words: list[str], cli: Cli, made: Made, tmp_path: Path) -> None:
    """Its script takes a tab for the next field and a line break for the next answer."""
    first, *others = mme_lines(made)
    (tmp_path / "existence.txt").write_text("\n".join([f"{first}{ending}", *others]) + "\n")
    outcome = score_path(cli, made, "mme", tmp_path)
    if words:
        assert_refused(outcome, *words)
    else:
        assert_counts(outcome, 4)
        assert_metrics(outcome, {"perception": 200})


def test_gaps_and_more_in_mmes_own_folder(cli: Cli, made: Made, tmp_path: Path) -> None:
    lines = mme_lines(made)
    file = tmp_path / "existence.txt"
    file.write_text("\n".join(lines[1:]))
    outcome = score_path(cli, made, "mme", tmp_path)
    assert_counts(outcome, 4, missing=1)
    assert_metrics(outcome, BENCHES["mme"].missing)
    file.write_text("\n".join([*lines, lines[1]]))
    assert_refused(score_path(cli, made, "mme", tmp_path), "second answer to question_id existence/0001.png;")
    file.write_text("\n".join([*lines, lines[1].replace("0001", "0009")]))
    assert_refused(score_path(cli, made, "mme", tmp_path), "existence.txt:5", "0009.jpg")
    file.write_text("")
    assert_refused(score_path(cli, made, "mme", tmp_path), "no .txt files with answers")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"question": "Is there a cat in the image?", "answer": 5}, ["adversarial.json: answer 1 has no text"]),
        ({"question": "Is there a bus in the image?", "answer": "no"}, ["adversarial.json: answer 1 is to", "bus"]),
        ({"question": "Is there a cat in the image?", "answer": ""}, []),
    ],
)
def test_popes_own_files(row: Row, words: list[str], score: Score) -> None:
    second = {"question": "Is there a dog in the image?", "answer": "yes"}
    content = "".join(json.dumps(each) + "\n" for each in (row, second)).encode()
    outcome = score("pope", content, name="adversarial.json")
    if words:
        assert_refused(outcome, *words)
    else:
        assert_counts(outcome, 2913, missing=2911)
        assert_metrics(outcome, {"adversarial/accuracy": 50, "adversarial/f1": 200 / 3, "f1": 200 / 3})
    third = score("pope", content + json.dumps(second).encode(), name="adversarial.json")
    assert_refused(third, "adversarial.json has 3 answers")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"index": 1, "prediction": "B"}, {"index": 1_000_001, "prediction": ""}], []),  # read as the text "nan"
        ([{"index": "one", "prediction": "B"}], ["results.tsv", "one"]),
        ([{"index": "", "prediction": "B"}], ["results.tsv"]),
        pytest.param([{"index": "inf", "prediction": "B"}], ["results.tsv"]),
        pytest.param([{"index": 1.5, "prediction": "B"}], ["1.5"]),
        ([{"index": 1, "answer": "B"}], ["results.tsv", "prediction"]),
        ([{"index": 1, "prediction": "B"}] * 2, ["second answer to question_id 1;"]),
        ([{"index": 7, "prediction": "B"}], ["first question_id 7;"]),
    ],
)
def test_mmbench_result_tables(rows: list[Row], words: list[str], cli: Cli, made: Made, tmp_path: Path) -> None:
    outcome = score_path(cli, made, "mmbench", write_tsv(tmp_path / "results.tsv", rows))
    if words:
        assert_refused(outcome, *words)
    else:
        assert_counts(outcome, 4, missing=2)
        assert_metrics(outcome, {"accuracy": 0, "vanilla": 100})
        assert outcome.json["unparsed"] == 1


def test_mmvets_result_file(cli: Cli, made: Made, tmp_path: Path) -> None:
    texts = {f"v1_{place}": "cat" for place in range(4)}

    def scored(value: Any) -> Outcome:
        return score_path(cli, made, "mmvet", write_json(tmp_path / "results.json", value))

    assert_metrics(scored(texts), {"score[recorded]": (50 + 300) / 4})
    assert_counts(scored({"v1_1": "", "v1_2": "cat", "v1_3": "cat"}), 4, missing=1)
    assert_refused(scored({**texts, "v1_999": "cat"}), "first question_id 999;")
    for value in (["cat"], "cat", None):
        assert_refused(scored(value), "results.json")


@pytest.mark.parametrize("value", [5, None, ["cat"]])
def test_an_mmvet_result_that_is_no_text(value: Any, cli: Cli, made: Made, tmp_path: Path) -> None:
    file = write_json(tmp_path / "results.json", {"v1_0": value})
    assert_refused(score_path(cli, made, "mmvet", file), "results.json", "v1_0")


def graded(**changed: Any) -> dict[str, Any]:
    """A grade file of one run with entries changed or, where None is given, left out."""
    whole = {f"v1_{place}": {"score": [1.0]} for place in range(4)}
    return {name: entry for name, entry in {**whole, **changed}.items() if entry is not None}


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        pytest.param([], ["no grade file"], id="a list"),
        pytest.param({"v1_0": "1.0"}, ["no entry of MM-Vet's script"], id="a text for an entry"),
        pytest.param(graded(v1_1={}), ["equally many runs"], id="no score"),
        pytest.param(graded(v1_1={"score": 1}), ["v1_1", "lists as score"], id="a number for a list"),
        pytest.param(graded(v1_1={"score": "1"}), ["v1_1", "lists as score"], id="a text for a list"),
        pytest.param(graded(v1_1={"score": [None]}), ["v1_1", "not None"], id="null"),
        pytest.param(graded(v1_1={"score": ["good"]}), ["v1_1", "good"], id="a word"),
        pytest.param(graded(v1_1={"score": [1.1]}), ["numbers from 0 to 1"], id="above"),
        pytest.param(graded(v1_1={"score": [-0.1]}), ["numbers from 0 to 1"], id="below"),
        pytest.param(graded(v1_1={"score": [float("nan")]}), ["numbers from 0 to 1"], id="NaN"),
        pytest.param(graded(v1_1={"score": [1.0, 0.5]}), ["equally many runs"], id="uneven"),
        pytest.param(graded(v1_1=None), ["no grade for v1_1"], id="a question missing"),
        pytest.param({name: {"score": []} for name in graded()}, ["no grade for v1_0"], id="no runs"),
    ],
)
def test_broken_grade_files(stored: Any, words: list[str], score: Score, made: Made, tmp_path: Path) -> None:
    grades = write_json(tmp_path / "mine.json", stored)
    assert_refused(score("mmvet", made.answers["mmvet"], "--grades", grades), "mine.json", *words)


def test_grade_files_that_cannot_be_read(score: Score, made: Made, tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"v1_0": ')
    for name, words in {"cut.json": "cannot read", "nowhere.json": "does not exist"}.items():
        assert_refused(score("mmvet", made.answers["mmvet"], "--grades", tmp_path / name), words, name)


def test_grades_of_more_questions_and_runs(score: Score, made: Made, tmp_path: Path) -> None:
    runs = {f"v1_{place}": {"score": grades} for place, grades in enumerate([[0, 1], [1, 1], [1, 1], [1, 1], [0, 0]])}
    outcome = score("mmvet", made.answers["mmvet"], "--grades", write_json(tmp_path / "mine.json", runs))
    assert_metrics(outcome, {"score[recorded]": (50 + 300) / 4})
    assert (outcome.json["runs"], outcome.json["std"]) == ([75, 100], 12.5)


# ---- a checkpoint's preprocessor


def settings(**changed: Any) -> dict[str, Any]:
    """The embedded checkpoint's settings with some changed or, where None is given, left out."""
    whole = {**read_json(TINY / "preprocessor_config.json"), **changed}
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        pytest.param({"size": None}, "size", id="size missing"),
        pytest.param({"size": {}}, "width", id="size empty"),
        pytest.param({"size": {"width": 0, "height": 0}}, "size", id="size zero"),
        pytest.param({"size": {"width": "wide", "height": 9}}, "wide", id="size a word"),
        pytest.param({"size": {"width": 9, "height": 9}}, "9 x 9", id="size of another tower"),
        pytest.param({"image_std": [0.5, 0, 0.5]}, "standard deviations", id="std zero"),
        pytest.param({"image_std": [0.5, -0.5, 0.5]}, "standard deviations", id="std below zero"),
        pytest.param({"image_std": [0.5, float("nan"), 0.5]}, "standard deviations", id="std NaN"),
        pytest.param({"image_mean": [0.5, 0.5]}, "three means", id="two means"),
        pytest.param({"image_mean": 0.5}, "no list", id="one mean"),
        pytest.param({"image_mean": [float("nan")] * 3}, "mean", id="mean NaN"),
        pytest.param({"do_resize": False}, "do_resize", id="no resizing"),
        pytest.param({"resample": 99}, "99", id="unknown resampling"),
        pytest.param({"rescale_factor": 0}, "rescale_factor", id="rescaled to nothing"),
    ],
)
def test_broken_preprocessors(broken: Row, word: str, cli: Cli, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TINY, tmp_path / "checkpoint"))
    write_json(folder / "preprocessor_config.json", settings(**broken))
    run = ["run", "--tasks", "mme", "--data", "demo", "--limit", 2, "--model", "mipha", "-a", f"path={folder}"]
    outcome = cli(*run, "--device", "cpu", "-o", tmp_path / "runs")
    assert_refused(outcome, "preprocessor", word)
