"""Certificates: they find a wrong scorer, they are current, and reports show them."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import Totals
from mipha_eval.core.options import option_fields
from mipha_eval.core.plugins.registry import Registry, plugin_folder
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.data.parse_source import parse_source
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.adversarial import adversarial_answer
from mipha_eval.scoring.answers import yes_no
from mipha_eval.scoring.certificate import _bundled, load_oracles, oracle_folder, read_certificate, scorer_digest
from mipha_eval.scoring.certify import SETTINGS
from tests.conftest import Cli, read_json

TASKS = sorted(Registry().names("tasks"))


@pytest.mark.parametrize("name", TASKS)
def test_every_scorer_agrees_with_its_oracles(name: str, cli: Cli, tmp_path: Path) -> None:
    outcome = cli("certify", name, "--answers", 600, "--seed", 7, "--output", tmp_path, "--json")
    assert outcome.code == 0, outcome.out
    (certificate,) = outcome.json
    assert certificate["answers"] >= 600
    files = list(oracle_folder().glob(f"{name.replace('-', '_')}__*.py"))
    assert len(certificate["oracles"]) + len(certificate["not_installed"]) == 1 + len(files)
    assert certificate["oracles"][0]["oracle"] == f"tests/oracles/{name.replace('-', '_')}.py"
    for oracle in certificate["oracles"]:
        assert oracle["disagreements"] == 0
        assert oracle["largest_difference"] < 1e-9
    assert json.loads((tmp_path / f"{name}.json").read_text()) == certificate


@pytest.mark.parametrize("name", TASKS)
def test_the_certificate_in_the_repository_is_about_this_code(name: str) -> None:
    """After a change of a scorer `make certify` writes them anew."""
    owner, _ = Registry().load("tasks", name)
    settings = {f"{name.replace('-', '_')}.{key}": value for key, value in SETTINGS.items() if key in option_fields(owner)}
    task = build_task(name, settings, parse_source("demo", {}), Registry())
    rule = task.stand_in if isinstance(task, JudgedTask) else ""
    headline = f"{task.metrics_for(Totals({}))[0].name}{f'[{rule}]' if rule else ''}"
    certificate: Any = read_certificate(task, headline)
    assert certificate is not None, "make certify"
    assert certificate.oracles, "no oracle, no certificate"
    assert read_certificate(task, f"{headline}[another judge]") is None
    assert certificate.answers >= 10_000
    assert certificate.disagreements == 0


def test_a_wrong_scorer_is_found(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One letter more in POPE's rule, and the certificate says where."""
    official = yes_no.read_pope
    owner, _ = Registry().load("tasks", "pope")
    monkeypatch.setitem(owner.score.__globals__, "read_pope", lambda text: official(text.replace("NO", "no")))
    outcome = cli("certify", "pope", "--answers", 1000, "--output", tmp_path)
    assert outcome.code == 3
    certificate = json.loads((tmp_path / "pope.json").read_text())
    assert certificate["oracles"][0]["disagreements"] > 0
    assert "here" in certificate["oracles"][0]["first_disagreement"]


def test_a_changed_scorer_has_no_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    task = build_task("pope", {}, parse_source("demo", {}), Registry())
    before = scorer_digest(task)
    copy = tmp_path / "pope.py"
    copy.write_bytes(Path(Registry().plugin("tasks", "pope").place).read_bytes() + b"# changed\n")  # type: ignore[arg-type]
    monkeypatch.setattr("mipha_eval.scoring.certificate.inspect.getfile", lambda _: str(copy))
    assert scorer_digest(task) != before
    assert read_certificate(task, "f1") is None


def test_results_and_reports_show_the_hash(cli: Cli, tmp_path: Path) -> None:
    task = build_task("pope", {}, parse_source("demo", {}), Registry())
    certificate: Any = read_certificate(task, "f1")
    arguments = [
        "run",
        "--tasks",
        "pope",
        "--model",
        "constant",
        "--data",
        "demo",
        "--limit",
        "6",
        "--output",
        str(tmp_path),
    ]
    assert certificate.sha256[:12] in cli(*arguments).out
    (report,) = tmp_path.glob("*/report.md")
    assert certificate.sha256[:12] in report.read_text()


def test_no_oracle_is_said(cli: Cli) -> None:
    plugin = Path(__file__).parent / "plugin/mipha_eval_sums.py"
    outcome = cli("certify", "sums", "--plugin", plugin)
    assert outcome.code == 2
    assert "unknown oracle 'sums'" in outcome.err


def test_generated_answers_are_many_and_odd() -> None:
    samples = read_samples(build_task("vqav2", {}, parse_source("demo", {}), Registry()))
    rng = random.Random(0)
    texts = [adversarial_answer(rng, rng.choice(samples), samples) for _ in range(5000)]
    assert len(set(texts)) > 2000
    for odd in ("", "\0", "\ud800", "\t"):
        assert any(odd == text or (odd and odd in text) for text in texts)
    asked = [rng.choice(samples) for _ in range(2000)]
    own = sum(sample.target[0] in adversarial_answer(rng, sample, samples) for sample in asked)
    others = sum(sample.target[0] in adversarial_answer(rng, other, samples) for sample, other in itertools.pairwise(asked))
    assert own > 2 * others, "most answers are made from the question's own references"


def test_what_an_oracle_is_not_for_is_refused(cli: Cli) -> None:
    outcome = cli("certify", "seed@ppl")
    assert outcome.code == 2
    assert "is for llava, not for ppl" in outcome.err


def test_only_oracles_of_packages_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mipha_eval.scoring.certificate.importlib.import_module", no_module)
    with pytest.raises(ModuleNotFoundError):
        load_oracles("gqa")


def no_module(name: str) -> Any:
    raise ModuleNotFoundError(name)


def test_a_certificate_that_was_edited_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    task = build_task("pope", {}, parse_source("demo", {}), Registry())
    certificate = read_json(plugin_folder("certificates") / "pope.json")
    (tmp_path / "pope.json").write_text(json.dumps({**certificate, "answers": 10**9}))
    monkeypatch.setattr("mipha_eval.scoring.certificate.plugin_folder", lambda _: tmp_path)
    _bundled.cache_clear()
    assert read_certificate(task, "f1") is None
    _bundled.cache_clear()
