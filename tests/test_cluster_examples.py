"""The page about clusters and its examples: what can be run here is run, the rest is held against what it is written for."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from packaging.version import Version
from typer.main import get_command

from mipha_eval.cli import worker_flags
from mipha_eval.cli.app import app
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.core.options import parse_pairs
from mipha_eval.core.plugins.references import split_names
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model
from tests.guide import ROOT, blocks_of, environment_in, follow
from tools.lock import read_lock

PAGE = ROOT / "docs/cluster.md"
EXAMPLES = ROOT / "examples/cluster"
SLURM = EXAMPLES / "slurm.sbatch"

#: prints how it was called
CALLED = "import json, sys; print(json.dumps(sys.argv[1:]))"
#: what Slurm says to a job of 4 nodes of 8 GPUs
JOB = {"SLURM_NNODES": "4", "SLURM_CPUS_PER_TASK": "64", "SLURM_GPUS_ON_NODE": "8", "SLURM_JOB_ID": "1"}
#: of the manual pages of sbatch and srun
SBATCH = {"job-name", "nodes", "ntasks-per-node", "gpus-per-node", "cpus-per-task", "exclusive", "time", "requeue"}
SBATCH |= {"no-kill", "open-mode", "output"}
SRUN = {"--ntasks-per-node", "--no-kill", "--kill-on-bad-exit"}


def parsed(words: Sequence[str]) -> dict[str, Any]:
    """What the program makes of a command line; fails the test for one that it does not take."""
    program, verb, *arguments = words
    assert program == "mipha-eval"
    group: Any = get_command(app)
    command = group.get_command(click.Context(group), verb)
    assert command is not None, verb
    found: dict[str, Any] = command.make_context(verb, [*arguments]).params
    known = Registry()
    named = split_names(found.get("tasks") or ())
    assert {name.partition("@")[0] for name in named} <= {*known.names("tasks"), "all"}, named
    return found


def asked_of_workers(found: dict[str, Any]) -> WorkerSettings | None:
    names = ("workers", "cluster", "gpus_per_worker", "worker_timeout", "threads")
    return worker_flags.settings(*[found[name] for name in names])


def named_options(words: Sequence[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("--")]


def ray_options(verb: str) -> set[str]:
    """The options that Ray's own help names."""
    pytest.importorskip("ray")
    done = subprocess.run(
        [sys.executable, "-m", "ray.scripts.scripts", verb, "--help"], capture_output=True, text=True, check=True
    )
    return set(re.findall(r"^\s+(?:-\w, )?(--[\w-]+)", done.stdout, flags=re.MULTILINE))


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    """With real workers, in an empty folder."""
    pytest.importorskip("ray")
    place = tmp_path / "page"
    place.mkdir()
    follow(PAGE, place, {**environment_in(tmp_path), "RAY_ADDRESS": ""})


def test_commands_of_the_page_that_are_not_run() -> None:
    """The program takes each of them."""
    lines = [
        line
        for block in blocks_of(PAGE)
        if block.language == "bash"
        for line in block.text.replace("\\\n", " ").splitlines()
        if "mipha-eval run" in line
    ]
    commands = [shlex.split(line[line.index("mipha-eval run") :], comments=True) for line in lines]
    assert len(commands) >= 8
    for words in commands:
        asked_of_workers(parsed(words))


@pytest.mark.skipif(os.name == "nt", reason="a script of bash")
def test_one_machine(tmp_path: Path) -> None:
    """The script runs, and workers answer."""
    pytest.importorskip("ray")
    environment = {**environment_in(tmp_path), "WORKERS": "2", "TASKS": "pope", "OUTPUT": str(tmp_path / "runs")}
    environment.pop("RAY_ADDRESS", None)
    command = ["bash", str(EXAMPLES / "one-machine.sh"), "--limit", "60", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(result["task"], result["n"]) for result in found["results"]] == [("pope@demo", 60)]
    run = Path(found["run"])
    workers = {worker["index"] for worker in json.loads((run / "manifest.json").read_text())["workers"]}
    lines = (run / "pope@demo/responses.jsonl").read_text().splitlines()
    assert len(lines) == 60
    assert {json.loads(line)["worker"] for line in lines} <= workers, "no answer is of the script's own process"


@pytest.fixture
def step(tmp_path: Path) -> list[str]:
    """What the Slurm job starts on each node: the script is run, with programs in Slurm's place."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "srun").write_text(f"#!{sys.executable}\n{CALLED}\n")
    (programs / "hostname").write_text('#!/bin/sh\n[ "$1" = --all-ip-addresses ] && echo "10.0.0.7 fd00::7 "\n')
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = {**JOB, "PATH": path, "VENV": str(tmp_path), "HOME": str(tmp_path)}
    (programs / "activate").touch()
    done = subprocess.run(["bash", str(SLURM)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    words: list[str] = json.loads(done.stdout)
    return words


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@needs_bash
@pytest.mark.parametrize("script", sorted({*EXAMPLES.glob("*.sh"), SLURM}), ids=lambda script: script.name)
def test_scripts_are_bash(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_what_the_job_asks_of_slurm() -> None:
    asked = re.findall(r"^#SBATCH --([\w-]+)(?:=\S+)?$", SLURM.read_text(), flags=re.MULTILINE)
    assert asked
    assert set(asked) <= SBATCH
    assert SLURM.read_text().count("#SBATCH") == len(asked), "one option a line"
    first = re.search(r"^[^#\n]", SLURM.read_text(), flags=re.MULTILINE)
    assert first is not None
    assert "#SBATCH" not in SLURM.read_text()[first.start() :], "Slurm reads options before the first command alone"


@needs_bash
def test_what_the_job_starts_by_slurm(step: list[str]) -> None:
    assert set(named_options(step[: step.index("ray")])) <= SRUN
    assert "--ntasks-per-node=1" in step


@needs_bash
def test_what_the_job_asks_of_ray(step: list[str]) -> None:
    """Ray has these arguments, and they say what Slurm said."""
    verb, *words = step[step.index("ray") + 1 : step.index("--")]
    assert verb == "symmetric-run"
    own, start = ray_options(verb), ray_options("start")
    assert {"--address", "--min-nodes"} <= own
    not_taken = {"--head", "--node-ip-address", "--port", "--block"}
    assert set(named_options(words)) <= own | (start - not_taken)
    values = dict(itertools.pairwise(words))
    assert values["--address"] == "10.0.0.7:6379"
    assert [values[name] for name in ("--min-nodes", "--num-cpus", "--num-gpus")] == ["4", "64", "8"]


@needs_bash
def test_what_the_job_asks_of_this_program(step: list[str]) -> None:
    found = parsed(step[step.index("--") + 1 :])
    assert asked_of_workers(found) == WorkerSettings(None, "10.0.0.7:6379", None, threads=4)
    assert build_model(found["model"], parse_pairs(found["options"]), Registry()).name == "llava"


def job() -> Any:
    yaml: Any = pytest.importorskip("yaml")
    return yaml.safe_load((EXAMPLES / "kuberay-job.yaml").read_text())


def test_the_job_of_kubernetes_asks_this_program() -> None:
    found = parsed(shlex.split(job()["spec"]["entrypoint"]))
    assert asked_of_workers(found) == WorkerSettings(None, "auto", None, threads=4)
    assert build_model(found["model"], parse_pairs(found["options"]), Registry()).name == "llava"
    shared = [found["data"], str(found["output"]), *parse_pairs(found["options"]).values()]
    assert all(place.startswith("/shared/") for place in shared), "what head and workers both see"


def test_the_job_of_kubernetes_has_what_kuberay_wants() -> None:
    found = job()
    assert (found["apiVersion"], found["kind"]) == ("ray.io/v1", "RayJob")
    cluster = found["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    assert len(groups) > 1
    pods = [group["template"]["spec"] for group in groups]
    assert all("rayStartParams" in group for group in groups)
    assert len({container["image"] for pod in pods for container in pod["containers"]}) == 1, "one version of everything"
    for pod in pods:
        mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        assert any(mount["mountPath"] == "/shared" for mount in pod["containers"][0]["volumeMounts"])
    for group, pod in zip(groups[1:], pods[1:], strict=True):
        assert re.fullmatch(r"[a-z0-9-]+", group["groupName"])
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        resources = pod["containers"][0]["resources"]
        assert resources["limits"]["nvidia.com/gpu"] == resources["requests"]["nvidia.com/gpu"] > 0


def test_the_versions_of_ray_are_the_locked_one() -> None:
    """In the job, and in the image that the page tells of; a token is what KubeRay has from Ray 2.52 on."""
    locked = read_lock(ROOT / "requirements.lock")["ray"]
    cluster = job()["spec"]["rayClusterSpec"]
    images = re.findall(r"rayproject/ray:([\d.]+)-", PAGE.read_text())
    assert {cluster["rayVersion"], *images} == {str(locked)}
    assert cluster["authOptions"] == {"mode": "token"}
    assert locked >= Version("2.52")
