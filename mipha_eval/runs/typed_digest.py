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
from pathlib import Path

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


def typed_digest(settings: RunSettings) -> str:
    """Identifies what decides a run before anything is read, on this machine; "" where it cannot be told."""
    installation, model, source = installation_digest(), settings.model, settings.source
    if not installation or settings.workers is not None:
        return ""
    folders = {name: str(folder) for name, folder in source.image_dirs.items()}
    plugins = [[str(file), hashlib.sha256(Path(file).read_bytes()).hexdigest()] for file in settings.plugins]
    parts: list[object] = [
        *(installation, model.name, dict(sorted(model.options.items())), dict(sorted(settings.task_options.items()))),
        *(str(source), str(source.annotations), folders, settings.control, plugins),
        *(str(Path.cwd()), str(Path.home()), platform.node(), _devices()),
        sorted((name, value) for name, value in os.environ.items() if name.startswith(VARIABLES)),
    ]
    return hashlib.sha256(to_json(parts).encode()).hexdigest()


def _devices() -> list[str]:
    """What is in sight to compute on; of GPUs of NVIDIA's with the numbers that they were made with."""
    found = sorted(str(path) for pattern in DEVICES for path in Path("/dev").glob(pattern))
    program = shutil.which("nvidia-smi")
    if program is not None:
        try:
            told = subprocess.run([program, "-L"], capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
            found.append(told.stdout.decode(errors="replace"))
        except (OSError, subprocess.TimeoutExpired) as error:
            found.append(type(error).__name__)
    return found
