"""`check task` finds what is planted, each fault by the point that is there for it, and nothing in the bundled tasks."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pillow

from mipha_eval.authoring.check_task.association import LabelIndex, associate
from mipha_eval.authoring.check_task.check import POINTS, check_task
from mipha_eval.authoring.check_task.recipe import Recipe
from mipha_eval.core.plugins.registry import Registry
from tests.conftest import Cli, write_jsonl
from tests.plugin_files import line_of

#: a benchmark in order: 24 questions about 12 pictures, answered by a colour
SHORT = '''
"""A quiz about colours."""

import random
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from mipha_eval import Metric, Reading, Sample, Task
from mipha_eval.core.metrics import share

COLOURS = ("red", "green", "blue", "white")


@dataclass(frozen=True)
class Quiz(Task):
    name: ClassVar = "quiz"
    protocols: ClassVar = {"v1": "24 questions"}
    metrics: ClassVar = [share("accuracy")]
    own_data: ClassVar = True
    licence: ClassVar = "CC0-1.0"
    citation: ClassVar = "arXiv:0000.00000"

    def samples(self):
        images = self.data.images("quiz", "pictures")
        for number in range(24):
            colour = COLOURS[number * 7 % 5 % 4]
            image = images.image(f"{number // 2:03}.png")
            prompt = f"What colour has shape {number}?"
            yield Sample(str(number), prompt, (colour,), (image,), number)

    def score(self, sample, response):
        text = response.text.strip()
        return self.scored(sample, Reading(text, "exact", parsed=bool(text)), text == sample.target[0])
'''

#: the same with options
CHOICE = (
    SHORT.replace(
        "            yield Sample(str(number), prompt, (colour,), (image,), number)\n",
        """
            choices = COLOURS[number % 4 :] + COLOURS[: number % 4]
            letter = "ABCD"[choices.index(colour)]
            prompt += "\\n" + "\\n".join(f"{name}. {each}" for name, each in zip("ABCD", choices))
            yield Sample(str(number), prompt, (letter,), (image,), number, choices=choices)
""",
    )
    .replace("own_data: ClassVar = True", "own_data: ClassVar = True\n    lettered: ClassVar = True")
    .replace("What colour has shape", "Which is shape")
)

SAMPLE = "yield Sample(str(number), prompt, (colour,), (image,), number)"
SCORE = SHORT[SHORT.index("\n    def score") :]
RIGHT = "text == sample.target[0])"
READ = "text = response.text.strip()"

#: makes it a question of yes or no
YES_NO = {
    "    def score(": "    def possible_answers(self, sample):\n"
    "        return {'Yes': sample.target[0] == 'yes', 'No': sample.target[0] == 'no'}\n\n    def score(",
    READ: "text = response.text.strip().lower()",
}

#: fault -> benchmark, what is written in place of what, the point that finds it, and words of its line
PLANTED: dict[str, tuple[str, dict[str, str], str, str]] = {
    "the prompt announces the answer": (
        SHORT,
        {"shape {number}?": "shape {number}?\\nAnswer: {colour}"},
        "prompt-leak",
        "announce",
    ),
    "the prompt announces the letter": (
        CHOICE,
        {"yield Sample": "prompt += f'\\n(label: {letter})'\n            yield Sample"},
        "prompt-leak",
        "announce",
    ),
    "the prompt holds the answer": (
        SHORT,
        {"What colour has": "The {colour} picture: what colour has"},
        "prompt-leak",
        "hold",
    ),
    "two questions have one id": (
        SHORT,
        {"Sample(str(number)": "Sample(str(number % 20)"},
        "ids",
        "4 ids for several questions: 0, 1, 2",
    ),
    "a label that no answer equals": (SHORT, {"(colour,)": "(colour + ' ',)"}, "labels", "24 of 24 questions"),
    "one label that no answer equals": (SHORT, {"(colour,)": "(colour + ' ' * (number == 7),)"}, "labels", "1 of 24"),
    "a picture that is missing": (
        SHORT,
        {"{number // 2:03}": "{number // 2 + (number == 7):03}x"},
        "pictures",
        "'000x.png'",
    ),
    "a picture that is cut": (
        SHORT,
        {"{number // 2:03}.png": "{'cut' if number == 7 else '000'}.png"},
        "pictures",
        "'cut.png'",
    ),
    "an order that is drawn": (SHORT, {"range(24)": "random.sample(range(24), 24)"}, "deterministic", "another order"),
    "labels that are drawn": (
        SHORT,
        {"COLOURS[number * 7 % 5 % 4]": "random.choice(COLOURS)"},
        "deterministic",
        "the target",
    ),
    "an order of a set": (
        SHORT,
        {"for number in range(24)": "for number in [int(each) for each in set(map(str, range(24)))]"},
        "other-process",
        "sort sets",
    ),
    "ids that are hashes": (SHORT, {"str(number)": "str(hash(prompt))"}, "other-process", "the id of question"),
    "labels by a hash": (
        SHORT,
        {"COLOURS[number * 7 % 5 % 4]": "COLOURS[hash(str(number)) % 4]"},
        "other-process",
        "the target",
    ),
    "pictures that are called by the answer": (
        SHORT,
        {"{number // 2:03}": "{colour}_{number // 2:03}"},
        "name-leak",
        "24 of 24",
    ),
    "an option twice": (
        CHOICE,
        {'"red", "green", "blue", "white"': '"red", "green", "red", "white"'},
        "option-duplicates",
        "an option stands twice in 24 questions",
    ),
    "a blank is right": (SHORT, {RIGHT: "not text or " + RIGHT}, "poor-answers", "a blank answer gets accuracy 100.0"),
    "a refusal is right": (SHORT, {RIGHT: "'sorry' in text or " + RIGHT}, "poor-answers", "a refusal gets"),
    "everything is right": (SHORT, {RIGHT: "True)"}, "poor-answers", "as much as the labels"),
    "who names everything is right": (SHORT, {RIGHT: "sample.target[0] in text)"}, "poor-answers", "names everything gets"),
    "a state in the scorer": (
        SHORT,
        {RIGHT: "not SEEN.append(text) and len(SEEN) % 7 != 0 and " + RIGHT, "COLOURS = ": "SEEN = []\nCOLOURS = "},
        "pure",
        "scores otherwise",
    ),
    "a scorer that changes the question": (
        SHORT,
        {READ: READ + "\n        object.__setattr__(sample, 'category', 'seen')"},
        "pure",
        "changes the question",
    ),
    "letters by position": (
        CHOICE,
        {RIGHT: "text == KEY[int(sample.id)])", "COLOURS = ": "KEY = 'ADBAADBADDDADABACBCACBCA'\nCOLOURS = "},
        "shuffled-options",
        "in another order",
    ),
    "options from the prompt": (
        CHOICE,
        {RIGHT: "f'{text}. ' in sample.prompt and " + RIGHT},
        "shuffled-options",
        "without the options in the prompt",
    ),
    "labels that contradict one another": (
        SHORT,
        {
            SAMPLE: SAMPLE
            + "\n            if number == 3:\n                yield Sample('x', prompt, ('grey',), (image,), 99)"
        },
        "duplicates",
        "3, x (",
    ),
    "a colour for another": (
        SHORT,
        {RIGHT: RIGHT[:-1] + " or (text, sample.target[0]) == ('blue', 'red'))"},
        "constants",
        "'blue'",
    ),
    "an accuracy that counts twice": (
        SHORT,
        {'[share("accuracy")]': "[Metric('accuracy', lambda totals: min(100, 200 * totals['right'] / totals['asked']))]"},
        "headline",
        "accuracy is no accuracy",
    ),
    "an accuracy of half": (
        SHORT,
        {'[share("accuracy")]': "[Metric('accuracy', lambda totals: 50 * totals['right'] / totals['asked'])]"},
        "oracle",
        "accuracy 50.0, not 100",
    ),
    "an accuracy beyond 100": (
        SHORT,
        {'[share("accuracy")]': "[Metric('accuracy', lambda totals: 200 * totals['right'] / totals['asked'])]"},
        "oracle",
        "from 0 to 100",
    ),
    "details that are no number": (SHORT, {RIGHT: RIGHT[:-1] + ", odds=float('nan'))"}, "labels", "details"),
    "details that come back otherwise": (
        SHORT,
        {
            RIGHT: RIGHT[:-1]
            + ", cell=(text, sample.target[0]))\n\n    def tally(self, scores):\n        return {**super().tally(scores), "
            "'kinds': len({score.details['cell'] for score in scores})}"
        },
        "store",
        "unhashable",
    ),
    "details under numbers": (SHORT, {RIGHT: RIGHT[:-1] + ", by={1: text})"}, "store", "read from disk"),
    "an option without a type": (
        SHORT,
        {"class Quiz(Task):": "class Quiz(Task):\n    threshold = 0.5\n"},
        "options",
        "threshold",
    ),
    "an option of a list": (
        SHORT,
        {"class Quiz(Task):": "class Quiz(Task):\n    kinds: list = None\n"},
        "options",
        "option kinds",
    ),
    "an option with another default": (
        SHORT,
        {"class Quiz(Task):": "class Quiz(Task):\n    most: int = '5'\n"},
        "options",
        "no int",
    ),
    "a value that does not build": (
        SHORT,
        {
            "class Quiz(Task):": "class Quiz(Task):\n    mode: Literal['a', 'b'] = 'a'\n\n    def __post_init__(self):\n"
            "        assert self.mode == 'a'\n"
        },
        "options",
        "AssertionError",
    ),
}


def planted(folder: Path, text: str, changes: dict[str, str]) -> Recipe:
    """Writes a benchmark with its pictures, and what is planted in it."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "quiz.py"
    file.write_text(text)
    (folder / "pictures").mkdir()
    for number in range(12):
        names = [f"{number:03}"] + [f"{colour}_{number:03}" for colour in ("red", "green", "blue", "white")]
        picture = Pillow.new("L", (8, 8))
        picture.putdata([(place * (number + 3) * 37) % 251 for place in range(64)])
        for name in names[: 1 if "{colour}_" not in text else 5]:
            picture.save(folder / "pictures" / f"{name}.png")
    whole = (folder / "pictures/000.png").read_bytes() if (folder / "pictures/000.png").exists() else b""
    (folder / "pictures/copy.png").write_bytes(whole)
    (folder / "pictures/cut.png").write_bytes(whole[: len(whole) // 2])
    return Recipe("quiz", plugins=(str(file),))


def faults(recipe: Recipe) -> dict[str, str]:
    return {each.name: each.line for each in check_task(recipe) if each.level == "fault"}


@pytest.mark.parametrize("text", [SHORT, CHOICE], ids=["short", "choice"])
def test_what_is_in_order_has_no_fault(tmp_path: Path, text: str) -> None:
    found = list(check_task(planted(tmp_path, text, {})))
    assert [each for each in found if each.level == "fault"] == []
    assert [each.name for each in found] == [point.name for point in POINTS]


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(tmp_path: Path, fault: str) -> None:
    text, changes, point, words = PLANTED[fault]
    found = faults(planted(tmp_path, text, changes))
    assert words in found.get(point, ""), found


#: what an author should know: what is written in place of what, the point that notes it, and words of its line
NOTED = {
    "no licence": ({'    licence: ClassVar = "CC0-1.0"\n': ""}, "licence", "no licence is said"),
    "a question twice": (
        {"shape {number}?": "shape {number // 2}?", "number * 7 % 5 % 4": "number // 2 % 4"},
        "duplicates",
        "12 of 24",
    ),
    "a picture under two names": (
        {"{number // 2:03}.png": "{'copy' if number == 7 else '000'}.png"},
        "picture-duplicates",
        "copy.png",
    ),
    "pictures behind the question": ({"What colour": "Of {number}: <image> What colour"}, "pictures-first", "'Of "),
    "labels out of balance": (
        {"COLOURS[number * 7 % 5 % 4]": "('yes', 'no')[number % 8 == 0]"} | YES_NO,
        "balance",
        "'Yes'",
    ),
    "words of the label": (
        {"What colour has": "Is it {colour} or {COLOURS[number % 4]}? What has", "(colour,)": "(colour,)"},
        "prompt-leak",
        "24 of 24",
    ),
    "a formula that is not known": (
        {'share("accuracy")': "Metric('own', lambda t: 100 * (t['right'] / t['asked']) ** 2)"},
        "headline",
        "own",
    ),
}


@pytest.mark.parametrize("note", NOTED)
def test_what_is_no_fault_is_noted(tmp_path: Path, note: str) -> None:
    changes, point, words = NOTED[note]
    found = list(check_task(planted(tmp_path, SHORT, changes)))
    assert not [each for each in found if each.level == "fault"]
    (told,) = [each for each in found if each.name == point]
    assert (told.level, words in told.line) == ("note", True), told


def test_at_least_fifteen_are_planted() -> None:
    assert len(PLANTED) >= 15
    assert {point for _, _, point, _ in PLANTED.values()} <= {point.name for point in POINTS}


BROKEN = {
    "an error in samples": (
        "colour = COLOURS",
        "1 / (number - 5)\n            colour = COLOURS",
        "1 / (number - 5)",
        "ZeroDivisionError",
    ),
    "an error in score": (READ, "text = response.txt", "response.txt", "AttributeError"),
    "an end in score": (READ, "raise SystemExit(0)", "raise SystemExit", "SystemExit"),
    "a wrong type from score": ("return self.scored(", "return 1 or self.scored(", "def score", "no Score but 1 (int)"),
    "a picture that is no tuple": ("(image,)", "image", "def samples", "must be a tuple of images"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_an_error_of_a_task_is_one_line_with_its_place(tmp_path: Path, cli: Cli, fault: str) -> None:
    old, new, where, words = BROKEN[fault]
    recipe = planted(tmp_path, SHORT, {old: new})
    done = cli("check", "task", "quiz", "--plugin", recipe.plugins[0])
    assert done.code == 2
    assert "Traceback" not in done.out + done.err
    (line,) = [line for line in done.out.splitlines() if line.startswith("FAULT")]
    assert words in line
    assert f"{recipe.plugins[0]}:{line_of(Path(recipe.plugins[0]), where)}" in line


def test_the_verb(tmp_path: Path, cli: Cli) -> None:
    """By a file's name, too; a fault is exit code 2, and --json has what the lines have."""
    recipe = planted(tmp_path, SHORT, {"Sample(str(number)": "Sample(str(number % 20)"})
    done = cli("check", "task", recipe.plugins[0])
    assert done.code == 2
    assert {line[:6].strip() for line in done.out.splitlines()[:-1]} <= {"ok", "note", "FAULT"}
    told = cli("check", "task", "quiz", "--plugin", recipe.plugins[0], "--json").json
    assert told["faults"] == done.out.count("FAULT") == 1
    lines = done.out.splitlines()[:-1]
    assert [line.split(maxsplit=2)[1:] for line in lines] == [[each["name"], each["line"]] for each in told["findings"]]
    assert cli("check", "task", "nothing").code == 2
    assert "did you mean" in cli("check", "task", "popes").err


JUDGED = {
    SCORE: """
    def score(self, sample, response):
        return self.scored(sample, Reading('', 'not-judged'), 0)

    def grade(self, answers, runs):
        (answer,) = answers
        reply = yield Query(f'{answer.text} or {answer.sample.target[0]}?', 5, likely='yes')
        return [self.scored(answer.sample, Reading(reply, 'judge-grade'), float(reply == 'yes'))]
""",
    "class Quiz(Task)": "class Quiz(JudgedTask)",
    "from mipha_eval import Metric": "from mipha_eval.core.judged_task import JudgedTask\n"
    "from mipha_eval.core.types import Query\nfrom mipha_eval import Metric",
}


def test_a_judged_benchmark_is_graded_by_a_stand_in(tmp_path: Path) -> None:
    found = {each.name: each for each in check_task(planted(tmp_path, SHORT, JUDGED))}
    assert not [each for each in found.values() if each.level == "fault"]
    assert "a judge's stand-in finds every answer right" in found["oracle"].line
    assert "judge gpt-4-0613: 24 calls" in found["cost"].line


@pytest.mark.parametrize(
    ("old", "new", "words"), [("runs):", "runs):\n        1 / 0", "ZeroDivisionError"), ("'yes')", "'no')", "accuracy 0.0")]
)
def test_a_dialogue_that_goes_wrong_is_a_fault(tmp_path: Path, old: str, new: str, words: str) -> None:
    changes = {**JUDGED, SCORE: JUDGED[SCORE].replace(old, new, 1)}
    assert words in faults(planted(tmp_path, SHORT, changes))["oracle"]


#: stock scorer -> answers to questions of a table
TABLES = {
    "yesno": ["yes", "no"],
    "exact": ["red", "green", "blue"],
    "vqa": ["red", "green", "blue"],
    "anls": ["red wine", "green tea", "beer"],
    "relaxed": ["12", "30.5", "red"],
    "contains": ["red", "green", "blue"],
    "number": ["12", "7", "30"],
    "judge": ["it is red", "a green one"],
    "choice": ["A", "B", "C"],
    "circular": ["A", "B", "C"],
    "likelihood": ["A", "B", "C"],
}


@pytest.mark.parametrize("scorer", TABLES)
def test_tables_of_all_stock_scorers_have_no_fault(tmp_path: Path, cli: Cli, scorer: str) -> None:
    answers = TABLES[scorer]
    options = {"choices": ["red", "green", "blue"]} if answers[0] == "A" else {}
    rows = [{"question": f"Number {n}: which?", "answer": answers[n * 5 % 7 % len(answers)], **options} for n in range(21)]
    table = write_jsonl(tmp_path / "rows.jsonl", rows)
    done = cli("check", "task", table, "--scorer", scorer)
    assert (done.code, "FAULT" in done.out) == (0, False), done.out + done.err


def bundled() -> list[str]:
    """Every protocol of the bundled tasks that the demo has."""
    registry = Registry()
    named = [(name, registry.load("tasks", name)[0]) for name in registry.names("tasks")]
    return [f"{name}@{protocol}" for name, owner in named for protocol in owner.protocols]


#: protocols whose files the demo has not
NOT_IN_DEMO = {"mmbench@cn-dev", "mmbench@test", "vizwiz@test", "vqav2@testdev"}


@pytest.mark.parametrize("name", bundled())
def test_bundled_tasks_have_no_fault(name: str) -> None:
    """On the demo; captions with the tokenizer that needs no Java."""
    options = {"tokenizer": "treebank"} if name.startswith(("coco-cap", "nocaps")) else {}
    found = list(check_task(Recipe(name, options), most=100))
    if name in NOT_IN_DEMO:
        assert [each.line for each in found if each.level == "fault" and " is missing" in each.line]
        return
    assert [each for each in found if each.level == "fault"] == []
    assert next(each for each in found if each.name == "licence").level == "ok"


def test_a_permutation_test_by_hand() -> None:
    """Of two labels in two texts each deal is as likely: by chance one of two is hit."""
    found = associate([frozenset({"a"}), frozenset({"b"})] * 20, ["a", "b"] * 20)
    assert (found.questions, found.found, found.beyond_chance) == (40, 40, True)
    assert found.expected == pytest.approx(20, abs=1)
    assert not associate([frozenset({"a", "b"})] * 40, ["a", "b"] * 20).beyond_chance


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("Is it a hot dog?", {"hot dog"}),
        ("dog_001.jpg", {"dog"}),
        ("cat001.png", {"cat"}),
        ("a category", set()),
        ("DOG or Cat", {"dog", "cat"}),
    ],
)
def test_labels_are_found_as_whole_words(text: str, held: set[str]) -> None:
    assert LabelIndex(["dog", "hot dog", "cat"]).held(text) == held
