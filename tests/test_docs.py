"""The documentation says what is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.main import get_command

from docs.generate_cli import verbs
from mipha_eval.cli.app import app
from mipha_eval.core.plugins.registry import Registry
from tests.conftest import Cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_cli_page_is_up_to_date() -> None:
    code = "import sys; sys.path.insert(0, 'docs'); import generate_cli; sys.stdout.write(generate_cli.render())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == (ROOT / "docs/cli.md").read_text(), "run `make docs`"


def registered(group: typer.Typer, words: str = "mipha-eval") -> Iterator[str]:
    """Verbs as they were handed to typer, before it makes a tree of them."""
    yield words
    yield from (f"{words} {command.name}" for command in group.registered_commands)
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from registered(inner.typer_instance, f"{words} {inner.name}")


def test_every_verb_has_its_help_on_the_cli_page() -> None:
    """Each verb has a part of its own, and in it the help that it prints."""
    parts = (ROOT / "docs/cli.md").read_text().split("\n## ")[1:-1]
    documented = {part.splitlines()[0]: part for part in parts}
    found = list(registered(app))
    assert {"mipha-eval report", "mipha-eval data where", "mipha-eval judge calibrate"} <= set(found)
    assert sorted(documented) == sorted(found)
    for verb, part in documented.items():
        assert re.search(rf"^Usage: {verb}( \[| \w+\.\.\.|$)", part, flags=re.MULTILINE), verb


def test_the_cli_page_goes_down_to_verbs_of_verbs() -> None:
    """However deep a verb is, and left out if it is hidden."""
    outer, middle, inner = typer.Typer(), typer.Typer(), typer.Typer()
    for group in (outer, middle, inner):
        group.callback()(lambda: None)
        group.command("plain")(lambda: None)
    inner.command("secret", hidden=True)(lambda: None)
    middle.add_typer(inner, name="inner")
    outer.add_typer(middle, name="middle")
    deep = [("middle",), ("middle", "plain"), ("middle", "inner"), ("middle", "inner", "plain")]
    assert list(verbs(get_command(outer))) == [(), ("plain",), *deep]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)", page.read_text()):
        name, _, place = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not place or place in places(file), target


def places(page: Path) -> set[str]:
    """What links call the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)]
    return {heading.replace(" ", "-") for heading in plain}


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(docs/([^)#]+)", (ROOT / "README.md").read_text()))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= linked


def test_every_protocol_is_documented() -> None:
    text = (ROOT / "docs/protocols.md").read_text()
    registry = Registry()
    for name in registry.names("tasks"):
        for protocol in registry.load("tasks", name)[0].protocols:
            assert f"`{name}@{protocol}`" in text


def test_the_examples_for_plugins_work(cli: Cli, tmp_path: Path) -> None:
    """Each Python block of docs/plugins.md is a plugin file that runs."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/plugins.md").read_text(), flags=re.DOTALL)
    names = re.findall(r'^"""(\w+)', "\n".join(blocks), flags=re.MULTILINE)
    assert {"Maps", "POPE", "Capitals", "Parrot"} <= set(names)
    files: list[str] = []
    for number, block in enumerate(blocks):
        file = tmp_path / f"example_{number}.py"
        file.write_text(block)
        files += ["--plugin", str(file)]
    (tmp_path / "capitals").mkdir()
    (tmp_path / "capitals/questions.jsonl").write_text('{"id": 1, "question": "Capital of France?", "answer": "Paris"}\n')
    row = {"id": "m1", "question": "Capital?", "answer": "Paris", "image": "france.png"}
    (tmp_path / "questions.jsonl").write_text(json.dumps(row))
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "images/france.png")
    run = [
        "run",
        "--tasks",
        "capitals,maps",
        "--model",
        "parrot",
        "--data",
        tmp_path,
        "-o",
        tmp_path / "runs",
        "--json",
        *files,
    ]
    outcome = cli(*run, "-a", "word=Paris")
    assert outcome.code == 0, outcome.err
    assert [result["metrics"] for result in outcome.json["results"]] == [{"accuracy": 100}] * 2
    assert "pope+politely" in cli("list", "tasks", *files).out
