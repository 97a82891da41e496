"""Lines of progress among what a command said in a process of its own; a busy machine has more of them."""

from __future__ import annotations

import re

#: as ``pope@demo 36/1,080, f1 33.33, 89.1/s, 0:12 left``, ``loading dying: waiting for workers (0:10)``, a worker's
PROGRESS = re.compile(r"\S+ [\d,]+/[\d,]+(, .*)?|[a-z].* \((\d+:)?\d+:\d\d\)|  (worker \d+ |and \d+ workers more).*")


def besides_progress(text: str) -> str:
    """What was said without lines of progress, which come every ten seconds where nobody sees a terminal."""
    return "".join(line for line in text.splitlines(keepends=True) if not PROGRESS.fullmatch(line.rstrip("\n")))
