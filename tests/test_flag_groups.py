"""Flags in groups, help that fits, a run as a file, the environment, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from mipha_eval.cli.app import app
from mipha_eval.cli.run_file import NO_KEYS
from tests.conftest import Cli

#: variables of the tests' own surroundings, which no flag may share
SURROUNDINGS = ("MIPHA_EVAL_TEST_ENVIRONMENTS", "MIPHA_EVAL_SUITES", "MIPHA_EVAL_VLMEVALKIT")
ASKED = 'tasks = ["pope"]\ndata = "demo"\nlimit = 8\n'


def flags_of(verb: str) -> dict[str, list[str]]:
    """The long flags of a verb, with their variables of the environment."""
    params = get_command(app).commands[verb].params  # type: ignore[attr-defined]
    names = {max(each.opts, key=len): each.envvar or [] for each in params if each.opts[0].startswith("-")}
    return {name: [found] if isinstance(found, str) else list(found) for name, found in names.items()}


def test_help_of_a_run_fits_a_screen_and_names_every_flag(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = cli("run", "--help").out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    for heading in ("What is asked:", "Model:", "Data:", "Judge:", "How it runs:", "Output:"):
        assert heading in lines
    whole = cli("run", "--help-all").out
    for flag in flags_of("run"):
        assert flag in "\n".join(lines)
        assert f"{flag}" in whole
    assert "the default, hub" in whole


def test_every_flag_of_a_run_has_a_variable_made_of_its_name() -> None:
    found = flags_of("run")
    for flag in set(found) - {"--config", "--help-all", "--verbose", "--quiet", "--log-file"}:
        assert found[flag][0] == "MIPHA_EVAL_" + flag.removeprefix("--").replace("-", "_").upper()
    assert not {name for names in found.values() for name in names} & set(SURROUNDINGS)
    assert "MIPHA_EVAL_OUT" in found["--output"]
    assert {"MIPHA_EVAL_JUDGE_URL", "OPENAI_BASE_URL"} <= set(found["--judge-base-url"])


def limit_of(out: str) -> int:
    """How many questions a run has a result of."""
    (result,) = json.loads(out)["results"]
    return int(result["n"])


def test_a_flag_goes_before_the_environment_which_goes_before_a_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(ASKED)
    assert limit_of(cli("run", "run.toml", "--json").out) == 8
    monkeypatch.setenv("MIPHA_EVAL_LIMIT", "6")
    assert limit_of(cli("run", "--config", "run.toml", "--json", "--fresh").out) == 6
    assert limit_of(cli("run", "run.toml", "-L", "4", "--json", "--fresh").out) == 4


def test_a_manifest_is_a_run_that_can_be_done_again(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = json.loads(cli("run", "-t", "pope", "--data", "demo", "-L", "8", "-a", "share=false", "--json").out)
    again = json.loads(cli("run", first["run"], "--json").out)
    assert again["run"] == first["run"]
    fresh = json.loads(cli("run", f"{first['run']}/manifest.json", "--fresh", "--json").out)
    assert fresh["run"] != first["run"]
    manifests = [json.loads(Path(each["run"], "manifest.json").read_text()) for each in (first, fresh)]
    assert manifests[0]["identity"] == manifests[1]["identity"]
    assert [each["metrics"] for each in fresh["results"]] == [each["metrics"] for each in first["results"]]
    assert limit_of(json.dumps(fresh)) == 8
    path = Path(first["run"], "manifest.json")
    del manifests[0]["config"]["plugins"]
    path.write_text(json.dumps(manifests[0]))
    told = cli("run", path)
    assert told.code == 2
    assert "what was typed: run -t pope" in told.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("limt = 3", "line 4, limt: there is no key limt; did you mean limit?"),
        ("fresh = 3", "line 4, fresh: expected true or false"),
        ("threads = 'two'", "line 4, threads: "),
        ("output = ['a']", "line 4, output: expected one value"),
        ("[judge]\nname = 'x'", "line 4, judge: judge is no table"),
        ("plugin = 3", "line 4, plugin: expected a text"),
    ],
)
def test_a_file_that_says_what_no_flag_takes_is_told_with_its_line(cli: Cli, tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(ASKED + line)
    found = cli("run", file)
    assert found.code == 2
    assert told in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_tables_of_a_file_are_options(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(ASKED + "[model-args]\nshare = false\n")
    run = json.loads(cli("run", "run.toml", "--json").out)["run"]
    assert json.loads(Path(run, "manifest.json").read_text())["config"]["model"]["options"] == ["share=false"]
    Path("run.toml").write_text(ASKED + "[model-args.pope]\nlenght = 3\n")
    assert "lenght" in cli("run", "run.toml").err


def completed(words: str, folder: Path, shell: str = "bash") -> list[str]:
    """What the program answers a shell that completes the last of the words."""
    program = "import sys; sys.argv[0] = 'mipha-eval'; from mipha_eval.cli.app import main; main()"
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    environment = {**os.environ, **asked, "_MIPHA_EVAL_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.stdout.split()


def test_a_shell_completes_names(tmp_path: Path) -> None:
    (tmp_path / "results/runs/one").mkdir(parents=True)
    (tmp_path / "results/runs/one/manifest.json").write_text("{}")
    assert completed("mipha-eval run --tas", tmp_path) == ["--tasks"]
    assert completed("mipha-eval run -t pope,mmv", tmp_path) == ["pope,mmvet"]
    assert "mipha-tiny" in completed("mipha-eval run -m mipha-t", tmp_path)
    assert completed("mipha-eval view ", tmp_path)[-1] == "results/runs/one"
    assert "--tasks" in " ".join(completed("mipha-eval run --tas", tmp_path, "fish"))
    assert "--tasks" in " ".join(completed("mipha-eval run --tas", tmp_path, "zsh"))


def test_what_cannot_be_set_by_a_file_is_not_a_key(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    for name in NO_KEYS:
        file.write_text(f"{name} = true\n")
        assert f"there is no key {name}" in cli("run", file).err
