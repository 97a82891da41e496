"""``mipha-eval`` and ``python -m mipha_eval``, from the first import to the end: Ctrl-C is answered all the while."""

import signal
import sys

from mipha_eval.cli.exit_code import STOPPED, ExitCode


def main() -> None:
    """Runs the program, and ends the process."""
    try:
        from mipha_eval.cli.app import main as run_program

        run_program()
    except KeyboardInterrupt:  # while modules were imported, or after the last line
        print(STOPPED, file=sys.stderr)
        sys.exit(ExitCode.INCOMPLETE)
    finally:
        # all is stored and said; what Python does at its end would answer a further Ctrl-C with a traceback
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
