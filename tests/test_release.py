"""What a release needs is found lacking, each thing by itself; the files that name a version name the same one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mipha_eval import __version__
from tools.release import check_texts, check_tree, check_version, citation_fields, read_changelog

ROOT = Path(__file__).parents[1]
CHANGELOG = "# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- New.\n\n## 0.1.0 (2026-10-01)\n\n- First.\n"
CITATION = 'cff-version: 1.2.0\ntitle: "mipha-eval"\nversion: 0.2.0\ndate-released: "2026-12-01"\n'


def lacking(changelog: str = CHANGELOG, citation: str = CITATION, version: str = "0.2.0") -> str:
    return "\n".join(point.lacking for point in check_texts(version, changelog, citation) if point.lacking)


def test_what_is_complete_lacks_nothing() -> None:
    assert lacking() == ""
    assert check_version("0.2.0", ["v0.1.0", "v0.1.9", "notes"]).lacking == ""
    assert check_tree([]).lacking == ""


@pytest.mark.parametrize(
    ("changelog", "citation", "words"),
    [
        (CHANGELOG.replace(" (2026-12-01)", ""), CITATION, ["begin a section `## 0.2.0", "date-released"]),
        (CHANGELOG.replace("0.2.0", "0.3.0"), CITATION, ["begin a section `## 0.2.0"]),
        (CHANGELOG.replace("- New.", ""), CITATION, ["begin a section `## 0.2.0"]),
        (CHANGELOG.replace("## 0.2.0", "## Unreleased\n\n- Newer.\n- Newest.\n\n## 0.2.0"), CITATION, ["2 lines are still"]),
        (CHANGELOG, CITATION.replace("version: 0.2.0", "version: 0.1.0"), ["version is 0.1.0, not 0.2.0"]),
        (CHANGELOG, CITATION.replace("12-01", "11-30"), ["date-released: 2026-12-01"]),
        (CHANGELOG, "cff-version: 1.2.0\n", ["version is none", "date-released: 2026-12-01"]),
    ],
)
def test_each_lack_is_told(changelog: str, citation: str, words: list[str]) -> None:
    told = lacking(changelog, citation)
    for word in words:
        assert word in told


@pytest.mark.parametrize(
    ("version", "tags"), [("0.2.0", ["v0.2.0"]), ("0.9.0", ["v0.10.0"]), ("0.2.0rc1", []), ("0.2.0+own", []), ("new", [])]
)
def test_a_version_that_cannot_be_released(version: str, tags: list[str]) -> None:
    assert "mipha_eval/__init__.py" in check_version(version, tags).lacking


def test_uncommitted_files_are_counted() -> None:
    assert "2 files" in check_tree([" M a", "?? b"]).lacking


def test_the_citation_is_of_this_version() -> None:
    fields = citation_fields((ROOT / "CITATION.cff").read_text())
    assert fields["version"] == __version__
    assert fields["cff-version"] == "1.2.0"
    assert fields["license"] == "Apache-2.0"
    dates = {section.version: section.date for section in read_changelog((ROOT / "CHANGELOG.md").read_text())}
    assert fields.get("date-released", "") == dates.get(__version__, "")


def test_the_image_has_java_the_lock_and_no_run_of_ours() -> None:
    """Every file that is copied by name is there, and the context holds neither runs nor environments."""
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"apt-get install [^&]*default-jre-headless", text)
    assert text.count("PIP_CONSTRAINT=") == 2
    named = re.findall(r"^COPY (?!--|\. )(\S+) ", text, flags=re.MULTILINE)
    assert named
    assert all((ROOT / name).is_file() for name in named)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv*", "results/runs"} <= set(ignored)
    assert not any(line.startswith("results/published") for line in ignored)
