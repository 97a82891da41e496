"""The lock is complete and fits pyproject.toml, on every machine and Python that it is for."""

from __future__ import annotations

import functools
import itertools
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from bench import lmms
from tools.latest import differences
from tools.lock import read_lock

ROOT = Path(__file__).parents[1]
LOCK, BENCH = ROOT / "requirements.lock", ROOT / "bench" / "lmms.lock"
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
#: installed without what they require
ALONE = {each["name"] for each in PROJECT["tool"]["uv"]["dependency-metadata"]}
MACHINES = [
    {
        "sys_platform": system,
        "platform_system": name,
        "platform_machine": chip,
        "os_name": "nt" if name == "Windows" else "posix",
    }
    | {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.1"}
    for (system, name, chip), minor in itertools.product(
        [
            ("linux", "Linux", "x86_64"),
            ("linux", "Linux", "aarch64"),
            ("darwin", "Darwin", "arm64"),
            ("win32", "Windows", "AMD64"),
        ],
        range(11, 15),
    )
]


def wanted() -> Iterator[Requirement]:
    """All that pyproject.toml asks for, and what building takes; the extra of the peer is a lock of its own."""
    groups = PROJECT["dependency-groups"]
    lists = [PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]["dev"], *groups.values()]
    yield from map(Requirement, itertools.chain(PROJECT["build-system"]["requires"], *lists))


def applies(requirement: Requirement, machine: Mapping[str, str], extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**machine, "extra": extra}) for extra in {"", *extras})


@functools.cache
def requirements(name: str, version: Version) -> Sequence[Requirement]:
    """What a package asks for, if this version of it is installed here, as whichever build."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return ()
    return tuple(map(Requirement, found.requires or ())) if Version(found.version).public == version.public else ()


def unmet(start: Iterable[Requirement], locked: Mapping[str, Version], machine: Mapping[str, str]) -> set[str]:
    """What the lock does not meet: of what is asked for, and of what all asks for that is installed here as locked."""
    missing = set()
    seen: dict[str, frozenset[str]] = {}
    todo = [(each, "pyproject.toml") for each in start]
    while todo:
        asked, by = todo.pop()
        name = canonicalize_name(asked.name)
        if name not in locked or not asked.specifier.contains(locked[name], prereleases=True):
            missing.add(f"{by}: {asked}")
            continue
        extras = seen.get(name, frozenset()) | asked.extras
        if seen.get(name) != extras and name not in ALONE:
            seen[name] = extras
            todo += [(each, name) for each in requirements(name, locked[name]) if applies(each, machine, extras)]
    return missing


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: "-".join(map(str, list(machine.values())[::2])))
def test_the_lock_has_all_that_is_asked_for(machine: Mapping[str, str]) -> None:
    locked = read_lock(LOCK, machine)
    asked = [each for each in wanted() if applies(each, machine, ())]
    assert unmet(asked, locked, machine) == set(), "run `make lock`"


def test_a_gap_in_the_lock_is_found() -> None:
    locked = read_lock(LOCK)
    start = [Requirement("filelock>=3.12"), Requirement("openai[aiohttp]>=3.50")]
    assert unmet(start, locked, {}) == set()
    assert unmet(start, {**locked, "filelock": Version("3.1")}, {}) == {"pyproject.toml: filelock>=3.12"}
    if Version(distribution("openai").version) == locked["openai"]:
        rest = {name: version for name, version in locked.items() if name != "aiohttp"}
        assert any(gap.startswith("openai: ") for gap in unmet(start, rest, {})), "what an extra brings counts"


@pytest.mark.parametrize("path", [LOCK, BENCH], ids=lambda path: path.name)
def test_a_lock_is_for_any_machine(path: Path) -> None:
    """No host, folder, index or build: each machine takes its own torch."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [\w.'<>=!() ]+)?", line) for line in lines)
    for machine in MACHINES:
        assert "torch" in read_lock(path, machine)


def test_the_peer_runs_with_the_versions_of_this_project() -> None:
    """But for filelock, whose 4.3 has no longer what lmms-eval changes in it."""
    asked = [Requirement(line) for line in (ROOT / "bench/lmms.in").read_text().splitlines() if not line.startswith("#")]
    assert asked[-1].name == "lmms-eval", "the last is installed without what it requires"
    for machine in MACHINES:
        ours, theirs = read_lock(LOCK, machine), read_lock(BENCH, machine)
        assert unmet(asked, theirs, machine) == set()
        assert {name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]} == {"filelock"}


def test_the_peers_environment_is_made_by_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and anew when the lock has changed."""
    commands: list[Sequence[str]] = []

    def run(*command: str) -> None:
        commands.append(command)
        (tmp_path / "environment").mkdir(exist_ok=True)

    monkeypatch.setattr(lmms, "run", run)
    lmms.environment(tmp_path / "environment")
    _, everything, itself = commands
    assert {"torch", "filelock<4.3"} < set(everything)
    assert itself[-2:] == ("--no-deps", "lmms-eval==0.7.3")
    assert all(command[command.index("-c") + 1] == str(BENCH) for command in (everything, itself))
    lmms.environment(tmp_path / "environment")
    assert len(commands) == 3
    changed = tmp_path / "lmms.lock"
    changed.write_text("torch==2.14.0\n")
    monkeypatch.setattr(lmms, "LOCK", changed)
    lmms.environment(tmp_path / "environment")
    assert len(commands) == 6


def test_what_is_newer_than_the_lock_is_told() -> None:
    locked = {"torch": Version("2.13.0"), "numpy": Version("2.4.6"), "rich": Version("15.0.0")}
    here = {"torch": Version("2.13.0+cpu"), "numpy": Version("2.5"), "pip": Version("30"), "new": Version("1")}
    assert differences(locked, here) == ["new not locked -> 1", "numpy 2.4.6 -> 2.5"]


def test_what_broke_is_told(tmp_path: Path) -> None:
    """Tests that fail, files that cannot be read, and that there was nothing to run."""
    (tmp_path / "test_some.py").write_text("def test_right(): pass\ndef test_wrong(): assert 0\n")
    (tmp_path / "test_unreadable.py").write_text("import nothing_of_that_name\n")
    code = "import sys; from tools.latest import run_tests; print(run_tests(sys.argv[1:]), file=sys.stderr)"

    def told(*names: str) -> str:
        command = [
            sys.executable,
            "-c",
            code,
            "-q",
            "-c",
            os.devnull,
            f"--rootdir={tmp_path}",
            "--continue-on-collection-errors",
        ]
        done = subprocess.run([*command, *names], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stderr.splitlines()[-1]

    assert told(str(tmp_path)) == "['test_unreadable.py', 'test_some.py::test_wrong']"
    assert told(f"{tmp_path}/test_some.py::test_right") == "[]"
    assert told(f"{tmp_path}/test_some.py", "-k", "nothing") == "['pytest ended with NO_TESTS_COLLECTED']"
