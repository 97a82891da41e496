"""A run that is killed at any moment and started again ends as if nothing had happened."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import Cli, read_jsonl

PLUGIN = Path(__file__).with_name("slow_adapter.py")


def command(output: Path, log: Path) -> list[str]:
    options = ["--plugin", str(PLUGIN), "--model", "slow", "-a", f"log={log}", "--batch-size", "8"]
    return ["run", "--tasks", "pope,mme", "--data", "demo", "--output", str(output), *options]


def stored_keys(output: Path) -> set[str]:
    """Keys of the requests whose responses are complete on disk."""
    keys = set()
    for path in output.glob("*/*/responses.jsonl"):
        for line in path.read_text().split("\n")[:-1]:
            keys.add(json.loads(line)["key"])
    return keys


def scores(output: Path, task: str) -> str:
    (path,) = output.glob(f"*/{task}@demo/scores.jsonl")
    return path.read_text()


def test_ten_kills(cli: Cli, tmp_path: Path) -> None:
    assert cli(*command(tmp_path / "calm", tmp_path / "calm.log")).code == 0
    output, log = tmp_path / "killed", tmp_path / "killed.log"
    log.touch()
    generator = random.Random(5)
    for _ in range(10):
        before, seen = stored_keys(output), len(log.read_text().splitlines())
        process = subprocess.Popen(
            [sys.executable, "-m", "mipha_eval", *command(output, log)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(generator.uniform(0.3, 1.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        generated = [line.split()[1] for line in log.read_text().splitlines()[seen:]]
        assert not before & set(generated), "generated again what was stored"
        assert len(generated) == len(set(generated)), "generated twice in one run"
    before, seen = stored_keys(output), len(log.read_text().splitlines())
    assert cli(*command(output, log)).code == 0
    assert not before & {line.split()[1] for line in log.read_text().splitlines()[seen:]}
    assert len(list(output.iterdir())) == 1, "the same run was continued"
    for task in ("pope", "mme"):
        assert scores(output, task) == scores(tmp_path / "calm", task)
        (path,) = output.glob(f"*/{task}@demo/result.json")
        told = json.loads(path.read_text())
        assert told["timed"] == told["n"], "killed commands, too, have noted what answers took"


def test_torn_last_line(cli: Cli, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert cli(*command(tmp_path / "runs", log)).code == 0
    whole = scores(tmp_path / "runs", "pope")
    (path,) = (tmp_path / "runs").glob("*/pope@demo/responses.jsonl")
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    kept = stored_keys(tmp_path / "runs")
    log.write_text("")
    assert cli(*command(tmp_path / "runs", log)).code == 0
    assert scores(tmp_path / "runs", "pope") == whole
    again = {line.split()[1] for line in log.read_text().splitlines()}
    assert again
    assert not again & kept
    assert all(isinstance(row["text"], str) for row in read_jsonl(path)), "every line is whole"


def test_a_finished_run_is_not_generated_again(cli: Cli, tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = cli(*command(tmp_path / "runs", log), "--json").json
    log.write_text("")
    second = cli(*command(tmp_path / "runs", log), "--json").json
    assert log.read_text() == ""
    assert second["run"] == first["run"]
    assert [result["metrics"] for result in second["results"]] == [result["metrics"] for result in first["results"]]
    fresh = cli(*command(tmp_path / "runs", log), "--json", "--fresh").json
    assert fresh["run"] != first["run"]


def test_interrupt_finishes_the_batch(tmp_path: Path) -> None:
    arguments = command(tmp_path / "runs", tmp_path / "log")
    process = subprocess.Popen(
        [sys.executable, "-m", "mipha_eval", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not stored_keys(tmp_path / "runs"):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "goes on from what is stored" in errors
    generated = {line.split()[1] for line in (tmp_path / "log").read_text().splitlines()}
    assert generated == stored_keys(tmp_path / "runs"), "nothing that was generated is lost"
