"""A bundled task under another prompt, split or reading: what it scores never stands under the official name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mipha_eval import UserError, evaluate
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task_label import TaskLabel, varied_name
from mipha_eval.data.parse_source import parse_source
from mipha_eval.tasks.pope import Pope
from tests.conftest import Cli

POLITELY = '''"""POPE, asked politely."""
from dataclasses import replace

from mipha_eval.tasks.pope import Pope


class Politely(Pope):
    def request(self, sample):
        return replace(super().request(sample), text=f"Please tell me: {sample.prompt}")
'''
SAYS_NO = '''"""POPE read otherwise, and a third of it."""
import dataclasses
from itertools import islice

from mipha_eval.core.reading import Reading
from mipha_eval.tasks.pope import Pope


class SaysNo(Pope):
    def samples(self):
        return islice(super().samples(), 0, None, 3)

    def score(self, sample, response):
        return super().score(sample, dataclasses.replace(response, text="no"))
'''


@pytest.fixture
def politely(tmp_path: Path) -> Path:
    (tmp_path / "politely.py").write_text(POLITELY, encoding="utf-8")
    return tmp_path / "politely.py"


def test_another_prompt_is_another_protocol(cli: Cli, politely: Path, tmp_path: Path) -> None:
    """Asked beside the official one: two labels, two columns, another prompt, no certificate and no published scores."""
    flags = ["--plugin", politely, "-o", tmp_path / "r"]
    run = cli("run", "--tasks", "pope,pope+politely", "--limit", 40, "--json", *flags).json
    assert [result["task"] for result in run["results"]] == ["pope@demo", "pope@demo+politely"]
    assert run["results"][1].get("certificate", "") == ""
    samples = [(Path(run["run"]) / label / "responses.jsonl").read_text() for label in ("pope@demo", "pope@demo+politely")]
    assert samples[0] != samples[1]
    again = cli("score", run["run"], "--plugin", politely, "--json").json
    assert [(result["task"], result["metrics"]) for result in again] == [
        (result["task"], result["metrics"]) for result in run["results"]
    ]
    table = cli("report", run["run"], "--plugin", politely).out
    assert "| Method | pope@demo | pope@demo+politely |" in table
    # a paper's column is the benchmark's, and takes no variation's number
    only = cli("run", "--tasks", "pope@demo+politely", "--limit", 40, "--fresh", "--json", *flags).json
    paper = cli("report", only["run"], "--table", "mipha-paper", "--plugin", politely).out
    (row,) = [line for line in paper.splitlines() if line.startswith("| mipha-tiny")]
    assert row.split("|")[10].strip() == "–", row


def test_another_reading_and_split(cli: Cli, tmp_path: Path) -> None:
    plugin = tmp_path / "says_no.py"
    plugin.write_text(SAYS_NO, encoding="utf-8")
    (result,) = cli(
        "run",
        "--tasks",
        "pope@demo+says-no",
        "--plugin",
        plugin,
        "-m",
        "constant",
        "--data",
        "demo",
        "-o",
        tmp_path / "r",
        "--json",
    ).json["results"]
    samples = list(build_task("pope", {}, parse_source("demo", {}), Registry()).samples())[::3]
    no = sum(sample.target == ("no",) for sample in samples)
    assert (result["task"], result["n"]) == ("pope@demo+says-no", len(samples))
    by_category: dict[str, list[bool]] = {}
    for sample in samples:
        by_category.setdefault(sample.category, []).append(sample.target == ("no",))
    accuracy = sum(100 * sum(each) / len(each) for each in by_category.values()) / len(by_category)
    assert result["metrics"]["accuracy"] == pytest.approx(accuracy)
    assert 0 < no < len(samples)


def test_compare_never_mixes_them(cli: Cli, politely: Path, tmp_path: Path) -> None:
    flags = ["--plugin", politely, "--data", "demo", "--limit", 30, "-m", "constant", "--json"]
    runs = [
        cli("run", "--tasks", name, "-o", tmp_path / str(number), "-a", f"answer={answer}", *flags).json["run"]
        for number, (name, answer) in enumerate([("pope", "Yes"), ("pope+politely", "No")])
    ]
    found = cli("compare", *runs, "--plugin", politely)
    assert found.code == 2
    assert "pope@demo+politely, another protocol" in found.err


def test_names_of_variations(cli: Cli, politely: Path, tmp_path: Path) -> None:
    """Found by any order of the parts; listed beside the task; a class that takes a bundled name is refused as before."""
    registry, source = Registry([politely]), parse_source("demo", {})
    for text in ("pope+politely", "pope@demo+politely", "pope+politely@demo"):
        assert build_task(text, {}, source, registry).label == "pope@demo+politely"
    assert build_task("pope@demo-official+politely", {}, source, registry).label == "pope@demo-official+politely"
    assert "pope+politely" in cli("list", "tasks", "--plugin", politely).out
    with pytest.raises(UserError, match="unknown protocol"):
        build_task("pope+politely@demo+other", {}, source, registry)
    assert "has no oracle" in cli("certify", "pope@demo+politely", "--plugin", politely, "-o", tmp_path).err
    unknown = cli("run", "--tasks", "pope+politly", "--plugin", politely)
    assert unknown.code == 2
    assert "did you mean pope+politely" in unknown.err
    taken = tmp_path / "taken.py"
    taken.write_text(POLITELY.replace("def request", 'name = "pope"\n\n    def request'), encoding="utf-8")
    refused = cli("run", "--tasks", "pope", "--plugin", taken)
    assert refused.code == 2
    assert "calls a task pope" in refused.err


@pytest.mark.parametrize(
    ("owner", "name"),
    [("Politely", "politely"), ("InGerman", "in-german"), ("POPEInGerman", "pope-in-german"), ("V2_short", "v2-short")],
)
def test_a_variation_is_called_by_its_class(owner: str, name: str) -> None:
    assert varied_name(owner) == name
    assert TaskLabel.of(f"pope@llava+{name}") == TaskLabel("pope", "llava", name)


def test_a_task_of_its_own_is_no_variation() -> None:
    named = type("Named", (Pope,), {"name": "my-pope"})
    assert (named.variation, Pope.variation) == ("", "")  # type: ignore[attr-defined]
    assert type("Deeper", (named,), {}).variation == "deeper"  # type: ignore[attr-defined]
    assert type("Called", (Pope,), {"variation": "short"}).variation == "short"  # type: ignore[attr-defined]


def test_no_object_takes_an_official_name(tmp_path: Path) -> None:
    """From Python, too: a name, a label or an emptied variation that would print as POPE's own is refused."""
    source = parse_source("demo", {})
    taken = {
        "named": type("Set", (Pope,), {"name": "pope"}),
        "emptied": type("Set", (Pope,), {"variation": ""}),
        "labelled": type("Set", (Pope,), {"label": "pope@demo"}),
    }
    for owner in taken.values():
        owner.__module__ = "somebody"
        with pytest.raises(UserError, match="is not its name to take"):
            evaluate("constant", owner(protocol="llava", data=source), data="demo", output=tmp_path)
    varied = type("Politely", (Pope,), {})
    run = evaluate("constant", [varied("llava", source), Pope("llava", source)], data="demo", output=tmp_path, limit=8)
    assert (run["pope"].task, run["pope+politely"].task) == ("pope@demo", "pope@demo+politely")
    with pytest.raises(UserError, match="two tasks are called pope@demo"):
        evaluate("constant", [Pope("llava", source), Pope("llava", source)], data="demo", output=tmp_path)


def test_a_class_that_somebody_typed(tmp_path: Path) -> None:
    """In a notebook or behind -c no file holds the class; it has no certificate, and all else."""
    code = f"""
from mipha_eval import evaluate
from mipha_eval.data.parse_source import parse_source
from mipha_eval.tasks.pope import Pope
class Politely(Pope):
    pass
run = evaluate("constant", Politely("llava", parse_source("demo", {{}})), output={str(tmp_path)!r}, limit=8)
print([result.task for result in run])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "['pope@demo+politely']\n", done.stderr
