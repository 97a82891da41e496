"""lmms-eval as others use it: in an environment of its own, by its command line, with its ``llava_hf`` and its ``pope``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

WANTED = Path(__file__).with_name("lmms.in")
LOCK = WANTED.with_suffix(".lock")


def environment(folder: Path) -> Path:
    """The Python of lmms-eval's environment, set up from its lock on first use, and anew when the lock has changed."""
    python = folder / "bin" / "python"
    mark = folder / LOCK.name
    if not (mark.is_file() and mark.read_bytes() == LOCK.read_bytes()):
        lines = WANTED.read_text(encoding="utf-8").splitlines()
        *imported, itself = (line for line in lines if not line.startswith("#"))
        install = [str(python), "-m", "pip", "install", "--quiet", "-c", str(LOCK)]
        run(sys.executable, "-m", "venv", "--clear", str(folder))
        run(*install, *imported)
        run(*install, "--no-deps", itself)
        shutil.copy(LOCK, mark)
    return python


def run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603


def write_task(python: Path, folder: Path, questions: Path) -> None:
    """Its own ``pope`` with nothing changed but the place of the data."""
    own = next(python.parents[1].glob("lib/python*/site-packages/lmms_eval/tasks/pope/pope.yaml"))
    task = {
        "include": str(own),
        "task": "bench_pope",
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": str(questions)}},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench_pope.yaml").write_text(json.dumps(task))  # JSON is YAML


def command(python: Path, checkpoint: Path, tasks: Path, output: Path) -> list[str]:
    """`llava_hf` takes no batch larger than one question; its default for ``device_map`` is an error in transformers 5."""
    model = f"pretrained={checkpoint},dtype=float32,device_map=cpu"
    chosen = ["--model", "llava_hf", "--model_args", model, "--device", "cpu", "--batch_size", "1"]
    asked = ["--tasks", "bench_pope", "--include_path", str(tasks), "--log_samples", "--output_path", str(output)]
    return [str(python), "-m", "lmms_eval", "eval", *chosen, *asked]


def read_answers(output: Path, keys: Sequence[str]) -> dict[str, str]:
    """Answers by key; `keys` are in the order of the data set."""
    file = next(output.rglob("*_samples_bench_pope.jsonl"))
    rows = map(json.loads, file.read_text().splitlines())
    return {keys[row["doc_id"]]: row["filtered_resps"].strip() for row in rows}
