"""Says what a release needs: `python -m tools.release`. Nothing is changed; exit code 1 while something is lacking.

What files and git tell is looked at; what has to be run is listed last.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from mipha_eval import __version__
from mipha_eval.core.plugins.registry import Registry

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"^## (?P<version>\S+?)(?:,? \(?(?:– |- )?(?P<date>\d{4}-\d\d-\d\d)\)?)?$")
STILL_TO_RUN = (
    ".ci/run                                # tests, the demo, and the wheel in an environment of its own",
    "docker build -t mipha-eval . && docker run --rm mipha-eval run --tasks all",
    "python -m build                        # the files that are uploaded",
)


@dataclass(frozen=True)
class Point:
    """One thing that a release needs.

    Attributes:
        lacking: what to do about it; empty if it is as it should be.
    """

    what: str
    lacking: str = ""


@dataclass(frozen=True)
class Section:
    """A version's part of the changelog; `date` is empty where none is given."""

    version: str
    date: str
    lines: tuple[str, ...]


def read_changelog(text: str) -> list[Section]:
    """The sections, newest first as they stand there."""
    found: list[Section] = []
    for line in text.splitlines():
        heading = SECTION.match(line)
        if heading:
            found.append(Section(heading["version"], heading["date"] or "", ()))
        elif found and line.strip():
            found[-1] = Section(found[-1].version, found[-1].date, (*found[-1].lines, line))
    return found


def citation_fields(text: str) -> dict[str, str]:
    """The fields of CITATION.cff that have one line at its outermost level."""
    pairs = (line.partition(": ") for line in text.splitlines() if re.match(r"[a-z-]+: ", line))
    return {name: value.strip().strip("\"'") for name, _, value in pairs}


def check_texts(version: str, changelog: str, citation: str) -> Iterator[Point]:
    """What the version, the changelog and the citation say of each other."""
    sections = read_changelog(changelog)
    own = next((section for section in sections if section.version == version), None)
    left = next((section for section in sections if section.version == "Unreleased" and section.lines), None)
    dated = own is not None and bool(own.date) and bool(own.lines)
    yield Point("changelog", "" if dated else f"CHANGELOG.md: begin a section `## {version} (YYYY-MM-DD)` with what changed")
    waiting = f"CHANGELOG.md: {len(left.lines) if left else 0} lines are still under Unreleased"
    yield Point("nothing unreleased", waiting if left else "")
    fields = citation_fields(citation)
    cited = fields.get("version", "none")
    yield Point("cited version", "" if cited == version else f"CITATION.cff: version is {cited}, not {version}")
    date, wanted = fields.get("date-released", ""), own.date if own else ""
    same = bool(date) and date == wanted
    yield Point("cited date", "" if same else f"CITATION.cff: date-released: {wanted or 'the day of the release'}")


def check_version(version: str, tags: list[str]) -> Point:
    """That it is new: above every tag."""
    before = [found for tag in tags if (found := _version(tag.removeprefix("v"))) is not None]
    newest, own = max(before, default=None), _version(version)
    if own is None or own.is_prerelease or own.local is not None:
        return Point("version", f"mipha_eval/__init__.py: {version} is no version of a release")
    taken = newest is not None and own <= newest
    return Point("version", f"mipha_eval/__init__.py: {version} is not above {newest}, which is released" if taken else "")


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def check_tree(changed: list[str]) -> Point:
    """That the release is what is committed."""
    return Point("work tree", f"git: {len(changed)} files are changed and not committed" if changed else "")


def check_certificates() -> Iterator[Point]:
    """That every scorer has a certificate of its present code."""
    registry = Registry()
    for name in sorted(registry.names("tasks")):
        lacking = "" if is_certified(name, registry) else f"make certify: the certificate of {name} is not current"
        yield Point(f"certificate of {name}", lacking)


def is_certified(name: str, registry: Registry) -> bool:
    """Whether a task has a certificate of its present code."""
    from mipha_eval.core.judged_task import JudgedTask
    from mipha_eval.core.metrics import Totals
    from mipha_eval.core.options import option_fields
    from mipha_eval.core.plugins.selection import build_task
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.scoring.certificate import read_certificate
    from mipha_eval.scoring.certify import SETTINGS

    owner, _ = registry.load("tasks", name)
    settings = {f"{name.replace('-', '_')}.{key}": value for key, value in SETTINGS.items() if key in option_fields(owner)}
    task = build_task(name, settings, parse_source("demo", {}), registry)
    made_by = f"[{task.stand_in}]" if isinstance(task, JudgedTask) and task.stand_in else ""
    return read_certificate(task, f"{task.metrics_for(Totals({}))[0].name}{made_by}") is not None


def git(*arguments: str) -> list[str]:
    """The lines that git answers; none where there is no repository."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.splitlines()


def points() -> Iterator[Point]:
    """Everything that can be seen without running anything long."""
    yield check_version(__version__, git("tag"))
    changelog, citation = (ROOT / name for name in ("CHANGELOG.md", "CITATION.cff"))
    yield from check_texts(__version__, changelog.read_text(encoding="utf-8"), citation.read_text(encoding="utf-8"))
    yield from check_certificates()
    yield check_tree(git("status", "--porcelain"))


def main() -> None:
    """A line for each point, then what is still to be run, and at last the tag."""
    found = list(points())
    print(f"Release {__version__}")
    print("".join(f"  {'LACKING ' if point.lacking else 'good    '} {point.lacking or point.what}\n" for point in found))
    print("To be run, and to be seen to end well:")
    print("".join(f"  {line}\n" for line in STILL_TO_RUN))
    lacking = [point for point in found if point.lacking]
    print(f"{len(lacking)} things are lacking" if lacking else f"then: git tag v{__version__} && git push --tags")
    sys.exit(bool(lacking))


if __name__ == "__main__":
    main()
