"""What answering takes; never a fault."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from mipha_eval.authoring.check_model.candidate import Candidate
from mipha_eval.authoring.finding import Finding

GB = 1e9


def check_effort(candidate: Candidate, before: int) -> Iterator[Finding]:
    """Speed and memory, as notes.

    Args:
        before: bytes of memory that the process had before the model was read.
    """
    size = len(candidate.questions.batch)
    seconds = min((taken for count, taken in candidate.seconds if count == size), default=0.0)
    if seconds:
        line = f"a batch of {size} in {seconds:.3g} s, {size / seconds:.3g} questions a second, here and now"
        yield Finding("speed", "note", line)
    yield Finding("memory", "note", memory_line(before))


def memory_line(before: int) -> str:
    """What this process has at most had, and what a device has."""
    peak = f"{peak_bytes() / GB:.2f} GB at most, {before / GB:.2f} GB before the model was read"
    if "torch" not in sys.modules:
        return peak
    from mipha_eval.models.device_memory import device_peaks

    devices = [f"{name} {held / GB:.2f} GB" for name, held in device_peaks().items()]
    return "; ".join([peak, *devices])


def held_bytes() -> int:
    """Memory of this process now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def peak_bytes() -> int:
    """The most memory that this process has had; where the system does not tell, what it has now."""
    try:
        import resource
    except ImportError:  # Windows
        return held_bytes()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(held_bytes(), most if sys.platform == "darwin" else most * 1024)
