"""What a command's exit code says."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """One for every way in which a command can end; docs/cli.md shows `MEANINGS`."""

    OK = 0
    BUG = 1  # what Python ends with where an error reaches it
    USAGE = 2
    INCOMPLETE = 3
    REGRESSION = 4


MEANINGS = {
    ExitCode.OK: "done, and nothing is missing",
    ExitCode.BUG: "a mistake of mipha-eval's own, with a traceback; please report it",
    ExitCode.USAGE: (
        "something that you can mend: a flag, a file, a plugin, standard output that is full or closed (a reader that has "
        "gone is no error); one line says what and how"
    ),
    ExitCode.INCOMPLETE: (
        "finished, but something is missing: a task whose files are not here, beside others; questions without an answer, "
        "failed requests, answers that a judge has yet to grade, labels that are not public, more than half of the answers "
        "unparsed; stopped by Ctrl-C; something is not as it should be: data differ from the release, a scorer from its "
        "oracle, a judge cannot be relied on; or `compare --fail-on-regression` cannot tell"
    ),
    ExitCode.REGRESSION: "`compare --fail-on-regression`: a candidate is worse, or lost answers",
}
