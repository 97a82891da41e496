"""Sizes are numbers from the record: what was printed of a number is never read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mipha_eval.page.runs import model_size
from mipha_eval.reporting.model_size import billions
from mipha_eval.store.manifest import Manifest, read_manifest
from tests.conftest import Cli
from tests.table_runs import write_run

TWO = ["yes", "no"]
SIZES = """
title = "By size"
columns = ["gqa"]
order = "size"
published = ["LLaVA-1.5-7B"]
[[groups]]
title = "tiny"
up_to = 0.001
[[groups]]
title = "up to 9 B"
up_to = 9
"""


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (8.56e-05, 8.56e-05),
        ("8.56e-05", 8.56e-05),
        ("1E-3", 0.001),
        (3, 3.0),
        ("3", 3.0),
        (" 440M ", 0.44),
        ("7b", 7.0),
        ("2.0 (activated)", 2.0),
        (True, None),
        (0, None),
        (-3, None),
        ("-3", None),
        (float("nan"), None),
        (float("inf"), None),
        ("1e400", None),
        ("9" * 400, None),
        ("3 apples", None),
        ("3x8", None),
        ("", None),
        (None, None),
        ([3], None),
    ],
)
def test_billions(written: object, size: float | None) -> None:
    assert billions(written) == size


@pytest.mark.parametrize("noted", [8.56e-05, "8.56e-05"])
def test_a_tiny_model_is_not_among_the_large(noted: object, cli: Cli, tmp_path: Path) -> None:
    """A run of before sizes were numbers has the text."""
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO}, about={"parameters": noted})
    (tmp_path / "sizes.toml").write_text(SIZES)
    groups = json.loads(cli("report", run, "--table", tmp_path / "sizes.toml", "--format", "json").out)["groups"]
    assert [group["title"] for group in groups] == ["tiny", "up to 9 B"]
    assert groups[0]["rows"][0]["parameters"] == 8.56e-05
    assert model_size(read_manifest(run / "manifest.json")) == 8.56e-05


def test_sizes_of_the_command_line(cli: Cli, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"gqa@testdev": TWO}, about={"parameters": "2.9"})
    (tmp_path / "sizes.toml").write_text(SIZES)
    report = ["report", run, "--table", tmp_path / "sizes.toml", "--format", "json", "--row"]
    assert json.loads(cli(*report, "1:parameters=8.56e-5").out)["groups"][0]["rows"][0]["parameters"] == 8.56e-05
    for wrong in ("3 apples", "-3", "0", "nan", "inf", "1e400"):
        outcome = cli(*report, f"1:parameters={wrong}")
        assert (outcome.code, "expected a number of billions" in outcome.err) == (2, True), wrong


@pytest.mark.parametrize(
    ("name", "size"), [("x-8.56e-05b", None), ("llava-1.5-13b", 13.0), ("tiny-85.6M", 0.0856), ("m-0.5B", 0.5)]
)
def test_sizes_in_names(name: str, size: float | None) -> None:
    assert model_size(Manifest(model=name, data="demo")) == size


def test_a_run_notes_a_number(cli: Cli, tmp_path: Path) -> None:
    run = cli("run", "--tasks", "mme", "--data", "demo", "-L", 4, "-o", tmp_path, "--device", "cpu", "--json").json["run"]
    manifest = read_manifest(Path(run) / "manifest.json")
    noted = manifest.about["parameters"]
    assert isinstance(noted, float)
    assert 0 < noted < 0.1, "the embedded model has a few million parameters"
    assert model_size(manifest) == noted
