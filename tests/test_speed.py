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


def cells(folder: Path) -> list[str]:
    """What the last command's table says of the seconds and of the speed."""
    (report,) = folder.glob("*/report.md")
    return [cell.strip() for cell in report.read_text().splitlines()[4].split("|")[-3:-1]]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that has room for seconds."""
    monkeypatch.setenv("COLUMNS", "160")


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
    assert cells(tmp_path / "runs") == [f"{first['seconds']:.1f}", f"{6 / first['seconds']:.1f}"]
    (report,) = (tmp_path / "runs").glob("*/report.md")
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


def test_they_are_of_the_answers_that_the_row_is_about(cli: Cli, tmp_path: Path) -> None:
    """The whole has the seconds of its parts, and a part its own, whichever was asked for last."""
    found: dict[int, float] = {}
    for limit in (6, 10, 6, 10):
        assert cli(*command(tmp_path, "-L", limit)).code == 0
        result = stored(tmp_path / "runs")
        assert (result["n"], result["timed"]) == (limit, limit)
        assert result["seconds"] == found.setdefault(limit, result["seconds"])
        assert cells(tmp_path / "runs") == [f"{result['seconds']:.1f}", f"{limit / result['seconds']:.1f}"]
    assert found[6] < found[10]


def test_a_killed_command_s_answers_keep_theirs(cli: Cli, tmp_path: Path) -> None:
    """A question takes a twentieth of a second and no less. What is killed leaves answers and no result."""
    slow = command(tmp_path, "-L", 8, "-b", 1, "-a", "seconds=0.05")
    assert cli(*slow).code == 0
    (place,) = (tmp_path / "runs").glob("*/mme@demo")
    for name in ("result.json", "scores.jsonl"):
        (place / name).unlink()
    (place.parent / "status.json").write_text(json.dumps({place.name: {"state": "infer", "total": 8}}))
    rows = (place / "responses.jsonl").read_text().splitlines(keepends=True)
    (place / "responses.jsonl").write_text("".join(rows[:6]) + rows[6][:20])
    killed = cli("score", place.parent, "--json").json
    assert (killed["n"], killed["timed"]) == (6, 6)
    assert killed["seconds"] >= 6 * 0.05
    assert cli(*slow).code == 0
    whole = stored(tmp_path / "runs")
    assert (whole["generated"], whole["n"], whole["timed"]) == (2, 8, 8)
    assert whole["seconds"] >= killed["seconds"] + 2 * 0.05


def without_seconds(folder: Path, count: int) -> Path:
    """Leaves the first answers as older versions stored them; returns the file of the result."""
    (place,) = folder.glob("*/mme@demo")
    rows = read_jsonl(place / "responses.jsonl")
    for row in rows[:count]:
        del row["seconds"]
    write_jsonl(place / "responses.jsonl", rows)
    return place / "result.json"


def test_of_what_nobody_measured_there_is_no_number(cli: Cli, tmp_path: Path) -> None:
    """An older run's first part was killed, so that its result has the seconds of the second alone."""
    assert cli(*command(tmp_path, "-L", 10)).code == 0
    file = without_seconds(tmp_path / "runs", 10)
    file.write_text(json.dumps({**read_json(file), "seconds": 3.0, "timed": 4}))
    for limit in (10, 14):
        shown = cli(*command(tmp_path, "-L", limit)).out
        assert "stored" in shown
        assert cells(tmp_path / "runs") == ["stored", "–"]
    assert (stored(tmp_path / "runs")["n"], stored(tmp_path / "runs")["timed"]) == (14, 4), "of those that are new"


def test_an_older_run_keeps_its_seconds(cli: Cli, tmp_path: Path) -> None:
    """As far as they are those of its answers: not if it was asked for fewer since."""
    assert cli(*command(tmp_path, "-L", 10)).code == 0
    file = without_seconds(tmp_path / "runs", 10)
    older = {**read_json(file), "seconds": 3.0}
    file.write_text(json.dumps(older))
    assert cli(*command(tmp_path, "-L", 10)).code == 0
    assert (stored(tmp_path / "runs")["seconds"], stored(tmp_path / "runs")["timed"]) == (3.0, 10)
    assert cli(*command(tmp_path, "-L", 12)).code == 0
    grown = stored(tmp_path / "runs")
    assert grown["timed"] == 12
    assert grown["seconds"] > 3
    assert cli(*command(tmp_path, "-L", 12)).code == 0
    assert (stored(tmp_path / "runs")["seconds"], stored(tmp_path / "runs")["timed"]) == (grown["seconds"], 12)
    for limit in (6, 12):
        assert "stored" in cli(*command(tmp_path, "-L", limit)).out
    (run,) = (tmp_path / "runs").glob("*/manifest.json")
    file.write_text(json.dumps({**older, "n": 6}))
    assert cli("score", run.parent, "--json").json["timed"] == 2, "its seconds are of ten, and two have their own"


def test_scoring_again_keeps_it(cli: Cli, tmp_path: Path) -> None:
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    first = stored(tmp_path / "runs")
    (run,) = (file.parent for file in (tmp_path / "runs").glob("*/manifest.json"))
    scored = cli("score", run, "--json").json
    assert (scored["seconds"], scored["timed"]) == (first["seconds"], 6)


def test_an_older_result_counts_as_it_is(cli: Cli, tmp_path: Path) -> None:
    """Before commands were added up a result had only what its last one generated."""
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    file = without_seconds(tmp_path / "runs", 6)
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
    """What a failed request took is no time of the answer that came later."""
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    (file,) = (tmp_path / "runs").glob("*/mme@demo/responses.jsonl")
    rows = read_jsonl(file)
    write_jsonl(file, [{**rows[0], "error": "broken"}, *rows[1:]])
    assert cli(*command(tmp_path, "-L", 6)).code == 0
    assert (stored(tmp_path / "runs")["generated"], stored(tmp_path / "runs")["timed"]) == (1, 6)
