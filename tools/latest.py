"""Says what the newest versions of everything break: `make latest`, which makes an environment of them and runs this in it.

Lint, types and tests are all run, whatever fails before; arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.lock import read_lock

CHECKS = (("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",))
#: in every environment, and in no lock
ALWAYS = frozenset({"mipha-eval", "pip", "setuptools"})


class Broken:
    """A pytest plugin that notes which tests fail, and which files cannot be read."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and report.nodeid not in self.names:
            self.names.append(report.nodeid)


def installed() -> dict[str, Version]:
    """What this environment has, by canonical name."""
    return {canonicalize_name(each.metadata["Name"]): Version(each.version) for each in distributions()}


def differences(locked: Mapping[str, Version], here: Mapping[str, Version]) -> list[str]:
    """A line for each package with another version than the lock's, and for each that the lock does not have.

    Local tags (``+cpu``) tell builds apart, not versions.
    """
    return [
        f"{name} {locked.get(name, 'not locked')} -> {version}"
        for name, version in sorted(here.items())
        if name not in ALWAYS and (name not in locked or locked[name].public != version.public)
    ]


def run_checks() -> list[str]:
    """Lint and types; the commands that fail."""
    programs = Path(sys.executable).parent
    return [
        " ".join(check)
        for check in CHECKS
        if subprocess.run([programs / check[0], *check[1:]], check=False).returncode  # noqa: S603
    ]


def run_tests(arguments: Iterable[str]) -> list[str]:
    """The names of tests that fail, or what else went wrong."""
    broken = Broken()
    code = pytest.main([*arguments], plugins=[broken])
    return broken.names or ([] if code == pytest.ExitCode.OK else [f"pytest ended with {pytest.ExitCode(code).name}"])


def main() -> None:
    """Exit code 1 if anything broke."""
    broken = [*run_checks(), *run_tests(sys.argv[1:])]
    changed = differences(read_lock(), installed())
    print(f"\n{len(changed)} packages are not as in requirements.lock{':' if changed else ''}")
    print("".join(f"  {line}\n" for line in changed))
    print(f"{len(broken)} things broke:" if broken else "nothing broke")
    print("".join(f"  {line}\n" for line in broken), end="")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
