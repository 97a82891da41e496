"""The program, ``mipha-eval`` or ``python -m mipha_eval``: Ctrl-C has its say from the first import to the last line,
and what cannot be written there ends nothing."""

from __future__ import annotations

from mipha_eval.cli.standard_streams import hold_standard_streams
from mipha_eval.engine.interrupt import stopped_from_the_first_import


def main() -> None:
    """Runs a command line, see `mipha_eval.cli.app.main`."""
    stopped_from_the_first_import()
    hold_standard_streams()
    from mipha_eval.cli.app import main as command_line

    command_line()


if __name__ == "__main__":
    main()
