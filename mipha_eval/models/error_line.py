"""What another library's error says, in one line."""

from __future__ import annotations

import re

from huggingface_hub.errors import StrictDataclassFieldValidationError

#: characters of a message that are repeated; some list all models there are
LONGEST = 300

#: the two ways in which transformers says that a package is not there
MISSING_PACKAGE = re.compile(
    r"(?P<what>\w+) requires the (?P<one>\w+) library|Missing optional dependencies: (?P<more>[\w, ]+)"
)


def reason(error: Exception) -> str:
    """The first line of what an error says, or its first sentence; of a package that is missing, how it is to be had."""
    if isinstance(error, StrictDataclassFieldValidationError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    text = str(error).strip()
    package = MISSING_PACKAGE.search(text)
    if package:
        names = (package["one"] or package["more"]).lower().replace(",", "")
        return f"{package['what'] or 'it'} needs {names}, which is not installed: pip install {names}"
    line = " ".join(part.strip() for part in text.splitlines()[: 1 + text.partition("\n")[0].endswith(":")])
    if len(line) > LONGEST:
        line = line.partition(". ")[0][:LONGEST]
    return line if isinstance(error, OSError | ValueError | RuntimeError) and line else f"{type(error).__name__}: {line}"
