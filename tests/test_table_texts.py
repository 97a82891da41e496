"""Names from outside are shown as they are, in every format; LaTeX compiles where there is a TeX engine."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.reporting.formats import RENDERERS
from mipha_eval.reporting.formats.latex import PACKAGES
from mipha_eval.reporting.formats.latex_text import latex_text
from mipha_eval.reporting.visible import visible
from tests.conftest import Cli
from tests.table_grids import read_html, read_latex, read_markdown
from tests.table_runs import golden_report, json_rows, prepare_golden, some_right, texts_of, write_run

STRANGE = {
    "script": "<script>alert(1)</script>",
    "end": "</script></table><img src=x onerror=alert(1)>",
    "link": "[x](javascript:alert(1))",
    "image": "![x](javascript:alert(1))",
    "escape": "\x1b[31mred\x1b[0m",
    "direction": "\u202egnp.exe\u2066",
    "zero": "a\0b",
    "long": "x" * 100_000,
    "latex": r"100%_$#&{}~^\|<>",
    "file": r"\input{/etc/passwd}\end{tabular}",
    "argument": "[0pt] *",
    "ligatures": "a--b---c,,d''e``f",
    "markdown": "`code` *b* _i_ ~~s~~ |pipe| a\\b",
    "formula": "=cmd|' /C calc'!A0",
    "letters": "Ünïcödé Łódź ß ø Ğ ñ 模型 🦙 עברית",
    "marks": "× ± α – — … “q” ‘q’ ≤",
    "entity": "&amp; &#60;b&#62;",
    "lines": "a\nb\r\nc\td\u2028e",
    "surrogate": "lone \ud800 one",
    "comment": "<!-- <![CDATA[ ]]> -->",
}


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A run for each strange name."""
    folder = tmp_path_factory.mktemp("strange")
    texts = texts_of("gqa@testdev", some_right(0.5, 1))
    return [write_run(folder / name, {"gqa@testdev": texts}, model=text) for name, text in STRANGE.items()]


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with a strange title, heading and words."""
    path = tmp_path_factory.mktemp("definition") / "strange.toml"
    path.write_text(
        'title = "</figcaption><script>100 % _$"\n'
        'columns = [{heading = "<b>%_|", task = "gqa@testdev", metric = "accuracy"}]\n'
        '[[fields]]\nkey = "llm"\nheading = "<i>LLM|%"\n',
        encoding="utf-8",
    )
    return path


def report(cli: Cli, runs: list[Path], definition: Path, kind: str) -> str:
    outcome = cli("report", *runs, "--table", definition, "--format", kind, "--row", "*:llm=<svg onload=x>|$\x1b[2J%")
    assert outcome.code == 0, outcome.err
    return outcome.out


def test_visible() -> None:
    assert visible("a\0b\x1b[1m\u202e\ud800") == "a[U+0000]b[U+001B][1m[U+202E][U+D800]"
    assert visible(" a\n\tb\u2028c\u00a0d ") == "a b c d"
    assert len(visible("x" * 100_000)) == 200
    assert visible("模型 Łódź 🦙") == "模型 Łódź 🦙"


@given(st.text())
def test_visible_lets_nothing_through_that_acts(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert len(shown) <= 200


@pytest.mark.parametrize("kind", RENDERERS)
def test_nothing_acts_in_a_terminal(kind: str, strange: list[Path], definition: Path, cli: Cli) -> None:
    text = report(cli, strange, definition, kind)
    assert not [letter for letter in text if not letter.isprintable() and letter != "\n"]
    assert max(map(len, text.split("\n"))) < (200_000 if kind == "json" else 5_000)


@pytest.mark.parametrize("kind", ["html", "md"])
def test_markup_in_names_is_text(kind: str, strange: list[Path], definition: Path, cli: Cli) -> None:
    reader = (read_html if kind == "html" else read_markdown)(report(cli, strange, definition, kind))
    assert reader.odd == []
    shown = [row[0].text for row in reader.rows[1:]]
    assert shown == [visible(text) for text in STRANGE.values()]
    assert {row[1].text for row in reader.rows[1:]} == {"<svg onload=x>|$[U+001B][2J%"}
    assert [cell.text for cell in reader.rows[0]] == ["Method", "<i>LLM|%", "<b>%_|"]


def test_spreadsheets_get_no_formulas(strange: list[Path], definition: Path, cli: Cli) -> None:
    rows = list(csv.DictReader(io.StringIO(report(cli, strange, definition, "csv"))))
    assert len(rows) == len(STRANGE)
    assert not [value for row in rows for value in row.values() if value.startswith(("=", "+", "-", "@"))]
    assert rows[list(STRANGE).index("formula")]["method"] == f"'{STRANGE['formula']}"


def test_json_has_names_as_they_are(strange: list[Path], definition: Path, cli: Cli) -> None:
    rows = json_rows(report(cli, strange, definition, "json"))
    assert [row["method"] for row in rows] == list(STRANGE.values())


def test_latex_has_a_cell_for_every_cell(strange: list[Path], definition: Path, cli: Cli) -> None:
    """Braces are balanced, nothing ends a row or a cell early, and commands are only those that are meant."""
    text = report(cli, strange, definition, "latex")
    rows = read_latex(text)
    assert [len(row) for row in rows] == [3] * (1 + len(STRANGE))
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}")
    body = text[text.index(r"\toprule") : text.index(r"\end{minipage}")]
    assert re.findall(r"(?<!\\)[#]|(?<!\\)[~^]", body) == []
    assert "\\input" not in text.replace("\\textbackslash{}input", "")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_latex_text_is_balanced_and_without_specials(text: str) -> None:
    found = latex_text(text)
    plain = re.sub(r"\\[{}]", "", found)
    assert plain.count("{") == plain.count("}")
    rest = re.sub(r"\\[#$%&_{}]", "", found)
    assert not re.search(r"[#%&]", rest)
    assert rest.count("$") % 2 == 0


def compile_latex(table: str, folder: Path, options: str = "") -> str:
    """Runs pdflatex on a paper with the table, and returns its log."""
    engine = shutil.which("pdflatex")
    if engine is None:
        pytest.skip("no pdflatex is installed: the LaTeX is parsed, not compiled")
    document = f"\\documentclass[{options}]{{article}}\n{PACKAGES}\n\\begin{{document}}\n{table}\n\\end{{document}}\n"
    (folder / "paper.tex").write_text(document, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-3000:]
    return log


@pytest.mark.parametrize("options", ["", "twocolumn"])
def test_latex_compiles(options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_golden(tmp_path)
    monkeypatch.chdir(tmp_path)
    log = compile_latex(golden_report("tex"), tmp_path, options)
    assert "Output written on paper.pdf (1 page" in log
    assert "too large for page" not in log
    assert not re.search(r"Overfull \\hbox \((?!\d\.)", log), "more than 10 pt too wide"


def test_latex_with_strange_names_compiles(strange: list[Path], definition: Path, cli: Cli, tmp_path: Path) -> None:
    log = compile_latex(report(cli, strange, definition, "latex"), tmp_path)
    assert "Output written on paper.pdf (1 page" in log
    assert "Missing character" not in log
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("compiled, but no pdftotext is installed to read the page")
    page = subprocess.run(
        [reader, "-layout", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    for part in (
        "<script>alert(1)</script>",
        "$#&{}",  # an underscore is a rule in LaTeX's own fonts
        "\\input{/etc/passwd}\\end{tabular}",
        "[0pt] *",
        "[U+202E]",
    ):
        assert part in page
