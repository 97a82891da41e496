"""Fixtures that many tests use."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.lmms import tasks_folder
from mipha_eval.cli.app import main
from mipha_eval.scoring.captions.words import java_is_there
from tests.browser import chromium
from tests.judge_server import Serve, judge_server
from tests.lmms_environment import lmms_python
from tests.lmms_files import write_sets
from tests.oracles import mme, pope

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHARED = Path(__file__).resolve().parents[2] / "shared"

#: files that take minutes, the longest first; they begin first, so that at the end no process is left alone with one
LONG = (
    "test_workers",
    "test_lmms_eval",
    "test_export",
    "test_demo",
    "test_cluster_examples",
    "test_bench",
    "test_whole_prompts",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first; the others stay as they are."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


def shared_folder(name: str, variable: str) -> Path:
    """A folder of real files that are not part of the repository; skips the test where it is missing."""
    folder = Path(os.environ.get(variable) or SHARED / name)
    if not folder.is_dir():
        pytest.skip(f"real files are not here: {folder} (set {variable})")
    return folder


@pytest.fixture(scope="session")
def benchmarks() -> Path:
    """Real benchmark files in LLaVA's eval layout."""
    return shared_folder("benchmarks", "MIPHA_EVAL_PARITY_DATA")


@pytest.fixture(scope="session")
def llava_answers() -> Path:
    """LLaVA-1.5-13B's own answer files."""
    return shared_folder("predictions/llava-v1.5-13b", "MIPHA_EVAL_PARITY_ANSWERS")


@pytest.fixture(scope="session")
def reference() -> Path:
    """A small Mipha checkpoint with what the official code computes from it."""
    return shared_folder("fixtures/mipha_reference", "MIPHA_EVAL_PARITY_CHECKPOINT")


@pytest.fixture(scope="session")
def lmms_eval() -> Path:
    """A Python with lmms-eval and this checkout; skips the test where its packages cannot be had."""
    return lmms_python()


@pytest.fixture(scope="session")
def local_sets(lmms_eval: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with lmms-eval's tasks on small local files."""
    folder = tmp_path_factory.mktemp("lmms")
    write_sets(folder, tasks_folder(lmms_eval))
    return folder


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Outcome]

#: for what starts PTB's tokenizer or METEOR; a machine without Java, as CI is, has the tests of Treebank's tokens
needs_java = pytest.mark.skipif(not java_is_there(), reason="Java is not installed")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command line in this process; however busy the machine is, no line of progress comes among what it says."""
    monkeypatch.setattr("mipha_eval.engine.progress.lines.SECONDS_BETWEEN_LINES", 600.0)

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["mipha-eval", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


Said = Callable[[], str]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Said:
    """What the library said since it was last asked, a line each; for tests of the library without a command line."""
    caplog.set_level(logging.INFO, "mipha_eval")

    def call() -> str:
        lines = "".join(f"{message}\n" for message in caplog.messages)
        caplog.clear()
        return lines

    return call


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts judges' servers, and stops them after the test."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(judge_server(script))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps demo data and dataset caches of the tests out of the user's folders."""
    cache = tmp_path_factory.mktemp("cache")
    os.environ["MIPHA_EVAL_CACHE"] = str(cache / "mipha-eval")
    os.environ["HF_DATASETS_CACHE"] = str(cache / "datasets")
    os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; skips the test where there is none. For a module: it keeps an event loop running, which others may not."""
    with chromium() as program:
        yield program


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Writes rows, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Reads rows, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_json(path: Path) -> Any:
    """Reads a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def pope_numbers(texts: Sequence[str], labels: Sequence[str]) -> dict[str, float]:
    """The oracle's numbers of one category, in percent."""
    return pope.measure([pope.Judged(pope.says_yes(text), label != "no") for text, label in zip(texts, labels, strict=True)])


def mme_points(texts: Sequence[str], labels: Sequence[str]) -> float:
    """The oracle's points of one subtask."""
    return mme.subtask_points([float(mme.reading(text) == label.lower()) for text, label in zip(texts, labels, strict=True)])
