"""Runs are called by model and checkpoint everywhere, with more only where that is the same; numbers sort as numbers."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.page.leaderboard import find_runs
from mipha_eval.reporting.measured import read_measured
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.run_names import given_order, name_order, run_names
from tests.conftest import Cli, read_json


def manifest(model: str = "m", path: str = "", **more: Any) -> Manifest:
    options = {"path": path} if path else {}
    typed = {"model": {"options": [f"path={path}"] if path else []}}
    return Manifest(model=model, options={**options, **more.pop("options", {})}, config=typed, data="demo", **more)


def names(*manifests: Manifest) -> list[str]:
    return run_names([(Path(f"x__20260101-000000__{number}"), each) for number, each in enumerate(manifests)])


def test_model_and_checkpoint() -> None:
    assert names(manifest("hf-chat", "out/checkpoint-500"), manifest("hf-chat", "out/checkpoint-1000"), manifest()) == [
        "hf-chat checkpoint-500",
        "hf-chat checkpoint-1000",
        "m",
    ]


def test_checkpoints_of_one_name_have_more_of_their_path() -> None:
    one, two, three = (manifest("hf-chat", path) for path in ("/x/a/last", "/x/b/last", "/y/b/last"))
    assert names(one, two) == ["hf-chat a/last", "hf-chat b/last"]
    assert names(one, two, three) == ["hf-chat a/last", "hf-chat x/b/last", "hf-chat y/b/last"]
    assert names(manifest("m", "."), manifest("m", "last")) == ["m .", "m last"]


def test_options_then_ids_and_only_where_names_are_equal() -> None:
    whole, half = ({"dtype": f"torch.{name}"} for name in ("float32", "bfloat16"))
    assert names(
        manifest(weights=whole), manifest(weights=half), manifest(weights=whole, blind=True), manifest("n"), manifest("o")
    ) == ["m (float32)", "m (bfloat16)", "m (blind)", "n", "o"]
    assert names(manifest(options={"answer": "yes"}), manifest(options={"answer": "no"})) == [
        "m (answer=yes)",
        "m (answer=no)",
    ]
    assert names(manifest(), manifest(), manifest("n")) == ["m (0)", "m (1)", "n"]
    folders = [Path(place) / "m__20260101-000000__abc" for place in ("a", "b")]
    assert run_names([(folder, manifest()) for folder in folders]) == [f"m ({folder})" for folder in folders]


@pytest.mark.parametrize("seed", range(20))
def test_no_two_runs_are_called_the_same(seed: int) -> None:
    """Whatever they are, and a run is called the same wherever it stands in the list."""
    chance = random.Random(seed)
    runs = []
    for number in range(chance.randint(2, 12)):
        path = "/".join(chance.choices("ab", k=chance.randint(0, 3)))
        options = {"answer": chance.choice(["yes", "no"])} if chance.random() < 0.5 else {}
        weights = {"dtype": chance.choice(["float32", "float16"])}
        made = manifest(chance.choice("mn"), path, options=options, weights=weights, blind=chance.random() < 0.3)
        runs.append((Path(chance.choice("xy")) / f"r__20260101-000000__{number // 2}-{number % 2}", made))
    found = dict(zip([path for path, _ in runs], run_names(runs), strict=True))
    assert len(set(found.values())) == len(runs)
    chance.shuffle(runs)
    assert dict(zip([path for path, _ in runs], run_names(runs), strict=True)) == found


def test_numbers_sort_as_numbers() -> None:
    texts = ["m checkpoint-1000", "m checkpoint-500", "M checkpoint-20", "m", "m-7b", "m-13b", "7", "a7"]
    assert sorted(texts, key=name_order) == [
        *("7", "a7", "m", "m checkpoint-20".replace("m", "M", 1), "m checkpoint-500", "m checkpoint-1000", "m-7b", "m-13b")
    ]
    paths = [Path(f"runs/c-{number}") for number in (1000, 20, 500)]
    assert given_order(paths) == [1, 2, 0]
    assert given_order(paths[::-1]) == [0, 1, 2], "the order that somebody typed is kept"


def test_a_run_has_one_name_everywhere(cli: Cli, tmp_path: Path) -> None:
    """In its folder, in a table, a comparison and on a page; rows by the numbers of checkpoints."""
    run = ["run", "--tasks", "pope", "--model", "constant", "-a", "answer=yes", "--data", "demo", "-L", 60]
    answered = Path(cli(*run, "-o", tmp_path / "own", "--json").json["run"])
    stored = read_json(answered / "manifest.json")
    folders = []
    for step in (1000, 500, 20):
        path = f"out/checkpoint-{step}"
        typed = {**stored["config"], "model": {**stored["config"]["model"], "options": [f"path={path}"]}}
        told = {**stored, "model": "hf-chat", "options": {"path": path}, "config": typed, "weights": {"sha256": str(step)}}
        made = Manifest(model="hf-chat", options={"path": path}, config=typed, data="demo")
        folder = RunFolder.create(tmp_path / "runs", made)
        assert folder.path.name.startswith(f"hf-chat-checkpoint-{step}__")
        shutil.copytree(answered, folder.path, dirs_exist_ok=True)
        (folder.path / "manifest.json").write_text(json.dumps(told))
        folders.append(folder.path)
    wanted = [f"hf-chat checkpoint-{step}" for step in (20, 500, 1000)]
    assert [row.name for row in read_measured(sorted(folders), [])] == wanted
    assert [run.name for run in find_runs(tmp_path / "runs")] == wanted
    compared = cli("compare", *folders, "--json", "--resamples", 200).json
    assert [run["name"] for run in compared["runs"]] == wanted[::-1], "the first that is given is the one to compare with"
