"""What another library's error says, in one line."""

from __future__ import annotations

import re

#: characters of a message that are repeated; some list all models there are
LONGEST = 300


def reason(error: Exception) -> str:
    """The first line of what an error says, or its first sentence; of a package that is missing, how it is to be had."""
    text = str(error).strip()
    package = re.search(r"(\w+) requires the (\w+) library", text)
    if package:
        return f"{package[1]} needs {package[2].lower()}, which is not installed: pip install {package[2].lower()}"
    line = " ".join(part.strip() for part in text.splitlines()[: 1 + text.partition("\n")[0].endswith(":")])
    if len(line) > LONGEST:
        line = line.partition(". ")[0][:LONGEST]
    return line if isinstance(error, OSError | ValueError | RuntimeError) and line else f"{type(error).__name__}: {line}"
