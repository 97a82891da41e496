"""What computes: devices that torch sees, CPU threads, memory."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from mipha_eval.authoring.doctor.elsewhere import Elsewhere, ElsewhereError, SlowError
from mipha_eval.authoring.finding import Finding

GB = 1e9

#: where a container's limit of memory stands, and of processors
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def start_devices() -> Elsewhere | None:
    """Begins to look; None where torch is not installed."""
    return Elsewhere("mipha_eval.models.found_devices", "found_devices") if find_spec("torch") else None


def devices(begun: Elsewhere | None) -> Finding:
    """What torch can compute on."""
    if begun is None:
        return Finding("devices", "fault", "torch is not installed; no model of its own can be run, only servers be asked")
    try:
        found = begun.result()
    except SlowError as error:
        return Finding("devices", "note", f"torch {error} to be imported")
    except ElsewhereError as error:
        return Finding("devices", "fault", f"torch cannot be imported: {error}")
    if not isinstance(found, dict):
        return Finding("devices", "note", "torch says nothing of its devices")
    listed = found["devices"] if isinstance(found["devices"], list) else []
    build = f"torch {found['version']}" + (f" for CUDA {found['cuda']}" if found["cuda"] else "")
    line = f"{build}: {'; '.join(map(str, [*listed, 'cpu']))}, {found['threads']} threads"
    if not listed and shutil.which("nvidia-smi"):
        return Finding("devices", "note", f"{line}; an NVIDIA driver is here, and this torch cannot use its GPU")
    return Finding("devices", "ok", line)


def threads() -> Finding:
    """Processors, and how many threads are asked for."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    line = f"{here} of {os.cpu_count()} processors are this process's"
    quota = _quota()
    line += f", {quota:g} by the container's limit" if quota else ""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if not asked:
        return Finding("cpu threads", "ok", f"{line}; OMP_NUM_THREADS is not set")
    most = min(here, quota or here)
    if not asked.isdecimal() or int(asked) > most:
        return Finding("cpu threads", "note", f"{line}; OMP_NUM_THREADS={asked} does not fit that")
    return Finding("cpu threads", "ok", f"{line}; OMP_NUM_THREADS={asked}")


def memory() -> Finding:
    import psutil

    found = psutil.virtual_memory()
    line = f"{found.available / GB:.1f} of {found.total / GB:.1f} GB free"
    limit = next((each for file in MEMORY_LIMITS if (each := _number(file))), 0)
    if 0 < limit < found.total:
        line += f"; a container's limit is {limit / GB:.1f} GB"
    return Finding("memory", "ok", line)


def _number(file: Path) -> int:
    """A number in a file; 0 where there is none."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return 0
    return int(text) if text.isdecimal() else 0


def _quota() -> float:
    """Processors that a container may use; 0 for no limit."""
    try:
        quota, period = CPU_LIMIT.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 0.0
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else 0.0
