"""Packages: whether what is needed is there, how it differs from the lock, and what extras would add."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING

from mipha_eval.authoring.doctor.installation import NAME, checkout
from mipha_eval.authoring.finding import Finding

if TYPE_CHECKING:
    from packaging.requirements import Requirement

#: what an extra is for; the one for work on mipha-eval itself is of no use elsewhere
GIVES: Mapping[str, str] = {
    "ocr": "the floor `ocr`, which answers with what is written in a picture",
    "cluster": "workers on several GPUs and machines (see docs/cluster.md)",
    "lora": "checkpoints that are LoRA adapters",
    "lmms": "the scorers of lmms-eval as further oracles of `certify`",
    "dev": "tests, lint and types of a checkout",
}
JAVA = "COCO's own tokenizer and METEOR for captions; without it there are tokenizer=treebank and no METEOR"

SHOWN = 6  # packages in a line
EXTRA = re.compile(r"""extra == ["']([^"']+)["']""")


def requirements() -> tuple[str, list[str]]:
    """Where it stands what is needed, and the requirements with their markers, those of extras among them."""
    folder = checkout()
    if folder is None:
        return "the package's own requirements", list(distribution(NAME).requires or ())
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: Mapping[str, Sequence[str]] = project.get("optional-dependencies", {})
    own = [_of_extra(each, extra) for extra, found in extras.items() for each in found]
    return "pyproject.toml", [*project["dependencies"], *own]


def _of_extra(text: str, extra: str) -> str:
    """A requirement of an extra, as an installed package words it."""
    asked, _, marker = text.partition(";")
    return f'{asked.strip()} ; {f"({marker.strip()}) and " if marker else ""}extra == "{extra}"'


def dependencies() -> Finding:
    """Whether all that is needed is there, and new enough."""
    from packaging.requirements import Requirement

    where, texts = requirements()
    asked = [each for text in texts if _applies(each := Requirement(text), "")]
    wrong = [fault for each in asked for fault in unmet(each)]
    if wrong:
        return Finding(
            "dependencies",
            "fault",
            f"by {where}: {'; '.join(wrong)}; install what is missing, and newer versions of the rest",
        )
    return Finding("dependencies", "ok", f"all {len(asked)} of {where} are there, and new enough")


def unmet(asked: Requirement) -> Iterator[str]:
    """What is wrong with a requirement, and with what its own extras bring."""
    from packaging.requirements import Requirement

    found = installed(asked.name)
    if found is None:
        yield f"{asked.name} is missing"
    elif not asked.specifier.contains(found, prereleases=True):
        yield f"{asked.name} is {found}, not {asked.specifier}"
    elif asked.extras:
        for text in distribution(asked.name).requires or ():
            each = Requirement(text)
            if any(_applies(each, extra) and not _applies(each, "") for extra in asked.extras):
                yield from unmet(each)


def installed(name: str) -> str | None:
    """The version of a package; None where it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def lock() -> Finding:
    """How what is installed differs from what was tested."""
    folder = checkout()
    file = folder / "requirements.lock" if folder else None
    if file is None or not file.is_file():
        return Finding("lock", "note", "an installed package has no lock with it; only its own requirements were looked at")
    same, other = compared(file)
    if not other:
        return Finding("lock", "ok", f"all {same} packages of requirements.lock that are installed are as locked")
    more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
    line = f"{same} packages as in requirements.lock, {len(other)} are not: {', '.join(other[:SHOWN])}{more}"
    return Finding("lock", "note", line)


def compared(file: Path) -> tuple[int, list[str]]:
    """How many of a lock's packages are as locked, and those that are not; those that are not installed do not count."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    same, other = 0, list[str]()
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        asked = Requirement(line)
        found = installed(asked.name) if _applies(asked, "") else None
        wanted = next(iter(asked.specifier)).version
        if found is None:
            continue
        if Version(found).public == Version(wanted).public:  # a build for a device is the same version
            same += 1
        else:
            other.append(f"{asked.name} {found} (locked {wanted})")
    return same, other


def extras() -> Iterator[Finding]:
    """What could be installed beside, and what it would give; a line each."""
    from packaging.requirements import Requirement

    _, texts = requirements()
    asked = [Requirement(text) for text in texts]
    named = dict.fromkeys(extra for each in asked if (extra := _extra(each)))
    for extra in named:
        wrong = [fault for each in asked if _extra(each) == extra and _applies(each, extra) for fault in unmet(each)]
        gives = GIVES.get(extra, "")
        if not wrong:
            yield Finding(f"extra {extra}", "ok", f"is there{f': {gives}' if gives else ''}")
        else:
            line = f"{'; '.join(wrong)}; `pip install 'mipha-eval[{extra}]'` would give {gives or 'it'}"
            yield Finding(f"extra {extra}", "note", line)


def java() -> Finding:
    found = shutil.which("java")
    if found is None:
        return Finding("java", "note", f"not there; it would give {JAVA}")
    return Finding("java", "ok", found)


def _extra(asked: Requirement) -> str:
    """The extra that a requirement is of; "" for none."""
    found = EXTRA.search(str(asked.marker or ""))
    return found[1] if found else ""


def _applies(asked: Requirement, extra: str) -> bool:
    return asked.marker is None or asked.marker.evaluate({"extra": extra})
