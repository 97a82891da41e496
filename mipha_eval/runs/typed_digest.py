"""What a command decides before anything is read, and where it is given.

The device that ``auto`` is cannot be known without torch, and need not be: on one machine, with one torch and the same
devices and variables in sight, it is what it was. Where a GPU has failed since, what it answered before is still its answer.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mipha_eval.core.children import run_program
from mipha_eval.core.files import read_regular
from mipha_eval.core.json_line import to_json
from mipha_eval.runs.settings import RunSettings
from mipha_eval.scoring.installation import installation_digest

#: devices to compute on, in /dev
DEVICES = ("nvidia*", "kfd", "dri/*", "dxg", "accel*")
#: beginnings of the variables that decide which of them are used, and where files are
VARIABLES = (
    *("CUDA_VISIBLE", "CUDA_DEVICE", "NVIDIA_", "HIP_", "ROCR_", "HSA_", "PYTORCH_", "TORCH_"),
    *("HF_", "TRANSFORMERS_", "ACCELERATE_", "MIPHA_EVAL_"),
)
#: seconds for the driver's program that tells which devices these are
PATIENCE = 20.0


def model_digest(name: str, options: Mapping[str, str], plugins: Sequence[str | Path]) -> str:
    """Identifies a model as it is typed, on this machine; "" where it cannot be told what is installed.

    Args:
        options: of the model, as texts.
        plugins: files, which may define the model.
    """
    installation = installation_digest()
    if not installation:
        return ""
    files = [[str(file), hashlib.sha256(read_regular(Path(file))).hexdigest()] for file in plugins if Path(file).is_file()]
    parts: list[object] = [
        *(installation, name, dict(sorted(options.items())), files),
        *(str(Path.cwd()), str(Path.home()), platform.node(), _devices()),
        sorted((name, value) for name, value in os.environ.items() if name.startswith(VARIABLES)),
    ]
    return _digest(parts)


def run_digest(settings: RunSettings) -> str:
    """Identifies what decides a run before anything is read; "" where the model is none that was typed."""
    source = settings.source
    folders = {name: str(folder) for name, folder in source.image_dirs.items()}
    parts = [settings.typed, dict(sorted(settings.task_options.items())), str(source), str(source.annotations), folders]
    return _digest([*parts, settings.control]) if settings.typed else ""


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(to_json(parts).encode()).hexdigest()


def _devices() -> list[str]:
    """What is in sight to compute on; of GPUs of NVIDIA's with the numbers that they were made with."""
    found = sorted(str(path) for pattern in DEVICES for path in Path("/dev").glob(pattern))
    program = shutil.which("nvidia-smi")
    if program is not None:
        try:
            told = run_program([program, "-L"], seconds=PATIENCE)
            found.append(told.stdout.decode(errors="replace"))
        except (OSError, subprocess.TimeoutExpired) as error:
            found.append(type(error).__name__)
    return found
