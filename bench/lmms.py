"""lmms-eval as others use it: in an environment of its own, by its command line, with its ``llava_hf`` and its ``pope``."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
WANTED = Path(__file__).with_name("lmms.in")
LOCK = WANTED.with_suffix(".lock")
#: the end of a traceback
ERROR = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b")


def environment(folder: Path, *, compiled: bool = True) -> Path:
    """The Python of lmms-eval's environment, set up from its lock on first use, and anew when the lock has changed.

    Args:
        compiled: whether all of it is compiled now, so that no run is slower than the next, rather than when it is imported.
    """
    python = folder / "bin" / "python"
    mark = folder / LOCK.name
    if not (mark.is_file() and mark.read_bytes() == LOCK.read_bytes()):
        lines = WANTED.read_text(encoding="utf-8").splitlines()
        *imported, itself = (line for line in lines if not line.startswith("#"))
        install = [str(python), "-m", "pip", "install", "--quiet", "-c", str(LOCK)]
        install += [] if compiled else ["--no-compile"]
        run(sys.executable, "-m", "venv", "--clear", str(folder))
        run(*install, *imported)
        run(*install, "--no-deps", itself)
        shutil.copy(LOCK, mark)
    return python


def tasks_folder(python: Path) -> Path:
    """lmms-eval's own definitions of tasks in an environment."""
    return next(python.parents[1].glob("lib/python*/site-packages/lmms_eval/tasks"))


def put_ours(python: Path) -> None:
    """This checkout as an installed package of an environment, so that lmms-eval finds our models by its entry points."""
    packages = tasks_folder(python).parents[1]
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    told = packages / "mipha_eval-0.dist-info"
    told.mkdir(exist_ok=True)
    (packages / "mipha_eval.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: mipha-eval\nVersion: 0\n", encoding="utf-8")
    lines = [f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in own.items()) for group, own in points.items()]
    (told / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603


def write_task(python: Path, folder: Path, questions: Path) -> None:
    """Its own ``pope`` with nothing changed but the place of the data."""
    own = tasks_folder(python) / "pope" / "pope.yaml"
    task = {
        "include": str(own),
        "task": "bench_pope",
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": str(questions)}},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench_pope.yaml").write_text(json.dumps(task))  # JSON is YAML


#: lmms-eval's models -> their arguments, before the checkpoint
MODELS = {
    # it takes no batch larger than one question; its default for ``device_map`` is an error in transformers 5
    "llava_hf": "dtype=float32,device_map=cpu,pretrained=",
    "mipha_eval": "adapter=hf-chat,dtype=float32,path=",
}


def command(python: Path, checkpoint: Path, tasks: Path, output: Path, model: str = "llava_hf") -> list[str]:
    chosen = ["--model", model, "--model_args", f"{MODELS[model]}{checkpoint}", "--device", "cpu", "--batch_size", "1"]
    asked = ["--tasks", "bench_pope", "--include_path", str(tasks), "--log_samples", "--output_path", str(output)]
    return [str(python), "-m", "lmms_eval", "eval", *chosen, *asked]


def what_failed(log: str) -> str:
    """The last error that a log tells of, as a line; "" if it tells of none."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    raised = [line for line in lines if ERROR.match(line)]
    said = [line for line in lines if "| ERROR " in line]
    return next(iter([*raised[-1:], *said[-1:]]), "")


def read_answers(output: Path, keys: Sequence[str]) -> dict[str, str]:
    """Answers by key; `keys` are in the order of the data set.

    Raises:
        FileNotFoundError: no answers were written; lmms-eval ends as if all were well, and only its log says what failed.
    """
    file = next(output.rglob("*_samples_bench_pope.jsonl"), None)
    if file is None:
        raise FileNotFoundError(f"no answers were written to {output}")
    rows = map(json.loads, file.read_text().splitlines())
    return {keys[row["doc_id"]]: row["filtered_resps"].strip() for row in rows}
