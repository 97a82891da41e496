"""The embedded demo: scenes that are always the same, never trained on and balanced; a checkpoint that looks at them."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors import safe_open

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.demo import choice_files, files, held_out
from mipha_eval.demo.choices import CATEGORIES
from mipha_eval.demo.files import demo_folder, write_demo
from mipha_eval.demo.questions import in_half
from mipha_eval.demo.scenes import SIZE, Scene, Thing, draw_scene, sample_scene
from mipha_eval.runs.evaluate import evaluate
from mipha_eval.runs.task_result import Result
from tests.conftest import Cli, read_json, read_jsonl
from training.kinds import FAMILIES
from training.lessons import training_scene

README = Path(__file__).parents[1] / "README.md"
TINY = Path(files.__file__).parent / "tiny"


def test_the_demo_is_always_the_same(tmp_path: Path) -> None:
    write_demo(tmp_path)
    drawn = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    kept = {path.relative_to(demo_folder()): path for path in demo_folder().rglob("*") if path.is_file()}
    assert drawn.keys() == kept.keys()
    for name, path in drawn.items():
        assert path.read_bytes() == kept[name].read_bytes()


def test_training_and_demo_scenes_are_disjoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Scene] = []

    def note(scene: Scene, rng: random.Random) -> Image.Image:
        shown.append(scene)
        return draw_scene(scene, rng)

    monkeypatch.setattr(held_out, "draw_scene", note)
    monkeypatch.setattr(choice_files, "draw_scene", note)
    write_demo(tmp_path)
    assert len(set(shown)) > 1000
    assert all(scene.held_out for scene in shown)
    rng = random.Random(0)
    trained = [training_scene(rng) for _ in range(5000)]
    assert not any(scene.held_out for scene in trained)
    assert not set(trained) & set(shown)


def test_held_out_does_not_depend_on_order() -> None:
    things = (Thing("circle", "red", 0), Thing("star", "blue", 4), Thing("ring", "green", 8))
    assert Scene(things).held_out == Scene(things[::-1]).held_out


def test_pope_files() -> None:
    folder = demo_folder() / "pope"
    for category in ("adversarial", "random", "popular"):
        rows = read_jsonl(folder / f"coco/coco_pope_{category}.json")
        assert [row["question_id"] for row in rows] == list(range(1, 361))
        images = Counter(row["image"] for row in rows)
        assert len(images) == 60
        assert set(images.values()) == {6}
        assert Counter(row["label"] for row in rows) == {"yes": 180, "no": 180}
        assert len({(row["image"], row["text"]) for row in rows}) == 360
    with Image.open(folder / "val2014/scene_0001.png") as image:
        assert image.size == (SIZE, SIZE)


def test_mme_wordings_tell_nothing() -> None:
    rows = read_jsonl(demo_folder() / "MME/llava_mme.jsonl")
    labels = {}
    for path in (demo_folder() / "MME/eval_tool/Your_Results").glob("*.txt"):
        for line in path.read_text().splitlines():
            image, question, label = line.split("\t")
            labels[f"{path.stem}/{image}", question.removesuffix(" Please answer yes or no.")] = label
    counts: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        text = row["text"].split("\n")[0]
        counts.setdefault((row["category"], text), Counter())[labels[row["image"], text]] += 1
    assert {category for category, _ in counts} == {"existence", "count", "position", "color", "OCR"}
    for wording, count in counts.items():
        assert count["Yes"] == count["No"], wording


KINDS = {kind: asker for kinds in FAMILIES.values() for kind, asker in kinds.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_questions_are_answered_by_the_scene(kind: str) -> None:
    """Every answer follows from the scene by a rule written here again."""
    rng = random.Random(kind)
    asked = 0
    while asked < 300:
        scene = sample_scene(rng)
        question = KINDS[kind](rng, scene)
        if question is None:
            continue
        asked += 1
        if kind in FAMILIES["sentence"]:
            assert is_true(question.text, question.answer, scene), (question, scene)
        elif question.text.count("\nB. "):
            assert question.answer == right_letter(kind, question.text, scene), (question, scene)
        else:
            assert question.answer == expected(kind, question.text, scene), (question, scene)


def right_letter(kind: str, text: str, scene: Scene) -> str:
    """The one option that answers the question before the options."""
    lines = text.split("\n")
    options = dict(line.split(". ") for line in lines if line[1:3] == ". ")
    asked = next(line for line in lines if line.endswith("?"))
    if kind == "category":
        family = CATEGORIES[asked.rstrip("?").split()[-1]]
        (letter,) = [letter for letter, option in options.items() if option in family]
        return letter
    wanted = expected(kind.removeprefix("choice_"), asked, scene)
    (letter,) = [letter for letter, option in options.items() if option == wanted]
    return letter


def is_true(text: str, answer: str, scene: Scene) -> bool:
    """Whether a sentence says what the scene shows, word by word."""
    said = answer.rstrip(".").replace(",", "").lower().split()
    by_shape = {thing.shape: thing for thing in scene.things}
    if text.startswith(("Provide", "Describe")):
        pairs = [(said[place - 1], word) for place, word in enumerate(said) if word in by_shape]
        named = said[-1] if {"word", "number"} & set(said) else ""
        return sorted(pairs) == sorted((thing.colour, thing.shape) for thing in scene.things) and named == scene.text
    thing = next((thing for shape, thing in by_shape.items() if shape in text), None)
    if thing is not None:
        columns, rows = ["left", "middle", "right"], ["top", "center", "bottom"]
        return said[-1] in (thing.colour, columns[thing.cell % 3]) and (
            said[-1] == thing.colour or said[-2] == rows[thing.cell // 3]
        )
    return said[-1] == (scene.text if "written" in text else str(len(scene.things) + 1))


def expected(kind: str, text: str, scene: Scene) -> str:
    by_shape = {thing.shape: thing for thing in scene.things}
    words = text.rstrip("?").replace(",", "").split()
    nothing = Thing("", "", -1)
    thing = next((by_shape[word] for word in words if word in by_shape), nothing)
    numbers = ["zero", "one", "two", "three", "four", "five"]
    half = next((half for half in ("left side", "right side", "top", "bottom") if half in text), "left side")
    columns, rows = ["left", "middle", "right"], ["top", "center", "bottom"]
    yes_no = {
        "existence": thing is not nothing,
        "colour_match": thing.colour in words,
        "count_match": numbers[len(scene.things)] in words,
        "position": in_half(scene, thing.shape, half),
        "reading_match": f'"{scene.text}"' in text,
    }
    if kind in yes_no:
        return "Yes" if yes_no[kind] else "No"
    if kind == "answerable" and "color" in words:
        return thing.colour or "unanswerable"
    if kind == "answerable":
        return scene.text if scene.text and scene.text.isdigit() == ("number" in words) else "unanswerable"
    return {
        "colour": thing.colour,
        "shape": next((other.shape for other in scene.things if other.colour in words), ""),
        "count": str(len(scene.things)),
        "reading": scene.text,
        "with_ocr": scene.text,
        "where": columns[thing.cell % 3] if "left" in words else rows[thing.cell // 3],
    }[kind]


def test_the_checkpoint_is_official_and_small() -> None:
    assert sum(path.stat().st_size for path in TINY.iterdir()) < 15_000_000
    assert read_json(TINY / "config.json")["model_type"] == "mipha_phi"
    with safe_open(TINY / "model.safetensors", framework="pt") as weights:
        keys = set(weights.keys())
        assert weights.get_tensor("lm_head.weight").dtype.is_floating_point
    assert {"model.mm_projector.0.weight", "model.embed_tokens.weight", "lm_head.bias"} <= keys
    assert any(key.startswith("model.vision_tower.vision_model.") for key in keys)


@pytest.fixture(scope="module")
def seeing_and_blind(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Accuracy by task of the embedded model, and of the same model shown grey pictures."""
    output = tmp_path_factory.mktemp("runs")
    return [
        {
            result.task: result
            for result in evaluate(
                "mipha-tiny", "all", output=output, blind=blind, progress=False, device="cpu", dtype="float32"
            )
        }
        for blind in (False, True)
    ]


def worth(result: Result) -> float:
    """The mean worth of an answer."""
    scores = result.answers.scores
    return sum(score.value for score in scores) / len(scores)


def test_it_looks(seeing_and_blind: Any) -> None:
    seeing, _ = seeing_and_blind
    assert worth(seeing["pope@demo"]) >= 0.95
    assert seeing["mme@demo"].summary.metrics["perception"] >= 0.8 * 5 * 200


def test_blind_it_guesses(seeing_and_blind: Any) -> None:
    _, blind = seeing_and_blind
    for task in ("pope@demo", "mme@demo"):
        assert abs(worth(blind[task]) - 0.5) <= 0.05


def test_every_task_is_above_its_blind_baseline(seeing_and_blind: Any) -> None:
    """The lower end of the interval of what it sees lies above what it guesses."""
    seeing, blind = seeing_and_blind
    assert len(seeing) == len(Registry().names("tasks"))
    for task, result in seeing.items():
        headline = result.summary.headline
        assert result.complete, task
        assert result.summary.intervals[headline][0] > blind[task].summary.metrics[headline], task


def test_the_readme_shows_what_it_scores(seeing_and_blind: Any) -> None:
    seeing, _ = seeing_and_blind
    rows = re.findall(
        r"^\| (\S+@demo) \| (\d+) \| \S+ \| ([\d.,/]+) DEMO \| (.+) to (.+) \|$", README.read_text(), re.MULTILINE
    )
    assert len(rows) >= 5
    for task, asked, score, low, high in rows:
        summary = seeing[task].summary
        value, interval = summary.metrics[summary.headline], summary.intervals[summary.headline]
        assert (int(asked), score.split("/")[0]) == (summary.n, f"{value:,.2f}"), task
        assert (low, high) == (f"{interval[0]:,.2f}", f"{interval[1]:,.2f}"), task


def test_score_from_store_equals_score_in_run(cli: Cli, tmp_path: Path) -> None:
    run = cli("run", "--tasks", "pope,mme", "--output", tmp_path / "runs", "--limit", 30, "--json").json
    again = cli("score", run["run"], "--json").json
    by_task = {result["task"]: result for result in again}
    for result in run["results"]:
        for entry in ("n", "metrics", "intervals", "rules", "unparsed"):
            assert by_task[result["task"]][entry] == result[entry]
