"""Flags in groups, help that fits, a run as a file, the environment, completion."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperCommand, TyperOption
from typer.main import get_command

from mipha_eval.cli.app import app
from mipha_eval.cli.flag_groups import variables
from mipha_eval.cli.run_file import NO_KEYS
from tests.conftest import Cli

#: variables of other things, which no flag may share
SURROUNDINGS = (
    *("MIPHA_EVAL_TEST_ENVIRONMENTS", "MIPHA_EVAL_SUITES", "MIPHA_EVAL_VLMEVALKIT", "MIPHA_EVAL_LMMS_PYTHON"),
    *("MIPHA_EVAL_PARITY_DATA", "MIPHA_EVAL_PARITY_ANSWERS", "MIPHA_EVAL_PARITY_CHECKPOINT", "MIPHA_EVAL_PARITY_VARIANTS"),
    *(
        "MIPHA_EVAL_PARITY_PUBLISHED",
        "MIPHA_EVAL_CACHE",
        "MIPHA_EVAL_CALIBRATIONS",
        "MIPHA_EVAL_API_KEY",
        "MIPHA_EVAL_JUDGE_KEY",
    ),
)
ASKED = 'tasks = ["pope"]\ndata = "demo"\nlimit = 8\n'


#: flags and arguments that are texts of which nobody can list all, or which are paths
FREE = {
    *("--model-args", "--columns", "--image-dir", "--row", "--by", "--host", "--revision", "--serve"),
    *("--judge-base-url", "--judge-budget", "--judge-price", "--base", "--vision-tower", "path", "new name"),
}


def verbs() -> dict[str, TyperCommand]:
    """Every verb."""
    found: dict[str, TyperCommand] = {}
    for name, each in get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(each, "commands", None)
        found |= {f"{name} {inner}": command for inner, command in below.items()} if below else {name: each}
    return found


def described(parameter: Any) -> Any:
    """What is known of a parameter's type."""
    return parameter.type_descriptor


def flags_of(verb: str) -> dict[str, list[str]]:
    """The long flags of a verb, with their variables of the environment."""
    prefix = f"MIPHA_EVAL_{verb.upper()}".translate({ord(" "): "_", ord("-"): "_"})
    options = [each for each in verbs()[verb].params if isinstance(each, TyperOption)]
    return {max(each.opts, key=len): variables(each, prefix) for each in options}


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


def in_capitals(*words: str) -> str:
    """Words as a variable's name."""
    return "_".join(words).upper().replace("--", "").replace("-", "_").replace(" ", "_")


def test_every_flag_has_a_variable_made_of_its_name_and_if_it_is_of_one_verb_of_that() -> None:
    meaning: dict[str, tuple[str, str]] = {}
    for verb, command in verbs().items():
        found = flags_of(verb)
        kinds = {max(each.opts, key=len): str(described(each).annotation) for each in command.params}
        for flag in set(found) - {"--config", "--help-all", "--verbose", "--quiet", "--log-file"}:
            assert found[flag][0] in (in_capitals("mipha_eval", flag), in_capitals("mipha_eval", verb, flag))
            for name in found[flag]:
                assert meaning.setdefault(name, (flag, kinds[flag])) == (flag, kinds[flag])
    assert not meaning.keys() & set(SURROUNDINGS)
    assert "MIPHA_EVAL_OUT" in flags_of("run")["--output"]
    assert {"MIPHA_EVAL_JUDGE_URL", "OPENAI_BASE_URL"} <= set(flags_of("run")["--judge-base-url"])
    assert flags_of("report")["--output"] == ["MIPHA_EVAL_REPORT_OUTPUT"]


def test_variables_are_read_by_every_verb_and_flags_go_before_them(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIPHA_EVAL_JSON", "1")
    assert "pope" in cli("list", "tasks").json["tasks"]
    monkeypatch.setenv("MIPHA_EVAL_LIST_MODEL", "nobody")
    told = cli("list", "published")
    assert (told.code, len(told.err.splitlines())) == (2, 1)
    assert cli("list", "published", "--model", "MIPHA-3B").code == 0
    monkeypatch.setenv("MIPHA_EVAL_LOG_FILE", str(tmp_path / "by-variable.txt"))
    monkeypatch.setenv("MIPHA_EVAL_QUIET", "1")
    cli("new", "model", "mine", "-o", tmp_path, "--log-file", tmp_path / "by-flag.txt")
    assert (tmp_path / "by-flag.txt").exists()
    assert not (tmp_path / "by-variable.txt").read_text()
    monkeypatch.setenv("MIPHA_EVAL_SHOW_COUNT", "many")
    told = cli("show", "task", "pope")
    assert told.err.startswith("error: --count (environment variable MIPHA_EVAL_SHOW_COUNT): expected a whole number")


def test_a_variable_that_a_command_has_no_use_for_is_passed_over(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the flag would be an error, since it was typed for this command."""
    plan = ("plan", "-t", "pope", "--data", "demo")
    flags = {"MODEL": "mipha", "DEVICE": "cpu", "NO_SHARE": "1", "KIND": "yesno", "LMMS_INCLUDE": ".", "JUDGE_PRICE": "1,2"}
    for name, value in flags.items():
        monkeypatch.setenv(f"MIPHA_EVAL_{name}", value)
    assert cli(*plan).code == 0
    for typed in (("--model", "mipha"), ("--no-share",), ("--kind", "yesno"), ("--judge-price", "1,2")):
        told = cli(*plan, *typed)
        assert (told.code, typed[0] in told.err) == (2, True)


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
        ("threads = true", "line 4, threads: expected a whole number, given True"),
        ("annotations = 'none.json'", "line 4, annotations: path 'none.json' does not exist"),
        ("device = 'abacus'", "device 'abacus' is unknown; there are auto, cpu, cuda, cuda:1, mps (FILE, line 4, device)"),
        ("model = 'mipa'", "did you mean mipha or mipha-3b or mipha-tiny?"),
        ("[model-args]\nlenght = 3", "(FILE, line 4, model-args)"),
        ("model = 'constant'\n[model-args]\nshare = false", "constant (FILE, line 5, model-args)"),
    ],
)
def test_a_file_that_says_what_no_flag_takes_is_told_with_its_line(cli: Cli, tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(ASKED + line)
    found = cli("run", file)
    assert found.code == 2
    assert told.replace("FILE", str(file)) in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_tables_of_a_file_are_options(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(ASKED + "[model-args]\nshare = false\n")
    run = json.loads(cli("run", "run.toml", "--json").out)["run"]
    assert json.loads(Path(run, "manifest.json").read_text())["config"]["model"]["options"] == ["share=false"]
    Path("run.toml").write_text(ASKED + "[model-args.pope]\nlenght = 3\n")
    assert "lenght" in cli("run", "run.toml").err


def test_options_of_a_files_model_are_none_of_another(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are left out, and that is said; those of tasks stay, and so do those of a file that names no model."""
    monkeypatch.chdir(tmp_path)
    asked = 'tasks = ["mmvet"]\ndata = "demo"\nlimit = 4\n'
    options = "[model-args]\nshare = false\n[model-args.mmvet]\nby_rule = true\n"
    Path("run.toml").write_text(f"model = 'mipha-tiny'\n{asked}{options}")
    told = cli("run", "run.toml", "--model", "constant", "--json")
    assert told.err.startswith("run.toml, line 5, model-args: options of model mipha-tiny, left out for constant\n")
    config = json.loads(Path(told.json["run"], "manifest.json").read_text())["config"]
    assert config["model"]["options"] == ["mmvet.by_rule=true"]
    assert cli("run", "run.toml", "-m", "constant", "-a", "share=false").code == 2
    Path("run.toml").write_text(f"{asked}{options}")
    assert "(run.toml, line 4, model-args)" in cli("run", "run.toml", "--model", "constant").err


def test_a_mistake_names_the_variable_that_it_comes_from(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIPHA_EVAL_DTYPE", "int3")
    assert "bfloat16, float16 (environment variable MIPHA_EVAL_DTYPE)" in cli("run", "-t", "pope", "--data", "demo").err


Completed = Callable[..., list[str]]


@pytest.fixture
def completed(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Completed:
    """What the program answers a shell that completes the last of the words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")

    def call(words: str, shell: str = "bash") -> list[str]:
        parts = [part for word in words.split(" ") for part in re.split("([@:=])", word)] if shell == "bash" else [words]
        monkeypatch.setenv("COMP_WORDS", "\n".join(filter(None, parts)))
        monkeypatch.setenv("COMP_CWORD", str(len(list(filter(None, parts))) - (not words.endswith(" "))))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", words)
        monkeypatch.setenv("_MIPHA_EVAL_COMPLETE", f"complete_{shell}")
        told = cli()
        assert not told.err
        return told.out.split()

    return call


def test_a_shell_completes_names(completed: Completed, tmp_path: Path) -> None:
    (tmp_path / "results/runs/one/pope@demo").mkdir(parents=True)
    (tmp_path / "results/runs/one/manifest.json").write_text("{}")
    (tmp_path / "results/runs/one/pope@demo/task.json").write_text("{}")
    assert completed("mipha-eval run --tas") == ["--tasks"]
    assert completed("mipha-eval run -t pope,mmv") == ["pope,mmvet"]
    assert "mipha-tiny" in completed("mipha-eval run -m mipha-t")
    for verb in ("view", "run", "compare", "report", "export", "score"):
        assert completed(f"mipha-eval {verb} res") == ["results/runs/one"]
    assert completed("mipha-eval view answers.j") == []  # a file, which the shell finds itself
    assert completed("mipha-eval export results/runs/one --tasks ") == ["pope@demo"]
    for shell in ("fish", "zsh"):
        assert "--tasks" in " ".join(completed("mipha-eval run --tas", shell))
        assert "pope@official" in " ".join(completed("mipha-eval score pope@of", shell))
        assert "--tasks=pope@official" in " ".join(completed("mipha-eval run --tasks=pope@of", shell))
        for folder in ("it's mine/a run", "it's mine/a\nrun"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "manifest.json").write_text("{}")
        offered = " ".join(completed("mipha-eval view \"it's mine/a", shell))
        assert offered == {"fish": "it's mine/a run", "zsh": r"""_arguments '*: :(("it'\''s mine/a run"))'"""}[shell]


def test_bash_is_told_what_it_puts_in_the_place_of_its_piece_of_a_word(completed: Completed) -> None:
    assert completed("mipha-eval score pope@") == ["@llava", "@official"]
    assert completed("mipha-eval run --tasks mme,pope@off") == ["@official"]
    assert completed("mipha-eval run --data=de") == ["demo"]
    assert completed("mipha-eval run -t pope@official --data d") == ["demo"]
    assert completed("mipha-eval run -a x= -t pope,mmv") == ["pope,mmvet"]
    assert completed("mipha-eval run -t no:such@th") == []


@pytest.mark.parametrize(
    ("words", "one"),
    [
        ("list ", "published"),
        ("list published --benchmark PO", "POPE"),
        ("show task po", "pope"),
        ("show model mipha-t", "mipha-tiny"),
        ("check model mipha-t", "mipha-tiny"),
        ("report --table mip", "mipha-paper"),
        ("run --judge gpt-4o-", "gpt-4o-mini"),
        ("run --control gr", ""),
        ("export X --to ev", "evalscope"),
        ("compare-suites F --suites official,vl", "official,vlmevalkit"),
        ("new package X --kind y", "yesno"),
        ("convert X --to ll", "llava"),
        ("run --scorer anl", "anls"),
    ],
)
def test_a_word_completes(completed: Completed, words: str, one: str) -> None:
    assert one in (completed(f"mipha-eval {words}") or [""])


def test_every_text_that_has_a_known_set_of_values_completes() -> None:
    for verb, command in verbs().items():
        for each in command.params:
            name = max(each.opts, key=len)
            kind = described(each)
            known = kind.is_choice or each._custom_shell_complete is not None
            text = "str" in str(kind.annotation) and not getattr(each, "is_flag", False)
            assert known or not text or not {name, f"{verb.split()[0]} {name}"}.isdisjoint(FREE), f"{verb} {name}"


def test_what_cannot_be_set_by_a_file_is_not_a_key(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    for name in NO_KEYS:
        file.write_text(f"{name} = true\n")
        assert f"there is no key {name}" in cli("run", file).err
