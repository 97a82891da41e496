"""Many models of a file: each is an ordinary run in a process of its own, and what fails in one leaves the others alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import mipha_eval as me
from mipha_eval.runs.matrix.matrix import build_matrix
from mipha_eval.runs.matrix.models_file import ListedModel, listed_models, read_models_file
from mipha_eval.runs.matrix.order import Shared
from mipha_eval.runs.matrix.run_matrix import environment
from mipha_eval.runs.matrix.run_plan import duration
from tests.conftest import Cli, Outcome, read_json, read_jsonl
from tests.judge_server import Say, Serve
from tests.matrix_adapters import WEIGHTS
from tests.text_checkpoint import text_model

HERE = Path(__file__).parent
ENDING, SLOW = HERE / "matrix_adapters.py", HERE / "slow_adapter.py"
LIMIT = ("-L", 12)

Matrix = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are meant from the folder of the command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def matrix(cli: Cli) -> Matrix:
    """Evaluates what a file lists."""

    def call(text: str, *flags: object) -> Outcome:
        Path("models.toml").write_text(text)
        return cli("run", "--models", "models.toml", *LIMIT, *flags)

    return call


def command(*flags: object) -> subprocess.Popen[str]:
    """The same in a process of its own, that Ctrl-C can be sent to."""
    line = [sys.executable, "-m", "mipha_eval", "run", "--models", "models.toml", *map(str, flags)]
    return subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def folders(name: str = "*") -> list[Path]:
    return sorted(file.parent for file in Path("results/runs").glob(f"{name}__*/manifest.json"))


def table_of(text: str) -> str:
    """What was printed without the line that says where it is."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("table: "))


def rows(text: str) -> dict[str, list[str]]:
    """Cells without footnotes by the row's name."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            name, *cells = [re.sub("<sup>.*?</sup>", "", cell).strip() for cell in line.strip("| ").split(" | ")]
            found[name.replace("\\", "")] = cells
    return found


TABLE = """
tasks = ["pope", "mme"]
data = "demo"
floors = ["majority"]

[[model]]
model = "mipha-tiny"
controls = ["blind"]

[[model]]
name = "Always yes"
model = "constant"
"""


def test_the_table_is_that_of_runs_made_one_at_a_time(matrix: Matrix, cli: Cli) -> None:
    """Same runs, same numbers, same page, made by the plain command and `report`."""
    outcome = matrix(TABLE)
    assert outcome.code == 0, outcome.err
    single = {}
    for name, flags in {"mipha-tiny": (), "blind": ("--control", "blind"), "constant": (), "majority": ()}.items():
        model = "mipha-tiny" if name == "blind" else name
        run = cli("run", "-t", "pope,mme", "-m", model, "--data", "demo", *LIMIT, "-o", "one", "--json", *flags)
        assert run.code == 0
        single[name] = run.json["run"]
    plain = cli("report", *single.values(), "--row", "3:name=Always yes").out
    assert table_of(outcome.out) == plain
    assert "visual gain over blind" in plain
    assert rows(plain)["mipha-tiny"] != rows(plain)["mipha-tiny (blind)"]
    assert Path("results/runs/models.md").read_text() == plain
    assert "\\begin{tabular}" in Path("results/runs/models.tex").read_text()
    for one in single.values():
        manifest = read_json(Path(one, "manifest.json"))
        (same,) = [folder for folder in folders() if read_json(folder / "manifest.json")["identity"] == manifest["identity"]]
        for task in ("pope@demo", "mme@demo"):
            texts = [
                [(row["sample"], row["text"]) for row in read_jsonl(Path(folder, task, "responses.jsonl"))]
                for folder in (one, same)
            ]
            assert sorted(texts[0]) == sorted(texts[1])


def test_it_goes_on_with_ordinary_runs(matrix: Matrix, cli: Cli) -> None:
    """What a plain command answered is not asked again, and the other way round."""
    Path("log").touch()
    flags = ("--plugin", SLOW, "-b", 4)
    slow = ("-t", "pope", "-m", "slow", "-a", "log=log", "--data", "demo", *flags)
    assert cli("run", *slow, "-L", 8).code == 0
    before = len(Path("log").read_text().splitlines())
    listed = "tasks = 'pope'\ndata = 'demo'\n[[model]]\nmodel = 'slow'\noptions.log = 'log'"
    plan = matrix(listed, *flags, "--plan", "--json")
    (planned,) = plan.json["runs"]
    assert (planned["run"], planned["questions"], planned["stored"]) == (str(folders()[0]), 12, 8)
    assert planned["seconds"] > 0
    assert matrix(listed, *flags).code == 0
    after = Path("log").read_text().splitlines()
    assert len({line.split()[1] for line in after}) == len(after), "nothing is asked twice"
    assert len(after) > before
    assert len(folders()) == 1
    again = matrix(listed, *flags, "--json")
    assert Path("log").read_text().splitlines() == after
    assert again.json["runs"][0]["run"] == str(folders()[0])
    assert cli("run", *slow, *LIMIT).code == 0
    assert Path("log").read_text().splitlines() == after
    assert "12 of 12 answers stored (" in matrix(listed, *flags, "--plan").out
    assert matrix(listed, *flags, "--fresh").code == 0
    assert len(folders()) == 2


FAILING = """
tasks = ["pope", "mme"]
data = "demo"
[[model]]
name = "exits"
model = "ending"
controls = ["no-question"]
[[model]]
name = "killed"
model = "ending"
options = { how = "kill", log = "killed", after = 8 }
[[model]]
name = "raises"
model = "ending"
options.how = "raise"
[[model]]
name = "refused"
model = "ending"
options.how = "user"
[[model]]
name = "a bug"
model = "ending"
options.how = "bug"
[[model]]
model = "constant"
"""


@pytest.mark.parametrize("workers", [1, 3])
def test_what_fails_leaves_the_others_alone(workers: int, matrix: Matrix, cli: Cli) -> None:
    outcome = matrix(FAILING, "--plugin", ENDING, "-b", 2, "--workers", workers)
    assert outcome.code == 3
    found = rows(outcome.out)
    assert list(found) == [
        "Method",
        "exits",
        "exits (no-question)",
        "killed",
        "raises",
        "refused",
        "a bug",
        "*Floors*",
        "constant",
    ]
    alone = cli("run", "-t", "pope,mme", "-m", "constant", "--data", "demo", *LIMIT, "-o", "one", "--json").json
    assert found["constant"] == rows(cli("report", alone["run"]).out)["constant"]
    assert {tuple(found[name]) for name in ("exits", "killed", "raises", "refused", "a bug")} == {("–", "–")}
    reasons = {
        "exits": "exit code 5: a last word; what was answered is stored",
        "exits (no-question)": "not tried, since the model's own run failed: its process ended",
        "killed": "ended by SIGKILL, as when memory runs out",
        "raises": "pope@demo, mme@demo: plugin matrix_adapters failed: LookupError: no answer to this",
        "refused": "the checkpoint is no checkpoint",
        "a bug": "ZeroDivisionError: nobody thought of this",
    }
    under = outcome.out.replace("\\", "")
    for name, reason in reasons.items():
        assert reason in under, name
        assert re.search(rf"^{re.escape(name)}: .*{re.escape(reason)}", outcome.err, flags=re.MULTILINE)
    kept, asked = stored("killed"), len(Path("killed").read_text().splitlines())
    assert kept
    again = matrix(FAILING, "--plugin", ENDING, "-b", 2)
    assert rows(again.out)["killed"] == found["constant"], "it answers as that does, once it is left alive"
    later = {key for line in Path("killed").read_text().splitlines()[asked:] for key in line.split()}
    assert later
    assert not later & kept, "what was stored is not asked again"


def test_where_nothing_has_a_result(matrix: Matrix) -> None:
    outcome = matrix(
        "tasks = 'pope'\ndata = 'demo'\n[[model]]\nmodel = 'ending'\noptions.how = ['user', 'exit']", "--plugin", ENDING
    )
    assert outcome.code == 2
    assert outcome.out == ""
    assert "ending (how=user): the checkpoint is no checkpoint" in outcome.err
    assert not Path("results/runs/models.md").exists()
    with pytest.raises(me.UserError, match="expected 1 or more"):
        me.evaluate_all(["constant"], "pope", data="demo", workers=0)
    with pytest.raises(me.UserError, match="the checkpoint is no checkpoint"):
        me.evaluate_all([{"model": "ending", "options": {"how": "user"}}], "pope", data="demo", limit=4, plugins=[ENDING])


def test_every_format_has_the_reason(matrix: Matrix, tmp_path: Path) -> None:
    """A row without a number says why in files for programs, too."""
    models: list[str | dict[str, object]] = ["constant", {"name": "broken", "model": "ending", "options": {"how": "user"}}]
    found = me.evaluate_all(models, "pope", data="demo", limit=4, plugins=[ENDING], progress=False)
    assert found.failures == {"broken": "the checkpoint is no checkpoint"}
    assert not found.complete
    assert found["constant"].complete
    with pytest.raises(KeyError, match="the checkpoint is no checkpoint"):
        _ = found["broken"]
    for kind in ("md", "latex", "html", "csv", "json"):
        text = found.report(format=kind)
        assert "the checkpoint is no checkpoint" in text, kind
        assert "broken" in text
    assert (tmp_path / "results/runs/models.md").read_text() == found.report()


def test_a_part_that_failed_stands_in_its_row(matrix: Matrix, tmp_path: Path) -> None:
    """One task fails in every model; what the others have stays."""
    from tests.plugin_files import task_file

    task = task_file(
        tmp_path / "quiz.py", score="    def score(self, sample, response):\n        raise LookupError('unscored')\n"
    )
    outcome = matrix("tasks = ['quiz', 'pope']\ndata = 'demo'\n[[model]]\nmodel = 'constant'", "--plugin", task)
    assert outcome.code == 3
    assert "quiz@demo: plugin quiz failed: LookupError: unscored" in outcome.out
    alone = me.evaluate("constant", "pope", data="demo", limit=12, output="one", progress=False)
    assert rows(outcome.out)["constant"] == [f"{alone['pope']['f1']:.2f}"]


def test_lists_are_a_matrix(matrix: Matrix) -> None:
    outcome = matrix(
        """
        tasks = "pope"
        data = "demo"
        [[model]]
        name = "Fixed"
        model = "constant"
        options.answer = ["Yes", "No"]
        [[model]]
        model = "random"
        options = { seed = [1, 2, 3] }
        """
    )
    assert outcome.code == 0
    expected = ["Fixed (answer=Yes)", "Fixed (answer=No)", "random (seed=1)", "random (seed=2)", "random (seed=3)"]
    assert list(rows(outcome.out))[1:] == expected
    seeds = sorted(read_json(folder / "manifest.json")["options"]["seed"] for folder in folders("random"))
    assert seeds == ["1", "2", "3"]
    for seed in (1, 2, 3):
        own = me.evaluate("random", "pope", data="demo", limit=12, output="one", progress=False, seed=seed)
        assert rows(outcome.out)[f"random (seed={seed})"] == [f"{own['pope']['f1']:.2f}"]


def test_the_page_shows_a_file_that_can_be_read() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (HERE.parent / "docs/matrix.md").read_text(), flags=re.DOTALL)
    Path("models.toml").write_text(text)
    found = read_models_file(Path("models.toml"))
    assert (found.tasks, found.data, found.floors) == (("pope", "mme"), "playground/data/eval", ("majority", "random"))
    assert [(each.model, each.name, each.controls) for each in found.models] == [
        ("mipha-tiny", "", ()),
        ("llava", "LLaVA-1.5-7B", ("blind", "shuffled-image")),
        ("hf-chat", "", ()),
    ]
    assert found.models[1].options == {"path": ["liuhaotian/llava-v1.5-7b"], "dtype": ["bfloat16"]}
    assert found.models[2].options == {"path": ["checkpoints/a", "checkpoints/b"]}


def test_a_damaged_run_is_its_own_failure(matrix: Matrix) -> None:
    """It stops neither the plan nor the others."""
    listed = ONE + "[[model]]\nmodel = 'random'"
    assert matrix(listed).code == 0
    (folder,) = folders("random")
    path = folder / "pope@demo/responses.jsonl"
    path.unlink()
    path.mkdir()
    plan = matrix(listed, "--plan", "--json").json["runs"]
    assert [bool(each["left_out"]) for each in plan] == [False, True]
    outcome = matrix(listed)
    assert outcome.code == 3
    assert "responses.jsonl" in outcome.out
    assert rows(outcome.out)["constant"] != ["–"]


def called(*models: ListedModel) -> list[str]:
    """What the runs of models are called."""
    shared = Shared(tasks=("pope",), data="demo")
    return [run.label for run in build_matrix(listed_models(models), shared, {}).runs]


def test_models_are_called_as_their_runs_will_be() -> None:
    yes, no = ({"model": "constant", "options": {"answer": answer}} for answer in ("Yes", "No"))
    checkpoints = {"model": "openai-api", "options": {"model": ["x/one", "x/two", "y/two"], "base_url": "http://h/v1"}}
    assert called("mipha-tiny", yes) == ["mipha-tiny", "constant"]
    assert called(yes, no) == ["constant (answer=Yes)", "constant (answer=No)"]
    assert called(checkpoints) == ["openai-api one", "openai-api x/two", "openai-api y/two"]
    assert called({**checkpoints, "name": "Mine"}, {**yes, "name": "Ours"}) == [
        "Mine one",
        "Mine x/two",
        "Mine y/two",
        "Ours",
    ]
    assert called({**yes, "name": "A"}, {**no, "name": "A"}) == ["A (answer=Yes)", "A (answer=No)"]


def test_a_folder_is_a_model_of_a_file(matrix: Matrix, cli: Cli) -> None:
    """The same run as by its name with a path, called by its checkpoint; what is no checkpoint is told with its place."""
    text_model(Path("out/checkpoint-5"))
    assert called("out/checkpoint-5", {"model": "out/checkpoint-5", "options": {"dtype": "float32"}}) == [
        "hf-text checkpoint-5 (dtype=auto)",
        "hf-text checkpoint-5 (dtype=float32)",
    ]
    listed = "tasks = ['pope']\ndata = 'demo'\n[[model]]\nmodel = 'out/checkpoint-5'\noptions.max_new_tokens = 1\n"
    plan = matrix(listed, "--plan", "--json")
    assert [each["name"] for each in plan.json["runs"]] == ["hf-text checkpoint-5"]
    other, missing = matrix(listed.replace("out/", "in/no/")), "in/no/checkpoint-5"
    told = f"error: models.toml:3: model 1 ({missing}): there is no model {missing}, and no such checkpoint folder"
    assert other.err.strip() == told
    twice = matrix(listed + "options.path = 'other'\n")
    assert "option path names another" in twice.err


ONE = "tasks = 'pope'\ndata = 'demo'\n[[model]]\nmodel = 'constant'\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tasks = = 1", ["models.toml", "line 1"]),
        ("", ["models.toml names no model", "[[model]]"]),
        ("models = 1", ["models.toml: unknown key 'models'", "did you mean model"]),
        ("[model]\nmodel = 'constant'", ["[[model]]"]),
        ("model = ['constant']", ["models.toml: model 1", "model, name, options, controls"]),
        ("tasks = 3\n[[model]]\nmodel = 'constant'", ["models.toml: tasks must be a list of names, not 3"]),
        ("data = ['demo']\n[[model]]\nmodel = 'constant'", ["models.toml: data must be a text"]),
        ("[[model]]\nmodel = 'constant'", ["no task was named", "--tasks"]),
        (
            f"{ONE}option = {{ answer = 'No' }}",
            ["models.toml:3: model 1 (constant): unknown key 'option'", "did you mean options"],
        ),
        (f"{ONE}[[model]]\nname = 'B'", ["models.toml:5: model 2 (B): key model is missing"]),
        (f"{ONE}name = ' '", ["models.toml:3: model 1: name must be a text"]),
        (f"{ONE}[[model]]\nname = 'B'\nmodel = 'mipa'", ["models.toml:5: model 2 (B): unknown model 'mipa'", "mipha"]),
        (f"{ONE}options.answr = 'No'", ["model 1 (constant)", "unknown option 'answr'", "answer"]),
        (f"{ONE}options = 'answer'", ["model 1 (constant): options must be key = value"]),
        (f"{ONE}options.answer = []", ["option answer: the list is empty"]),
        (f"{ONE}options.pope.x = 1", ["unknown option 'pope.x'"]),
        (f"{ONE}options.answer = 1979-05-27", ["option answer", "no value of an option"]),
        (f"{ONE}controls = ['blnd']", ["model 1 (constant): unknown control 'blnd'", "did you mean blind"]),
        (f"{ONE}controls = ['blind']", ["model 1 (constant)", "a control says nothing of it"]),
        (f"{ONE}controls = [1]", ["controls must be a list of names"]),
        (f"{ONE}[[model]]\nmodel = 'random'\noptions.seed = 'x'", ["model 2 (random)", "seed", "whole number"]),
        (f"{ONE}[[model]]\nmodel = 'mipha'", ["model 2 (mipha)", "path"]),
        (
            f"{ONE}[[model]]\nname = 'again'\nmodel = 'constant'",
            ["model 2 (again): the same model with the same options as models.toml:3"],
        ),
        (f"{ONE}options.answer = ['No', 'No']", ["the same model with the same options"]),
        (f"floors = ['constant']\n{ONE}", ["models.toml: floors: the same model"]),
        (f"floors = ['mipha-tiny']\n{ONE}", ["models.toml: floors: mipha-tiny is no floor"]),
        (f"floors = ['majorty']\n{ONE}", ["models.toml: floors: unknown model 'majorty'", "majority"]),
        (f"{ONE}name = 'X'\n[[model]]\nname = 'X'\nmodel = 'random'", ["two models are called X"]),
        (ONE.replace("pope", "pop"), ["unknown task 'pop'", "pope"]),
        (ONE.replace("demo", "nowhere"), ["nowhere: no such folder"]),
        (
            "tasks = 'pope'\n[[model]]\nmodel = 'mipha-tiny'\n[[model]]\nmodel = 'hf-chat'\noptions.path = 'x'",
            ["all models are asked the same", "--data"],
        ),
    ],
)
def test_bad_files(text: str, told: list[str], matrix: Matrix) -> None:
    """One line, before anything is read or written."""
    outcome = matrix(text)
    assert outcome.code == 2, outcome.err
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("error: ")
    for each in told:
        assert each in outcome.err
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--models", "nowhere.toml"], ["nowhere.toml"]),
        (["--models", "models.toml", "--model", "constant"], ["--model constant", "models.toml"]),
        (["--models", "models.toml", "--control", "blind"], ["--control", "controls = ['blind']"]),
        (["--models", "models.toml", "--blind"], ["controls = ['blind']"]),
        (["--models", "models.toml", "--workers", "0"], ["expected auto or a positive number"]),
        (["--models", "models.toml", "-a", "mme.x=1"], ["mme.x"]),
        (["--models", "models.toml", "--judge", "m", "--judge-base-url", "http://localhost:1/v1"], ["no judge grades this"]),
        (["-t", "pope", "--plan"], ["--models FILE"]),
        (["--models", "models.toml", "--workers", "auto"], ["how many at a time"]),
        ([], ["no task was named"]),
    ],
)
def test_flags_that_do_not_go_together(flags: list[str], told: list[str], cli: Cli) -> None:
    Path("models.toml").write_text(ONE)
    outcome = cli("run", *flags)
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    for each in told:
        assert each in outcome.err


def test_what_is_typed_wins(matrix: Matrix) -> None:
    """Over tasks, data and options of the file; floors have no options of models."""
    listed = "tasks = 'mme'\ndata = 'nowhere'\nfloors = ['majority']\n[[model]]\nmodel = 'slow'\n"
    listed += "options = { log = 'a', seconds = 9 }\n[[model]]\nmodel = 'constant'"
    outcome = matrix(listed, "--plugin", SLOW, "-t", "pope", "--data", "demo", "-a", "seconds=0.01")
    assert outcome.code == 0, outcome.err
    assert rows(outcome.out)["Method"] == ["pope@demo"]
    assert read_json(folders("slow")[0] / "manifest.json")["options"]["seconds"] == "0.01"


def test_only_the_tasks_that_were_asked_for_are_shown(matrix: Matrix) -> None:
    """A run that goes on may have others."""
    assert matrix(ONE, "-t", "pope,mme").code == 0
    assert rows(matrix(ONE).out)["Method"] == ["pope@demo"]


def test_a_process_a_model(matrix: Matrix) -> None:
    """The memory of one is given back before the next is loaded, and a model's controls are its own process's work."""
    here = psutil.Process().memory_info().rss
    listed = "tasks = 'mme'\ndata = 'demo'\n[[model]]\nmodel = 'heavy'\noptions = { log = 'log', answer = ['Yes', 'No'] }"
    outcome = matrix(listed + "\ncontrols = ['no-question']", "--plugin", ENDING)
    assert outcome.code == 0, outcome.err
    assert len(rows(outcome.out)) == 5
    first, second = read_jsonl(Path("log"))
    assert first["process"] != second["process"] != os.getpid()
    assert second["others"] == 0, "the first one's process is gone"
    for each in (first, second):
        assert each["after"] - each["before"] > WEIGHTS * 0.9
        assert each["before"] < first["before"] + WEIGHTS / 2
    assert psutil.Process().memory_info().rss < here + WEIGHTS / 2
    assert not psutil.Process().children(), "no process stays"


def test_several_at_a_time(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its part of the machine, and rows keep their order."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    listed = "tasks = 'mme'\ndata = 'demo'\n[[model]]\nmodel = 'heavy'\noptions = { log = 'log', answer = ['Yes', 'No'] }"
    outcome = matrix(listed, "--plugin", ENDING, "--workers", 2)
    assert outcome.code == 0, outcome.err
    assert list(rows(outcome.out))[1:] == ["heavy (answer=Yes)", "heavy (answer=No)"]
    assert {each["devices"] for each in read_jsonl(Path("log"))} == {"3", "5"}
    assert {each["threads"] for each in read_jsonl(Path("log"))} == {str(max(1, (os.cpu_count() or 1) // 2))}


def test_shares_of_the_machine() -> None:
    four = {"CUDA_VISIBLE_DEVICES": "0,1,2,3", "OMP_NUM_THREADS": "7"}
    shares = [environment(place, 2, four)["CUDA_VISIBLE_DEVICES"] for place in range(2)]
    assert sorted(",".join(shares).split(",")) == ["0", "1", "2", "3"]
    assert environment(0, 2, four)["OMP_NUM_THREADS"] == "7"
    assert environment(1, 2, {"CUDA_VISIBLE_DEVICES": "0"})["CUDA_VISIBLE_DEVICES"] == "0"
    assert environment(0, 1, four) == four


def test_progress_names_the_model_and_its_place(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "tasks = 'pope'\ndata = 'demo'\n[[model]]\nmodel = 'constant'\n[[model]]\nname = 'Slow one'\nmodel = 'slow'\n"
    listed += "options = { log = 'log', seconds = 5.2 }"
    outcome = matrix(listed, "--plugin", SLOW, "-b", 6)
    assert outcome.code == 0
    assert "2 runs: 24 questions to ask" in outcome.err
    assert "1/2 constant: begins" in outcome.err
    assert re.search(
        r"^2/2 Slow one: pope@demo \d+/12, (f1 [^,]*, )?[\d.]+/s, \d:\d\d left$", outcome.err, flags=re.MULTILINE
    )
    quiet = matrix(listed, "--plugin", SLOW, "-q", "--json")
    assert (quiet.code, quiet.err) == (0, "")


def test_a_run_says_what_was_typed(matrix: Matrix) -> None:
    assert matrix(ONE).code == 0
    (folder,) = folders()
    manifest = read_json(folder / "manifest.json")
    assert manifest["argv"] == ["run", "--models", "models.toml", "-L", "12"]
    assert "INFO mipha_eval.run: finished" in (folder / "log.txt").read_text()


def test_nothing_is_hidden_in_the_json(matrix: Matrix) -> None:
    outcome = matrix(f"{ONE}[[model]]\nmodel = 'ending'\noptions.how = 'user'", "--plugin", ENDING, "--json")
    assert outcome.code == 3
    good, bad = outcome.json["runs"]
    assert (good["name"], good["failed"], good["results"][0]["task"]) == ("constant", {}, "pope@demo")
    assert bad == {"name": "ending", "run": None, "results": [], "failed": {"": "the checkpoint is no checkpoint"}}
    assert outcome.json["tables"] == ["results/runs/models.md", "results/runs/models.tex"]


TWO_SLOW = """
tasks = ["pope", "mme"]
data = "demo"
[[model]]
name = "one"
model = "slow"
options = { log = "one", seconds = 0.1 }
[[model]]
name = "two"
model = "slow"
options = { log = "two", seconds = 0.1 }
controls = ["blind"]
"""


def until(found: Callable[[], Any]) -> None:
    for _ in range(600):
        if found():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def stored(log: str) -> set[str]:
    """Keys of what a model answered, as its own run keeps them; it is known by its log."""
    found = set()
    for folder in folders():
        manifest = read_json(folder / "manifest.json")
        if manifest["options"].get("log") == log and not manifest["blind"]:
            lines = [line for file in folder.glob("*/responses.jsonl") for line in file.read_text().split("\n")[:-1]]
            found |= {json.loads(line)["key"] for line in lines}
    return found


def asked(log: str) -> list[str]:
    """Keys of what a model was asked, in order."""
    return [line.split()[1] for line in Path(log).read_text().splitlines()] if Path(log).exists() else []


SLOWLY = ("--plugin", SLOW, "-b", 4, "-L", 60)


def test_ctrl_c_ends_all_cleanly(cli: Cli) -> None:
    """What is at work finishes its batch, nothing more begins, and the same command goes on."""
    Path("models.toml").write_text(TWO_SLOW)
    process = command(*SLOWLY, "--workers", 2)
    until(lambda: asked("one") and asked("two"))
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert "stopped; the same command goes on" in errors
    assert "MISSING" in out
    assert "two (blind): stopped before it began; the same command goes on" in errors
    before = {log: set(asked(log)) for log in ("one", "two")}
    assert before == {log: stored(log) for log in before}, "nothing that was answered is lost"
    assert cli("run", "--models", "models.toml", *SLOWLY).code == 0
    whole = asked("one")
    assert len(whole) == len(set(whole)) > len(before["one"]), "nothing is asked twice"
    found = rows(Path("results/runs/models.md").read_text())
    assert found["one"] == found["two"]
    assert set(found) >= {"two (blind)"}


def test_twice_stops_at_once() -> None:
    Path("models.toml").write_text(TWO_SLOW.replace("seconds = 0.1", "seconds = 30"))
    process = command(*SLOWLY)
    until(lambda: asked("one"))
    (worker,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert time.monotonic() - began < 20
    assert "stopped; the same command goes on from what is stored" in errors
    assert not worker.is_running()


def test_a_process_does_not_outlive_who_began_it(cli: Cli) -> None:
    """However that ends; and what was answered is stored."""
    Path("models.toml").write_text(TWO_SLOW)
    process = command(*SLOWLY)
    until(lambda: len(stored("one")) > 4)
    (worker,) = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    worker.wait(timeout=20)
    kept = asked("one")
    assert set(kept) == stored("one")
    assert len(kept) < 60, "it did not go on"
    assert cli("run", "--models", "models.toml", *SLOWLY).code == 0
    assert not set(asked("one")[len(kept) :]) & set(kept), "nothing is asked again"


def test_a_judge_keeps_within_one_budget(matrix: Matrix, serve: Serve) -> None:
    """However many runs there are."""
    server = serve(lambda prompt, before: Say("yes"))
    flags = ("--judge", "m", "--judge-base-url", server.url, "--judge-correctness", "--judge-budget", "7calls")
    listed = "tasks = 'textvqa'\ndata = 'demo'\n[[model]]\nmodel = 'constant'\noptions.answer = ['One', 'Two', 'Three']"
    told = matrix(listed, *flags, "--plan")
    assert told.code == 0
    assert "for each run's textvqa@demo" in told.out
    assert not server.requests
    outcome = matrix(listed, *flags)
    assert outcome.code == 3
    assert len(server.requests) == 6, "two calls for each of three runs"


def test_a_served_model_and_its_control(matrix: Matrix, serve: Serve) -> None:
    """One process asks the server anew for each run."""
    server = serve(lambda prompt, before: Say("Yes"))
    listed = "tasks = 'mme'\ndata = 'demo'\n[[model]]\nmodel = 'openai-api'\ncontrols = ['blind']\n"
    listed += f"options = {{ model = 'm', base_url = '{server.url}' }}"
    outcome = matrix(listed)
    assert outcome.code == 0, outcome.err
    assert list(rows(outcome.out))[1:] == ["openai-api m", "openai-api m (blind)"]
    sent = [row["messages"][-1]["content"][0]["image_url"]["url"] for row in server.requests]
    assert len(sent) >= 20
    assert len(set(sent[len(sent) // 2 :])) < len(set(sent[: len(sent) // 2])), "grey pictures are alike"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 seconds"), (80, "80 seconds"), (300, "5 minutes"), (9000, "2.5 hours"), (3e5, "3.5 days")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
