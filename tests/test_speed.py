"""What a run's answers took is kept, whatever is asked of the run later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.plugins.registry import Registry
from mipha_eval.page.static_view import ViewConfig, write_view
from tests.conftest import Cli, read_json, read_jsonl, write_jsonl

RUN = ("run", "--tasks", "mme", "--model", "slow", "--plugin", Path(__file__).with_name("slow_adapter.py"), "--data", "demo")


def stored(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("*/mme@demo/result.json")
    found: dict[str, Any] = read_json(file)
    return found


def command(tmp_path: Path, *more: object) -> list[object]:
    return [*RUN, "-a", f"log={tmp_path / 'log'}", "-o", tmp_path / "runs", *more]


def test_a_finished_command_again_keeps_the_speed(cli: Cli, tmp_path: Path) -> None:
    run = command(tmp_path, "-L", 6)
    assert cli(*run).code == 0
    first = stored(tmp_path / "runs")
    assert (first["generated"], first["timed"]) == (6, 6)
    assert first["seconds"] > 0
    again = cli(*run)
    second = stored(tmp_path / "runs")
    assert (second["generated"], second["timed"], second["seconds"]) == (0, 6, first["seconds"])
    assert "stored" not in again.out
    (report,) = (tmp_path / "runs").glob("*/report.md")
    cells = report.read_text().splitlines()[4].split("|")
    assert [cells[-3].strip(), cells[-2].strip()] == [f"{first['seconds']:.1f}", f"{6 / first['seconds']:.1f}"]
    write_view(ViewConfig([report.parent], tmp_path / "view.html"), Registry())
    shown = json.loads((tmp_path / "view.html").read_text().split('id="document">')[1].split("</script>")[0])
    result = shown["tasks"][0]["results"][0]
    assert (result["seconds"], result["speed"]) == (first["seconds"], 6 / first["seconds"])


def test_a_resumed_run_adds(cli: Cli, tmp_path: Path) -> None:
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    first = stored(tmp_path / "runs")
    assert cli(*command(tmp_path, "-L", 10)).code == 0
    second = stored(tmp_path / "runs")
    assert (second["generated"], second["timed"]) == (4, 10)
    assert second["seconds"] > first["seconds"]


def test_scoring_again_keeps_it(cli: Cli, tmp_path: Path) -> None:
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    first = stored(tmp_path / "runs")
    (run,) = (file.parent for file in (tmp_path / "runs").glob("*/manifest.json"))
    scored = cli("score", run, "--json").json
    assert (scored["seconds"], scored["timed"]) == (first["seconds"], 6)


def test_an_older_result_counts_as_it_is(cli: Cli, tmp_path: Path) -> None:
    """Before commands were added up a result had only what its last one generated."""
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    (file,) = (tmp_path / "runs").glob("*/mme@demo/result.json")
    older = {key: value for key, value in read_json(file).items() if key != "timed"}
    file.write_text(json.dumps({**older, "seconds": 3.0}))
    assert cli(*command(tmp_path, "-L", 8)).code == 0
    assert stored(tmp_path / "runs")["timed"] == 8
    assert stored(tmp_path / "runs")["seconds"] > 3


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"seconds": "x", "timed": null}'])
def test_a_damaged_result_keeps_nothing(damage: str, cli: Cli, tmp_path: Path) -> None:
    from mipha_eval.scoring.result_record import Effort
    from mipha_eval.store.run_folder import RunFolder

    place = RunFolder(tmp_path).task("mme@demo")
    place.path.mkdir()
    (place.path / "result.json").write_text(damage)
    assert place.effort() == Effort(0.0, 0)


def test_answers_again_after_a_failure_count(cli: Cli, tmp_path: Path) -> None:
    """A failed request was asked and took its time; asked again it takes more."""
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    (file,) = (tmp_path / "runs").glob("*/mme@demo/responses.jsonl")
    rows = read_jsonl(file)
    write_jsonl(file, [{**rows[0], "error": "broken"}, *rows[1:]])
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    assert (stored(tmp_path / "runs")["generated"], stored(tmp_path / "runs")["timed"]) == (1, 7)
