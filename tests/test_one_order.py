"""All tasks of a run are asked in one order: a picture that several ask about is read once."""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.types import Response
from mipha_eval.runs.run_loop import by_task
from tests.conftest import Cli, read_json, read_jsonl

PLUGIN = Path(__file__).with_name("sharing_adapter.py")


def run(cli: Cli, folder: Path, tasks: str, *more: object) -> Any:
    model = ["--plugin", PLUGIN, "--model", "sharing", "-a", f"log={folder / 'log'}", "--check", 0]
    return cli("run", "--tasks", tasks, "--data", "demo", "-o", folder / "runs", "--json", *model, *more).json


def pictures(folder: Path) -> list[list[tuple[str, ...]]]:
    """The pictures that each call was about, in order."""
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    return [[tuple(images) for images, _ in groupby(line[1])] for line in lines]


def test_tasks_about_the_same_pictures_travel_together(cli: Cli, tmp_path: Path) -> None:
    """seed@ppl ranks and seed generates; a picture's questions are in one batch all the same."""
    run(cli, tmp_path, "seed@demo,seed@demo-ppl")
    kinds = pictures(tmp_path)
    assert len(kinds) % 2 == 0
    assert kinds[0::2] == kinds[1::2], "the adapter's own answer splits each batch in two calls about the same pictures"
    flat = [images for call in kinds[0::2] for images in call]
    assert len(flat) == len(set(flat)), "no picture comes twice"


def test_other_pictures_come_task_after_task(cli: Cli, tmp_path: Path) -> None:
    run(cli, tmp_path, "mme,pope")
    flat = [images[0] for call in pictures(tmp_path) for images in call]
    tasks = [name for name, _ in groupby("mme" if "/MME/" in location else "pope" for location in flat)]
    assert tasks == ["mme", "pope"]


def test_together_as_one_by_one(cli: Cli, tmp_path: Path) -> None:
    """What tasks hold does not depend on what else is asked in the run."""
    names = ("pope@demo", "seed@demo", "seed@demo-ppl")
    together = Path(run(cli, tmp_path / "a", ",".join(names))["run"])
    for name in names:
        single = Path(run(cli, tmp_path / name, name)["run"])
        for file in ("samples.jsonl", "scores.jsonl", "task.json"):
            assert (together / name / file).read_text() == (single / name / file).read_text()
        rows = [
            sorted(({**row, "seconds": 0} for row in read_jsonl(each / name / "responses.jsonl")), key=itemgetter("sample"))
            for each in (together, single)
        ]
        assert rows[0] == rows[1]


def test_seconds_add_up_and_status_is_right(cli: Cli, tmp_path: Path) -> None:
    outcome = run(cli, tmp_path, "seed@demo,seed@demo-ppl,mme", "--limit", 40)
    results = outcome["results"]
    assert [result["task"] for result in results] == ["seed@demo", "seed@demo-ppl", "mme@demo"]
    assert all(result["seconds"] > 0 and result["generated"] == result["n"] for result in results)
    status = read_json(Path(outcome["run"]) / "status.json")
    assert {label: entry["state"] for label, entry in status.items()} == {result["task"]: "done" for result in results}


def test_a_finished_task_is_scored_while_others_go_on(cli: Cli, tmp_path: Path) -> None:
    """The first task's result is there before the last question of the second is asked."""
    path = tmp_path / "watching.py"
    path.write_text(
        "from dataclasses import dataclass\nfrom pathlib import Path\nfrom typing import ClassVar\nimport time\n"
        "from mipha_eval.core.adapter import ModelAdapter\nfrom mipha_eval.core.types import Response\n\n"
        "@dataclass(frozen=True)\nclass Watching(ModelAdapter):\n"
        "    folder: Path\n    name: ClassVar[str] = 'watching'\n"
        "    def generate(self, batch):\n"
        "        time.sleep(0.05)\n"
        "        there = any(self.folder.glob('*/mme@demo/result.json'))\n"
        "        return [Response('Yes' if there else 'No') for _ in batch]\n"
    )
    model = ["--plugin", path, "--model", "watching", "-a", f"folder={tmp_path / 'runs'}", "-b", 10]
    outcome = cli("run", "--tasks", "mme,pope", "--limit", 200, "--data", "demo", "-o", tmp_path / "runs", "--json", *model)
    texts = [row["text"] for row in read_jsonl(Path(outcome.json["run"]) / "pope@demo/responses.jsonl")]
    assert texts[-1] == "Yes"


def test_out_of_memory_is_no_loss(cli: Cli, tmp_path: Path) -> None:
    outcome = run(cli, tmp_path, "pope", "-a", "memory=7")
    (result,) = outcome["results"]
    assert (result["failed"], result["missing"]) == (0, 0)
    assert all(len(keys) <= 7 for _, _, keys in map(json.loads, (tmp_path / "log").read_text().splitlines()))


@pytest.mark.parametrize("begins", [[0, 2, 5], [0, 0, 5], [0, 5, 5]])
def test_places_are_counted_within_tasks(begins: list[int]) -> None:
    answered = [(place, Response(str(place))) for place in (4, 0, 3)]
    parts = by_task(answered, begins)
    for number, pairs in parts.items():
        for place, response in pairs:
            assert begins[number] + place == int(response.text)
            assert place < [*begins, 5][number + 1] - begins[number]
