"""Controls: what a model is shown and asked under each, and what it is above itself, held to numpy and brute force."""

from __future__ import annotations

import dataclasses
import io
import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image as Pillow

import mipha_eval as me
from mipha_eval.core.controls import CONTROLS, Control
from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import ControlError, RequestError, UserError
from mipha_eval.core.format_lines import CAPTION, LETTER_ANSWER, SHORT_ANSWER
from mipha_eval.core.metrics import Metric, share
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.reading import Reading
from mipha_eval.core.task import Task
from mipha_eval.core.types import Image, Request, Response, Sample, Score
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.engine.control import controlled
from tests.conftest import Cli, Said, read_json, read_jsonl

DEMO = ("pope", "mme", "seed", "scienceqa", "mmbench", "gqa", "textvqa", "mmvet@v1-mipha", "coco-cap")
OF_PICTURES: tuple[Control, ...] = ("blind", "mean-image", "shuffled-image")


def demo(name: str) -> tuple[Task, list[Sample]]:
    task = build_task(name, {}, parse_source("demo", {}), Registry())
    return task, read_samples(task)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def image(name: str, data: bytes) -> Image:
    return Image(name, f"/drawn/{name}", lambda: data)


def pixels(shown: Image) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(shown.read())).convert("RGB"))


@dataclass(frozen=True)
class Drawn(Task):
    """A benchmark of the pictures that a test draws, with a yes/no question or several about each."""

    name: ClassVar[str] = "drawn"
    protocols: ClassVar[dict[str, str]] = {"v1": "drawn for a test"}
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"),)

    shown: tuple[Sample, ...] = dataclasses.field(default=(), repr=False)

    def samples(self) -> list[Sample]:
        return list(self.shown)

    def score(self, sample: Sample, response: Response) -> Score:
        return self.scored(sample, Reading(response.text, "whole"), response.text == sample.target[0])


def benchmark(groups: Sequence[Sequence[Image]], questions: int = 1) -> Task:
    """A question, or several, about each group of pictures."""
    samples = [
        Sample(f"{place}-{number}", f"Is it {number}?\n{SHORT_ANSWER}", ("yes",), tuple(group), f"{place}-{number}")
        for place, group in enumerate(groups)
        for number in range(questions)
    ]
    return Drawn("v1", DataSource("folder", Path("/drawn")), tuple(samples))


def asked(control: Control, task: Task) -> list[tuple[Request, Request]]:
    """What a model is asked without the control and under it."""
    samples = read_samples(task)
    change = controlled(control, task, samples)
    return [(request, change(request)) for request in map(task.request, samples)]


@pytest.mark.parametrize("name", DEMO)
def test_blind_is_grey_of_the_same_size(name: str) -> None:
    task, _ = demo(name)
    for own, under in asked("blind", task)[::7]:
        assert dataclasses.replace(under, images=own.images) == own, "the text, the decoding and the options stay"
        assert [each.name for each in under.images] == [each.name for each in own.images]
        for before, after in zip(own.images, under.images, strict=True):
            assert after.padded is before.padded is (name != "mmvet@v1-mipha")
            assert pixels(after).shape == pixels(before).shape
            assert set(pixels(after).ravel()) == {127}
            assert after.view != before.view


def test_the_mean_is_numpy_s() -> None:
    """Of pictures of the size at which they are averaged exactly; in the place of others in their size; all count once."""
    chance = np.random.default_rng(0)
    drawn = [chance.integers(0, 256, (224, 224, 3)) for _ in range(5)]
    images = [image(f"{place}.png", png(each)) for place, each in enumerate(drawn)]
    wide = image("wide.png", png(np.broadcast_to([10, 20, 30], (50, 90, 3))))
    broken = image("broken.png", b"no picture")
    task = benchmark([*([each] for each in images), [wide], [broken], [images[0]]])
    exact = np.mean([*drawn, np.broadcast_to([10, 20, 30], (224, 224, 3))], axis=0)
    for own, under in asked("mean-image", task):
        if own.images[0] is broken:
            with pytest.raises(RequestError, match=r"broken\.png"):
                under.images[0].read()
        elif own.images[0] is wide:
            wanted = Pillow.fromarray(np.rint(exact).astype(np.uint8)).resize((90, 50))
            assert np.abs(pixels(under.images[0]).astype(int) - np.asarray(wanted).astype(int)).max() <= 1
        else:
            assert np.abs(pixels(under.images[0]) - exact).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("name", ["pope", "gqa", "scienceqa"])
def test_the_mean_of_the_demo(name: str) -> None:
    """Within rounding numpy's mean over the benchmark's pictures, each counted once however many ask about it."""
    task, samples = demo(name)
    own = {each.location: each for sample in samples for each in sample.images}
    squares = [Pillow.fromarray(pixels(each)).resize((224, 224), Pillow.Resampling.BILINEAR) for each in own.values()]
    exact = np.mean([np.asarray(each) for each in squares], axis=0)
    under = next(under for before, under in asked("mean-image", task) if before.images)
    height, width = pixels(under.images[0]).shape[:2]
    wanted = Pillow.fromarray(np.rint(exact).astype(np.uint8)).resize((width, height))
    assert np.abs(pixels(under.images[0]).astype(int) - np.asarray(wanted).astype(int)).max() <= 1


@pytest.mark.parametrize("name", DEMO)
def test_shuffled_is_another_question_s(name: str) -> None:
    """Every picture is shown, to questions about one other picture, and never to its own."""
    task, samples = demo(name)
    bytes_of = {each.location: each.read() for sample in samples for each in sample.images}
    shown: dict[str, set[bytes]] = {}
    for own, under in asked("shuffled-image", task):
        assert dataclasses.replace(under, images=own.images) == own
        for before, after in zip(own.images, under.images, strict=True):
            assert (after.name, after.padded) == (before.name, before.padded)
            shown.setdefault(before.location, set()).add(after.read())
    for location, found in shown.items():
        assert len(found) == 1
        assert bytes_of[location] not in found
    distinct = len(set(bytes_of.values()))
    assert len(set.union(*shown.values())) >= 0.9 * distinct, "all are shown but for what equal bytes take away"


def test_which_is_shown_is_always_the_same() -> None:
    """It does not depend on the order of the questions, or on a limit."""
    task, samples = demo("pope")
    change = controlled("shuffled-image", task, samples)
    again = controlled("shuffled-image", task, samples[::-1])
    for sample in samples[::40]:
        one, other = (each(task.request(sample)).images[0] for each in (change, again))
        assert (one.view, one.read()) == (other.view, other.read())


def test_shuffled_of_few_and_equal_pictures() -> None:
    red, blue, green = (png(np.broadcast_to(each, (9, 9, 3))) for each in ([255, 0, 0], [0, 0, 255], [0, 255, 0]))
    for control in ("shuffled-image", "mean-image"):
        with pytest.raises(ControlError, match="one picture alone in drawn@v1"):
            asked(control, benchmark([[image("a", red)]] * 3))
    pair = asked("shuffled-image", benchmark([[image("a", red)], [image("b", blue)]]))
    assert [under.images[0].read() for _, under in pair] == [blue, red]
    for data in ([red, red, blue], [red, blue, red], [blue, red, red, red], [red, red, blue, blue, green]):
        task = benchmark([[image(f"{place}", each)] for place, each in enumerate(data)])
        for own, under in asked("shuffled-image", task):
            assert under.images[0].read() != own.images[0].read()
    for _, under in asked("shuffled-image", benchmark([[image("a", red)], [image("b", red)]])):
        with pytest.raises(RequestError, match="no other picture of drawn@v1"):
            under.images[0].read()


def test_shuffled_of_questions_with_several_pictures() -> None:
    """None of them stands in the place of another of them, whatever the order of the ring."""
    drawn = [image(f"{place}", png(np.full((5, 5, 3), place))) for place in range(5)]
    groups = [[drawn[one], drawn[other]] for one in range(5) for other in range(5) if one != other]
    found = asked("shuffled-image", benchmark([*groups, *([each] for each in drawn)]))
    views: dict[str, bytes] = {}
    for own, under in found:
        assert {each.read() for each in own.images}.isdisjoint(each.read() for each in under.images)
        for each in under.images:
            assert views.setdefault(each.view, each.read()) == each.read(), "equal views are the same pixels"


@pytest.mark.parametrize(
    ("name", "left"),
    [("pope", {SHORT_ANSWER}), ("gqa", {SHORT_ANSWER}), ("seed", {LETTER_ANSWER}), ("mmbench", {LETTER_ANSWER})],
)
def test_no_question_leaves_the_picture_and_the_format_line(name: str, left: set[str]) -> None:
    task, _ = demo(name)
    found = asked("no-question", task)
    assert {under.text for _, under in found} == left
    for own, under in found:
        assert dataclasses.replace(under, text=own.text) == own
        assert [each.read for each in under.images] == [each.read for each in own.images]


def test_what_a_control_changes_nothing_of_is_refused(cli: Cli, tmp_path: Path) -> None:
    """In one line; the other tasks of the command are asked."""
    task, samples = demo("coco-cap")
    assert {sample.prompt for sample in samples} == {CAPTION}
    with pytest.raises(ControlError, match="no question to leave out"):
        asked("no-question", task)
    for control in OF_PICTURES:
        with pytest.raises(ControlError, match="there are no pictures in drawn@v1"):
            asked(control, benchmark([[], []]))
    run = ["run", "-L", 5, "-o", tmp_path, "--control", "no-question", "--json"]
    outcome = cli(*run, "-t", "coco-cap,pope")
    assert (outcome.code, [each["task"] for each in outcome.json["results"]]) == (2, ["pope@demo"])
    assert [*outcome.json["failed"]] == ["coco-cap@demo"]
    outcome = cli(*run, "-t", "coco-cap")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--control", "deaf"], "deaf"),
        (["--blind", "--control", "mean-image"], "two runs"),
        (["-m", "constant", "--blind"], "looks at no picture"),
        (["-m", "constant", "--control", "no-question"], "reads no question"),
        (["-m", "answers-file", "-a", "path=a.jsonl", "--control", "shuffled-image"], "looks at no picture"),
    ],
)
def test_what_makes_no_sense_is_refused(cli: Cli, tmp_path: Path, flags: list[str], said: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"question_id": 1, "text": "yes"}\n')
    flags = [each.replace("path=", f"path={tmp_path}/") for each in flags]
    outcome = cli("run", "-t", "pope", "--data", "demo", "-o", tmp_path / "runs", *flags)
    assert outcome.code == 2
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert not list((tmp_path / "runs").glob("*"))


TASKS = "pope,seed,scienceqa"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, me.Run]:
    """Mipha-Tiny on the demo, and under each control; each begun with a limit and gone on with."""
    output = tmp_path_factory.mktemp("controls")
    found: dict[str, me.Run] = {}
    for control in (None, *CONTROLS):
        limited = me.evaluate("mipha-tiny", TASKS, limit=30, control=control, output=output, progress=False, device="cpu")
        full = me.evaluate("mipha-tiny", TASKS, control=control, output=output, progress=False, device="cpu")
        assert limited.path == full.path
        found[control or "own"] = full
    return found


def test_each_is_a_run_of_its_own_and_goes_on(runs: dict[str, me.Run]) -> None:
    assert len({run.path for run in runs.values()}) == 1 + len(CONTROLS)
    for name, run in runs.items():
        manifest = read_json(run.path / "manifest.json")
        assert (manifest["blind"], manifest.get("control")) == (name == "blind", name if name in CONTROLS[1:] else None)
        rows = read_jsonl(run.path / "pope@demo/responses.jsonl")
        assert len(rows) == len({row["sample"] for row in rows}) == 1080, "nothing is asked twice"
        assert run["pope"].summary.generated in (1050, 1051), "what the limited run answered stays"


def test_blind_is_short_for_a_control(cli: Cli, runs: dict[str, me.Run]) -> None:
    where = ["-o", runs["own"].path.parent, "--device", "cpu", "--json"]
    for flags in (["--blind"], ["--control", "blind"]):
        found = cli("run", "-t", "pope", *flags, *where).json
        assert (found["run"], found["results"][0]["generated"]) == (str(runs["blind"].path), 0)


def test_what_is_asked_alike_is_asked_once(runs: dict[str, me.Run], tmp_path: Path) -> None:
    """ScienceQA's questions without a picture are the same under controls of pictures, in either order of the runs."""
    samples = {row["id"]: row for row in read_jsonl(runs["own"].path / "scienceqa@demo/samples.jsonl")}
    alike = {name for name, row in samples.items() if not row["images"]}
    assert len(alike) == 24
    own = {row["sample"]: row for row in read_jsonl(runs["own"].path / "scienceqa@demo/responses.jsonl")}
    for control in OF_PICTURES:
        rows = {row["sample"]: row for row in read_jsonl(runs[control].path / "scienceqa@demo/responses.jsonl")}
        untimed = [{**own[name], "seconds": None} for name in alike]
        assert [{"seconds": None, **rows[name]} for name in alike] == untimed, "what they took was another run's time"
        log = (runs[control].path / "log.txt").read_text()
        taken = [int(line.split("scienceqa@demo: ")[1].split()[0]) for line in log.splitlines() if "taken from" in line]
        assert sum(taken) == 24
    assert "taken from" not in (runs["no-question"].path / "log.txt").read_text()
    asked: dict[str, Any] = {"output": tmp_path, "progress": False, "device": "cpu"}
    blind = me.evaluate("mipha-tiny", "scienceqa", control="blind", **asked)
    assert blind["scienceqa"].summary.generated == 144
    own_after = me.evaluate("mipha-tiny", "scienceqa", **asked)
    assert own_after["scienceqa"].summary.generated == 120
    assert own_after["scienceqa"].summary.metrics == runs["own"]["scienceqa"].summary.metrics
    fresh = me.evaluate("mipha-tiny", "scienceqa", fresh=True, **asked)
    assert fresh["scienceqa"].summary.generated == 144, "a run that is begun anew asks all of it"


def test_what_has_no_question_is_asked_once_while_its_picture_is_the_same(tmp_path: Path) -> None:
    """Prompts that are their format line, in a benchmark in which others have a question."""
    shown: list[str] = []

    def model(images: list[Any], prompt: str) -> str:
        shown.append(prompt)
        return "yes"

    drawn = [image(f"{place}", png(np.full((5, 5, 3), place))) for place in range(4)]
    prompts = [CAPTION, CAPTION, f"Is it?\n{SHORT_ANSWER}", f"Is it?\n{SHORT_ANSWER}"]
    samples = tuple(
        Sample(f"{place}", prompt, ("yes",), (each,), place)
        for place, (prompt, each) in enumerate(zip(prompts, drawn, strict=True))
    )
    asked: dict[str, Any] = {"output": tmp_path, "progress": False, "fresh": False}
    task = Drawn("v1", DataSource("folder", Path("/drawn")), samples)
    me.evaluate(model, task, **asked)
    other = image("0", png(np.full((5, 5, 3), 99)))
    changed = dataclasses.replace(task, shown=(dataclasses.replace(samples[0], images=(other,)), *samples[1:]))
    shown.clear()
    me.evaluate(model, changed, control="no-question", **asked)
    assert sorted(shown) == sorted([CAPTION, SHORT_ANSWER, SHORT_ANSWER])


def test_another_model_s_answers_are_not_taken(tmp_path: Path) -> None:
    """Neither one with another option, nor an answer to other words."""

    def one(images: list[Any], prompt: str) -> str:
        return "A"

    asked: dict[str, Any] = {"output": tmp_path, "progress": False, "data": "demo", "fresh": False}
    me.evaluate(one, "scienceqa", **asked)
    me.evaluate("mipha-tiny", "scienceqa", output=tmp_path, progress=False, device="cpu", limit=50)
    blind = me.evaluate(
        "mipha-tiny", "scienceqa", output=tmp_path, progress=False, device="cpu", blind=True, dtype="bfloat16"
    )
    assert blind["scienceqa"].summary.generated == 144


def test_failed_and_damaged_answers_are_not_taken(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"output": tmp_path, "progress": False, "device": "cpu"}
    own = me.evaluate("mipha-tiny", "scienceqa", **asked)
    file = own.path / "scienceqa@demo/responses.jsonl"
    alike = {row["id"] for row in read_jsonl(file.with_name("samples.jsonl")) if not row["images"]}
    lines = [line for line in file.read_text().splitlines() if line.split('"sample": "')[1].split('"')[0] in alike]
    lines[0] = lines[0].replace('"error": ""', '"error": "broken"')
    lines[1] = lines[1].replace('"key": "', '"key": "f')
    lines[2] = lines[2][: len(lines[2]) // 2]
    file.write_text("\n".join(lines) + "\n")
    assert me.evaluate("mipha-tiny", "scienceqa", blind=True, **asked)["scienceqa"].summary.generated == 120 + 3


def test_without_pictures_the_model_is_at_chance(runs: dict[str, me.Run], tmp_path: Path) -> None:
    """Chance is `random`'s exact expectation; with its pictures the model is far above, and so is the visual gain."""
    floor = me.evaluate("random", TASKS, data="demo", output=tmp_path, progress=False)
    gains = {(each.task, each.control): each for each in me.visual_gains(runs["own"])}
    for label, metric in (("pope@demo", "accuracy"), ("seed@demo", "accuracy"), ("scienceqa@demo", "img")):
        chance = (floor[label].summary.expectation or {})[metric]
        low, high = runs["blind"][label].summary.intervals[metric] or (0, 0)
        assert low <= chance <= high
        assert (runs["own"][label].summary.intervals[metric] or (0, 0))[0] > chance
        gain = me.visual_gains(runs["blind"], metrics=[metric])
        found = next(each for each in gain if (each.task, each.metric) == (label, metric))
        assert found.interval is not None
        assert found.interval[0] > 0
    for control in OF_PICTURES:
        assert all(
            (gains[label, control].interval or (0, 0))[0] > 0 for label in ("pope@demo", "seed@demo", "scienceqa@demo")
        )


def scripted(right: dict[str, bool]) -> Any:
    """A model that answers as a table of prompts and greyness says."""

    def model(images: list[Any], prompt: str) -> str:
        shown = np.asarray(images[0])
        return "yes" if right[f"{shown[0, 0, 0]} {prompt.partition(chr(10))[0]}"] else "no"

    return model


def drawn_runs(tmp_path: Path, chance: random.Random) -> tuple[me.Run, me.Run, list[tuple[float, float]]]:
    """A model and itself blind on 60 pictures with 1 to 8 questions, which are much alike within a picture.

    Returns:
        Also of each picture how many questions the two have right, and how many it has.
    """
    counts = [chance.randint(1, 8) for _ in range(60)]
    groups = [[image(f"{place}.png", png(np.full((6, 6, 3), place)))] for place in range(60)]
    samples = [
        Sample(
            f"{place}-{number}", f"{place} or {number}?\n{SHORT_ANSWER}", ("yes",), tuple(groups[place]), f"{place}-{number}"
        )
        for place, count in enumerate(counts)
        for number in range(count)
    ]
    task = Drawn("v1", DataSource("folder", Path("/drawn")), tuple(samples))
    table: dict[str, bool] = {}
    for place, count in enumerate(counts):
        known = chance.random() < 0.7
        for number in range(count):
            table[f"{place} {place} or {number}?"] = known if chance.random() < 0.9 else not known
            table[f"127 {place} or {number}?"] = chance.random() < 0.45
    asked: dict[str, Any] = {"output": tmp_path, "progress": False, "fresh": False}
    own, blind = me.evaluate(scripted(table), task, **asked), me.evaluate(scripted(table), task, blind=True, **asked)
    right = [
        tuple(sum(table[f"{grey} {place} or {number}?"] for number in range(count)) for grey in (place, 127))
        for place, count in enumerate(counts)
    ]
    return own, blind, [(one - other, count) for (one, other), count in zip(right, counts, strict=True)]


def test_the_gain_is_brute_force_s(tmp_path: Path) -> None:
    """Its value exactly, its interval as wide as the bootstrap's over pictures, and not as one over questions."""
    own, blind, clusters = drawn_runs(tmp_path, random.Random(5))
    (found,) = blind.gains
    differences, counts = np.array(clusters).T
    assert found.value == pytest.approx(100 * differences.sum() / counts.sum())
    assert found.values == (own["drawn"]["accuracy"], blind["drawn"]["accuracy"])
    assert (found.questions, found.clusters, found.name) == (counts.sum(), 60, "visual gain")
    chance = np.random.default_rng(1)
    drawn = chance.integers(0, 60, (20_000, 60))
    resampled = 100 * differences[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    assert found.interval is not None
    assert found.interval == pytest.approx((low, high), abs=0.12 * (high - low))
    # questions taken for independent of each other would make it much narrower
    alone = [[row["value"] for row in read_jsonl(run.path / "drawn@v1/scores.jsonl")] for run in (own, blind)]
    per_question = 100 * (np.array(alone[0]) - np.array(alone[1]))
    naive = 2 * 1.96 * per_question.std() / np.sqrt(len(per_question))
    assert found.interval[1] - found.interval[0] > 1.3 * naive


def test_it_is_on_the_questions_that_both_have(tmp_path: Path) -> None:
    """A limited control beside the whole run."""
    asked: dict[str, Any] = {"output": tmp_path, "progress": False, "device": "cpu"}
    me.evaluate("mipha-tiny", "pope", **asked)
    blind = me.evaluate("mipha-tiny", "pope", blind=True, limit=100, **asked)
    (found,) = blind.gains
    scores = {row["sample"]: row for row in read_jsonl(blind.path / "pope@demo/scores.jsonl")}
    assert found.questions == len(scores) < 200


def test_it_is_found_from_either_side(runs: dict[str, me.Run]) -> None:
    """The model's run knows all controls, each control's run itself; also read from the disk."""
    own = {(each.task, each.control): each for each in me.visual_gains(runs["own"])}
    assert len(own) == 3 * len(CONTROLS)
    for control in CONTROLS:
        found = me.visual_gains(runs[control].path)
        assert [each.record for each in found] == [each.record for each in runs[control].gains]
        for each in found:
            assert own[each.task, each.control] == each
            assert each.name == ("question gain" if control == "no-question" else "visual gain")


def test_a_control_without_its_model_says_so(tmp_path: Path, said: Said) -> None:
    run = me.evaluate("mipha-tiny", "pope", control="blind", limit=20, output=tmp_path, progress=False, device="cpu")
    assert "no gain over blind without the model's own answers" in said()
    assert not run.gains
    other = me.evaluate("mipha-tiny", "pope", limit=20, output=tmp_path, progress=False, device="cpu", dtype="bfloat16")
    assert not other.gains, "a model in another precision is another model"
    with pytest.raises(UserError, match="is no run folder"):
        me.visual_gains(tmp_path)


def test_a_damaged_run_beside_is_left_out(runs: dict[str, me.Run], tmp_path: Path) -> None:
    for control in ("own", "blind"):
        shutil.copytree(runs[control].path, tmp_path / f"{control}__1__1")
    (tmp_path / "own__1__1/pope@demo/result.json").write_text("{")
    found = me.visual_gains(tmp_path / "blind__1__1")
    assert [each.task for each in found] == ["scienceqa@demo", "seed@demo"]


def test_it_is_shown_wherever_the_control_is(cli: Cli, runs: dict[str, me.Run]) -> None:
    """At the end of a run, in JSON, in report.md, in tables, in comparisons."""
    blind, own = runs["blind"], runs["own"]
    told = next(each for each in blind.gains if each.task == "seed@demo")
    where = ["-t", TASKS, "-o", own.path.parent, "--device", "cpu"]
    shown = " ".join(cli("run", "--blind", *where).out.split())
    line = f"seed@demo accuracy: {told.text()}, on the 120 questions that both runs have, 120 pictures"
    assert line in shown
    assert [each.record for each in blind.gains] == cli("run", "--blind", *where, "--json").json["gains"]
    assert len(cli("run", *where, "--json").json["gains"]) == 3 * len(CONTROLS)
    for run in (own, blind):
        assert f"{line}." in (run.path / "report.md").read_text()

    table = cli("report", own.path, blind.path, "--format", "json").json
    rows = {row["method"]: row["cells"] for row in table["groups"][0]["rows"]}
    assert [*rows] == ["mipha-tiny", "mipha-tiny (blind)"]
    cell = rows["mipha-tiny (blind)"]["seed@demo"]
    assert {"BLIND", told.text()} <= set(cell["remarks"])
    assert (cell["ranked"], cell["place"]) == (False, "")
    for form in ("md", "latex", "html", "csv"):
        text = cli("report", own.path, blind.path, "--format", form).out
        assert told.text() in text
        assert "BLIND" in text

    compared = cli("compare", own.path, blind.path, "--json").json
    assert {pair["task"]: pair["gain"] for pair in compared["pairs"]} == {each.task: each.record for each in blind.gains}
    assert f"seed@demo: {told.text()}" in " ".join(cli("compare", own.path, blind.path).out.split())
    assert f"seed@demo: {told.text()}" in " ".join(cli("compare", blind.path, own.path).out.split())
    two = cli("compare", blind.path, runs["mean-image"].path, "--json").json
    assert not any("gain" in pair for pair in two["pairs"]), "neither is the other's model"


def test_gains_are_those_of_what_was_asked_for(cli: Cli, runs: dict[str, me.Run], tmp_path: Path) -> None:
    """The folder has gains of three tasks; the report is on all of them. What others lack nobody is warned of."""
    own, blind = (shutil.copytree(runs[name].path, tmp_path / runs[name].path.name) for name in ("own", "blind"))
    asked = ["run", "-t", "pope", "-L", 30, "-o", tmp_path, "--device", "cpu"]
    assert [each["task"] for each in cli(*asked, "--json").json["gains"]] == ["pope@demo"]
    shown = " ".join(cli(*asked, "--blind").out.split())
    assert "pope@demo f1: visual gain over blind" in shown
    assert "on the 30 questions that both runs have" in shown
    assert not re.search("(seed|scienceqa)@demo [a-z]+: visual gain", shown)
    report = (blind / "report.md").read_text()
    assert re.findall("([a-z]+)@demo [a-z0-9]+: visual gain", report) == ["pope", "scienceqa", "seed"]
    (own / "seed@demo/result.json").write_text("{")
    assert "seed" not in cli(*asked, "--blind").err


def test_the_table_of_the_page_is_what_is_printed(cli: Cli, runs: dict[str, me.Run]) -> None:
    where: dict[str, Any] = {"data": "demo", "output": runs["own"].path.parent, "progress": False}
    floors = [me.evaluate(name, TASKS, **where).path for name in ("majority", "random")]
    printed = cli("report", runs["own"].path, runs["blind"].path, "--floors").out
    page = (Path(__file__).parents[1] / "docs/controls.md").read_text()
    assert printed.split("\n", 2)[2].strip() in page
    own = me.evaluate("majority", "seed", own=True, **where)
    assert f"0 for SEED above, where `own=true` has {own['seed']['accuracy']:.2f}" in page
    assert me.load_run(floors[0])["seed"]["accuracy"] == 0
    for path in (*floors, own.path):
        shutil.rmtree(path)


def test_each_control_is_marked_in_every_cell(cli: Cli, runs: dict[str, me.Run]) -> None:
    for control in CONTROLS:
        mark = "BLIND" if control == "blind" else f"CONTROL {control}"
        assert all(mark in marks for marks in runs[control].metrics().marks)
        assert mark in (runs[control].path / "report.md").read_text()
        alone = cli("report", runs[control].path, "--format", "json").json
        (row,) = alone["groups"][0]["rows"]
        assert row["method"] == f"mipha-tiny ({control})"
        assert not any(cell["place"] for cell in row["cells"].values())


def test_a_gain_over_unread_answers_says_so(runs: dict[str, me.Run]) -> None:
    """Without a question POPE's answers are no Yes and no No, so the gain is over nothing."""
    found = {each.task: each for each in runs["no-question"].gains}
    assert found["pope@demo"].unread == ("100% of the control's answers are unparsed",)
    assert found["pope@demo"].text().endswith(found["pope@demo"].unread[0])
    assert not next(each for each in runs["blind"].gains if each.task == "pope@demo").unread
